//! Bulk queries: every row, streamed, as flat cells.

use super::ast::{Expr, Query, Selected};
use super::fault::Text;
use super::parser::parse;
use super::query::{root, rows_sql};
use super::scope::{Context, Found, Scope};
use super::{hooks, is_aggregate, render};
use crate::error::ApiError;
use crate::http::Call;
use crate::schema::Kind;
use std::borrow::Cow;

/// A cell of a row; none for null.
pub type Cell<'r> = Option<Cow<'r, str>>;

/// Names of the columns, `Id`, `Owner.Name`, in API casing.
pub type Columns = Vec<String>;

fn refused(what: &str) -> ApiError {
    ApiError::new("API_ERROR", format!("{what} not supported in Bulk Query"))
}

/// The columns a Bulk query has, or why it cannot be one.
pub fn columns(call: &Call<'_>, text: &str, all_rows: bool) -> Result<Columns, ApiError> {
    let query = parse(Text(text))?;
    let context = Context::new(call, Text(text), all_rows);
    let scope = root(&context, &query)?;
    Ok(selected(&scope, &query)?.iter().map(name).collect())
}

/// Gives every row of a query to `row`, without holding them all. Stops at the first error of `row`.
///
/// # Errors
/// Those of a query, and `API_ERROR` for sub-selects, aggregates, `GROUP BY`, `OFFSET`, `TYPEOF`, functions, compound
/// and binary fields.
pub fn each_row(
    call: &Call<'_>,
    text: &str,
    all_rows: bool,
    row: &mut dyn FnMut(&[Cell<'_>]) -> Result<(), ApiError>,
) -> Result<Columns, ApiError> {
    let query = parse(Text(text))?;
    let context = Context::new(call, Text(text), all_rows || query.all_rows);
    let scope = root(&context, &query)?;
    let found = selected(&scope, &query)?;
    let what: Vec<&str> = found.iter().map(|f| f.sql.as_str()).collect();
    let mut params = Vec::new();
    let sql = rows_sql(&scope, &query, &what.join(", "), &mut params)?;
    let most = hooks::rule(&scope.object.name).and_then(|rule| rule.most_bulk_rows);
    let mut statement = call.db.prepare(&sql)?;
    let mut rows = statement.query(rusqlite::params_from_iter(params))?;
    let mut n = 0;
    while let Some(next) = rows.next()? {
        if most.is_some_and(|most| n >= most) {
            break;
        }
        n += 1;
        let mut cells = Vec::with_capacity(found.len());
        for (at, field) in found.iter().enumerate() {
            cells.push(render::cell(field.field.kind, next.get_ref(at)?));
        }
        row(&cells)?;
    }
    Ok(found.iter().map(name).collect())
}

fn name(found: &Found) -> String {
    let ways = found.parents.iter().map(|parent| parent.key.as_str());
    ways.chain([found.field.name.as_str()]).collect::<Vec<_>>().join(".")
}

fn selected(scope: &Scope<'_, '_>, query: &Query) -> Result<Vec<Found>, ApiError> {
    if is_aggregate(query) {
        return Err(refused("Aggregate Relationships"));
    }
    if query.offset.is_some() {
        return Err(refused("OFFSET"));
    }
    let mut all: Vec<Found> = Vec::new();
    for selected in &query.select {
        let found = match selected {
            Selected::Expr(Expr::Path(path), None) => (scope.field(path)?, path.at),
            Selected::Expr(Expr::Call(call), _) => return Err(refused(&format!("{}()", call.name))),
            Selected::Expr(Expr::Path(_), Some(_)) => return Err(refused("Field aliasing")),
            Selected::Children(_) => return Err(refused("Nested query")),
            Selected::TypeOf(_) => return Err(refused("TYPEOF")),
        };
        let (found, at) = found;
        match found.field.kind {
            Kind::Address | Kind::Location => return Err(refused("Compound field")),
            Kind::Base64 => return Err(refused("Binary field")),
            _ => {}
        }
        if all.iter().any(|known| name(known) == name(&found)) {
            let reason = format!("duplicate field selected: {}", name(&found));
            return Err(scope.context.text.fail(at, "MALFORMED_QUERY", &reason));
        }
        all.push(found);
    }
    Ok(all)
}
