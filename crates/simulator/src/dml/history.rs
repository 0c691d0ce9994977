//! History rows: what a tracked field was and became.

use super::change::{Change, Op};
use crate::error::ApiError;
use crate::http::Call;
use crate::schema::{Field, Kind, Object, Schema};
use rusqlite::params;
use rusqlite::types::Value;
use std::sync::Arc;

/// The history of an object that has one.
pub(super) struct History {
    object: Arc<Object>,
    insert_sql: String,
    /// Positions of the tracked fields.
    tracked: Vec<usize>,
}

impl History {
    /// None when no field is tracked or there is no history object.
    pub(super) fn of(schema: &Schema, object: &Object) -> Option<Self> {
        let tracked: Vec<usize> = (0..object.fields.len())
            .filter(|at| object.fields[*at].history)
            .collect();
        if tracked.is_empty() {
            return None;
        }
        let stem = object.name.strip_suffix("__c");
        let history = [
            stem.map_or_else(|| format!("{}History", object.name), |stem| format!("{stem}__History")),
            format!("{}FieldHistory", object.name),
        ]
        .iter()
        .filter_map(|name| schema.object(name))
        .find(|history| history.field("OldValue").is_some())?;
        let way = history
            .fields
            .iter()
            .find(|field| field.reference_to.contains(&object.name))?;
        Some(Self {
            object: Arc::clone(history),
            insert_sql: format!(
                "INSERT INTO \"{}\" (\"Id\", \"IsDeleted\", \"{}\", \"CreatedById\", \"CreatedDate\", \"Field\", \"DataType\", \
                 \"OldValue\", \"NewValue\") VALUES (?1, 0, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                history.name, way.name
            ),
            tracked,
        })
    }

    /// Writes what has changed; for a new record, that it was created.
    pub(super) fn write(&self, call: &Call<'_>, change: &Change<'_>) -> Result<(), ApiError> {
        if change.op == Op::Insert {
            return self.row(call, change, None);
        }
        for at in self.tracked.iter().filter(|at| change.changes(**at)) {
            self.row(call, change, Some(*at))?;
        }
        Ok(())
    }

    fn row(&self, call: &Call<'_>, change: &Change<'_>, at: Option<usize>) -> Result<(), ApiError> {
        let id = call.next_id(self.object.key_prefix.as_deref().unwrap_or("017"))?;
        let field = at.map(|at| &change.object.fields[at]);
        let (mut old, mut new) = (Value::Null, Value::Null);
        // Long texts are tracked without their values.
        if let (Some(at), Some(field)) = (at, field.filter(|field| field.length <= 255)) {
            old = change
                .old
                .as_ref()
                .map_or(Value::Null, |old| shown(field, old[at].clone()));
            new = shown(field, change.new[at].clone());
        }
        call.db.prepare_cached(&self.insert_sql)?.execute(params![
            id,
            change.id,
            call.user,
            call.now,
            field.map_or("created", |field| &field.name),
            field.map(data_type),
            old,
            new
        ])?;
        Ok(())
    }
}

fn data_type(field: &Field) -> &'static str {
    match field.kind {
        Kind::Reference => "EntityId",
        Kind::Picklist => "DynamicEnum",
        Kind::Boolean => "Boolean",
        Kind::Double | Kind::Int => "Double",
        Kind::Currency => "Currency",
        Kind::Percent => "Percent",
        Kind::Date => "DateOnly",
        Kind::Datetime => "DateTime",
        Kind::Email => "Email",
        Kind::Phone => "PhoneNumber",
        _ => "Text",
    }
}

fn shown(field: &Field, value: Value) -> Value {
    match (field.kind, value) {
        (Kind::Boolean, Value::Integer(n)) => Value::Text((n != 0).to_string()),
        (Kind::Datetime, Value::Integer(moment)) => Value::Text(crate::dates::write_moment(moment, "Z")),
        (_, Value::Integer(n)) => Value::Text(n.to_string()),
        (_, Value::Real(n)) => Value::Text(n.to_string()),
        (_, other) => other,
    }
}
