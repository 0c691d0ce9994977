//! Why the database did not do what was asked. No text holds a password: of an address only the place is shown.

use std::path::PathBuf;

/// What the store refuses or cannot do.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The address is no database's.
    #[error("{place} is no address of a database: {why}")]
    Address {
        /// The address without user and password.
        place: String,
        /// What is wrong.
        why: &'static str,
    },
    /// The database cannot be reached or opened.
    #[error("could not open the database {place}")]
    Open {
        /// The address without user and password.
        place: String,
        /// Why.
        source: sqlx::Error,
    },
    /// A file beside the database cannot be read or written.
    #[error("{attempted} {}", .path.display())]
    File {
        /// What was attempted.
        attempted: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The database was written by a newer program.
    #[error("the database {place} is of version {found}, this program knows versions up to {known}")]
    Newer {
        /// The address without user and password.
        place: String,
        /// The version of its tables.
        found: i64,
        /// The newest version that this program knows.
        known: i64,
    },
    /// A backup can only be restored into an empty database.
    #[error("the database {place} is not empty")]
    NotEmpty {
        /// The address without user and password.
        place: String,
    },
    /// The tables could not be brought to this program's version.
    #[error("could not bring the tables of the database {place} to this version")]
    Migrate {
        /// The address without user and password.
        place: String,
        /// Why.
        source: Box<sqlx::migrate::MigrateError>,
    },
    /// The disk is full.
    #[error("{attempted}: the disk is full")]
    DiskFull {
        /// What was attempted.
        attempted: &'static str,
        /// Why.
        source: sqlx::Error,
    },
    /// The database file cannot be written.
    #[error("{attempted}: the database cannot be written")]
    ReadOnly {
        /// What was attempted.
        attempted: &'static str,
        /// Why.
        source: sqlx::Error,
    },
    /// A statement failed.
    #[error("{attempted}")]
    Query {
        /// What was attempted.
        attempted: &'static str,
        /// Why.
        source: sqlx::Error,
    },
    /// Another worker has the operation, or it was ended: what this worker wanted to write is refused.
    #[error("the operation {operation} was taken from the worker {worker}; nothing was written")]
    Lost {
        /// The operation.
        operation: String,
        /// The worker that had it.
        worker: String,
    },
    /// Somebody else changed the row first.
    #[error("{what} `{name}` was changed by somebody else meanwhile")]
    Changed {
        /// The kind of row.
        what: &'static str,
        /// Its name.
        name: String,
    },
    /// There is no such row.
    #[error("there is no {what} `{name}`")]
    Unknown {
        /// The kind of row.
        what: &'static str,
        /// What was looked for.
        name: String,
    },
    /// A part of an id that several have.
    #[error("several operations have ids with `{part}`: {found}")]
    Ambiguous {
        /// The part.
        part: String,
        /// Their ids.
        found: String,
    },
    /// The row is in a state in which this cannot be done.
    #[error("the operation {operation} is {state}: {why}")]
    State {
        /// The operation.
        operation: String,
        /// Its state.
        state: String,
        /// Why that does not fit.
        why: &'static str,
    },
    /// What is to happen to an operation does not fit its state.
    #[error(transparent)]
    Refused(#[from] syncline_domain::operation::Refusal),
    /// A value of the database is damaged.
    #[error("the database is damaged: {what} `{name}` {why}")]
    Damaged {
        /// The kind of row.
        what: &'static str,
        /// Its name.
        name: String,
        /// What is wrong.
        why: String,
    },
    /// The key of secrets is missing, wrong or cannot be used.
    #[error("{0}")]
    Seal(#[from] crate::seal::SealError),
}

impl StoreError {
    /// What a person can do.
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::Address { .. } => "write `sqlite:PATH` or `postgres://USER@HOST/DATABASE`",
            Self::Open { source, .. } => open_hint(source),
            Self::File { source, .. } => match source.kind() {
                std::io::ErrorKind::PermissionDenied => "give this user the right to write to the folder",
                std::io::ErrorKind::StorageFull => "make room on the disk and run it again; nothing is lost",
                _ => "check the folder of the database",
            },
            Self::Newer { .. } => "install the newer program, or restore the backup that was made before its first run",
            Self::NotEmpty { .. } => "restore into a new one: SYNCLINE_DATABASE_URL names it",
            Self::Migrate { .. } => {
                "the database is as it was before; a backup of an SQLite file lies beside it, its name ends with `.backup`"
            }
            Self::DiskFull { .. } => "make room on the disk and run it again; what was written before is kept",
            Self::ReadOnly { .. } => "give this user the right to write to the database file and to its folder",
            Self::Lost { .. } => "another worker goes on with it; see `syncline operation show`",
            Self::Changed { .. } => "look again and repeat",
            Self::Unknown { what: "operation", .. } => "see `syncline operation list --all`",
            Self::Ambiguous { .. } => "write more of the id",
            Self::Damaged { .. } => "restore a backup: `syncline admin restore`",
            Self::Seal(error) => return error.hint(),
            Self::Query { .. } | Self::Unknown { .. } | Self::State { .. } | Self::Refused(_) => return None,
        })
    }

    /// Trying again later may help: the network, a busy or full database.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::DiskFull { .. } => true,
            Self::Open { source, .. } | Self::Query { source, .. } => match source {
                sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::WorkerCrashed => true,
                other => {
                    is_contention(other)
                        || code(other).is_some_and(|code| code.starts_with("08") || code.starts_with("57P"))
                }
            },
            _ => false,
        }
    }
}

fn open_hint(source: &sqlx::Error) -> &'static str {
    match code(source).as_deref() {
        Some("28P01" | "28000") => "user or password are wrong",
        Some("3D000") => "there is no such database; create it with `createdb`",
        Some("42501") => "the user needs the right to create tables in the database's schema",
        Some("14") => "the folder has to exist, and this user needs the right to write to it",
        Some("26") => "the file is no SQLite database; is the path right?",
        Some("13") => "make room on the disk",
        _ if is_full(source) => "make room on the disk",
        _ => match source {
            sqlx::Error::Io(_) => "is the database running, and are host and port right?",
            _ => "check SYNCLINE_DATABASE_URL",
        },
    }
}

/// The database's own code of an error: five characters of PostgreSQL, a number of SQLite (its primary code).
pub(crate) fn code(error: &sqlx::Error) -> Option<String> {
    let error = error.as_database_error()?;
    let code = error.code()?;
    Some(match code.parse::<u32>() {
        // SQLite's extended codes keep the primary one in the lowest byte.
        Ok(number) if error.try_downcast_ref::<sqlx::sqlite::SqliteError>().is_some() => (number & 0xff).to_string(),
        _ => code.into_owned(),
    })
}

/// SQLite's SQLITE_IOERR_SHMSIZE: the file that its readers and writers share cannot grow.
const SHARED_FILE: &str = "4874";

/// There is no room on the disk: SQLITE_FULL, disk_full.
fn is_full(error: &sqlx::Error) -> bool {
    let whole = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    whole.as_deref() == Some(SHARED_FILE) || matches!(code(error).as_deref(), Some("13" | "53100"))
}

/// Another transaction was in the way: PostgreSQL's serialization failure and deadlock, SQLite's busy and locked.
pub(crate) fn is_contention(error: &sqlx::Error) -> bool {
    matches!(code(error).as_deref(), Some("40001" | "40P01" | "5" | "6"))
}

/// Tells a failed statement by what it means for a person.
pub(crate) fn failed(attempted: &'static str) -> impl Fn(sqlx::Error) -> StoreError {
    move |source| match code(&source).as_deref() {
        _ if is_full(&source) => StoreError::DiskFull { attempted, source },
        // SQLITE_READONLY; read_only_sql_transaction.
        Some("8" | "25006") => StoreError::ReadOnly { attempted, source },
        _ => StoreError::Query { attempted, source },
    }
}
