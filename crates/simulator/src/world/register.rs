//! What a world remembers beside its orgs' databases: which orgs there are and where, the clock, the switches.
//! Kept in `world.sqlite` of the world's folder, or in memory.

use crate::error::ApiError;
use crate::org::{Org, OrgKind, Origin};
use rusqlite::{Connection, OptionalExtension, params};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

const TABLES: &str = "
PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;
CREATE TABLE IF NOT EXISTS value (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS org (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, kind TEXT NOT NULL, of TEXT, license TEXT, pod INTEGER NOT NULL,
    port INTEGER NOT NULL, tls_port INTEGER, live INTEGER NOT NULL
) WITHOUT ROWID;
";

/// The register of a world.
#[derive(Debug)]
pub(super) struct Register(Mutex<Connection>);

/// An org as the register knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// 18 characters.
    pub(crate) id: String,
    /// Short name.
    pub(crate) name: String,
    /// What it is.
    pub(crate) kind: OrgKind,
    /// Ordinal of the org.
    pub(crate) pod: u32,
    /// Port for http.
    pub(crate) port: u16,
    /// Port for https.
    pub(crate) tls_port: Option<u16>,
    /// Reached at its ports; a copy that is not activated yet is not.
    pub(crate) live: bool,
}

impl Entry {
    /// An org that is reached.
    pub(crate) fn of(org: &Org) -> Self {
        Self {
            id: org.id.clone(),
            name: org.name.clone(),
            kind: org.kind.clone(),
            pod: org.pod,
            port: Origin::port(&org.origin.http),
            tls_port: org.origin.https.as_deref().map(Origin::port),
            live: true,
        }
    }
}

impl Register {
    pub(super) fn open(folder: Option<&Path>) -> Result<Self, ApiError> {
        let db = match folder {
            Some(folder) => Connection::open(folder.join("world.sqlite"))?,
            None => Connection::open_in_memory()?,
        };
        db.execute_batch(TABLES)?;
        Ok(Self(Mutex::new(db)))
    }

    fn db(&self) -> MutexGuard<'_, Connection> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn get(&self, name: &str) -> Result<Option<String>, ApiError> {
        Ok(self
            .db()
            .prepare_cached("SELECT value FROM value WHERE name = ?1")?
            .query_row([name], |row| row.get(0))
            .optional()?)
    }

    pub(super) fn set(&self, name: &str, value: &str) -> Result<(), ApiError> {
        self.db()
            .prepare_cached("INSERT OR REPLACE INTO value (name, value) VALUES (?1, ?2)")?
            .execute([name, value])?;
        Ok(())
    }

    /// The next ordinal of an org; none is used twice.
    pub(super) fn next_pod(&self) -> Result<u32, ApiError> {
        Ok(self.db().query_row(
            "INSERT INTO value (name, value) VALUES ('pod', '1')
             ON CONFLICT (name) DO UPDATE SET value = CAST(value AS INTEGER) + 1 RETURNING CAST(value AS INTEGER)",
            [],
            |row| row.get(0),
        )?)
    }

    pub(super) fn entries(&self) -> Result<Vec<Entry>, ApiError> {
        let db = self.db();
        let mut read =
            db.prepare("SELECT id, name, kind, of, license, pod, port, tls_port, live FROM org ORDER BY pod")?;
        let rows = read.query_map([], |row| {
            let kind: String = row.get(2)?;
            Ok(Entry {
                id: row.get(0)?,
                name: row.get(1)?,
                kind: match kind.as_str() {
                    "production" => OrgKind::Production,
                    "developer-edition" => OrgKind::DeveloperEdition,
                    _ => OrgKind::Sandbox {
                        of: row.get(3)?,
                        license: row.get(4)?,
                    },
                },
                pod: row.get(5)?,
                port: row.get(6)?,
                tls_port: row.get(7)?,
                live: row.get(8)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    pub(super) fn put(&self, entry: &Entry) -> Result<(), ApiError> {
        put(&self.db(), entry)
    }

    /// Puts one org in the place of another (or of none) in one transaction.
    pub(super) fn replace(&self, old: Option<&str>, new: &Entry) -> Result<(), ApiError> {
        let mut db = self.db();
        let tx = db.transaction()?;
        if let Some(old) = old {
            tx.execute("DELETE FROM org WHERE id = ?1", [old])?;
        }
        put(&tx, new)?;
        tx.commit()?;
        Ok(())
    }

    pub(super) fn remove(&self, id: &str) -> Result<(), ApiError> {
        self.db().execute("DELETE FROM org WHERE id = ?1", [id])?;
        Ok(())
    }
}

fn put(db: &Connection, entry: &Entry) -> Result<(), ApiError> {
    let (kind, of, license) = match &entry.kind {
        OrgKind::Production => ("production", None, None),
        OrgKind::DeveloperEdition => ("developer-edition", None, None),
        OrgKind::Sandbox { of, license } => ("sandbox", Some(of), Some(license)),
    };
    db.execute(
        "INSERT OR REPLACE INTO org (id, name, kind, of, license, pod, port, tls_port, live) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        params![
            entry.id,
            entry.name,
            kind,
            of,
            license,
            entry.pod,
            entry.port,
            entry.tls_port,
            entry.live
        ],
    )?;
    Ok(())
}
