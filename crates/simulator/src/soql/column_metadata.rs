//! `columns=true`: what columns a query has, without its rows. The CLI shows tables by it.

use super::aggregate;
use super::ast::Query;
use super::field_rules::is_number;
use super::plan::{Entry, Plan};
use super::scope::Scope;
use super::{is_aggregate, is_count};
use crate::error::ApiError;
use crate::schema::{Field, Kind};
use serde_json::{Value as Json, json};

/// The body of the answer.
pub fn of(scope: &Scope<'_, '_>, query: &Query) -> Result<Json, ApiError> {
    let (columns, id_selected) = if is_count(query) {
        (Vec::new(), false)
    } else if is_aggregate(query) {
        let columns = aggregate::columns(scope, query)?;
        (columns.iter().map(group_column).collect(), false)
    } else {
        let plan = Plan::of(scope, query)?;
        let id = |entry: &Entry| matches!(entry, Entry::Value { key, .. } if key == "Id");
        (plan.entries.iter().map(column).collect(), plan.entries.iter().any(id))
    };
    Ok(json!({
        "columnMetadata": columns,
        "entityName": scope.object.name,
        "groupBy": !query.group.is_empty(),
        "idSelected": id_selected,
        "keyPrefix": scope.object.key_prefix,
    }))
}

fn column(entry: &Entry) -> Json {
    match entry {
        Entry::Value { key, field, .. } => described(key, key, field),
        Entry::Parent { key, branches, .. } => {
            let inner = branches.iter().flat_map(|(_, entries)| entries.iter().map(column));
            joined(key, inner.collect())
        }
        Entry::Children(children) => joined(&children.key, children.plan.entries.iter().map(column).collect()),
    }
}

fn group_column(column: &aggregate::Column) -> Json {
    let mut shown = match &column.term.found {
        Some(found) => described(&column.key, &column.term.name, &found.field),
        None => described(
            &column.key,
            &column.term.name,
            &Field::new(&column.key, column.term.kind),
        ),
    };
    shown["aggregate"] = true.into();
    shown["custom"] = false.into();
    shown
}

fn joined(name: &str, columns: Vec<Json>) -> Json {
    let mut column = described(name, name, &Field::new(name, Kind::Complexvalue));
    column["joinColumns"] = columns.into();
    column
}

fn described(name: &str, display: &str, field: &Field) -> Json {
    let number = is_number(field.kind);
    let boolean = field.kind == Kind::Boolean;
    json!({
        "aggregate": false,
        "apexType": apex_type(field.kind),
        "booleanType": boolean,
        "columnName": name,
        "custom": field.custom,
        "displayName": display,
        "foreignKeyName": field.reference_to.first(),
        "insertable": field.createable,
        "joinColumns": [],
        "numberType": number,
        "textType": !number && !boolean && field.kind != Kind::Complexvalue,
        "updatable": field.updateable,
    })
}

fn apex_type(kind: Kind) -> &'static str {
    match kind {
        Kind::Id | Kind::Reference => "Id",
        Kind::Boolean => "Boolean",
        Kind::Int => "Integer",
        Kind::Double | Kind::Currency | Kind::Percent => "Double",
        Kind::Date => "Date",
        Kind::Datetime => "Datetime",
        Kind::Time => "Time",
        Kind::Base64 => "Blob",
        Kind::Complexvalue => "complexvalue",
        _ => "String",
    }
}
