//! `/composite/sobjects`: up to 200 records in one call. Always 200; each row tells what became of it, in the order asked.

use super::objects::find_object;
use super::record::{all_fields, known_fields, read};
use crate::dml::{Options, RowResult, Writer};
use crate::error::ApiError;
use crate::http::{Call, Reply, Route};
use crate::schema::Object;
use serde_json::{Map, Value as Json, json};
use std::sync::Arc;

pub(crate) const ROUTES: &[Route] = &[
    Route::rest("POST", "/services/data/{version}/composite/sobjects", insert),
    Route::rest("PATCH", "/services/data/{version}/composite/sobjects", update),
    Route::rest("DELETE", "/services/data/{version}/composite/sobjects", delete),
    Route::rest(
        "PATCH",
        "/services/data/{version}/composite/sobjects/{object}/{field}",
        upsert,
    ),
    Route::rest("GET", "/services/data/{version}/composite/sobjects/{object}", retrieve),
    Route::rest("POST", "/services/data/{version}/composite/sobjects/{object}", retrieve),
    Route::rest("POST", "/services/data/{version}/tooling/composite/sobjects", insert),
    Route::rest("PATCH", "/services/data/{version}/tooling/composite/sobjects", update),
    Route::rest("DELETE", "/services/data/{version}/tooling/composite/sobjects", delete),
];

/// Records a call may have.
const MOST: usize = 200;
/// Runs of records of one object a call may have.
const MOST_CHUNKS: usize = 10;

/// What a collection does with a record.
#[derive(Clone, Copy)]
enum Verb<'f> {
    Insert,
    Update,
    Upsert(&'f str),
    Delete,
}

/// A row error: `statusCode`, not `errorCode`.
pub(super) fn row_error(error: &ApiError) -> Json {
    json!({ "statusCode": error.code, "message": error.message, "fields": error.fields })
}

fn rolled_back() -> ApiError {
    ApiError::new(
        "ALL_OR_NONE_OPERATION_ROLLED_BACK",
        "Record rolled back because not all records were valid and the request was using AllOrNone header",
    )
}

fn insert(call: &Call<'_>) -> Result<Reply, ApiError> {
    let (records, all) = records(call)?;
    write(call, Verb::Insert, None, &records, all)
}

fn update(call: &Call<'_>) -> Result<Reply, ApiError> {
    let (records, all) = records(call)?;
    write(call, Verb::Update, None, &records, all)
}

fn upsert(call: &Call<'_>) -> Result<Reply, ApiError> {
    let (records, all) = records(call)?;
    let object = find_object(call, call.request.param("object"))?;
    write(
        call,
        Verb::Upsert(call.request.param("field")),
        Some(&object.name),
        &records,
        all,
    )
}

fn delete(call: &Call<'_>) -> Result<Reply, ApiError> {
    let ids = call.request.query("ids").unwrap_or_default();
    let ids: Vec<&str> = ids.split(',').map(str::trim).filter(|id| !id.is_empty()).collect();
    if ids.is_empty() {
        return Err(ApiError::new("MALFORMED_ID", "The ids parameter is missing or empty"));
    }
    let schema = call.schema();
    let record = |id: &&str| {
        let object = schema.by_prefix(id).map(|object| object.name.clone());
        let mut map = Map::new();
        map.insert("id".to_owned(), json!(id));
        map.insert("attributes".to_owned(), json!({ "type": object }));
        Json::Object(map)
    };
    let records: Vec<Json> = ids.iter().map(record).collect();
    let all = call
        .request
        .query("allOrNone")
        .is_some_and(|v| v.eq_ignore_ascii_case("true"));
    write(call, Verb::Delete, None, &records, all)
}

/// `records` and `allOrNone` of the body.
fn records(call: &Call<'_>) -> Result<(Vec<Json>, bool), ApiError> {
    let mut body = call.json()?;
    let all = body.get("allOrNone").and_then(Json::as_bool).unwrap_or(false);
    match body.get_mut("records").map(Json::take) {
        Some(Json::Array(records)) if !records.is_empty() => Ok((records, all)),
        _ => Err(ApiError::new(
            "JSON_PARSER_ERROR",
            "the body must have records, a list with at least one record",
        )),
    }
}

fn type_of(record: &Json) -> &str {
    record["attributes"]["type"].as_str().unwrap_or_default()
}

fn write(call: &Call<'_>, verb: Verb<'_>, only: Option<&str>, records: &[Json], all: bool) -> Result<Reply, ApiError> {
    if records.len() > MOST {
        return Err(ApiError::new(
            "EXCEEDED_ID_LIMIT",
            format!("record limit reached. cannot submit more than {MOST} records into this call"),
        ));
    }
    let chunks: Vec<&[Json]> = records
        .chunk_by(|a, b| type_of(a).eq_ignore_ascii_case(type_of(b)))
        .collect();
    if chunks.len() > MOST_CHUNKS {
        return Err(ApiError::new(
            "INVALID_INPUT",
            format!("cannot process more than {MOST_CHUNKS} chunks of records of one type in this call"),
        ));
    }
    call.db.execute_batch("SAVEPOINT collection")?;
    let mut results: Vec<RowResult> = Vec::new();
    for chunk in chunks {
        match object_of(call, type_of(&chunk[0]), only, verb) {
            Err(error) => results.extend(chunk.iter().map(|_| Err(error.clone()))),
            Ok(object) => {
                let mut writer = Writer::new(call, &object, &Options::of(call))?;
                results.extend(chunk.iter().map(|record| one(&mut writer, verb, record)));
            }
        }
    }
    let failed = all && results.iter().any(Result::is_err);
    call.db.execute_batch(if failed {
        "ROLLBACK TO collection; RELEASE collection"
    } else {
        "RELEASE collection"
    })?;
    let answers: Vec<Json> = results
        .into_iter()
        .zip(records)
        .map(|(result, record)| {
            let result = if failed {
                result.and_then(|_| Err(rolled_back()))
            } else {
                result
            };
            answer(verb, record, &result)
        })
        .collect();
    Ok(Reply::json(&Json::Array(answers)))
}

fn object_of(call: &Call<'_>, name: &str, only: Option<&str>, verb: Verb<'_>) -> Result<Arc<Object>, ApiError> {
    if name.is_empty() {
        return Err(match verb {
            Verb::Delete => ApiError::new("MALFORMED_ID", "malformed id"),
            _ => ApiError::new("INVALID_TYPE", "Must specify the attributes.type of each record"),
        });
    }
    let found = find_object(call, name)
        .map_err(|_| ApiError::new("INVALID_TYPE", format!("sObject type '{name}' is not supported.")))?;
    match only {
        Some(only) if !only.eq_ignore_ascii_case(&found.name) => Err(ApiError::new(
            "INVALID_TYPE",
            format!("the record is of type {}, the path of type {only}", found.name),
        )),
        _ => Ok(found),
    }
}

fn id_of(record: &Json) -> Option<&str> {
    let map = record.as_object()?;
    map.iter().find(|(name, _)| name.eq_ignore_ascii_case("id"))?.1.as_str()
}

fn one(writer: &mut Writer<'_, '_>, verb: Verb<'_>, record: &Json) -> RowResult {
    let empty = Map::new();
    let map = record.as_object().unwrap_or(&empty);
    let id = || id_of(record).ok_or_else(|| ApiError::new("MISSING_ARGUMENT", "Id not specified in an update call"));
    match verb {
        Verb::Insert => writer.insert_json(map),
        Verb::Update => writer.update_json(id()?, map),
        Verb::Delete => writer.delete(id()?),
        Verb::Upsert(key) => {
            let value = map
                .iter()
                .find(|(name, _)| name.eq_ignore_ascii_case(key))
                .map(|(_, value)| value);
            let value = match value {
                Some(Json::String(text)) if !text.is_empty() => text.clone(),
                Some(Json::Number(number)) => number.to_string(),
                _ if key.eq_ignore_ascii_case("Id") => return writer.insert_json(map),
                _ => {
                    return Err(ApiError::new("MISSING_ARGUMENT", format!("{key} not specified")).fields([key]));
                }
            };
            writer.upsert_json(key, &value, map)
        }
    }
}

fn answer(verb: Verb<'_>, record: &Json, result: &RowResult) -> Json {
    match result {
        Ok(done) => {
            let mut row = json!({ "id": done.id, "success": true, "errors": [] });
            if matches!(verb, Verb::Upsert(_)) {
                row["created"] = json!(done.created);
            }
            row
        }
        Err(error) => {
            let mut row = json!({ "success": false, "errors": [row_error(error)] });
            if let (Verb::Update | Verb::Delete, Some(id)) = (verb, id_of(record)) {
                row["id"] = json!(id);
            }
            row
        }
    }
}

/// Records by id; a slot is null for an id that names none.
fn retrieve(call: &Call<'_>) -> Result<Reply, ApiError> {
    let object = find_object(call, call.request.param("object"))?;
    let (ids, fields): (Vec<String>, Vec<String>) = if call.request.method == "POST" {
        let body = call.json()?;
        let list = |name: &str| -> Vec<String> {
            let list = body[name].as_array().map_or(&[][..], Vec::as_slice);
            list.iter().filter_map(Json::as_str).map(str::to_owned).collect()
        };
        (list("ids"), list("fields"))
    } else {
        let list = |name: &str| -> Vec<String> {
            let text = call.request.query(name).unwrap_or_default();
            text.split(',')
                .filter(|word| !word.is_empty())
                .map(str::to_owned)
                .collect()
        };
        (list("ids"), list("fields"))
    };
    let fields = if fields.is_empty() {
        all_fields(&object)
    } else {
        known_fields(&object, fields.iter().map(String::as_str))?
    };
    let mut found = Vec::new();
    for id in &ids {
        found.push(match read(call, &object, id, &fields) {
            Ok(record) => record.unwrap_or(Json::Null),
            Err(error) if error.code == "ENTITY_IS_DELETED" => Json::Null,
            Err(error) => return Err(error),
        });
    }
    Ok(Reply::json(&Json::Array(found)))
}
