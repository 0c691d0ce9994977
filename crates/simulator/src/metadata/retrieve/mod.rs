//! retrieve() and checkRetrieveStatus().

mod collect;
mod request;
pub(crate) mod scope;
pub(crate) mod view;

use crate::clock::Millis;
use crate::error::ApiError;
use crate::http::Call;
use crate::metadata::archive::{self, MAX_ZIP};
use crate::soap::{Answer, xml};
use crate::world::{Event, schedule};
use base64::Engine as _;
use request::Request;
pub(crate) use request::decode;
use roxmltree::Node;
use rusqlite::{OptionalExtension, params};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use syncline_metadata::component::ComponentId;

/// Table of retrievals.
pub(crate) const TABLES: &str = "
CREATE TABLE IF NOT EXISTS _retrieve (
    id TEXT PRIMARY KEY, n INTEGER NOT NULL, status TEXT NOT NULL, request TEXT NOT NULL, user TEXT NOT NULL, result TEXT NOT NULL,
    zip BLOB, taken INTEGER NOT NULL
);
";

const WAIT: Millis = 1_000;
const WORK: Millis = 1_000;

pub(crate) fn retrieve(call: &Call<'_>, request: Node<'_, '_>) -> Result<Answer, ApiError> {
    let request = Request::read(call, request)?;
    let id = call.next_id("09S")?;
    let text = serde_json::to_string(&request)
        .map_err(|error| ApiError::new("UNKNOWN_EXCEPTION", error.to_string()).status(500))?;
    call.db.execute(
        "INSERT INTO _retrieve (id, n, status, request, user, result, taken)
         VALUES (?1, (SELECT count(*) FROM _retrieve), 'Pending', ?2, ?3, '{}', 0)",
        params![id, text, call.user],
    )?;
    schedule(call.db, call.now + WAIT, "retrieve.start", &Value::Null)?;
    Ok(json!({ "done": false, "id": id, "state": "Queued" }).into())
}

/// Event: takes waiting retrievals up as far as there is room.
pub(crate) fn start(call: &Call<'_>, _: &Event) -> Result<(), ApiError> {
    let busy: i64 = call.db.query_row(
        "SELECT count(*) FROM _retrieve WHERE status = 'InProgress'",
        [],
        |row| row.get(0),
    )?;
    let mut waiting = call
        .db
        .prepare("SELECT id FROM _retrieve WHERE status = 'Pending' ORDER BY n LIMIT ?1")?;
    let ids: Vec<String> = waiting
        .query_map(
            [(i64::from(call.world.switches().concurrent_retrieves) - busy).max(0)],
            |row| row.get(0),
        )?
        .collect::<Result<_, _>>()?;
    for id in ids {
        call.db
            .execute("UPDATE _retrieve SET status = 'InProgress' WHERE id = ?1", [&id])?;
        let user: String = call
            .db
            .query_row("SELECT user FROM _retrieve WHERE id = ?1", [&id], |row| row.get(0))?;
        let payload = json!({ "id": id, "user": user });
        schedule(call.db, call.now + WORK, "retrieve.run", &payload)?;
    }
    Ok(())
}

/// Event: does the work.
pub(crate) fn work(call: &Call<'_>, event: &Event) -> Result<(), ApiError> {
    let id = event.payload["id"].as_str().unwrap_or_default();
    let text: String = call
        .db
        .query_row("SELECT request FROM _retrieve WHERE id = ?1", [id], |row| row.get(0))?;
    let request: Request = serde_json::from_str(&text)
        .map_err(|error| ApiError::new("UNKNOWN_EXCEPTION", error.to_string()).status(500))?;
    let (status, result, zip) = match run(call, &request) {
        Ok((result, zip)) => ("Succeeded", result, Some(zip)),
        Err(error) => {
            let text = format!("{}: {}", error.code, error.message);
            (
                "Failed",
                json!({ "errorMessage": text, "errorStatusCode": error.code }),
                None,
            )
        }
    };
    call.db.execute(
        "UPDATE _retrieve SET status = ?2, result = ?3, zip = ?4 WHERE id = ?1",
        params![id, status, result.to_string(), zip],
    )?;
    schedule(call.db, call.now, "retrieve.start", &Value::Null)
}

fn run(call: &Call<'_>, request: &Request) -> Result<(Value, Vec<u8>), ApiError> {
    let collected = collect::collect(call, request)?;
    let most = call.world.config.limits.zip_entries;
    if archive::entries(collected.files.keys().map(String::as_str)) > most {
        return Err(ApiError::new(
            "LIMIT_EXCEEDED",
            format!("Too many files in retrieve call, limit is: {most}"),
        ));
    }
    let mut zip = archive::pack(&collected.files)
        .map_err(|error| ApiError::new("UNKNOWN_EXCEPTION", error.to_string()).status(500))?;
    if zip.len() > MAX_ZIP {
        return Err(ApiError::new(
            "LIMIT_EXCEEDED",
            format!("Maximum size of zip file exceeded, limit is: {MAX_ZIP}"),
        ));
    }
    if call.world.faults.cuts_zip(&call.org.name) {
        zip.truncate(zip.len() / 2);
    }
    let mut result = Map::new();
    result.insert("fileProperties".to_owned(), json!(collected.properties));
    let messages: Vec<Value> = collected
        .messages
        .iter()
        .map(|(file, problem)| json!({ "fileName": file, "problem": problem }))
        .collect();
    if !messages.is_empty() {
        result.insert("messages".to_owned(), json!(messages));
    }
    Ok((Value::Object(result), zip))
}

/// The `RetrieveResult` of a deployment with `performRetrieve`: its components as the org has them then.
pub(crate) fn deployed<'i>(
    call: &Call<'_>,
    version: u16,
    components: impl Iterator<Item = &'i ComponentId>,
) -> Result<Value, ApiError> {
    let mut types: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for id in components {
        let members = types.entry(id.type_name.to_string()).or_default();
        members.push(id.full_name.to_string());
    }
    let request = Request {
        version,
        package_names: Vec::new(),
        single_package: false,
        specific_files: Vec::new(),
        unpackaged: Some(types.into_iter().collect()),
    };
    let (mut result, zip) = run(call, &request)?;
    let encoded = base64::engine::general_purpose::STANDARD.encode(zip);
    for (name, value) in [
        ("done", json!(true)),
        ("id", json!(call.next_id("09S")?)),
        ("status", json!("Succeeded")),
        ("success", json!(true)),
        ("zipFile", json!(encoded)),
    ] {
        result[name] = value;
    }
    Ok(result)
}

pub(crate) fn check(call: &Call<'_>, request: Node<'_, '_>) -> Result<Answer, ApiError> {
    let given = xml::either(request, &["asyncProcessId", "id"])
        .or_else(|| request.first_element_child())
        .map(xml::content)
        .unwrap_or_default();
    let id = crate::ids::long(given.trim())
        .filter(|id| id.starts_with("09S"))
        .ok_or_else(|| ApiError::new("MALFORMED_ID", format!("{given}: id value of incorrect type")))?;
    let (status, text, zip, taken): (String, String, Option<Vec<u8>>, bool) = call
        .db
        .query_row(
            "SELECT status, result, zip, taken FROM _retrieve WHERE id = ?1",
            [&id],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
        )
        .optional()?
        .ok_or_else(|| ApiError::new("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id"))?;
    if taken {
        return Err(ApiError::new(
            "INVALID_LOCATOR",
            "Retrieve result has been deleted. A retrieve result can be read only once.",
        ));
    }
    let result: Value = serde_json::from_str(&text).unwrap_or_default();
    let done = matches!(status.as_str(), "Succeeded" | "Failed");
    let mut out = Map::new();
    out.insert("done".to_owned(), json!(done));
    for name in ["errorMessage", "errorStatusCode", "fileProperties"] {
        if let Some(value) = result.get(name) {
            out.insert(name.to_owned(), value.clone());
        }
    }
    out.insert("id".to_owned(), json!(id));
    if let Some(messages) = result.get("messages") {
        out.insert("messages".to_owned(), messages.clone());
    }
    out.insert("status".to_owned(), json!(status));
    out.insert("success".to_owned(), json!(status == "Succeeded"));
    if let Some(zip) = zip.filter(|_| xml::flag(request, "includeZip").unwrap_or(true)) {
        let encoded = base64::engine::general_purpose::STANDARD.encode(zip);
        out.insert("zipFile".to_owned(), json!(encoded));
        if call.world.switches().retrieve_zip_once {
            call.db
                .execute("UPDATE _retrieve SET taken = 1, zip = NULL WHERE id = ?1", [&id])?;
        }
    }
    Ok(Value::Object(out).into())
}
