//! Components as records of the Tooling API: creating, changing and deleting those that have a body or `Metadata`.

use super::deploy::{self, put};
use super::store::{self, Component, File, Item};
use super::{anonymous, apex, crud, effects, value};
use crate::error::ApiError;
use crate::http::{Call, Reply, Route};
use rusqlite::OptionalExtension;
use serde_json::{Value, json};
use syncline_metadata::component::ComponentId;
use syncline_metadata::table::registry::Registry;

pub(crate) const ROUTES: &[Route] = &[
    Route::rest(
        "GET",
        "/services/data/{version}/tooling/executeAnonymous",
        anonymous::get,
    ),
    Route::rest(
        "GET",
        "/services/data/{version}/tooling/runTestsAsynchronous",
        apex::asynchronous,
    ),
    Route::rest(
        "POST",
        "/services/data/{version}/tooling/runTestsAsynchronous",
        apex::asynchronous,
    ),
    Route::rest(
        "GET",
        "/services/data/{version}/tooling/runTestsSynchronous",
        apex::synchronous,
    ),
    Route::rest(
        "POST",
        "/services/data/{version}/tooling/runTestsSynchronous",
        apex::synchronous,
    ),
    Route::rest("POST", "/services/data/{version}/tooling/sobjects/ApexClass", create),
    Route::rest(
        "PATCH",
        "/services/data/{version}/tooling/sobjects/ApexClass/{id}",
        update,
    ),
    Route::rest(
        "DELETE",
        "/services/data/{version}/tooling/sobjects/ApexClass/{id}",
        delete,
    ),
    Route::rest("POST", "/services/data/{version}/tooling/sobjects/ApexTrigger", create),
    Route::rest(
        "PATCH",
        "/services/data/{version}/tooling/sobjects/ApexTrigger/{id}",
        update,
    ),
    Route::rest(
        "DELETE",
        "/services/data/{version}/tooling/sobjects/ApexTrigger/{id}",
        delete,
    ),
    Route::rest("POST", "/services/data/{version}/tooling/sobjects/CustomField", create),
    Route::rest(
        "PATCH",
        "/services/data/{version}/tooling/sobjects/CustomField/{id}",
        update,
    ),
    Route::rest(
        "DELETE",
        "/services/data/{version}/tooling/sobjects/CustomField/{id}",
        delete,
    ),
    Route::rest(
        "PATCH",
        "/services/data/{version}/tooling/sobjects/FlowDefinition/{id}",
        activate,
    ),
    Route::rest("POST", "/services/data/{version}/tooling/sobjects/RemoteProxy", create),
    Route::rest(
        "PATCH",
        "/services/data/{version}/tooling/sobjects/RemoteProxy/{id}",
        update,
    ),
    Route::rest(
        "DELETE",
        "/services/data/{version}/tooling/sobjects/RemoteProxy/{id}",
        delete,
    ),
    Route::rest(
        "POST",
        "/services/data/{version}/tooling/sobjects/ValidationRule",
        create,
    ),
    Route::rest(
        "PATCH",
        "/services/data/{version}/tooling/sobjects/ValidationRule/{id}",
        update,
    ),
    Route::rest(
        "DELETE",
        "/services/data/{version}/tooling/sobjects/ValidationRule/{id}",
        delete,
    ),
    Route::rest(
        "PATCH",
        "/services/data/{version}/tooling/sobjects/WorkflowOutboundMessage/{id}",
        update,
    ),
];

/// The metadata type of the object in the path.
fn kind(call: &Call<'_>) -> Result<&'static str, ApiError> {
    let mut segments = call
        .request
        .path
        .split('/')
        .skip_while(|part| !part.eq_ignore_ascii_case("sobjects"));
    let name = segments.nth(1).unwrap_or_default();
    let schema = call.schema();
    let object = schema.object(name).ok_or_else(ApiError::not_found)?;
    effects::type_of(&object.name).ok_or_else(ApiError::not_found)
}

/// The component behind the id in the path.
fn found(call: &Call<'_>, kind: &str) -> Result<Component, ApiError> {
    let id = crate::ids::long(call.request.param("id"))
        .ok_or_else(|| ApiError::new("MALFORMED_ID", format!("{}: malformed id", call.request.param("id"))))?;
    let name: Option<String> = call
        .db
        .query_row(
            "SELECT name FROM _component WHERE type = ?1 AND id = ?2",
            [kind, &id],
            |row| row.get(0),
        )
        .optional()?;
    let component = match name {
        Some(name) => store::get(call.db, &ComponentId::new(kind, name))?,
        None => None,
    };
    component.ok_or_else(ApiError::not_found)
}

/// The first word behind `class`, `interface`, `enum` or `trigger` in a source.
fn declared(body: &str) -> Option<&str> {
    let mut words = body
        .split(|c: char| !(c.is_alphanumeric() || c == '_'))
        .filter(|word| !word.is_empty());
    words.find(|word| {
        ["class", "interface", "enum", "trigger"]
            .iter()
            .any(|one| one.eq_ignore_ascii_case(word))
    })?;
    words.next()
}

fn create(call: &Call<'_>) -> Result<Reply, ApiError> {
    let kind = kind(call)?;
    let body = call.json()?;
    let source = body["Body"].as_str();
    let name = body["FullName"]
        .as_str()
        .or_else(|| source.and_then(declared))
        .ok_or_else(|| {
            ApiError::new("REQUIRED_FIELD_MISSING", "Required fields are missing: [FullName]").fields(["FullName"])
        })?;
    let id = ComponentId::new(kind, name);
    if store::get(call.db, &id)?.is_some() {
        let text = format!("duplicate value found: Name duplicates value on record with id: {name}");
        return Err(ApiError::new("DUPLICATE_VALUE", text).fields(["FullName"]));
    }
    write(call, &id, source, &body["Metadata"])?;
    let made = store::get(call.db, &id)?.ok_or_else(ApiError::not_found)?;
    Ok(Reply::json_status(
        201,
        &json!({ "id": made.record_id, "success": true, "errors": [], "warnings": [], "infos": [] }),
    ))
}

fn update(call: &Call<'_>) -> Result<Reply, ApiError> {
    let component = found(call, kind(call)?)?;
    let body = call.json()?;
    write(call, &component.id, body["Body"].as_str(), &body["Metadata"])?;
    Ok(Reply::empty())
}

fn delete(call: &Call<'_>) -> Result<Reply, ApiError> {
    let component = found(call, kind(call)?)?;
    match deploy::remove(call, &component)? {
        Some(problem) => Err(ApiError::new("DELETE_FAILED", problem)),
        None => Ok(Reply::empty()),
    }
}

/// Writes a body and the whole `Metadata`, which replaces what was there: what it leaves out is blank afterwards.
fn write(call: &Call<'_>, id: &ComponentId, source: Option<&str>, metadata: &Value) -> Result<(), ApiError> {
    let with_source = matches!(&*id.type_name, "ApexClass" | "ApexTrigger");
    let items = if with_source {
        vec![code(call, id, source, metadata)?]
    } else {
        let file = value::file(&id.type_name, metadata);
        let inner = file
            .split_once(">\n")
            .and_then(|(_, rest)| rest.split_once(">\n"))
            .map_or("", |(_, rest)| rest);
        let inner = inner.rsplit_once("</").map_or("", |(inner, _)| inner);
        crud::items(id, inner).ok_or_else(ApiError::not_found)?
    };
    let messages = put(call, &items)?;
    let failed = messages
        .into_iter()
        .find(super::message::Message::is_failure)
        .and_then(|message| message.problem);
    match failed {
        Some((_, problem)) => Err(ApiError::new("FIELD_INTEGRITY_EXCEPTION", problem)),
        None => Ok(()),
    }
}

/// A class or trigger with a new body, new metadata, or both.
fn code(call: &Call<'_>, id: &ComponentId, source: Option<&str>, metadata: &Value) -> Result<Item, ApiError> {
    let kind = Registry::standard()
        .by_name(&id.type_name)
        .ok_or_else(ApiError::not_found)?;
    let path = format!(
        "{}/{}.{}",
        kind.directory,
        id.full_name,
        kind.suffix.unwrap_or_default()
    );
    let old = store::files(call.db, id)?;
    let kept = |descriptor: bool| {
        old.iter()
            .find(|file| file.path.ends_with("-meta.xml") == descriptor)
            .map(|file| file.content.clone())
    };
    let body = match source {
        Some(source) => source.as_bytes().to_vec(),
        None => kept(false).unwrap_or_default(),
    };
    let descriptor = match (metadata, kept(true)) {
        (Value::Null, Some(old)) => old,
        (Value::Null, None) => {
            let version = format!("{}.0", call.version);
            value::file(kind.name, &json!({ "apiVersion": version, "status": "Active" })).into_bytes()
        }
        (given, _) => value::file(kind.name, given).into_bytes(),
    };
    Ok(Item {
        id: id.clone(),
        parent: None,
        files: vec![
            File {
                path: path.clone(),
                content: body,
            },
            File {
                path: format!("{path}-meta.xml"),
                content: descriptor,
            },
        ],
        path,
    })
}

/// `{"Metadata":{"activeVersionNumber":3}}`; 0, null or nothing deactivates, because the value replaces the old one whole.
fn activate(call: &Call<'_>) -> Result<Reply, ApiError> {
    let flow = found(call, "Flow")?;
    let body = call.json()?;
    let Some(metadata) = body.get("Metadata") else {
        return Err(
            ApiError::new("REQUIRED_FIELD_MISSING", "Required fields are missing: [Metadata]").fields(["Metadata"]),
        );
    };
    let number = metadata["activeVersionNumber"].as_i64().unwrap_or_default();
    if effects::activate(call, &flow.record_id, number)? {
        Ok(Reply::empty())
    } else {
        Err(ApiError::new(
            "INVALID_CROSS_REFERENCE_KEY",
            format!("The flow {} has no version {number}", flow.id.full_name),
        ))
    }
}
