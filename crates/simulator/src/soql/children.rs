//! Sub-selects: the children of the rows of a page, read at once.

use super::ast::{Order, Query};
use super::field_rules;
use super::filter::Filter;
use super::load::{self, Loaded};
use super::plan::Plan;
use super::scope::{Scope, children_name};
use super::terms::{collation, term};
use crate::error::ApiError;
use crate::http::Call;
use rusqlite::types::Value;
use serde_json::{Value as Json, json};
use std::collections::HashMap;

/// A sub-select.
#[derive(Debug)]
pub struct Children {
    /// Key in the record, `Contacts`.
    pub key: String,
    /// What is read; the last column is the parent's key.
    pub plan: Plan,
    sql: String,
    params: Vec<Value>,
    limit: u64,
    offset: u64,
}

impl Children {
    /// Looks up a sub-select of a row of `above`.
    pub fn of(above: &Scope<'_, '_>, query: &Query) -> Result<Self, ApiError> {
        let context = above.context;
        let way = query.from.last();
        let (object, field) = context
            .schema
            .children_of(&above.object.name)
            .find(|(_, field)| children_name(field).is_some_and(|name| name.eq_ignore_ascii_case(way)))
            .ok_or_else(|| context.text.no_children(query.from.at, way))?;
        if super::is_aggregate(query) {
            return Err(context.text.unexpected(query.from.at, way));
        }
        let key = children_name(field).unwrap_or_default();
        context.wants_index(object, field, false);
        let names = query.alias.iter().cloned().chain([way.to_owned()]).collect();
        let scope = Scope::new(context, std::sync::Arc::clone(object), names)?;
        let mut plan = Plan::of(&scope, query)?;
        let parent = format!("{}.\"{}\"", scope.table, field.name);
        plan.columns.push(parent.clone());
        let mut params = Vec::new();
        let rows = Filter::of(&scope, &mut params).rows(query)?;
        let order = order_sql(&scope, &query.order, false)?;
        let sql = format!(
            "SELECT {} FROM {} WHERE {rows} AND {parent} IN (SELECT value FROM json_each(?)){order}",
            plan.columns.join(", "),
            scope.tables_sql()
        );
        Ok(Self {
            key,
            plan,
            sql,
            params,
            limit: query.limit.unwrap_or(u64::MAX),
            offset: query.offset.unwrap_or(0),
        })
    }

    /// The children of these parents, as the values of [`Self::key`]; a parent without children is not in it.
    pub fn load(&self, call: &Call<'_>, parents: &[String]) -> Result<HashMap<String, Json>, ApiError> {
        let mut params = self.params.clone();
        params.push(Value::Text(json!(parents).to_string()));
        let last = self.plan.columns.len() - 1;
        let mut seen: HashMap<String, u64> = HashMap::new();
        let end = self.offset.saturating_add(self.limit);
        let rows = load::load(call, &self.plan, &self.sql, params, |row| {
            let n = seen.entry(super::render::text(&row[last]).to_owned()).or_default();
            *n += 1;
            (self.offset + 1..=end).contains(n)
        })?;
        let mut all: HashMap<String, Vec<Json>> = HashMap::new();
        for Loaded { row, record, .. } in rows {
            let parent = super::render::text(&row[last]).to_owned();
            all.entry(parent).or_default().push(Json::Object(record));
        }
        Ok(all
            .into_iter()
            .map(|(parent, records)| {
                (
                    parent,
                    json!({ "totalSize": records.len(), "done": true, "records": records }),
                )
            })
            .collect())
    }
}

/// ` ORDER BY …`. Null comes first unless told otherwise; rows that are equal, and all rows of a query without order, come
/// as they were inserted.
pub fn order_sql(scope: &Scope<'_, '_>, order: &[Order], grouped: bool) -> Result<String, ApiError> {
    let mut all = Vec::new();
    for each in order {
        let term = term(scope, &each.by)?;
        if term.aggregate && !grouped {
            let reason = "ORDER BY an aggregate function needs GROUP BY";
            return Err(scope.context.text.fail(each.by.at(), "MALFORMED_QUERY", reason));
        }
        if let Some(found) = term.found.as_ref().filter(|found| !field_rules::sortable(&found.field)) {
            let reason = format!("field '{}' can not be sorted in a query call", found.field.name);
            return Err(scope.context.text.fail(each.by.at(), "INVALID_FIELD", &reason));
        }
        all.push(format!(
            "{}{} {} NULLS {}",
            term.sql,
            collation(&term),
            if each.descending { "DESC" } else { "ASC" },
            if each.nulls_last { "LAST" } else { "FIRST" },
        ));
    }
    if !grouped {
        all.push(format!("{}.rowid", scope.table));
    }
    Ok(match all.as_slice() {
        [] => String::new(),
        all => format!(" ORDER BY {}", all.join(", ")),
    })
}
