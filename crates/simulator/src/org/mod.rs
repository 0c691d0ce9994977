//! One simulated org: its database, its schema and who it is.

pub mod records;
pub mod sessions;
mod tables;

use crate::error::ApiError;
use crate::ids;
use crate::schema::Schema;
use rusqlite::Connection;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What an org is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OrgKind {
    /// A production org.
    Production,
    /// A Developer Edition org.
    DeveloperEdition,
    /// A sandbox of a production org.
    Sandbox {
        /// Name of the production org in this world.
        of: String,
        /// `DEVELOPER`, `DEVELOPER_PRO`, `PARTIAL`, `FULL`.
        license: String,
    },
}

impl OrgKind {
    /// Whether `Organization.IsSandbox` is true.
    pub fn is_sandbox(&self) -> bool {
        matches!(self, Self::Sandbox { .. })
    }
}

/// Where an org is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// `http://127.0.0.1:8911`
    pub http: String,
    /// `https://localhost:9011` when the world serves TLS.
    pub https: Option<String>,
}

impl Origin {
    /// The port at the end of an origin; 0 when it has none.
    pub fn port(origin: &str) -> u16 {
        origin
            .rsplit_once(':')
            .and_then(|(_, port)| port.parse().ok())
            .unwrap_or(0)
    }
}

/// The sandbox name behind a short name: `uat` for `uat` and for `prod--uat`.
pub fn sandbox_name<'a>(of: &str, short: &'a str) -> &'a str {
    short
        .strip_prefix(of)
        .and_then(|rest| rest.strip_prefix("--"))
        .unwrap_or(short)
}

/// A simulated org.
#[derive(Debug)]
pub struct Org {
    /// 18 characters.
    pub id: String,
    /// Short name, unique in the world.
    pub name: String,
    /// What it is.
    pub kind: OrgKind,
    /// The org's ordinal; characters 4 to 6 of its record ids.
    pub pod: u32,
    /// Where it is reached.
    pub origin: Origin,
    state: Mutex<State>,
}

/// The mutable part of an org, behind its lock.
#[derive(Debug)]
pub struct State {
    /// The org's database.
    pub db: Connection,
    /// Objects and fields as of the last deployment.
    pub schema: Arc<Schema>,
}

impl Org {
    /// Opens an org's database, in memory or in a file, and makes the tables it lacks.
    pub fn open(
        id: String,
        name: &str,
        kind: OrgKind,
        pod: u32,
        origin: Origin,
        file: Option<&Path>,
    ) -> Result<Self, ApiError> {
        let db = match file {
            Some(path) => Connection::open(path)?,
            None => Connection::open_in_memory()?,
        };
        Self::adopt(id, name, kind, pod, origin, db)
    }

    /// Makes an org of a database that is open, with the tables it lacks.
    pub fn adopt(
        id: String,
        name: &str,
        kind: OrgKind,
        pod: u32,
        origin: Origin,
        db: Connection,
    ) -> Result<Self, ApiError> {
        db.set_prepared_statement_cache_capacity(256);
        let mut schema = tables::prepare(&db)?;
        if !crate::metadata::tracks_source(&kind) {
            schema.remove("SourceMember");
        }
        let schema = Arc::new(schema);
        Ok(Self {
            id,
            name: name.to_owned(),
            kind,
            pod,
            origin,
            state: Mutex::new(State { db, schema }),
        })
    }

    /// The state, alone. Lock a production org before one of its sandboxes, never the other way round.
    pub fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next id of a key prefix.
    pub fn next_id(&self, db: &Connection, prefix: &str) -> Result<String, ApiError> {
        Ok(ids::make(prefix, self.pod, self.next_number(db, prefix)?))
    }

    /// The next number of a sequence, from 1.
    pub fn next_number(&self, db: &Connection, sequence: &str) -> Result<u64, ApiError> {
        let n: i64 = db
            .prepare_cached(
                "INSERT INTO _sequence (prefix, next) VALUES (?1, 2) ON CONFLICT (prefix) DO UPDATE SET next = next + 1 RETURNING next - 1",
            )?
            .query_row([sequence], |row| row.get(0))?;
        Ok(u64::try_from(n).unwrap_or(0))
    }
}

pub use tables::{create_table, drop_object, index, save_object};
