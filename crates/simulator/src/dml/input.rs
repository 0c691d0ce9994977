//! From a JSON body or CSV columns to the values of a [`Change`].

use super::change::Change;
use super::links;
use super::value::{Given, read};
use crate::error::ApiError;
use crate::http::Call;
use crate::schema::{Field, Kind, Object};
use rusqlite::types::Value;
use serde_json::{Map, Value as Json};
use std::sync::Arc;

/// What a name in a body or a CSV header means.
#[derive(Debug, Clone)]
pub enum Column {
    /// The field at this position.
    Field(usize),
    /// A reference by a field of the parent: `Account.Ext__c`, `Owner:User.Username`.
    Parent {
        /// Position of the reference field.
        at: usize,
        /// The parent's object.
        object: Arc<Object>,
        /// The field that names the parent.
        key: String,
    },
}

impl Column {
    /// Reads the header of a CSV column; none when there is no such field.
    pub fn of_header(call: &Call<'_>, object: &Object, name: &str) -> Option<Self> {
        let Some((way, key)) = name.split_once('.') else {
            return object.position(name).map(Self::Field);
        };
        let (way, target) = way.split_once(':').map_or((way, None), |(way, to)| (way, Some(to)));
        let at = parent_position(object, way)?;
        let target = target.or_else(|| object.fields[at].reference_to.first().map(String::as_str))?;
        let parent = Arc::clone(call.schema().object(target)?);
        let key = parent.field(key)?.name.clone();
        Some(Self::Parent {
            at,
            object: parent,
            key,
        })
    }
}

/// The reference field behind `Account` or `Boss__r`.
fn parent_position(object: &Object, way: &str) -> Option<usize> {
    match way.strip_suffix("__r") {
        Some(stem) => object.position(&format!("{stem}__c")),
        None => object.parent(way).and_then(|field| object.position(&field.name)),
    }
}

/// `INVALID_FIELD` for a name the object lacks.
fn unknown(object: &Object, name: &str) -> ApiError {
    ApiError::new(
        "INVALID_FIELD",
        format!("No such column '{name}' on sobject of type {}", object.name),
    )
}

/// Puts a JSON body into a change. `attributes` is passed over; so are the keys in `skip`.
pub(super) fn fill(
    call: &Call<'_>,
    change: &mut Change<'_>,
    body: &Map<String, Json>,
    skip: &[&str],
) -> Result<(), ApiError> {
    for (name, given) in body {
        if name == "attributes" || skip.iter().any(|skip| skip.eq_ignore_ascii_case(name)) {
            continue;
        }
        let object = change.object;
        match (object.position(name), given) {
            (Some(at), given) => {
                let field = &object.fields[at];
                let value = read(field, Given::Json(given))?;
                change.put(at, value);
            }
            (None, Json::Object(parent)) => {
                let at = parent_position(object, name).ok_or_else(|| unknown(object, name))?;
                let id = by_parent(call, &object.fields[at], parent)?;
                change.put(at, Value::Text(id));
            }
            (None, Json::Null) if parent_position(object, name).is_some() => {
                let at = parent_position(object, name).unwrap_or_default();
                change.put(at, Value::Null);
            }
            _ => return Err(unknown(object, name)),
        }
    }
    Ok(())
}

/// `"Account": {"Ext__c": "x"}`: the id of the parent. A parent that may be of several objects is told by `attributes.type`.
fn by_parent(call: &Call<'_>, field: &Field, given: &Map<String, Json>) -> Result<String, ApiError> {
    let wanted = given
        .get("attributes")
        .and_then(|a| a.get("type"))
        .and_then(Json::as_str);
    let target = match wanted {
        Some(wanted) => field.reference_to.iter().find(|to| to.eq_ignore_ascii_case(wanted)),
        None => field.reference_to.first(),
    };
    let invalid = || {
        ApiError::new(
            "INVALID_FIELD",
            format!(
                "Foreign key relationship {} cannot be read from its object",
                field.label
            ),
        )
        .fields([&field.name])
    };
    let parent = call.object(target.ok_or_else(invalid)?)?;
    let mut keys = given.iter().filter(|(name, _)| *name != "attributes");
    let (Some((key, value)), None) = (keys.next(), keys.next()) else {
        return Err(invalid());
    };
    let key = parent.field(key).ok_or_else(|| unknown(&parent, key))?;
    let text = match value {
        Json::String(text) => text.clone(),
        other => other.to_string(),
    };
    links::by_key(call, &parent, key, &text)?.map_or_else(|| Err(links::missing(&parent, key, &text)), Ok)
}

/// Puts the cells of a CSV row into a change: an empty cell leaves the field alone, `#N/A` empties it.
pub(super) fn fill_cells<'c>(
    call: &Call<'_>,
    change: &mut Change<'_>,
    cells: impl Iterator<Item = (&'c Column, &'c str)>,
) -> Result<(), ApiError> {
    for (column, cell) in cells {
        if cell.is_empty() {
            continue;
        }
        let (Column::Field(at) | Column::Parent { at, .. }) = column;
        let field = &change.object.fields[*at];
        let value = match column {
            _ if cell == "#N/A" => match field.kind {
                Kind::Boolean => Value::Integer(0),
                _ => Value::Null,
            },
            Column::Field(_) => read(field, Given::Text(cell))?,
            Column::Parent { object, key, .. } => {
                let key = object.field(key).ok_or_else(|| unknown(object, key))?;
                let id = links::by_key(call, object, key, cell)?;
                Value::Text(id.ok_or_else(|| links::missing(object, key, cell))?)
            }
        };
        change.put(*at, value);
    }
    Ok(())
}
