//! `/sobjects/T/{field}/{value}`: a record by an external id. With an id in place of the field: a blob or a parent.

use super::objects::{find_object, record_url};
use super::record::{all_fields, asked_fields, at_path, body, read, written};
use crate::dml::{self, Options, Writer};
use crate::error::ApiError;
use crate::http::{Call, Reply, Route};
use crate::ids;
use crate::schema::{Kind, Object};
use crate::soql;
use rusqlite::OptionalExtension;
use serde_json::{Value as Json, json};
use std::sync::Arc;

pub(crate) const ROUTES: &[Route] = &[
    Route::rest("GET", "/services/data/{version}/sobjects/{object}/{field}/{value}", get),
    Route::rest(
        "PATCH",
        "/services/data/{version}/sobjects/{object}/{field}/{value}",
        upsert,
    ),
    Route::rest(
        "DELETE",
        "/services/data/{version}/sobjects/{object}/{field}/{value}",
        delete,
    ),
    Route::rest(
        "GET",
        "/services/data/{version}/tooling/sobjects/{object}/{field}/{value}",
        get,
    ),
];

/// Several records with the key: 300 with their paths.
fn choices(call: &Call<'_>, object: &Object, error: ApiError) -> Result<Reply, ApiError> {
    if error.code != "DUPLICATE_EXTERNAL_ID" {
        return Err(error);
    }
    let urls: Vec<String> = error
        .fields
        .iter()
        .map(|id| record_url(call, &object.name, id))
        .collect();
    Ok(Reply::json_status(300, &json!(urls)))
}

/// The id of the one record, or the answer that there is none or several.
fn find(call: &Call<'_>, object: &Arc<Object>) -> Result<Result<String, Reply>, ApiError> {
    let writer = Writer::new(call, object, &Options::default())?;
    let (field, value) = (call.request.param("field"), call.request.param("value"));
    let key = writer.key(field)?;
    match writer.find(&key, value) {
        Ok(Some(id)) => Ok(Ok(id)),
        Ok(None) => Err(ApiError::new("NOT_FOUND", "The requested resource does not exist").status(404)),
        Err(error) => choices(call, object, error).map(Err),
    }
}

fn get(call: &Call<'_>) -> Result<Reply, ApiError> {
    let object = find_object(call, call.request.param("object"))?;
    let field = call.request.param("field");
    if object.field(field).is_none()
        && let Some(id) = ids::long(field)
    {
        return below(call, &object, &id);
    }
    match find(call, &object)? {
        Err(choices) => Ok(choices),
        Ok(id) => {
            let record = read(call, &object, &id, &asked_fields(call, &object)?)?;
            Ok(Reply::json(&record.ok_or_else(ApiError::not_found)?))
        }
    }
}

fn upsert(call: &Call<'_>) -> Result<Reply, ApiError> {
    let object = find_object(call, call.request.param("object"))?;
    let mut record = body(call, &object)?;
    record.retain(|name, _| name != "attributes");
    let (field, value) = (call.request.param("field"), call.request.param("value"));
    if record.keys().any(|name| name.eq_ignore_ascii_case("Id")) {
        return Err(ApiError::new(
            "INVALID_FIELD",
            "The Id field should not be specified in the sobject data.",
        ));
    }
    if let Some((name, _)) = record.iter().find(|(name, _)| name.eq_ignore_ascii_case(field)) {
        return Err(ApiError::new(
            "INVALID_FIELD",
            format!("The {name} field should not be specified in the sobject data."),
        ));
    }
    match at_path(dml::upsert(
        call,
        &object.name,
        field,
        value,
        &record,
        &Options::of(call),
    )) {
        Err(error) => choices(call, &object, error),
        // Before v46 an update had no body.
        Ok(done) if !done.created && call.version < 46 => Ok(Reply::empty()),
        Ok(done) => {
            let mut answer = written(call, &done.id);
            answer.insert("created".to_owned(), json!(done.created));
            let status = if done.created { 201 } else { 200 };
            Ok(Reply::json_status(status, &Json::Object(answer)))
        }
    }
}

fn delete(call: &Call<'_>) -> Result<Reply, ApiError> {
    let object = find_object(call, call.request.param("object"))?;
    match find(call, &object)? {
        Err(choices) => Ok(choices),
        Ok(id) => {
            dml::delete(call, &object.name, &id, &Options::of(call))?;
            Ok(Reply::empty())
        }
    }
}

/// `/sobjects/ContentVersion/{id}/VersionData`, `/sobjects/Contact/{id}/Account`, `/sobjects/Account/{id}/Contacts`
fn below(call: &Call<'_>, object: &Arc<Object>, id: &str) -> Result<Reply, ApiError> {
    let name = call.request.param("value");
    read(call, object, id, &["Id".to_owned()])?.ok_or_else(ApiError::not_found)?;
    if let Some(field) = object.field(name).filter(|field| field.kind == Kind::Base64) {
        let sql = format!("SELECT \"{}\" FROM \"{}\" WHERE \"Id\" = ?1", field.name, object.name);
        let bytes: Option<Vec<u8>> = call.db.query_row(&sql, [id], |row| row.get(0)).optional()?.flatten();
        let kind = if object.name == "EventLogFile" {
            "text/csv"
        } else {
            "application/octetstream"
        };
        return Ok(Reply::text(200, kind, bytes.unwrap_or_default()));
    }
    let way = |field: &crate::schema::Field| soql::parent_name(field).is_some_and(|way| way.eq_ignore_ascii_case(name));
    if let Some(field) = object.fields.iter().find(|field| way(field)) {
        let sql = format!("SELECT \"{}\" FROM \"{}\" WHERE \"Id\" = ?1", field.name, object.name);
        let parent: Option<String> = call.db.query_row(&sql, [id], |row| row.get(0))?;
        let parent = parent.ok_or_else(ApiError::not_found)?;
        let schema = call.schema();
        let target = schema.by_prefix(&parent).ok_or_else(ApiError::not_found)?;
        let record = read(call, target, &parent, &asked_fields(call, target)?)?;
        return Ok(Reply::json(&record.ok_or_else(ApiError::not_found)?));
    }
    let schema = call.schema();
    let child = schema
        .children_of(&object.name)
        .find(|(_, field)| soql::children_name(field).is_some_and(|way| way.eq_ignore_ascii_case(name)));
    let (child, field) = child.ok_or_else(ApiError::not_found)?;
    let fields = match call.request.query("fields") {
        Some(_) => asked_fields(call, child)?,
        None => all_fields(child),
    };
    let text = format!(
        "SELECT {} FROM {} WHERE {} = '{id}'",
        fields.join(", "),
        child.name,
        field.name
    );
    let found = soql::run(call, &text, soql::Options::default())?;
    Ok(Reply::json(&found.body(call)))
}
