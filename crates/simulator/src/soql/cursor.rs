//! Locators: the rest of an answer with more than one page.
//!
//! A cursor keeps the ids of all rows in their order, so pages neither overlap nor leave out rows that were there when the
//! query was asked, whatever changes in between. The fields are read when a page is asked for; rows deleted since then are
//! missing from it. Cursors live two days of simulated time, and a user has at most ten: the oldest gives way.

use super::ast::Query;
use super::fault::Text;
use super::parser::parse;
use super::plan::Plan;
use super::query::{Options, QueryResult, page_of, root, widest_page};
use super::scope::Context;
use crate::clock::Millis;
use crate::dates::DAY;
use crate::error::ApiError;
use crate::http::Call;
use crate::ids;
use rusqlite::{OptionalExtension, params};

const LIFE: Millis = 2 * DAY;
const OPEN: i64 = 10;
/// Characters of an id.
const ID: usize = 18;

/// Keeps a cursor; `keys` are 18-character ids one after the other. Gives its id.
pub fn open(call: &Call<'_>, text: &str, all_rows: bool, keys: &[u8]) -> Result<String, ApiError> {
    let id = call.next_id("01g")?;
    call.db
        .execute("DELETE FROM _cursor WHERE created <= ?1", [call.now - LIFE])?;
    call.db.execute(
        "DELETE FROM _cursor WHERE user_id = ?1 AND rowid NOT IN \
         (SELECT rowid FROM _cursor WHERE user_id = ?1 ORDER BY rowid DESC LIMIT ?2)",
        params![call.user, OPEN - 1],
    )?;
    call.db.execute(
        "INSERT INTO _cursor (id, user_id, created, query, all_rows, tooling, keys) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![id, call.user, call.now, text, all_rows, call.tooling, keys],
    )?;
    Ok(id)
}

fn unknown() -> ApiError {
    ApiError::new("INVALID_QUERY_LOCATOR", "invalid query locator")
}

/// The page of a locator, `01g…-2000`; any number up to the last row may follow the id.
///
/// # Errors
/// `INVALID_QUERY_LOCATOR` when it is unknown, another user's, over, or past the last row.
pub fn next_page(call: &Call<'_>, locator: &str, batch_size: Option<usize>) -> Result<QueryResult, ApiError> {
    let (id, offset) = locator.split_once('-').ok_or_else(unknown)?;
    let offset: usize = offset.parse().map_err(|_| unknown())?;
    let id = ids::long(id).ok_or_else(unknown)?;
    let (row, text, all_rows): (i64, String, bool) = call
        .db
        .query_row(
            "SELECT rowid, query, all_rows FROM _cursor WHERE id = ?1 AND user_id = ?2 AND tooling = ?3 AND created > ?4",
            params![id, call.user, call.tooling, call.now - LIFE],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )
        .optional()?
        .ok_or_else(unknown)?;
    let keys = call.db.blob_open("main", "_cursor", "keys", row, true)?;
    let total = keys.len() / ID;
    if offset >= total {
        return Err(unknown());
    }
    let query: Query = parse(Text(&text))?;
    let context = Context::new(call, Text(&text), all_rows);
    let select = root(&context, &query)?;
    let plan = Plan::of(&select, &query)?;
    let page = Options { all_rows, batch_size }.page_size().min(widest_page(&plan));
    let end = total.min(offset + page);
    let mut bytes = vec![0; (end - offset) * ID];
    keys.read_at_exact(&mut bytes, offset * ID)?;
    drop(keys);
    let keys: Vec<String> = bytes
        .chunks(ID)
        .map(|id| String::from_utf8_lossy(id).into_owned())
        .collect();
    Ok(QueryResult {
        total: total as u64,
        records: page_of(&select, &plan, &keys, all_rows)?,
        next: (end < total).then(|| format!("{id}-{end}")),
        entity: select.object.name.clone(),
    })
}
