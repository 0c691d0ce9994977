//! Rows of a plan as records.

use super::plan::{Entry, ParentObject, Plan};
use super::render::{self, text};
use crate::error::ApiError;
use crate::http::Call;
use rusqlite::types::Value;
use serde_json::{Map, Value as Json};

/// A row and the record made of it.
pub struct Loaded {
    /// The columns of the plan.
    pub row: Vec<Value>,
    /// The record.
    pub record: Map<String, Json>,
}

/// Runs a plan's query and makes records of the rows that are wanted.
pub fn load(
    call: &Call<'_>,
    plan: &Plan,
    sql: &str,
    params: Vec<Value>,
    mut wanted: impl FnMut(&[Value]) -> bool,
) -> Result<Vec<Loaded>, ApiError> {
    let mut all = Vec::new();
    let mut statement = call.db.prepare(sql)?;
    let mut rows = statement.query(rusqlite::params_from_iter(params))?;
    while let Some(row) = rows.next()? {
        let row = (0..plan.columns.len())
            .map(|at| row.get::<_, Value>(at))
            .collect::<Result<Vec<_>, _>>()?;
        if wanted(&row) {
            let mut record = render::attributes(call, &plan.object.name, &plan.object.name, text(&row[plan.key]));
            fill(call, &plan.entries, &row, &mut record);
            all.push(Loaded { row, record });
        }
    }
    drop(rows);
    let keys: Vec<String> = all.iter().map(|each| text(&each.row[plan.key]).to_owned()).collect();
    for entry in &plan.entries {
        if let Entry::Children(children) = entry {
            let mut found = children.load(call, &keys)?;
            for (each, key) in all.iter_mut().zip(&keys) {
                if let Some(records) = found.remove(key) {
                    each.record.insert(children.key.clone(), records);
                }
            }
        }
    }
    Ok(all)
}

fn fill(call: &Call<'_>, entries: &[Entry], row: &[Value], record: &mut Map<String, Json>) {
    for entry in entries {
        match entry {
            Entry::Value { key, at, show, .. } => {
                record.insert(key.clone(), render::json(call, show, row, *at));
            }
            // Keeps the place; the children come once all rows are read.
            Entry::Children(children) => {
                record.insert(children.key.clone(), Json::Null);
            }
            Entry::Parent {
                key,
                id,
                object,
                branches,
            } => {
                let parent = parent(call, row, *id, object, branches);
                record.insert(key.clone(), parent);
            }
        }
    }
}

fn parent(
    call: &Call<'_>,
    row: &[Value],
    id: usize,
    object: &ParentObject,
    branches: &[(Option<String>, Vec<Entry>)],
) -> Json {
    if row[id] == Value::Null {
        return Json::Null;
    }
    let (name, shown) = match object {
        ParentObject::One(name) => (name.as_str(), name.as_str()),
        ParentObject::Any { at, as_name } => (text(&row[*at]), if *as_name { "Name" } else { text(&row[*at]) }),
    };
    let mut record = render::attributes(call, shown, name, text(&row[id]));
    let branch = branches
        .iter()
        .find(|(of, _)| of.as_deref().is_none_or(|of| of == name));
    if let Some((_, entries)) = branch {
        fill(call, entries, row, &mut record);
    }
    Json::Object(record)
}
