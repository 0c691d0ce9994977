//! What an org has used today: REST calls, bulk batches, query jobs.

use crate::clock::Millis;
use crate::dates;
use crate::error::ApiError;
use rusqlite::{Connection, OptionalExtension, params};

fn key(name: &str, now: Millis) -> String {
    format!("usage {name} {}", dates::write_day(dates::day_at(now)))
}

/// How much was used today.
pub(crate) fn spent(db: &Connection, name: &str, now: Millis) -> Result<u64, ApiError> {
    let value: Option<i64> = db
        .prepare_cached("SELECT CAST(value AS INTEGER) FROM _value WHERE name = ?1")?
        .query_row([key(name, now)], |row| row.get(0))
        .optional()?;
    Ok(value.and_then(|n| u64::try_from(n).ok()).unwrap_or(0))
}

/// Uses so much more; gives what was used today with it.
pub(crate) fn spend(db: &Connection, name: &str, now: Millis, more: u64) -> Result<u64, ApiError> {
    let more = i64::try_from(more).unwrap_or(i64::MAX);
    let now_used: i64 = db
        .prepare_cached(
            "INSERT INTO _value (name, value) VALUES (?1, ?2) \
             ON CONFLICT (name) DO UPDATE SET value = CAST(value AS INTEGER) + ?2 RETURNING CAST(value AS INTEGER)",
        )?
        .query_row(params![key(name, now), more], |row| row.get(0))?;
    Ok(u64::try_from(now_used).unwrap_or(0))
}
