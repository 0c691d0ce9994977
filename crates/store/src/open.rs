//! Opening a database: its address, its tables, its settings.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use sqlx::Connection;
use sqlx::migrate::{Migrate, MigrateError, Migrator};
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

use crate::dialect::{Db, Tx};
use crate::error::{StoreError, failed};
use crate::{Result, backup};

static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// How long a writer waits for another one.
const BUSY: Duration = Duration::from_secs(30);
/// How long opening waits for a server.
const CONNECT: Duration = Duration::from_secs(15);
/// Connections of one process.
const CONNECTIONS: u32 = 8;

/// The open database. Clones share its connections.
#[derive(Debug, Clone)]
pub struct Store {
    pub(crate) db: Db,
    place: String,
    file: Option<PathBuf>,
}

impl Store {
    /// Opens `sqlite:PATH` or `postgres://…`, and brings its tables to this program's version. An SQLite file is made when it is
    /// missing, and copied before its tables are changed.
    pub async fn open(url: &str) -> Result<Self> {
        match url.split_once(':') {
            Some(("sqlite", path)) => Self::open_sqlite(path.strip_prefix("//").unwrap_or(path)).await,
            Some(("postgres" | "postgresql", _)) => Self::open_postgres(url).await,
            Some((scheme, _)) => Err(StoreError::Address {
                place: format!("`{scheme}:…`"),
                why: "only SQLite and PostgreSQL are known",
            }),
            None => Err(StoreError::Address {
                place: "the given text".to_owned(),
                why: "it has no `sqlite:` or `postgres:` in front",
            }),
        }
    }

    async fn open_sqlite(path: &str) -> Result<Self> {
        if path.is_empty() || path.starts_with(":memory:") {
            return Err(StoreError::Address {
                place: format!("`sqlite:{path}`"),
                why: "it needs the path of a file",
            });
        }
        let path = PathBuf::from(path);
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            fs::create_dir_all(folder).map_err(file_failed("could not create the folder", folder))?;
        }
        let options = SqliteConnectOptions::new()
            .filename(&path)
            .create_if_missing(true)
            .foreign_keys(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(BUSY);
        let place = path.display().to_string();
        // Several that open a new file at once go one after the other: its tables are made by one of them.
        let _lock = lock(backup::beside(&path, "lock")).await?;
        let pool = SqlitePoolOptions::new()
            .max_connections(CONNECTIONS)
            // A full disk can keep a transaction from ending; its connection is of no use any more.
            .before_acquire(|connection, _| Box::pin(async move { Ok(!connection.is_in_transaction()) }))
            .connect_with(options)
            .await
            .map_err(|source| open_failed(&place, source))?;
        private(&path)?;
        let store = Self {
            db: Db::Sqlite(pool),
            place,
            file: Some(path),
        };
        store.migrate().await?;
        Ok(store)
    }

    async fn open_postgres(url: &str) -> Result<Self> {
        // The parser's message could quote a password.
        let options = PgConnectOptions::from_str(url).map_err(|_| StoreError::Address {
            place: shown(url),
            why: "it cannot be read",
        })?;
        let place = shown(url);
        let options = options.application_name("syncline");
        // The pool would try a refused connection again and again until its time is over.
        let first = tokio::time::timeout(CONNECT, PgConnection::connect_with(&options)).await;
        let first = first.unwrap_or(Err(sqlx::Error::PoolTimedOut));
        let closed = match first {
            Ok(connection) => connection.close().await,
            Err(error) => Err(error),
        };
        closed.map_err(|source| StoreError::Open {
            place: place.clone(),
            source,
        })?;
        let pool = PgPoolOptions::new()
            .max_connections(CONNECTIONS)
            .acquire_timeout(CONNECT)
            .connect_lazy_with(options);
        let store = Self {
            db: Db::Postgres(pool),
            place,
            file: None,
        };
        store.migrate().await?;
        Ok(store)
    }

    async fn migrate(&self) -> Result<()> {
        let wrong = |source: MigrateError| self.migrate_failed(source);
        let known = newest();
        let found = match &self.db {
            Db::Sqlite(pool) => {
                version(&mut *pool.acquire().await.map_err(failed("could not read the version"))?).await
            }
            Db::Postgres(pool) => {
                version(&mut *pool.acquire().await.map_err(failed("could not read the version"))?).await
            }
        }
        .map_err(wrong)?;
        if found > known {
            return Err(StoreError::Newer {
                place: self.place.clone(),
                found,
                known,
            });
        }
        if found == known {
            return Ok(());
        }
        if let Some(path) = self.file.as_ref().filter(|_| found > 0) {
            self.copy_file(&backup::beside(path, &format!("v{found}.backup")))
                .await?;
        }
        match &self.db {
            Db::Sqlite(pool) => MIGRATIONS.run(pool).await,
            Db::Postgres(pool) => MIGRATIONS.run(pool).await,
        }
        .map_err(wrong)
    }

    fn migrate_failed(&self, source: MigrateError) -> StoreError {
        match source {
            MigrateError::Execute(source) | MigrateError::ExecuteMigration(source, _) => {
                match failed("could not change the tables")(source) {
                    StoreError::Query { source, .. } => StoreError::Open {
                        place: self.place.clone(),
                        source,
                    },
                    other => other,
                }
            }
            other => StoreError::Migrate {
                place: self.place.clone(),
                source: Box::new(other),
            },
        }
    }

    /// The database's address without user and password.
    pub fn place(&self) -> &str {
        &self.place
    }

    /// The SQLite file; `None` for a server.
    pub fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    /// Closes all connections.
    pub async fn close(&self) {
        match &self.db {
            Db::Sqlite(pool) => pool.close().await,
            Db::Postgres(pool) => pool.close().await,
        }
    }

    pub(crate) async fn begin(&self, attempted: &'static str) -> Result<Tx> {
        self.db.begin().await.map_err(failed(attempted))
    }
}

/// The newest migration that was run on the database, 0 for an empty one.
async fn version(connection: &mut impl Migrate) -> std::result::Result<i64, MigrateError> {
    // Several that open an empty database at once would all make the table.
    connection.lock().await?;
    let listed = match connection.ensure_migrations_table(MIGRATIONS_TABLE).await {
        Ok(()) => connection.list_applied_migrations(MIGRATIONS_TABLE).await,
        Err(error) => Err(error),
    };
    connection.unlock().await?;
    let applied = listed?;
    Ok(applied.iter().map(|one| one.version).max().unwrap_or(0))
}

/// The newest version that this program knows.
pub(crate) fn newest() -> i64 {
    MIGRATIONS.iter().map(|migration| migration.version).max().unwrap_or(0)
}

/// Where sqlx notes what it has run.
const MIGRATIONS_TABLE: &str = "_sqlx_migrations";

/// An address without user, password and options: `postgres://host:port/database`.
fn shown(url: &str) -> String {
    let rest = url.split_once("://").map_or("", |(_, rest)| rest);
    let plain = rest.split(['?', '#']).next().unwrap_or_default();
    // A password may hold `@`, `/` or `?` as they are: what could be a part of one is never shown.
    match (plain.rsplit_once('@'), rest.contains('@')) {
        (Some((_, place)), _) => format!("postgres://{place}"),
        (None, true) => "postgres://…".to_owned(),
        (None, false) => format!("postgres://{plain}"),
    }
}

fn open_failed(place: &str, source: sqlx::Error) -> StoreError {
    match failed("could not open the database")(source) {
        StoreError::Query { source, .. } => StoreError::Open {
            place: place.to_owned(),
            source,
        },
        other => other,
    }
}

pub(crate) fn file_failed(attempted: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> StoreError {
    let path = path.to_owned();
    move |source| StoreError::File {
        attempted,
        path,
        source,
    }
}

/// Waits for a lock, on a thread that may wait; it is given back with the file.
async fn lock(path: PathBuf) -> Result<File> {
    let locked = tokio::task::spawn_blocking(move || {
        let file = File::options().create(true).append(true).open(&path);
        let file = file.map_err(file_failed("could not open the lock file", &path))?;
        file.lock().map_err(file_failed("could not lock", &path))?;
        Ok(file)
    });
    // The thread cannot panic; one that is cancelled goes down with the runtime.
    locked.await.unwrap_or_else(|error| {
        let source = std::io::Error::other(error);
        Err(file_failed("could not lock", Path::new("the database"))(source))
    })
}

/// Only its owner may read the file.
#[cfg(unix)]
fn private(path: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let mut mode = fs::metadata(path)
        .map_err(file_failed("could not read", path))?
        .permissions();
    // Other users' rights are taken away; a file that is not ours keeps its own.
    if mode.mode() & 0o077 != 0 {
        mode.set_mode(0o600);
        match fs::set_permissions(path, mode) {
            Err(error) if error.kind() != std::io::ErrorKind::PermissionDenied => {
                return Err(file_failed("could not protect", path)(error));
            }
            _ => {}
        }
    }
    Ok(())
}

#[cfg(not(unix))]
fn private(_: &Path) -> Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::shown;

    #[test]
    fn an_address_is_shown_without_secrets() {
        let check = |url: &str, expect: &str| assert_eq!(shown(url), expect);
        check(
            "postgres://ops:CANARY@db.example:5432/sync",
            "postgres://db.example:5432/sync",
        );
        check(
            "postgres://ops:CAN@ARY@db.example/sync?password=CANARY",
            "postgres://db.example/sync",
        );
        check("postgres://ops:CAN?ARY@db.example/sync", "postgres://…");
        check("postgres:///sync", "postgres:///sync");
    }
}
