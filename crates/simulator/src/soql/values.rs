//! Values of conditions: which a field takes, and as what they are bound.

use super::ast::{Given, Literal, Op};
use super::fault::Text;
use super::field_rules::is_number;
use super::hooks;
use super::spans::span;
use super::terms::{Term, is_id};
use crate::clock::Millis;
use crate::dates::{self, DAY};
use crate::error::ApiError;
use crate::ids;
use crate::schema::Kind;
use rusqlite::types::Value;

/// What a literal is compared as.
#[derive(Debug, Clone, PartialEq)]
pub enum Bound {
    /// No value.
    Null,
    /// One value.
    Value(Value),
    /// From the first to before the second.
    Span(Value, Value),
}

/// Whether fields of a kind can be compared so.
pub fn takes(kind: Kind, op: Op) -> bool {
    match op {
        Op::Equal | Op::NotEqual => true,
        Op::Like => matches!(
            kind,
            Kind::String | Kind::Textarea | Kind::Email | Kind::Phone | Kind::Url | Kind::Picklist | Kind::Combobox
        ),
        _ => !matches!(kind, Kind::Boolean | Kind::Multipicklist),
    }
}

/// The type's name in errors.
pub fn soap_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Boolean => "boolean",
        Kind::Int => "int",
        Kind::Double | Kind::Currency | Kind::Percent => "double",
        Kind::Date => "date",
        Kind::Datetime => "dateTime",
        Kind::Time => "time",
        Kind::Multipicklist => "multipicklist",
        _ => "string",
    }
}

/// `INVALID_FIELD`, the value is of another type than the field.
pub fn wrong_type(text: Text<'_>, term: &Term, at: usize) -> ApiError {
    let (kind, quotes) = match soap_name(term.kind) {
        "multipicklist" => ("string", "should be"),
        "string" => ("string", "should be"),
        kind => (kind, "should not be"),
    };
    text.fail(
        at,
        "INVALID_FIELD",
        &format!(
            "value of filter criterion for field '{}' must be of type {kind} and {quotes} enclosed in quotes",
            term.name
        ),
    )
}

/// What a literal is compared as with values of a term.
pub fn bind(text: Text<'_>, term: &Term, literal: &Literal, op: Op, now: Millis) -> Result<Bound, ApiError> {
    let wrong = || wrong_type(text, term, literal.at);
    Ok(match (term.kind, &literal.value) {
        (_, Given::Null) => Bound::Null,
        (Kind::Boolean, Given::Boolean(value)) => Bound::Value(Value::Integer((*value).into())),
        (kind, Given::Integer(n)) if is_number(kind) => Bound::Value(Value::Integer(*n)),
        (kind, Given::Real(n)) if is_number(kind) => Bound::Value(Value::Real(*n)),
        (Kind::Date, Given::Date(day)) => Bound::Value(Value::Text(day.clone())),
        (Kind::Datetime, Given::Moment(moment)) => Bound::Value(Value::Integer(*moment)),
        (Kind::Time, Given::Time(clock)) => {
            let millis = dates::read_clock(clock).ok_or_else(wrong)?;
            Bound::Value(Value::Text(dates::write_moment(millis, "")[11..].to_owned()))
        }
        (Kind::Date | Kind::Datetime, Given::Named(name, n)) => {
            let (start, end) = span(name, *n, dates::day_at(now)).ok_or_else(|| text.unexpected(literal.at, name))?;
            if term.kind == Kind::Date {
                let day = |day| Value::Text(dates::write_day(day));
                Bound::Span(day(start), day(end))
            } else {
                Bound::Span(Value::Integer(start * DAY), Value::Integer(end * DAY))
            }
        }
        (
            Kind::Boolean
            | Kind::Int
            | Kind::Double
            | Kind::Currency
            | Kind::Percent
            | Kind::Date
            | Kind::Datetime
            | Kind::Time,
            _,
        ) => return Err(wrong()),
        (_, Given::Text { value, pattern }) => self::text(text, term, literal.at, op, value, pattern)?,
        _ => return Err(wrong()),
    })
}

fn text(text: Text<'_>, term: &Term, at: usize, op: Op, value: &str, pattern: &str) -> Result<Bound, ApiError> {
    if value.is_empty() {
        return Ok(Bound::Null);
    }
    let found = term.found.as_ref();
    if found.is_some_and(is_id) {
        return match ids::long(value) {
            Some(id) => Ok(Bound::Value(Value::Text(id))),
            None => Err(text.fail(
                at,
                "INVALID_QUERY_FILTER_OPERATOR",
                &format!("invalid ID field: {value}"),
            )),
        };
    }
    let written = if op == Op::Like { pattern } else { value };
    match found.and_then(|found| hooks::stored(&found.object.name, &found.field.name)) {
        // What nothing stored can be equal to.
        Some(stored) => Ok(Bound::Value(Value::Text(stored(value).unwrap_or("\u{0}").to_owned()))),
        None => Ok(Bound::Value(Value::Text(written.to_owned()))),
    }
}

/// Whether SQLite's own comparison without regard to case is not enough.
pub fn needs_fold(value: &Value) -> bool {
    matches!(value, Value::Text(text) if !text.is_ascii())
}

/// In lower case.
pub fn fold(value: Value) -> Value {
    match value {
        Value::Text(text) => Value::Text(text.to_lowercase()),
        other => other,
    }
}
