//! `POST /composite/tree/T`: records with records below them; all are made or none.

use super::collections::row_error;
use super::objects::find_object;
use crate::dml::{self, Options};
use crate::error::ApiError;
use crate::http::{Call, Reply, Route};
use crate::schema::Object;
use crate::soql;
use serde_json::{Map, Value as Json, json};
use std::collections::HashSet;

pub(crate) const ROUTES: &[Route] = &[Route::rest(
    "POST",
    "/services/data/{version}/composite/tree/{object}",
    tree,
)];

const MOST_RECORDS: usize = 200;
const MOST_TYPES: usize = 5;
const MOST_LEVELS: usize = 5;

/// What was made and what failed so far.
#[derive(Default)]
struct Grown {
    made: Vec<Json>,
    failed: Vec<Json>,
    references: HashSet<String>,
    types: HashSet<String>,
}

fn tree(call: &Call<'_>) -> Result<Reply, ApiError> {
    let object = find_object(call, call.request.param("object"))?;
    let body = call.json()?;
    let records = body["records"]
        .as_array()
        .ok_or_else(|| ApiError::new("JSON_PARSER_ERROR", "the body must have records, a list"))?;
    let mut grown = Grown::default();
    call.db.execute_batch("SAVEPOINT tree")?;
    grow(call, &object, records, None, 1, &mut grown)?;
    let failed = !grown.failed.is_empty();
    call.db.execute_batch(if failed {
        "ROLLBACK TO tree; RELEASE tree"
    } else {
        "RELEASE tree"
    })?;
    let (status, results) = if failed { (400, grown.failed) } else { (201, grown.made) };
    Ok(Reply::json_status(
        status,
        &json!({ "hasErrors": failed, "results": results }),
    ))
}

fn limit(what: &str, found: usize, most: usize) -> Result<(), ApiError> {
    if found <= most {
        return Ok(());
    }
    Err(ApiError::new(
        "INVALID_INPUT",
        format!("the tree has {found} {what}; at most {most} are allowed"),
    ))
}

fn grow(
    call: &Call<'_>,
    object: &Object,
    records: &[Json],
    parent: Option<(&str, &str)>,
    level: usize,
    grown: &mut Grown,
) -> Result<(), ApiError> {
    limit("levels", level, MOST_LEVELS)?;
    grown.types.insert(object.name.clone());
    limit("types of records", grown.types.len(), MOST_TYPES)?;
    for record in records {
        let mut own: Map<String, Json> = record.as_object().cloned().unwrap_or_default();
        let attributes = own.remove("attributes").unwrap_or(Json::Null);
        let reference = attributes["referenceId"].as_str().unwrap_or_default().to_owned();
        if reference.is_empty() || !grown.references.insert(reference.clone()) {
            return Err(ApiError::new(
                "INVALID_INPUT",
                format!("each record needs a referenceId of its own in attributes; found `{reference}`"),
            ));
        }
        limit("records", grown.references.len(), MOST_RECORDS)?;
        let below: Vec<String> = own
            .iter()
            .filter(|(_, v)| v["records"].is_array())
            .map(|(k, _)| k.clone())
            .collect();
        let below: Vec<(String, Json)> = below.into_iter().filter_map(|name| own.remove_entry(&name)).collect();
        if let Some((field, id)) = parent {
            own.insert(field.to_owned(), json!(id));
        }
        let wrong_type = attributes["type"]
            .as_str()
            .is_none_or(|name| !name.eq_ignore_ascii_case(&object.name));
        let done = if wrong_type {
            Err(ApiError::new(
                "INVALID_INPUT",
                format!("attributes.type must be {}", object.name),
            ))
        } else {
            dml::insert(call, &object.name, &own, &Options::of(call))
        };
        let id = match done {
            Ok(done) => {
                grown.made.push(json!({ "referenceId": reference, "id": done.id }));
                done.id
            }
            Err(error) => {
                grown
                    .failed
                    .push(json!({ "referenceId": reference, "errors": [row_error(&error)] }));
                continue;
            }
        };
        for (name, children) in below {
            let schema = call.schema();
            let way = schema
                .children_of(&object.name)
                .find(|(_, field)| soql::children_name(field).is_some_and(|way| way.eq_ignore_ascii_case(&name)));
            let (child, field) = way.ok_or_else(|| {
                ApiError::new(
                    "INVALID_FIELD",
                    format!("No such column '{name}' on sobject of type {}", object.name),
                )
            })?;
            let records = children["records"].as_array().cloned().unwrap_or_default();
            grow(call, child, &records, Some((&field.name, &id)), level + 1, grown)?;
        }
    }
    Ok(())
}
