//! The two databases behind one face: the same SQL and the same values go to either. What differs between them is in this file.

use std::borrow::Cow;

use serde_json::Value;
use sqlx::postgres::{PgArguments, PgPool, PgRow};
use sqlx::sqlite::{SqliteArguments, SqlitePool, SqliteRow};
use sqlx::{AssertSqlSafe, ColumnIndex, Decode, FromRow, Postgres, Row, Sqlite, Transaction, Type};

/// A value for a statement. Truth is 0 or 1, times are milliseconds, JSON and bytes are text.
#[derive(Debug, Clone)]
pub(crate) enum Arg<'a> {
    Int(Option<i64>),
    Text(Option<Cow<'a, str>>),
}

macro_rules! arg_from {
    ($($from:ty => |$value:ident| $make:expr;)*) => {
        $(impl<'a> From<$from> for Arg<'a> {
            fn from($value: $from) -> Self {
                $make
            }
        })*
    };
}

arg_from! {
    i64 => |value| Arg::Int(Some(value));
    Option<i64> => |value| Arg::Int(value);
    bool => |value| Arg::Int(Some(i64::from(value)));
    u32 => |value| Arg::Int(Some(i64::from(value)));
    &'a str => |value| Arg::Text(Some(value.into()));
    &'a String => |value| Arg::Text(Some(value.into()));
    String => |value| Arg::Text(Some(value.into()));
    Option<&'a str> => |value| Arg::Text(value.map(Into::into));
    Option<String> => |value| Arg::Text(value.map(Into::into));
    &'a Option<String> => |value| Arg::Text(value.as_deref().map(Into::into));
    &'a serde_json::Value => |value| Arg::Text(Some(value.to_string().into()));
}

/// The values of a statement, in the order of `$1`, `$2`, …
macro_rules! args {
    ($($value:expr),* $(,)?) => { &[$($crate::dialect::Arg::from($value)),*] };
}
pub(crate) use args;

/// A row that can be read from either database.
pub(crate) trait Readable: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin {}
impl<T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin> Readable for T {}

/// SQL that is the same for both databases, or has a text of its own for PostgreSQL.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sql {
    pub(crate) sqlite: &'static str,
    pub(crate) postgres: &'static str,
}

impl From<&'static str> for Sql {
    fn from(text: &'static str) -> Self {
        Self {
            sqlite: text,
            postgres: text,
        }
    }
}

/// The open database.
#[derive(Debug, Clone)]
pub(crate) enum Db {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

/// A transaction; rolled back when dropped.
#[derive(Debug)]
pub(crate) enum Tx {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
}

fn sqlite_arguments(args: &[Arg<'_>]) -> Result<SqliteArguments, sqlx::Error> {
    use sqlx::Arguments;
    let mut list = SqliteArguments::default();
    for arg in args {
        match arg {
            Arg::Int(value) => list.add(*value),
            Arg::Text(value) => list.add(value.as_deref().map(str::to_owned)),
        }
        .map_err(sqlx::Error::Encode)?;
    }
    Ok(list)
}

fn postgres_arguments(args: &[Arg<'_>]) -> Result<PgArguments, sqlx::Error> {
    use sqlx::Arguments;
    let mut list = PgArguments::default();
    for arg in args {
        match arg {
            Arg::Int(value) => list.add(*value),
            Arg::Text(value) => list.add(value.as_deref().map(str::to_owned)),
        }
        .map_err(sqlx::Error::Encode)?;
    }
    Ok(list)
}

impl Db {
    /// Begins a transaction that may write. SQLite takes its one lock for writing at once, so that a transaction which has read
    /// never fails to write.
    pub(crate) async fn begin(&self) -> Result<Tx, sqlx::Error> {
        Ok(match self {
            Self::Sqlite(pool) => Tx::Sqlite(pool.begin_with("BEGIN IMMEDIATE").await?),
            Self::Postgres(pool) => Tx::Postgres(pool.begin().await?),
        })
    }

    /// Begins a transaction that only reads, and sees one state of the database.
    pub(crate) async fn begin_reading(&self) -> Result<Tx, sqlx::Error> {
        Ok(match self {
            Self::Sqlite(pool) => Tx::Sqlite(pool.begin().await?),
            Self::Postgres(pool) => Tx::Postgres(
                pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
                    .await?,
            ),
        })
    }

    /// The rows of a query outside of a transaction.
    pub(crate) async fn all<T: Readable>(&self, sql: impl Into<Sql>, args: &[Arg<'_>]) -> Result<Vec<T>, sqlx::Error> {
        let sql = sql.into();
        match self {
            Self::Sqlite(pool) => {
                let query = sqlx::query_as_with(sql.sqlite, sqlite_arguments(args)?);
                query.fetch_all(pool).await
            }
            Self::Postgres(pool) => {
                let query = sqlx::query_as_with(sql.postgres, postgres_arguments(args)?);
                query.fetch_all(pool).await
            }
        }
    }

    /// The first row of a query outside of a transaction.
    pub(crate) async fn first<T: Readable>(
        &self,
        sql: impl Into<Sql>,
        args: &[Arg<'_>],
    ) -> Result<Option<T>, sqlx::Error> {
        Ok(self.all(sql, args).await?.into_iter().next())
    }
}

impl Tx {
    /// Runs a statement; the number of rows that it changed.
    pub(crate) async fn run(&mut self, sql: impl Into<Sql>, args: &[Arg<'_>]) -> Result<u64, sqlx::Error> {
        let sql = sql.into();
        match self {
            Self::Sqlite(tx) => {
                let query = sqlx::query_with(sql.sqlite, sqlite_arguments(args)?);
                Ok(query.execute(&mut **tx).await?.rows_affected())
            }
            Self::Postgres(tx) => {
                let query = sqlx::query_with(sql.postgres, postgres_arguments(args)?);
                Ok(query.execute(&mut **tx).await?.rows_affected())
            }
        }
    }

    /// The rows of a query or of a statement with RETURNING.
    pub(crate) async fn all<T: Readable>(
        &mut self,
        sql: impl Into<Sql>,
        args: &[Arg<'_>],
    ) -> Result<Vec<T>, sqlx::Error> {
        let sql = sql.into();
        match self {
            Self::Sqlite(tx) => {
                let query = sqlx::query_as_with(sql.sqlite, sqlite_arguments(args)?);
                query.fetch_all(&mut **tx).await
            }
            Self::Postgres(tx) => {
                let query = sqlx::query_as_with(sql.postgres, postgres_arguments(args)?);
                query.fetch_all(&mut **tx).await
            }
        }
    }

    /// The first row.
    pub(crate) async fn first<T: Readable>(
        &mut self,
        sql: impl Into<Sql>,
        args: &[Arg<'_>],
    ) -> Result<Option<T>, sqlx::Error> {
        Ok(self.all(sql, args).await?.into_iter().next())
    }

    /// Makes it last.
    pub(crate) async fn commit(self) -> Result<(), sqlx::Error> {
        match self {
            Self::Sqlite(tx) => tx.commit().await,
            Self::Postgres(tx) => tx.commit().await,
        }
    }

    /// Runs a statement whose text was put together from names that stand in this program.
    pub(crate) async fn run_built(&mut self, sql: String, args: &[Arg<'_>]) -> Result<(), sqlx::Error> {
        match self {
            Self::Sqlite(tx) => {
                let query = sqlx::query_with(AssertSqlSafe(sql), sqlite_arguments(args)?);
                query.execute(&mut **tx).await.map(drop)
            }
            Self::Postgres(tx) => {
                let query = sqlx::query_with(AssertSqlSafe(sql), postgres_arguments(args)?);
                query.execute(&mut **tx).await.map(drop)
            }
        }
    }

    /// The rows of a query that was put together from names that stand in this program, as arrays. `numbers` tells which columns
    /// are numbers.
    pub(crate) async fn rows_of(
        &mut self,
        sql: String,
        args: &[Arg<'_>],
        numbers: &[bool],
    ) -> Result<Vec<Vec<Value>>, sqlx::Error> {
        match self {
            Self::Sqlite(tx) => {
                let query = sqlx::query_with(AssertSqlSafe(sql), sqlite_arguments(args)?);
                let rows = query.fetch_all(&mut **tx).await?;
                rows.iter().map(|row| values(row, numbers)).collect()
            }
            Self::Postgres(tx) => {
                let query = sqlx::query_with(AssertSqlSafe(sql), postgres_arguments(args)?);
                let rows = query.fetch_all(&mut **tx).await?;
                rows.iter().map(|row| values(row, numbers)).collect()
            }
        }
    }
}

fn values<R>(row: &R, numbers: &[bool]) -> Result<Vec<Value>, sqlx::Error>
where
    R: Row,
    usize: ColumnIndex<R>,
    for<'r> Option<i64>: Decode<'r, R::Database> + Type<R::Database>,
    for<'r> Option<String>: Decode<'r, R::Database> + Type<R::Database>,
{
    let value = |(index, number): (usize, &bool)| match number {
        true => Ok(row.try_get::<Option<i64>, _>(index)?.into()),
        false => Ok(row.try_get::<Option<String>, _>(index)?.into()),
    };
    numbers.iter().enumerate().map(value).collect()
}
