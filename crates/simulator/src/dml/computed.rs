//! Fields that follow from other fields of the same record: names of persons, auto numbers.

use super::change::Change;
use crate::error::ApiError;
use crate::http::Call;
use crate::schema::Object;
use rusqlite::types::Value;

/// Where the computed fields of an object and their sources stand.
pub(super) struct Computed {
    /// Name, first and last name.
    person: Option<(usize, usize, usize)>,
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
        let numbers = object
            .fields
            .iter()
            .enumerate()
            .filter_map(|(at, field)| Some((at, field.auto_number.clone()?)))
            .collect();
        Self { person, numbers }
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
