//! Counts and groups of rows.

use super::ast::{Expr, Query, Selected};
use super::children::order_sql;
use super::fault::malformed;
use super::field_rules;
use super::filter::Filter;
use super::query::{PAGE, QueryResult, limit_sql, rows_sql};
use super::render::{self, Show};
use super::scope::Scope;
use super::terms::{Term, collation, is_aggregate, is_date_function, term};
use crate::error::ApiError;
use rusqlite::types::Value;
use serde_json::{Map, Value as Json, json};

/// `SELECT COUNT() FROM …`: only a number.
pub fn count(scope: &Scope<'_, '_>, query: &Query) -> Result<QueryResult, ApiError> {
    if !query.group.is_empty() || !query.order.is_empty() || query.having.is_some() {
        let reason = "COUNT() cannot be used with GROUP BY, HAVING or ORDER BY; write COUNT(Id)";
        return Err(scope.context.text.fail(query.from.at, "MALFORMED_QUERY", reason));
    }
    let mut params = Vec::new();
    let rows = rows_sql(scope, query, "1", &mut params)?;
    let total: i64 = scope.context.call.db.query_row(
        &format!("SELECT count(*) FROM ({rows})"),
        rusqlite::params_from_iter(params),
        |row| row.get(0),
    )?;
    Ok(QueryResult {
        total: total.unsigned_abs(),
        records: Vec::new(),
        next: None,
        entity: scope.object.name.clone(),
    })
}

/// A column of the result.
pub struct Column {
    /// Alias, name of the grouped field, or `expr0`.
    pub key: String,
    /// What it shows.
    pub term: Term,
}

/// The columns of a query with groups.
pub fn columns(scope: &Scope<'_, '_>, query: &Query) -> Result<Vec<Column>, ApiError> {
    let text = scope.context.text;
    let groups = groups(scope, query)?;
    let (mut columns, mut unnamed): (Vec<Column>, usize) = (Vec::new(), 0);
    for selected in &query.select {
        let Selected::Expr(expr, alias) = selected else {
            return Err(malformed("Grouped queries cannot have sub-selects or TYPEOF"));
        };
        if matches!(expr, Expr::Call(call) if call.name == "COUNT" && call.args.is_empty()) {
            return Err(text.fail(
                expr.at(),
                "MALFORMED_QUERY",
                "COUNT() must be the only element in the select list",
            ));
        }
        let term = term(scope, expr)?;
        if !term.aggregate && !groups.iter().any(|group| group.sql == term.sql) {
            let reason = format!("Field must be grouped or aggregated: {}", term.name);
            return Err(text.fail(expr.at(), "MALFORMED_QUERY", &reason));
        }
        let key = match (alias, expr) {
            (Some(alias), _) => alias.clone(),
            (None, Expr::Path(_)) => term.name.clone(),
            (None, Expr::Call(_)) => {
                unnamed += 1;
                format!("expr{}", unnamed - 1)
            }
        };
        if columns.iter().any(|column| column.key.eq_ignore_ascii_case(&key)) {
            return Err(text.fail(expr.at(), "MALFORMED_QUERY", &format!("duplicate alias: {key}")));
        }
        columns.push(Column { key, term });
    }
    Ok(columns)
}

fn groups(scope: &Scope<'_, '_>, query: &Query) -> Result<Vec<Term>, ApiError> {
    let text = scope.context.text;
    let mut groups = Vec::new();
    for expr in &query.group {
        match expr {
            Expr::Call(call) if call.name == "ROLLUP" || call.name == "CUBE" => {
                let reason = format!("GROUP BY {} is not supported by the simulator", call.name);
                return Err(text.fail(call.at, "MALFORMED_QUERY", &reason));
            }
            Expr::Call(call) if !is_date_function(expr) => return Err(text.unexpected(call.at, &call.name)),
            _ => {}
        }
        let term = term(scope, expr)?;
        if term
            .found
            .as_ref()
            .is_some_and(|found| !field_rules::groupable(&found.field))
        {
            let reason = format!("field '{}' can not be grouped in a query call", term.name);
            return Err(text.fail(expr.at(), "MALFORMED_QUERY", &reason));
        }
        groups.push(term);
    }
    Ok(groups)
}

/// A query with groups or aggregate functions.
pub fn run(scope: &Scope<'_, '_>, query: &Query) -> Result<QueryResult, ApiError> {
    let text = scope.context.text;
    let columns = columns(scope, query)?;
    let groups = groups(scope, query)?;
    for order in &query.order {
        let term = term(scope, &order.by)?;
        if !is_aggregate(&order.by) && !groups.iter().any(|group| group.sql == term.sql) {
            let reason = format!("Ordered field must be grouped or aggregated: {}", term.name);
            return Err(text.fail(order.by.at(), "MALFORMED_QUERY", &reason));
        }
    }
    let mut params: Vec<Value> = Vec::new();
    let rows = Filter::of(scope, &mut params).rows(query)?;
    let by: Vec<String> = groups
        .iter()
        .map(|group| format!("{}{}", group.sql, collation(group)))
        .collect();
    let by = if by.is_empty() {
        String::new()
    } else {
        format!(" GROUP BY {}", by.join(", "))
    };
    let having = match &query.having {
        Some(condition) => format!(
            " HAVING {}",
            Filter::having(scope, &mut params, &groups).condition(condition)?
        ),
        None => String::new(),
    };
    let order = order_sql(scope, &query.order, true)?;
    scope.context.make_indexes()?;
    let what: Vec<&str> = columns.iter().map(|column| column.term.sql.as_str()).collect();
    let sql = format!(
        "SELECT {} FROM {} WHERE {rows}{by}{having}{order}{}",
        what.join(", "),
        scope.tables_sql(),
        limit_sql(query)
    );
    let mut statement = scope.context.call.db.prepare(&sql)?;
    let mut found = statement.query(rusqlite::params_from_iter(params))?;
    let mut records = Vec::new();
    while let Some(row) = found.next()? {
        if records.len() == PAGE {
            return Err(ApiError::new(
                "EXCEEDED_ID_LIMIT",
                "Aggregate query does not support queryMore(), use LIMIT to restrict the results to a single batch",
            ));
        }
        let row = (0..columns.len())
            .map(|at| row.get::<_, Value>(at))
            .collect::<Result<Vec<_>, _>>()?;
        let mut record = Map::from_iter([("attributes".to_owned(), json!({ "type": "AggregateResult" }))]);
        for (at, column) in columns.iter().enumerate() {
            let shown = render::json(scope.context.call, &Show::Plain(column.term.kind), &row, at);
            record.insert(column.key.clone(), shown);
        }
        records.push(Json::Object(record));
    }
    Ok(QueryResult {
        total: records.len() as u64,
        records,
        next: None,
        entity: "AggregateResult".to_owned(),
    })
}
