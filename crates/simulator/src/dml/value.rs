//! Values of fields: from JSON or CSV to what the database keeps.

use crate::dates;
use crate::error::ApiError;
use crate::ids;
use crate::schema::{Field, Kind};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rusqlite::types::Value;
use serde_json::Value as Json;

/// A value as a client sent it.
#[derive(Debug, Clone, Copy)]
pub enum Given<'a> {
    /// In a JSON body.
    Json(&'a Json),
    /// In a cell of a CSV body or of a default; neither empty nor `#N/A`, which the caller has dealt with.
    Text(&'a str),
}

impl Given<'_> {
    fn shown(self) -> String {
        match self {
            Self::Json(Json::String(text)) => text.clone(),
            Self::Json(other) => other.to_string(),
            Self::Text(text) => text.to_owned(),
        }
    }

    /// `JSON_PARSER_ERROR` as the parser of bodies words it, or `INVALID_TYPE_ON_FIELD_IN_RECORD` for a cell.
    fn wrong(self, field: &Field, kind: &str) -> ApiError {
        let token = match self {
            Self::Text(text) => {
                return ApiError::new(
                    "INVALID_TYPE_ON_FIELD_IN_RECORD",
                    format!("{}: value not of required type: {text}", field.label),
                )
                .fields([&field.name]);
            }
            Self::Json(Json::Null) => "VALUE_NULL",
            Self::Json(Json::Bool(true)) => "VALUE_TRUE",
            Self::Json(Json::Bool(false)) => "VALUE_FALSE",
            Self::Json(Json::Number(n)) if n.is_f64() => "VALUE_NUMBER_FLOAT",
            Self::Json(Json::Number(_)) => "VALUE_NUMBER_INT",
            Self::Json(Json::String(_)) => "VALUE_STRING",
            Self::Json(Json::Array(_)) => "START_ARRAY",
            Self::Json(Json::Object(_)) => "START_OBJECT",
        };
        ApiError::new(
            "JSON_PARSER_ERROR",
            format!(
                "Cannot deserialize instance of {kind} from {token} value {} or request may be missing a required field at [line:1, column:1]",
                self.shown()
            ),
        )
    }

    fn text(self) -> Option<String> {
        match self {
            Self::Json(Json::String(text)) => Some(text.trim().to_owned()),
            Self::Text(text) => Some(text.trim().to_owned()),
            Self::Json(_) => None,
        }
    }
}

/// Reads a value for a field: its type, length, picklist and form are checked.
pub fn read(field: &Field, given: Given<'_>) -> Result<Value, ApiError> {
    if matches!(given, Given::Json(Json::Null)) {
        return match field.kind {
            Kind::Boolean => Err(ApiError::new(
                "INVALID_TYPE_ON_FIELD_IN_RECORD",
                format!("{}: value not of required type: null", field.label),
            )
            .fields([&field.name])),
            _ => Ok(Value::Null),
        };
    }
    match field.kind {
        Kind::Boolean => boolean(field, given),
        Kind::Int | Kind::Double | Kind::Currency | Kind::Percent => number(field, given),
        Kind::Date => date(field, given),
        Kind::Datetime => moment(field, given),
        Kind::Complexvalue => match given {
            Given::Json(json) => Ok(Value::Text(json.to_string())),
            Given::Text(text) => Ok(Value::Text(text.to_owned())),
        },
        kind => {
            let text = given.text().ok_or_else(|| given.wrong(field, "string"))?;
            if text.is_empty() {
                return Ok(Value::Null);
            }
            match kind {
                Kind::Id | Kind::Reference => ids::long(&text).map(Value::Text).ok_or_else(|| wrong_id(field, &text)),
                Kind::Base64 => STANDARD
                    .decode(text.split_ascii_whitespace().collect::<String>())
                    .map(Value::Blob)
                    .map_err(|_| given.wrong(field, "base64Binary")),
                Kind::Time => dates::read_clock(text.trim_end_matches(['Z', 'z']))
                    .map(|millis| Value::Text(dates::write_moment(millis, "")[11..].to_owned()))
                    .ok_or_else(|| given.wrong(field, "time")),
                _ => self::text(field, text),
            }
        }
    }
}

/// `MALFORMED_ID` for what is no id, or the id of another object's record.
pub fn wrong_id(field: &Field, id: &str) -> ApiError {
    ApiError::new(
        "MALFORMED_ID",
        format!("{}: id value of incorrect type: {id}", field.label),
    )
    .fields([&field.name])
}

fn boolean(field: &Field, given: Given<'_>) -> Result<Value, ApiError> {
    let truth = match given {
        Given::Json(Json::Bool(truth)) => Some(*truth),
        Given::Json(Json::String(text)) => truth_of(text),
        Given::Text(text) => truth_of(text),
        Given::Json(_) => None,
    };
    truth
        .map(|truth| Value::Integer(truth.into()))
        .ok_or_else(|| given.wrong(field, "boolean"))
}

fn truth_of(text: &str) -> Option<bool> {
    match text.trim() {
        "1" => Some(true),
        "0" => Some(false),
        text if text.eq_ignore_ascii_case("true") => Some(true),
        text if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

fn number(field: &Field, given: Given<'_>) -> Result<Value, ApiError> {
    let kind = if field.kind == Kind::Int { "int" } else { "double" };
    let number = match given {
        Given::Json(Json::Number(number)) => number.as_f64(),
        _ => match given.text() {
            Some(text) if text.is_empty() => return Ok(Value::Null),
            text => text.and_then(|text| text.parse().ok()),
        },
    }
    .filter(|n| n.is_finite())
    .ok_or_else(|| given.wrong(field, kind))?;
    let digits = i32::try_from(field.precision.saturating_sub(field.scale)).unwrap_or(i32::MAX);
    if field.precision > 0 && number.abs() >= 10_f64.powi(digits.max(1)) {
        return Err(ApiError::new(
            "NUMBER_OUTSIDE_VALID_RANGE",
            format!(
                "{}: value outside of valid range on numeric field: {}",
                field.label,
                given.shown()
            ),
        )
        .fields([&field.name]));
    }
    if field.kind == Kind::Int {
        if number.fract() != 0.0 {
            return Err(given.wrong(field, kind));
        }
        #[allow(clippy::cast_possible_truncation)]
        return Ok(Value::Integer(number as i64));
    }
    let unit = 10_f64.powi(i32::try_from(field.scale).unwrap_or(0));
    let rounded = (number * unit).round() / unit;
    Ok(Value::Real(if rounded.is_finite() { rounded } else { number }))
}

fn date(field: &Field, given: Given<'_>) -> Result<Value, ApiError> {
    let text = given.text().ok_or_else(|| given.wrong(field, "date"))?;
    if text.is_empty() {
        return Ok(Value::Null);
    }
    let day = dates::read_day(&text).or_else(|| dates::read_moment(&text).map(dates::day_at));
    day.map(|day| Value::Text(dates::write_day(day)))
        .ok_or_else(|| given.wrong(field, "date"))
}

fn moment(field: &Field, given: Given<'_>) -> Result<Value, ApiError> {
    let text = given.text().ok_or_else(|| given.wrong(field, "datetime"))?;
    if text.is_empty() {
        return Ok(Value::Null);
    }
    let moment = dates::read_moment(&text).or_else(|| dates::read_day(&text).map(|day| day * dates::DAY));
    moment.map(Value::Integer).ok_or_else(|| given.wrong(field, "datetime"))
}

fn text(field: &Field, text: String) -> Result<Value, ApiError> {
    if field.length > 0 && text.len() > field.length as usize && text.chars().count() > field.length as usize {
        return Err(ApiError::new(
            "STRING_TOO_LONG",
            format!(
                "{}: data value too large: {text} (max length={})",
                field.label, field.length
            ),
        )
        .fields([&field.name]));
    }
    match field.kind {
        Kind::Email if !is_email(&text) => Err(ApiError::new(
            "INVALID_EMAIL_ADDRESS",
            format!("{}: invalid email address: {text}", field.label),
        )
        .fields([&field.name])),
        Kind::Picklist | Kind::Multipicklist if field.restricted => {
            let known = |text: &str| {
                field
                    .picklist
                    .iter()
                    .find(|value| value.active && value.value.eq_ignore_ascii_case(text))
                    .map(|value| value.value.clone())
            };
            let parts: Option<Vec<String>> = match field.kind {
                Kind::Multipicklist => text.split(';').map(|part| known(part.trim())).collect(),
                _ => known(&text).map(|value| vec![value]),
            };
            match parts {
                Some(parts) => Ok(Value::Text(parts.join(";"))),
                None => Err(ApiError::new(
                    "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
                    format!("{}: bad value for restricted picklist field: {text}", field.label),
                )
                .fields([&field.name])),
            }
        }
        _ => Ok(Value::Text(text)),
    }
}

/// One `@`, something before it, and a domain with a dot after it.
fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else {
        return false;
    };
    let plain = |c: char| c.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c);
    !local.is_empty()
        && local.chars().all(plain)
        && domain.contains('.')
        && domain
            .split('.')
            .all(|part| !part.is_empty() && part.chars().all(|c| c.is_alphanumeric() || c == '-'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(kind: Kind, given: Json, expect: &str) {
        let mut field = Field::new("Some_Field__c", kind);
        (field.length, field.precision, field.scale) = (5, 5, 2);
        let got = match read(&field, Given::Json(&given)) {
            Ok(value) => format!("{value:?}"),
            Err(error) => error.code,
        };
        assert_eq!(got, expect, "{kind:?} {given}");
    }

    #[test]
    fn values_are_kept_by_type() {
        check(Kind::String, json!(" a "), "Text(\"a\")");
        check(Kind::String, json!(""), "Null");
        check(Kind::String, json!("äöüäö"), "Text(\"äöüäö\")");
        check(Kind::String, json!("abcdef"), "STRING_TOO_LONG");
        check(Kind::String, json!(5), "JSON_PARSER_ERROR");
        check(Kind::Boolean, json!("true"), "Integer(1)");
        check(Kind::Boolean, json!(null), "INVALID_TYPE_ON_FIELD_IN_RECORD");
        check(Kind::Double, json!(1.004), "Real(1.0)");
        check(Kind::Double, json!("12.349"), "Real(12.35)");
        check(Kind::Double, json!(1000), "NUMBER_OUTSIDE_VALID_RANGE");
        check(Kind::Int, json!(1.5), "JSON_PARSER_ERROR");
        check(Kind::Date, json!("2026-02-30"), "JSON_PARSER_ERROR");
        check(Kind::Date, json!("2026-03-02T23:00:00Z"), "Text(\"2026-03-02\")");
        check(
            Kind::Datetime,
            json!("2026-03-02T11:15:30+01:00"),
            "Integer(1772446530000)",
        );
        check(
            Kind::Reference,
            json!("001000000000001"),
            "Text(\"001000000000001AAA\")",
        );
        check(Kind::Reference, json!("nothing"), "MALFORMED_ID");
        check(Kind::Base64, json!("aGk="), "Blob([104, 105])");
        check(Kind::Email, json!("a@b"), "INVALID_EMAIL_ADDRESS");
        check(Kind::Complexvalue, json!({"a": [1]}), "Text(\"{\\\"a\\\":[1]}\")");
    }
}
