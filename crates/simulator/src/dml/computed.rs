//! Fields that follow from other fields of the same record: names of persons, compound addresses, auto numbers.

use super::change::Change;
use crate::error::ApiError;
use crate::http::Call;
use crate::schema::{Kind, Object};
use rusqlite::types::Value;
use serde_json::{Map, Value as Json, json};

/// Parts of an address and their keys in the compound.
const PARTS: &[(&str, &str)] = &[
    ("City", "city"),
    ("Country", "country"),
    ("GeocodeAccuracy", "geocodeAccuracy"),
    ("Latitude", "latitude"),
    ("Longitude", "longitude"),
    ("PostalCode", "postalCode"),
    ("State", "state"),
    ("Street", "street"),
];

/// Where the computed fields of an object and their sources stand.
pub(super) struct Computed {
    /// Name, first and last name.
    person: Option<(usize, usize, usize)>,
    /// Compound and its parts with their keys.
    addresses: Vec<(usize, Vec<(usize, &'static str)>)>,
    /// Auto numbers and their formats.
    numbers: Vec<(usize, String)>,
}

impl Computed {
    pub(super) fn of(object: &Object) -> Self {
        let person = match (
            object.position("Name"),
            object.position("FirstName"),
            object.position("LastName"),
        ) {
            (Some(name), Some(first), Some(last)) if !object.fields[name].createable => Some((name, first, last)),
            _ => None,
        };
        let addresses = object
            .fields
            .iter()
            .enumerate()
            .filter(|(_, field)| field.kind == Kind::Address)
            .map(|(at, field)| {
                let prefix = field.name.strip_suffix("Address").unwrap_or_default();
                let part =
                    |(part, key): &(&str, &'static str)| Some((object.position(&format!("{prefix}{part}"))?, *key));
                (at, PARTS.iter().filter_map(part).collect())
            })
            .collect();
        let numbers = object
            .fields
            .iter()
            .enumerate()
            .filter_map(|(at, field)| Some((at, field.auto_number.clone()?)))
            .collect();
        Self {
            person,
            addresses,
            numbers,
        }
    }

    /// Computes what follows from the fields given.
    pub(super) fn apply(&self, change: &mut Change<'_>) {
        if let Some((name, first, last)) = self.person
            && (change.is_given(first) || change.is_given(last))
        {
            let text = |at: usize| match &change.new[at] {
                Value::Text(text) => text.as_str(),
                _ => "",
            };
            let full = format!("{} {}", text(first), text(last));
            let full = full.trim().to_owned();
            change.put(name, Value::Text(full));
        }
        for (compound, parts) in &self.addresses {
            if !parts.iter().any(|(at, _)| change.is_given(*at)) {
                continue;
            }
            let part = |(at, key): &(usize, &str)| {
                let value = match &change.new[*at] {
                    Value::Text(text) => json!(text),
                    Value::Real(n) => json!(n),
                    Value::Integer(n) => json!(n),
                    _ => Json::Null,
                };
                ((*key).to_owned(), value)
            };
            let map: Map<String, Json> = parts.iter().map(part).collect();
            let empty = map.values().all(Json::is_null);
            change.put(
                *compound,
                if empty {
                    Value::Null
                } else {
                    Value::Text(Json::Object(map).to_string())
                },
            );
        }
    }

    /// Gives a new record its numbers.
    pub(super) fn number(&self, call: &Call<'_>, change: &mut Change<'_>) -> Result<(), ApiError> {
        for (at, format) in &self.numbers {
            let sequence = format!("#{}.{}", change.object.name, change.object.fields[*at].name);
            let number = call.org.next_number(call.db, &sequence)?;
            change.put(*at, Value::Text(formatted(format, number)));
        }
        Ok(())
    }
}

/// `W-{0000}` and 7 → `W-0007`.
fn formatted(format: &str, number: u64) -> String {
    match format
        .split_once('{')
        .and_then(|(before, rest)| Some((before, rest.split_once('}')?)))
    {
        Some((before, (zeros, after))) => format!("{before}{number:0width$}{after}", width = zeros.len()),
        None => format!("{format}{number}"),
    }
}
