//! Values as JSON and as CSV cells.

use crate::dates;
use crate::http::Call;
use crate::schema::{Kind, PicklistValue};
use rusqlite::types::{Value, ValueRef};
use serde_json::{Map, Value as Json, json};
use std::borrow::Cow;

/// How a value is shown.
#[derive(Debug, Clone)]
pub enum Show {
    /// As its kind wants.
    Plain(Kind),
    /// `toLabel()`: the picklist's label.
    Label(Vec<PicklistValue>),
    /// `FORMAT()`: as people in the United States write it; with so many digits after the point.
    Formatted(Kind, u32),
    /// The path of a blob: object, field, and the column of the record's id. The value only says whether there is one.
    Blob(String, String, usize),
    /// An address or location: names of the parts and their columns.
    Parts(Vec<(&'static str, usize)>),
}

/// `/services/data/v67.0/sobjects/Account/001…`
pub fn url(call: &Call<'_>, object: &str, id: &str) -> String {
    let tooling = if call.tooling { "tooling/" } else { "" };
    format!("/services/data/v{}.0/{tooling}sobjects/{object}/{id}", call.version)
}

/// `attributes` of a record.
pub fn attributes(call: &Call<'_>, shown: &str, object: &str, id: &str) -> Map<String, Json> {
    let mut record = Map::new();
    record.insert(
        "attributes".to_owned(),
        json!({ "type": shown, "url": url(call, object, id) }),
    );
    record
}

/// A value of a row in JSON.
pub fn json(call: &Call<'_>, show: &Show, row: &[Value], at: usize) -> Json {
    let value = &row[at];
    match (show, value) {
        (Show::Parts(parts), _) => {
            let parts: Map<String, Json> = parts
                .iter()
                .map(|(name, at)| ((*name).to_owned(), plain(Kind::String, &row[*at])))
                .collect();
            if parts.values().all(Json::is_null) {
                Json::Null
            } else {
                Json::Object(parts)
            }
        }
        (Show::Blob(object, field, id), Value::Integer(1)) => {
            format!("{}/{field}", url(call, object, text(&row[*id]))).into()
        }
        (_, Value::Null) | (Show::Blob(..), _) => Json::Null,
        (Show::Label(labels), Value::Text(value)) => labels
            .iter()
            .find(|known| known.value == *value)
            .map_or(value.as_str(), |known| known.label.as_str())
            .into(),
        (Show::Formatted(kind, scale), value) => formatted(*kind, *scale, value).into(),
        (Show::Plain(kind), value) => plain(*kind, value),
        (Show::Label(_), value) => plain(Kind::String, value),
    }
}

/// The text of a text value, or nothing.
pub fn text(value: &Value) -> &str {
    match value {
        Value::Text(text) => text,
        _ => "",
    }
}

fn plain(kind: Kind, value: &Value) -> Json {
    match (kind, value) {
        (_, Value::Null) | (_, Value::Blob(_)) => Json::Null,
        (Kind::Boolean, Value::Integer(n)) => (*n != 0).into(),
        (Kind::Datetime, Value::Integer(moment)) => dates::write_moment(*moment, "+0000").into(),
        (Kind::Complexvalue, Value::Text(text)) => serde_json::from_str(text).unwrap_or_else(|_| text.as_str().into()),
        (_, Value::Integer(n)) => (*n).into(),
        (_, Value::Real(n)) => (*n).into(),
        (_, Value::Text(text)) => text.as_str().into(),
    }
}

/// A value as a cell of a Bulk result; none for null.
pub fn cell(kind: Kind, value: ValueRef<'_>) -> Option<Cow<'_, str>> {
    match (kind, value) {
        (_, ValueRef::Null | ValueRef::Blob(_)) => None,
        (Kind::Boolean, ValueRef::Integer(n)) => Some(Cow::Borrowed(if n == 0 { "false" } else { "true" })),
        (Kind::Datetime, ValueRef::Integer(moment)) => Some(Cow::Owned(dates::write_moment(moment, "Z"))),
        (_, ValueRef::Integer(n)) => Some(Cow::Owned(n.to_string())),
        (_, ValueRef::Real(n)) => Some(Cow::Owned(Json::from(n).to_string())),
        (_, ValueRef::Text(bytes)) => Some(String::from_utf8_lossy(bytes)),
    }
}

fn formatted(kind: Kind, scale: u32, value: &Value) -> String {
    match (kind, value) {
        (Kind::Datetime, Value::Integer(moment)) => {
            let minutes = moment.rem_euclid(dates::DAY) / 60_000;
            let (hour, half) = (minutes / 60, if minutes < 720 { "AM" } else { "PM" });
            let day = short_day(dates::day_at(*moment));
            format!("{day}, {}:{:02} {half}", (hour + 11) % 12 + 1, minutes % 60)
        }
        (Kind::Date, Value::Text(text)) => dates::read_day(text).map_or_else(|| text.clone(), short_day),
        #[allow(clippy::cast_precision_loss)]
        (_, Value::Integer(n)) => grouped(kind, *n as f64, scale),
        (_, Value::Real(n)) => grouped(kind, *n, scale),
        (_, value) => text(value).to_owned(),
    }
}

fn short_day(day: dates::Day) -> String {
    let (year, month, day) = dates::civil(day);
    format!("{month}/{day}/{year}")
}

/// `1,234.50`; currencies are dollars.
fn grouped(kind: Kind, n: f64, scale: u32) -> String {
    let digits = format!("{:.*}", scale as usize, n.abs());
    let (whole, fraction) = digits.split_once('.').unwrap_or((&digits, ""));
    let mut out = String::new();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    let sign = if n < 0.0 { "-" } else { "" };
    let currency = if kind == Kind::Currency { "$" } else { "" };
    let percent = if kind == Kind::Percent { "%" } else { "" };
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{sign}{currency}{out}{point}{fraction}{percent}")
}
