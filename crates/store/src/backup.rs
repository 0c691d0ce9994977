//! Copies of the database: an SQLite file as it is before its tables change, and a backup of either database as lines of JSON
//! that can be restored into an empty one, also of the other kind.

use std::io::{BufRead, Write};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::dialect::{Arg, Db, Tx};
use crate::error::failed;
use crate::open::file_failed;
use crate::{Result, Store, StoreError};

/// A table, its columns (those of numbers with `#`) and how many of the first of them are its key. In this order tables can be
/// filled.
const TABLES: &[(&str, &str, usize)] = &[
    (
        "operation",
        "id kind environment exclusive_key params actor state step data question waits_for wake_at# message problem progress \
         attempts# cancelling# holds_key# lease_owner lease_until# lease_epoch# version# created# started# updated# ended#",
        1,
    ),
    (
        "step",
        "operation number# name epoch# worker started# ended# outcome",
        2,
    ),
    ("signal", "id operation name payload actor created# consumed#", 1),
    (
        "approval",
        "id operation digest actor roles granted# reason created#",
        1,
    ),
    ("evidence", "id operation name content actor created#", 1),
    (
        "audit",
        "seq# at# actor action subject outcome details previous hash",
        1,
    ),
    ("audit_head", "id# seq# hash", 1),
    ("checkpoint", "seq# hash at# key signature", 1),
    ("schedule", "name cron zone request next_at# version#", 1),
    ("schedule_run", "schedule instant# operation", 2),
    (
        "environment_state",
        "environment org_id snapshot_commit snapshot_at# last_deploy capture version# updated#",
        1,
    ),
    ("step_once", "environment step operation begun# done# detail", 2),
    ("secret", "id key_id sealed updated#", 1),
    ("person", "name created#", 1),
    ("role_assignment", "person environment role created#", 3),
    ("setting", "name value version# updated#", 1),
];

/// Rows of one read.
const PAGE: usize = 1_000;

/// The first line's word.
const FORMAT: &str = "syncline backup 1";

/// `x.db` with another ending behind: `x.db.lock`.
pub(crate) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    name.into()
}

/// Table, column and whether it holds numbers, of everything that a backup holds.
pub fn all_columns() -> impl Iterator<Item = (&'static str, &'static str, bool)> {
    TABLES.iter().flat_map(|(table, list, _)| {
        columns(list)
            .into_iter()
            .map(move |(column, number)| (*table, column, number))
    })
}

fn columns(list: &'static str) -> Vec<(&'static str, bool)> {
    list.split_whitespace()
        .map(|column| match column.strip_suffix('#') {
            Some(column) => (column, true),
            None => (column, false),
        })
        .collect()
}

impl Store {
    /// Copies the SQLite file as it is now; a copy of that name is replaced.
    pub(crate) async fn copy_file(&self, to: &Path) -> Result<()> {
        let Db::Sqlite(pool) = &self.db else { return Ok(()) };
        let new = beside(to, "new");
        match std::fs::remove_file(&new) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(file_failed("could not replace", &new)(error));
            }
            _ => {}
        }
        sqlx::query("VACUUM INTO $1")
            .bind(new.display().to_string())
            .execute(pool)
            .await
            .map_err(failed("could not copy the database"))?;
        std::fs::rename(&new, to).map_err(file_failed("could not replace", to))
    }

    /// Writes all rows of one moment. Secrets stay sealed; the server key is not in it. The number of rows.
    pub async fn backup(&self, out: &mut (dyn Write + Send), place: &Path) -> Result<u64> {
        let attempted = "could not read the database for a backup";
        let mut write = |line: &Value| writeln!(out, "{line}").map_err(file_failed("could not write", place));
        write(&json!({"format": FORMAT, "version": crate::open::newest()}))?;
        let mut tx = self.db.begin_reading().await.map_err(failed(attempted))?;
        let mut count = 0;
        for (table, list, keys) in TABLES {
            let columns = columns(list);
            let mut last: Option<Vec<Value>> = None;
            loop {
                let page = read_page(&mut tx, table, &columns, *keys, last.as_deref())
                    .await
                    .map_err(failed(attempted))?;
                for row in &page {
                    write(&json!({"table": table, "row": row}))?;
                }
                count += page.len() as u64;
                if page.len() < PAGE {
                    break;
                }
                last = page.into_iter().next_back().map(|mut row| {
                    row.truncate(*keys);
                    row
                });
            }
        }
        write(&json!({"end": count}))?;
        Ok(count)
    }

    /// Fills an empty database from a backup, all of it or nothing. The number of rows.
    pub async fn restore(&self, lines: &mut (dyn BufRead + Send), place: &Path) -> Result<u64> {
        let attempted = "could not restore a backup";
        let damaged = |number: u64, why: &str| StoreError::Damaged {
            what: "line of the backup",
            name: format!("{}:{number}", place.display()),
            why: why.to_owned(),
        };
        let head = self.audit_head().await?;
        let filter = crate::Filter {
            limit: 1,
            ..crate::Filter::default()
        };
        if head.is_some() || !self.operations(&filter).await?.is_empty() {
            return Err(StoreError::NotEmpty {
                place: self.place().to_owned(),
            });
        }
        let mut tx = self.begin(attempted).await?;
        tx.run("DELETE FROM audit_head", &[]).await.map_err(failed(attempted))?;
        let mut count = 0;
        let mut ended = false;
        for (number, line) in (1..).zip(lines.lines()) {
            let line = line.map_err(file_failed("could not read", place))?;
            let value: Value = serde_json::from_str(&line).map_err(|_| damaged(number, "is no JSON"))?;
            if number == 1 {
                if value["format"] != FORMAT {
                    return Err(damaged(number, "is not the head of a backup of this program"));
                }
                let (found, known) = (value["version"].as_i64().unwrap_or(i64::MAX), crate::open::newest());
                if found != known {
                    return Err(StoreError::Newer {
                        place: place.display().to_string(),
                        found,
                        known,
                    });
                }
            } else if let Some(end) = value["end"].as_u64() {
                ended = end == count;
            } else {
                let table = TABLES.iter().find(|(name, ..)| value["table"] == *name);
                let (table, list, _) = table.ok_or_else(|| damaged(number, "is of no known table"))?;
                let row = value["row"].as_array().ok_or_else(|| damaged(number, "holds no row"))?;
                insert(&mut tx, table, &columns(list), row)
                    .await
                    .map_err(failed(attempted))?
                    .ok_or_else(|| damaged(number, "does not fit its table"))?;
                count += 1;
            }
        }
        if !ended {
            return Err(damaged(count + 2, "is missing: the backup is not whole"));
        }
        tx.commit().await.map_err(failed(attempted))?;
        Ok(count)
    }
}

/// The next rows after a key, as arrays in the order of the columns.
async fn read_page(
    tx: &mut Tx,
    table: &str,
    columns: &[(&str, bool)],
    keys: usize,
    after: Option<&[Value]>,
) -> std::result::Result<Vec<Vec<Value>>, sqlx::Error> {
    let names = |columns: &[(&str, bool)]| columns.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
    let key = names(&columns[..keys]);
    let places = (1..=keys).map(|n| format!("${n}")).collect::<Vec<_>>().join(", ");
    let condition = after.map_or(String::new(), |_| format!("WHERE ({key}) > ({places})"));
    let sql = format!(
        "SELECT {} FROM {table} {condition} ORDER BY {key} LIMIT {PAGE}",
        names(columns)
    );
    let args: Vec<Arg<'_>> = after
        .unwrap_or_default()
        .iter()
        .zip(columns)
        .filter_map(|(value, (_, number))| arg(value, *number))
        .collect();
    let numbers: Vec<bool> = columns.iter().map(|(_, number)| *number).collect();
    tx.rows_of(sql, &args, &numbers).await
}

/// Inserts a row; `None` when it does not fit the columns.
async fn insert(
    tx: &mut Tx,
    table: &str,
    columns: &[(&str, bool)],
    row: &[Value],
) -> std::result::Result<Option<()>, sqlx::Error> {
    let args: Vec<Arg<'_>> = row
        .iter()
        .zip(columns)
        .filter_map(|(value, (_, number))| arg(value, *number))
        .collect();
    if row.len() != columns.len() || args.len() != columns.len() {
        return Ok(None);
    }
    let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
    let places: Vec<String> = (1..=columns.len()).map(|n| format!("${n}")).collect();
    let sql = format!(
        "INSERT INTO {table} ({}) VALUES ({})",
        names.join(", "),
        places.join(", ")
    );
    tx.run_built(sql, &args).await?;
    Ok(Some(()))
}

fn arg(value: &Value, number: bool) -> Option<Arg<'_>> {
    match (value, number) {
        (Value::Null, true) => Some(Arg::Int(None)),
        (Value::Null, false) => Some(Arg::Text(None)),
        (Value::Number(n), true) => n.as_i64().map(Arg::from),
        (Value::String(text), false) => Some(Arg::from(text)),
        _ => None,
    }
}
