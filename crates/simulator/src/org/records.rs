//! Writing records past the API's rules: for seeds, copies and what the platform itself writes.

use super::Org;
use crate::clock::Millis;
use crate::error::ApiError;
use crate::schema::Object;
use rusqlite::Connection;
use rusqlite::types::Value;

/// Inserts a record with a new id (or the one given as `Id`) and audit fields. Unknown fields are an error.
pub fn insert(
    org: &Org,
    db: &Connection,
    object: &Object,
    values: &[(&str, Value)],
    by: &str,
    now: Millis,
) -> Result<String, ApiError> {
    let given = values.iter().find_map(|(name, value)| match (name, value) {
        (&"Id", Value::Text(id)) => Some(id.clone()),
        _ => None,
    });
    let id = match (given, &object.key_prefix) {
        (Some(id), _) => id,
        (None, Some(prefix)) => org.next_id(db, prefix)?,
        (None, None) => org.next_id(db, "000")?,
    };
    let mut columns = vec![("Id", Value::Text(id.clone()))];
    for (name, value) in [
        ("IsDeleted", Value::Integer(0)),
        ("CreatedDate", Value::Integer(now)),
        ("CreatedById", Value::Text(by.to_owned())),
        ("LastModifiedDate", Value::Integer(now)),
        ("LastModifiedById", Value::Text(by.to_owned())),
        ("SystemModstamp", Value::Integer(now)),
    ] {
        if object.field(name).is_some() && !values.iter().any(|(given, _)| *given == name) {
            columns.push((name, value));
        }
    }
    for (name, value) in values.iter().filter(|(name, _)| *name != "Id") {
        let field = object.field(name).ok_or_else(|| {
            ApiError::new(
                "UNKNOWN_EXCEPTION",
                format!("the model has no field {}.{name}", object.name),
            )
            .status(500)
        })?;
        columns.push((&field.name, value.clone()));
    }
    let names: Vec<String> = columns.iter().map(|(name, _)| format!("\"{name}\"")).collect();
    let places = vec!["?"; columns.len()].join(", ");
    db.prepare_cached(&format!(
        "INSERT INTO \"{}\" ({}) VALUES ({places})",
        object.name,
        names.join(", ")
    ))?
    .execute(rusqlite::params_from_iter(columns.into_iter().map(|(_, value)| value)))?;
    Ok(id)
}
