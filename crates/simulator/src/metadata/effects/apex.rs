//! Fields of classes and triggers that their source tells.

use super::{Subject, Told};
use crate::error::ApiError;
use crate::http::Call;
use crate::metadata::apex;
use crate::metadata::rows::{self, flag, text};
use rusqlite::types::Value;

/// Events of a trigger with the fields that tell them.
const EVENTS: &[(&str, &str)] = &[
    ("before insert", "UsageBeforeInsert"),
    ("after insert", "UsageAfterInsert"),
    ("before update", "UsageBeforeUpdate"),
    ("after update", "UsageAfterUpdate"),
    ("before delete", "UsageBeforeDelete"),
    ("after delete", "UsageAfterDelete"),
    ("after undelete", "UsageAfterUndelete"),
];

pub(super) fn class(call: &Call<'_>, subject: &Subject<'_>) -> Told {
    source(call, subject, "ApexClass", Vec::new())
}

pub(super) fn trigger(call: &Call<'_>, subject: &Subject<'_>) -> Told {
    let body = apex::body(call, &subject.component.id)?;
    let head = body.split('{').next().unwrap_or_default();
    let words: Vec<&str> = head
        .split(|c: char| !(c.is_alphanumeric() || c == '_'))
        .filter(|word| !word.is_empty())
        .collect();
    let object = words
        .iter()
        .position(|word| word.eq_ignore_ascii_case("on"))
        .and_then(|at| words.get(at + 1))
        .copied()
        .unwrap_or_default();
    if call.schema().object(object).is_none() {
        return Ok(Some(format!("Invalid type: {object}")));
    }
    let events = words.join(" ").to_lowercase();
    let mut values = vec![("TableEnumOrId", text(object)), ("EntityDefinitionId", text(object))];
    values.extend(
        EVENTS
            .iter()
            .map(|(event, field)| (*field, flag(events.contains(event)))),
    );
    source(call, subject, "ApexTrigger", values)
}

/// Body, length and check sum. Saving a class or trigger forgets its coverage.
fn source(call: &Call<'_>, subject: &Subject<'_>, object: &str, mut values: Vec<(&'static str, Value)>) -> Told {
    let body = apex::body(call, &subject.component.id)?;
    let length = i64::try_from(body.chars().filter(|c| !c.is_whitespace()).count()).unwrap_or(i64::MAX);
    values.push(("BodyCrc", Value::Real(f64::from(crc32(body.as_bytes())))));
    values.push(("LengthWithoutComments", Value::Integer(length)));
    values.push(("Body", text(&body)));
    rows::put(call, object, &subject.component.record_id, &values)?;
    forget_coverage(call, &subject.component.record_id)?;
    Ok(None)
}

fn forget_coverage(call: &Call<'_>, id: &str) -> Result<(), ApiError> {
    for table in ["ApexCodeCoverage", "ApexCodeCoverageAggregate"] {
        call.db
            .execute(&format!("DELETE FROM {table} WHERE ApexClassOrTriggerId = ?1"), [id])?;
    }
    Ok(())
}

/// The check sum of zip files and of `BodyCrc`.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0_u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            if crc & 1 == 1 { crc >> 1 ^ 0xEDB8_8320 } else { crc >> 1 }
        })
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn check_sum() {
        assert_eq!(super::crc32(b"123456789"), 0xCBF4_3926);
    }
}
