//! A record on its way into the database: what it was, what it becomes.

use crate::error::ApiError;
use crate::schema::Object;
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension};

/// What happens to a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    /// It is made.
    Insert,
    /// It is changed.
    Update,
    /// It goes to the recycle bin.
    Delete,
    /// It comes back from there.
    Undelete,
}

/// A record that is made or changed. Values stand in the order of the object's fields.
#[derive(Debug, Clone)]
pub struct Change<'o> {
    /// The object.
    pub object: &'o Object,
    /// What happens.
    pub op: Op,
    /// 18 characters; empty until an insert has passed all checks.
    pub id: String,
    /// Values before, for all but inserts.
    pub old: Option<Vec<Value>>,
    /// Values after.
    pub new: Vec<Value>,
    given: Vec<bool>,
}

impl<'o> Change<'o> {
    /// A new record without values.
    pub fn insert(object: &'o Object) -> Self {
        Self {
            object,
            op: Op::Insert,
            id: String::new(),
            old: None,
            new: vec![Value::Null; object.fields.len()],
            given: vec![false; object.fields.len()],
        }
    }

    /// An existing record.
    pub fn existing(object: &'o Object, op: Op, id: &str, old: Vec<Value>) -> Self {
        Self {
            object,
            op,
            id: id.to_owned(),
            new: old.clone(),
            old: Some(old),
            given: vec![false; object.fields.len()],
        }
    }

    /// Sets the value at a position.
    pub fn put(&mut self, at: usize, value: Value) {
        self.new[at] = value;
        self.given[at] = true;
    }

    /// Sets a field by name; a name the object lacks is an error of the simulator.
    pub fn set(&mut self, name: &str, value: Value) -> Result<(), ApiError> {
        let at = self.object.position(name).ok_or_else(|| {
            ApiError::new(
                "UNKNOWN_EXCEPTION",
                format!("the model has no field {}.{name}", self.object.name),
            )
            .status(500)
        })?;
        self.put(at, value);
        Ok(())
    }

    /// Whether the field at a position was given or set.
    pub fn is_given(&self, at: usize) -> bool {
        self.given[at]
    }

    /// Whether a field was given or set.
    pub fn given(&self, name: &str) -> bool {
        self.object.position(name).is_some_and(|at| self.given[at])
    }

    /// The value of a field after the change; null for a name the object lacks.
    pub fn get(&self, name: &str) -> &Value {
        self.object.position(name).map_or(&Value::Null, |at| &self.new[at])
    }

    /// The same as text.
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.get(name) {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The same as a condition.
    pub fn truth(&self, name: &str) -> bool {
        matches!(self.get(name), Value::Integer(n) if *n != 0)
    }

    /// The value before the change.
    pub fn was(&self, name: &str) -> &Value {
        match (&self.old, self.object.position(name)) {
            (Some(old), Some(at)) => &old[at],
            _ => &Value::Null,
        }
    }

    /// Whether the value at a position differs from before.
    pub fn changes(&self, at: usize) -> bool {
        self.old.as_ref().is_none_or(|old| old[at] != self.new[at])
    }

    /// Whether the value of a field differs from before.
    pub fn changed(&self, name: &str) -> bool {
        self.object.position(name).is_some_and(|at| self.changes(at))
    }
}

/// All columns of an object.
pub fn columns(object: &Object) -> String {
    let names: Vec<String> = object
        .fields
        .iter()
        .map(|field| format!("\"{}\"", field.name))
        .collect();
    names.join(", ")
}

/// Reads a record by its id: its values in the order of the fields, deleted or not.
#[derive(Debug)]
pub(super) struct Load(String);

impl Load {
    pub(super) fn of(object: &Object) -> Self {
        Self(format!(
            "SELECT {} FROM \"{}\" WHERE \"Id\" = ?1",
            columns(object),
            object.name
        ))
    }

    pub(super) fn run(&self, db: &Connection, object: &Object, id: &str) -> Result<Option<Vec<Value>>, ApiError> {
        Ok(db
            .prepare_cached(&self.0)?
            .query_row([id], |row| (0..object.fields.len()).map(|at| row.get(at)).collect())
            .optional()?)
    }
}
