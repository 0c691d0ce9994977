//! References: whether the record they point to is there and of the right object, and finding a record by a key field.

use super::change::Change;
use super::value::wrong_id;
use crate::error::ApiError;
use crate::http::Call;
use crate::ids;
use crate::schema::{Field, Kind, Object, Schema};
use rusqlite::types::Value;
use rusqlite::{OptionalExtension, params};
use std::collections::HashSet;
use std::sync::Arc;

/// How many seen parents are kept in mind.
const SEEN: usize = 50_000;

/// Checks the references of changes to one object.
pub(super) struct Links {
    /// Positions of the reference fields.
    fields: Vec<usize>,
    schema: Arc<Schema>,
    seen: HashSet<String>,
}

impl Links {
    pub(super) fn new(schema: &Arc<Schema>, object: &Object) -> Self {
        let reference = |(at, field): (usize, &Field)| (field.kind == Kind::Reference).then_some(at);
        Self {
            fields: object.fields.iter().enumerate().filter_map(reference).collect(),
            schema: Arc::clone(schema),
            seen: HashSet::new(),
        }
    }

    /// Checks the references that are given.
    pub(super) fn check(&mut self, call: &Call<'_>, change: &Change<'_>) -> Result<(), ApiError> {
        for at in &self.fields {
            let Value::Text(id) = &change.new[*at] else { continue };
            if !change.is_given(*at) || self.seen.contains(id) {
                continue;
            }
            let field = &change.object.fields[*at];
            let target = self.target(field, id).ok_or_else(|| wrong_id(field, id))?;
            present(call, target, id)?;
            match field.name.as_str() {
                "OwnerId" if target.name == "User" => active(call, id)?,
                "RecordTypeId" => record_type(call, field, change.object, id)?,
                _ => {}
            }
            if self.seen.len() >= SEEN {
                self.seen.clear();
            }
            self.seen.insert(id.clone());
        }
        Ok(())
    }

    /// The object among those of the field that has the id's prefix.
    fn target<'s>(&'s self, field: &Field, id: &str) -> Option<&'s Arc<Object>> {
        field
            .reference_to
            .iter()
            .filter_map(|name| self.schema.object(name))
            .find(|object| object.key_prefix.as_deref().is_none_or(|prefix| id.starts_with(prefix)))
    }

    /// The ids the change refers to.
    pub(super) fn parents<'c>(&'c self, change: &'c Change<'_>) -> impl Iterator<Item = &'c str> {
        self.fields.iter().filter_map(|at| match &change.new[*at] {
            Value::Text(id) if change.is_given(*at) => Some(id.as_str()),
            _ => None,
        })
    }
}

/// `INVALID_CROSS_REFERENCE_KEY` for a record that is not there, `ENTITY_IS_DELETED` for one in the recycle bin.
pub(super) fn present(call: &Call<'_>, object: &Object, id: &str) -> Result<(), ApiError> {
    let deleted = object.field("IsDeleted").map_or("0", |_| "\"IsDeleted\"");
    let found: Option<Option<i64>> = call
        .db
        .prepare_cached(&format!("SELECT {deleted} FROM \"{}\" WHERE \"Id\" = ?1", object.name))?
        .query_row([id], |row| row.get(0))
        .optional()?;
    match found {
        None => Err(ApiError::new(
            "INVALID_CROSS_REFERENCE_KEY",
            "invalid cross reference id",
        )),
        Some(Some(1)) => Err(ApiError::new("ENTITY_IS_DELETED", "entity is deleted").status(404)),
        Some(_) => Ok(()),
    }
}

fn active(call: &Call<'_>, id: &str) -> Result<(), ApiError> {
    let active: i64 = call
        .db
        .prepare_cached("SELECT COALESCE(\"IsActive\", 0) FROM \"User\" WHERE \"Id\" = ?1")?
        .query_row([id], |row| row.get(0))?;
    if active == 1 {
        return Ok(());
    }
    Err(ApiError::new(
        "INACTIVE_OWNER_OR_USER",
        format!(
            "operation performed with inactive user [{}] as owner of record",
            ids::short(id)
        ),
    ))
}

fn record_type(call: &Call<'_>, field: &Field, object: &Object, id: &str) -> Result<(), ApiError> {
    let fits: i64 = call
        .db
        .prepare_cached(
            "SELECT count(*) FROM \"RecordType\" WHERE \"Id\" = ?1 AND \"SobjectType\" = ?2 AND \"IsActive\" = 1",
        )?
        .query_row([id, &object.name], |row| row.get(0))?;
    if fits == 1 {
        return Ok(());
    }
    Err(ApiError::new(
        "INVALID_CROSS_REFERENCE_KEY",
        format!("{}: this ID value isn't valid for the user: {id}", field.label),
    )
    .fields([&field.name]))
}

/// The id of the one record whose field has that value. Several are `DUPLICATE_EXTERNAL_ID` with their ids in `fields`.
pub(crate) fn by_key(call: &Call<'_>, object: &Object, key: &Field, value: &str) -> Result<Option<String>, ApiError> {
    if key.name == "Id" {
        let id = ids::long(value).ok_or_else(|| wrong_id(key, value))?;
        present(call, object, &id)?;
        return Ok(Some(id));
    }
    let found = matches(call, object, key, value)?;
    match found.as_slice() {
        [] => Ok(None),
        [one] => Ok(Some(one.clone())),
        several => Err(ApiError::new(
            "DUPLICATE_EXTERNAL_ID",
            format!(
                "{}: more than one record found for external id field: [{}]",
                key.label,
                several.iter().map(|id| ids::short(id)).collect::<Vec<_>>().join(", ")
            ),
        )
        .status(300)
        .fields(several.to_vec())),
    }
}

/// The ids of the records whose field has that value; not those in the recycle bin.
pub(crate) fn matches(call: &Call<'_>, object: &Object, key: &Field, value: &str) -> Result<Vec<String>, ApiError> {
    let deleted = object.field("IsDeleted").map_or("", |_| " AND \"IsDeleted\" = 0");
    let collate = if key.case_sensitive { "" } else { " COLLATE NOCASE" };
    let mut read = call.db.prepare_cached(&format!(
        "SELECT \"Id\" FROM \"{}\" WHERE \"{}\" = ?1{collate}{deleted} LIMIT 10",
        object.name, key.name
    ))?;
    // A numeric column is compared as a number by SQLite's affinity.
    Ok(read
        .query_map(params![value.trim()], |row| row.get(0))?
        .collect::<Result<_, _>>()?)
}

/// `INVALID_FIELD` for a parent that is named by a key no record has.
pub(super) fn missing(object: &Object, key: &Field, value: &str) -> ApiError {
    ApiError::new(
        "INVALID_FIELD",
        format!(
            "Foreign key external ID: {value} not found for field {} in entity {}",
            key.name, object.name
        ),
    )
}
