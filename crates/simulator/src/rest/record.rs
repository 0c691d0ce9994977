//! `/sobjects/T` and `/sobjects/T/{id}`: one record, on the data and the Tooling API.

use super::objects::{find_object, record_url};
use crate::dml::{self, Options, RowResult};
use crate::error::ApiError;
use crate::http::{Call, Reply, Route};
use crate::ids;
use crate::schema::{Kind, Object};
use crate::soql;
use serde_json::{Map, Value as Json, json};

pub(crate) const ROUTES: &[Route] = &[
    Route::rest("POST", "/services/data/{version}/sobjects/{object}", create),
    Route::rest("GET", "/services/data/{version}/sobjects/{object}/{id}", get),
    Route::rest("PATCH", "/services/data/{version}/sobjects/{object}/{id}", update),
    Route::rest("DELETE", "/services/data/{version}/sobjects/{object}/{id}", delete),
    Route::rest("POST", "/services/data/{version}/tooling/sobjects/{object}", create),
    Route::rest("GET", "/services/data/{version}/tooling/sobjects/{object}/{id}", get),
    Route::rest(
        "PATCH",
        "/services/data/{version}/tooling/sobjects/{object}/{id}",
        update,
    ),
    Route::rest(
        "DELETE",
        "/services/data/{version}/tooling/sobjects/{object}/{id}",
        delete,
    ),
];

/// The body of a write as a JSON object. A multipart body has it in the first part; the second is the blob.
pub(super) fn body(call: &Call<'_>, object: &Object) -> Result<Map<String, Json>, ApiError> {
    let kind = call.request.header("content-type").unwrap_or_default();
    let mut json: Json = if kind.starts_with("multipart/form-data") {
        super::multipart::record(kind, &call.request.body)?
    } else {
        call.json()?
    };
    let Some(map) = json.as_object_mut() else {
        return Err(ApiError::new(
            "JSON_PARSER_ERROR",
            "The HTTP entity body is required, but this request has no entity body.",
        ));
    };
    let named = map.get("attributes").and_then(|a| a.get("type")).and_then(Json::as_str);
    if named.is_some_and(|named| !named.eq_ignore_ascii_case(&object.name)) {
        return Err(ApiError::new(
            "INVALID_FIELD",
            format!("attributes.type must be {}, the object of the path", object.name),
        ));
    }
    Ok(std::mem::take(map))
}

/// `{"id": …, "success": true, "errors": []}`; the Tooling API adds `warnings` and `infos`.
pub(super) fn written(call: &Call<'_>, id: &str) -> Map<String, Json> {
    let mut map = Map::new();
    map.insert("id".to_owned(), json!(id));
    map.insert("success".to_owned(), json!(true));
    map.insert("errors".to_owned(), json!([]));
    if call.tooling {
        map.insert("warnings".to_owned(), json!([]));
        map.insert("infos".to_owned(), json!([]));
    }
    map
}

fn create(call: &Call<'_>) -> Result<Reply, ApiError> {
    let object = find_object(call, call.request.param("object"))?;
    let done = dml::insert(call, &object.name, &body(call, &object)?, &Options::of(call))?;
    let reply = Reply::json_status(201, &Json::Object(written(call, &done.id)));
    Ok(reply.header("Location", record_url(call, &object.name, &done.id)))
}

/// A record that is not there is 404 in the path, not a wrong reference.
pub(super) fn at_path(done: RowResult) -> RowResult {
    done.map_err(|error| match error.code.as_str() {
        "INVALID_CROSS_REFERENCE_KEY" if error.status == 404 => ApiError::not_found(),
        "MALFORMED_ID" if error.fields == ["Id"] => ApiError::not_found(),
        _ => error,
    })
}

fn update(call: &Call<'_>) -> Result<Reply, ApiError> {
    let object = find_object(call, call.request.param("object"))?;
    let body = body(call, &object)?;
    if body.keys().any(|name| name.eq_ignore_ascii_case("Id")) {
        return Err(ApiError::new(
            "INVALID_FIELD",
            "The Id field should not be specified in the sobject data.",
        ));
    }
    let id = call.request.param("id");
    at_path(dml::update(call, &object.name, id, &body, &Options::of(call)))?;
    Ok(Reply::empty())
}

fn delete(call: &Call<'_>) -> Result<Reply, ApiError> {
    let object = find_object(call, call.request.param("object"))?;
    at_path(dml::delete(
        call,
        &object.name,
        call.request.param("id"),
        &Options::of(call),
    ))?;
    Ok(Reply::empty())
}

fn get(call: &Call<'_>) -> Result<Reply, ApiError> {
    let object = find_object(call, call.request.param("object"))?;
    let record = read(call, &object, call.request.param("id"), &asked_fields(call, &object)?)?;
    Ok(Reply::json(&record.ok_or_else(ApiError::not_found)?))
}

/// The fields of `?fields=a,b`; all when there is no such thing.
pub(super) fn asked_fields(call: &Call<'_>, object: &Object) -> Result<Vec<String>, ApiError> {
    match call.request.query("fields") {
        None => Ok(all_fields(object)),
        Some(names) => known_fields(object, names.split(',')),
    }
}

/// All fields of an object by name.
pub(super) fn all_fields(object: &Object) -> Vec<String> {
    object.fields.iter().map(|field| field.name.clone()).collect()
}

/// `Id` and these fields.
pub(super) fn known_fields<'n>(object: &Object, names: impl Iterator<Item = &'n str>) -> Result<Vec<String>, ApiError> {
    let mut fields = vec!["Id".to_owned()];
    for name in names.map(str::trim).filter(|name| !name.is_empty()) {
        let field = object.field(name).ok_or_else(|| {
            ApiError::new(
                "INVALID_FIELD",
                format!("No such column '{name}' on sobject of type {}", object.name),
            )
        })?;
        if !fields.contains(&field.name) {
            fields.push(field.name.clone());
        }
    }
    Ok(fields)
}

/// A record with its attributes; none when there is none, `ENTITY_IS_DELETED` when it is in the recycle bin.
pub(super) fn read(call: &Call<'_>, object: &Object, id: &str, fields: &[String]) -> Result<Option<Json>, ApiError> {
    let key = soql::key_column(object);
    let id = match ids::long(id) {
        Some(long) if key == "Id" => long,
        None if key == "Id" => return Ok(None),
        _ => id.replace(['\'', '\\'], ""),
    };
    if object
        .key_prefix
        .as_ref()
        .is_some_and(|prefix| !id.starts_with(prefix.as_str()))
    {
        return Ok(None);
    }
    // Only what a query may select.
    let fields: Vec<&str> = (fields.iter().map(String::as_str))
        .filter(|name| object.field(name).is_some_and(|field| field.kind != Kind::Location))
        .collect();
    let text = format!("SELECT {} FROM {} WHERE {key} = '{id}'", fields.join(", "), object.name);
    let options = soql::Options {
        all_rows: true,
        ..soql::Options::default()
    };
    let record = soql::run(call, &text, options)?.records.into_iter().next();
    if record.is_some() && object.field("IsDeleted").is_some() {
        let sql = format!(
            "SELECT COALESCE(\"IsDeleted\", 0) FROM \"{}\" WHERE \"Id\" = ?1",
            object.name
        );
        let deleted: bool = call.db.prepare_cached(&sql)?.query_row([&id], |row| row.get(0))?;
        if deleted {
            return Err(ApiError::new("ENTITY_IS_DELETED", "entity is deleted").status(404));
        }
    }
    Ok(record)
}
