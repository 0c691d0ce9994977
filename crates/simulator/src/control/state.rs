//! What an org holds, as it is stored.

use super::Control;
use crate::clock::iso;
use crate::error::ApiError;
use crate::http::Reply;
use crate::world::pending;
use base64::Engine as _;
use rusqlite::types::ValueRef;
use serde_json::{Map, Value, json};

/// Rows in an answer when the request does not say.
const ROWS: i64 = 1000;

pub(super) fn events(control: &Control<'_>) -> Result<Reply, ApiError> {
    let events: Vec<Value> = pending(&control.org.lock().db)?
        .into_iter()
        .map(|event| json!({ "due": event.due, "dueText": iso(event.due), "kind": event.kind, "payload": event.payload }))
        .collect();
    Ok(Reply::json(&json!({ "events": events })))
}

pub(super) fn records(control: &Control<'_>) -> Result<Reply, ApiError> {
    let state = control.org.lock();
    let name = control.request.param("object");
    let object = state
        .schema
        .object(name)
        .ok_or_else(|| ApiError::new("NOT_FOUND", format!("this org has no object {name}")).status(404))?;
    let order = if object.field("Id").is_some() { "Id" } else { "rowid" };
    let total: i64 = state
        .db
        .query_row(&format!("SELECT count(*) FROM \"{}\"", object.name), [], |row| {
            row.get(0)
        })?;
    let rows = rows(
        &state.db,
        &format!("SELECT * FROM \"{}\" ORDER BY {order} LIMIT ?1 OFFSET ?2", object.name),
        &[&number(control, "limit", ROWS)?, &number(control, "offset", 0)?],
    )?;
    Ok(Reply::json(&json!({ "total": total, "records": rows })))
}

/// Metadata components without their bytes.
pub(super) fn components(control: &Control<'_>) -> Result<Reply, ApiError> {
    let state = control.org.lock();
    let present = state
        .db
        .prepare_cached("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = '_component'")?
        .exists([])?;
    if !present {
        return Ok(Reply::json(&json!({ "components": [] })));
    }
    let kind = control.request.query("type").unwrap_or_default().to_owned();
    let found = rows(
        &state.db,
        "SELECT * FROM _component WHERE ?1 = '' OR type = ?1 ORDER BY type, name",
        &[&kind],
    )?;
    Ok(Reply::json(&json!({ "components": found })))
}

fn number(control: &Control<'_>, name: &str, default: i64) -> Result<i64, ApiError> {
    control.request.query(name).map_or(Ok(default), |text| {
        text.parse()
            .map_err(|_| ApiError::new("INVALID_INPUT", format!("{name} is a number, not `{text}`")))
    })
}

/// The rows of a query as JSON objects; bytes in base64.
fn rows(db: &rusqlite::Connection, sql: &str, params: &[&dyn rusqlite::ToSql]) -> Result<Vec<Value>, ApiError> {
    let mut read = db.prepare(sql)?;
    let names: Vec<String> = read.column_names().into_iter().map(str::to_owned).collect();
    let found = read.query_map(params, |row| {
        let mut object = Map::new();
        for (at, name) in names.iter().enumerate() {
            let value = match row.get_ref(at)? {
                ValueRef::Null => Value::Null,
                ValueRef::Integer(n) => json!(n),
                ValueRef::Real(n) => json!(n),
                ValueRef::Text(text) => json!(String::from_utf8_lossy(text)),
                ValueRef::Blob(bytes) => json!(base64::engine::general_purpose::STANDARD.encode(bytes)),
            };
            object.insert(name.clone(), value);
        }
        Ok(Value::Object(object))
    })?;
    Ok(found.collect::<Result<_, _>>()?)
}
