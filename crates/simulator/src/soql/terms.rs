//! Fields and functions of fields in SQL.

use super::ast::{Expr, Function};
use super::field_rules;
use super::scope::{Found, Scope};
use crate::error::ApiError;
use crate::schema::Kind;

/// A value that a row, or a group of rows, has.
#[derive(Debug, Clone)]
pub struct Term {
    /// SQL of it.
    pub sql: String,
    /// What values it takes.
    pub kind: Kind,
    /// The field, when it is one and no function.
    pub found: Option<Found>,
    /// It is of a group of rows: `COUNT(Id)`.
    pub aggregate: bool,
    /// As errors name it.
    pub name: String,
}

/// Functions of dates and how their number is made; `?` stands for what `strftime` needs.
const DATE_FUNCTIONS: &[(&str, &str)] = &[
    ("CALENDAR_YEAR", "CAST(strftime('%Y', ?) AS INTEGER)"),
    ("CALENDAR_QUARTER", "(CAST(strftime('%m', ?) AS INTEGER) + 2) / 3"),
    ("CALENDAR_MONTH", "CAST(strftime('%m', ?) AS INTEGER)"),
    ("FISCAL_YEAR", "CAST(strftime('%Y', ?) AS INTEGER)"),
    ("FISCAL_QUARTER", "(CAST(strftime('%m', ?) AS INTEGER) + 2) / 3"),
    ("FISCAL_MONTH", "CAST(strftime('%m', ?) AS INTEGER)"),
    ("DAY_IN_MONTH", "CAST(strftime('%d', ?) AS INTEGER)"),
    ("DAY_IN_WEEK", "CAST(strftime('%w', ?) AS INTEGER) + 1"),
    ("DAY_IN_YEAR", "CAST(strftime('%j', ?) AS INTEGER)"),
    ("WEEK_IN_MONTH", "(CAST(strftime('%d', ?) AS INTEGER) + 6) / 7"),
    ("WEEK_IN_YEAR", "(CAST(strftime('%j', ?) AS INTEGER) + 6) / 7"),
    ("HOUR_IN_DAY", "CAST(strftime('%H', ?) AS INTEGER)"),
    ("DAY_ONLY", "strftime('%Y-%m-%d', ?)"),
];

/// Functions of groups of rows.
const AGGREGATES: &[&str] = &["COUNT", "COUNT_DISTINCT", "SUM", "AVG", "MIN", "MAX"];

/// Whether an expression is a function of a group of rows.
pub fn is_aggregate(expr: &Expr) -> bool {
    matches!(expr, Expr::Call(call) if AGGREGATES.contains(&call.name.as_str()))
}

/// Whether an expression is a function of a date.
pub fn is_date_function(expr: &Expr) -> bool {
    matches!(expr, Expr::Call(call) if DATE_FUNCTIONS.iter().any(|(name, _)| *name == call.name))
}

/// Looks up an expression.
pub fn term(scope: &Scope<'_, '_>, expr: &Expr) -> Result<Term, ApiError> {
    match expr {
        Expr::Path(path) => {
            let found = scope.field(path)?;
            Ok(Term {
                sql: found.sql.clone(),
                kind: found.field.kind,
                name: found.field.name.clone(),
                found: Some(found),
                aggregate: false,
            })
        }
        Expr::Call(call) if is_aggregate(expr) => aggregate(scope, call),
        Expr::Call(call) => date_function(scope, call),
    }
}

fn only_argument<'e>(scope: &Scope<'_, '_>, call: &'e Function) -> Result<&'e Expr, ApiError> {
    match call.args.as_slice() {
        [one] => Ok(one),
        _ => Err(scope.context.text.unexpected(call.at, &call.name)),
    }
}

/// The field in the parentheses of a function.
pub fn field_argument(scope: &Scope<'_, '_>, call: &Function) -> Result<Found, ApiError> {
    match only_argument(scope, call)? {
        Expr::Path(path) => scope.field(path),
        Expr::Call(inner) => Err(scope.context.text.unexpected(inner.at, &inner.name)),
    }
}

fn aggregate(scope: &Scope<'_, '_>, call: &Function) -> Result<Term, ApiError> {
    let of = term(scope, only_argument(scope, call)?)?;
    let field = of.found.as_ref().map(|found| &found.field);
    let text = scope.context.text;
    if let Some(field) = field.filter(|field| !field_rules::aggregates(field, &call.name)) {
        let reason = format!("field {} does not support aggregate operator {}", field.name, call.name);
        return Err(text.fail(call.at, "MALFORMED_QUERY", &reason));
    }
    if field.is_none() {
        return Err(text.unexpected(call.at, &call.name));
    }
    let sql = match call.name.as_str() {
        "COUNT_DISTINCT" => format!("count(DISTINCT {}{})", of.sql, collation(&of)),
        name => format!("{}({})", name.to_ascii_lowercase(), of.sql),
    };
    let kind = match call.name.as_str() {
        "COUNT" | "COUNT_DISTINCT" => Kind::Int,
        "AVG" => Kind::Double,
        _ => of.kind,
    };
    Ok(Term {
        sql,
        kind,
        found: None,
        aggregate: true,
        name: format!("{}({})", call.name, of.name),
    })
}

fn date_function(scope: &Scope<'_, '_>, call: &Function) -> Result<Term, ApiError> {
    let text = scope.context.text;
    let (_, sql) = DATE_FUNCTIONS
        .iter()
        .find(|(name, _)| *name == call.name)
        .ok_or_else(|| text.unexpected(call.at, &call.name))?;
    let argument = match only_argument(scope, call)? {
        // GMT is the only zone kept, so a conversion changes nothing.
        Expr::Call(inner) if inner.name == "CONVERTTIMEZONE" => only_argument(scope, inner)?,
        other => other,
    };
    let of = term(scope, argument)?;
    let moment = match of.kind {
        Kind::Datetime => format!("{} / 1000.0, 'unixepoch'", of.sql),
        Kind::Date if call.name != "HOUR_IN_DAY" => of.sql.clone(),
        _ => {
            let reason = format!("field {} does not support function {}", of.name, call.name);
            return Err(text.fail(call.at, "MALFORMED_QUERY", &reason));
        }
    };
    Ok(Term {
        sql: format!("({})", sql.replace('?', &moment)),
        kind: if call.name == "DAY_ONLY" { Kind::Date } else { Kind::Int },
        found: None,
        aggregate: false,
        name: format!("{}({})", call.name, of.name),
    })
}

/// What makes SQLite compare the term's values as Salesforce does: text without regard to case.
pub fn collation(term: &Term) -> &'static str {
    if any_case(term) { " COLLATE NOCASE" } else { "" }
}

/// Whether the values are texts compared without regard to case.
pub fn any_case(term: &Term) -> bool {
    term.found
        .as_ref()
        .is_some_and(|found| is_text(found) && !found.field.case_sensitive)
}

/// Whether the values are texts other than ids, dates and times.
pub fn is_text(found: &Found) -> bool {
    found.field.kind.column() == "TEXT" && !matches!(found.field.kind, Kind::Date | Kind::Time) && !is_id(found)
}

/// Whether the values are record ids, and not names as in the objects made from the schema.
pub fn is_id(found: &Found) -> bool {
    match found.field.kind {
        Kind::Id => found.object.key_prefix.is_some(),
        Kind::Reference => !found.field.reference_to.iter().any(|to| to == "EntityDefinition"),
        _ => false,
    }
}
