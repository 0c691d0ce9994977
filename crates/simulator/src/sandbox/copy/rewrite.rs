//! The new org's id wherever the text of the old one stands, in records and in metadata.

use super::{Copying, has_table};
use crate::error::ApiError;
use crate::ids;
use crate::schema::Kind;
use rusqlite::{Connection, params};

/// Own tables whose text may hold the id.
const OWN: &[(&str, &str)] = &[("_object", "json"), ("_app", "run_as"), ("_value", "value")];

pub(super) fn apply(copying: &Copying<'_>, db: &Connection) -> Result<(), ApiError> {
    let (old, new) = (copying.source.as_str(), copying.process.org_id.as_str());
    let mut columns: Vec<(String, Vec<String>)> = OWN
        .iter()
        .map(|(table, column)| ((*table).to_owned(), vec![(*column).to_owned()]))
        .collect();
    for object in copying.schema.objects() {
        let text = object.fields.iter().filter(|field| can_hold(field.kind, field.length));
        columns.push((object.name.clone(), text.map(|field| field.name.clone()).collect()));
    }
    for (table, columns) in columns {
        if columns.is_empty() || !has_table(db, &table)? {
            continue;
        }
        // Both forms: 18 characters first, so that the check characters follow.
        let set: Vec<String> = columns
            .iter()
            .map(|c| format!("\"{c}\" = replace(replace(\"{c}\", ?1, ?2), ?3, ?4)"))
            .collect();
        let found: Vec<String> = columns.iter().map(|c| format!("instr(\"{c}\", ?3) > 0")).collect();
        db.execute(
            &format!("UPDATE \"{table}\" SET {} WHERE {}", set.join(", "), found.join(" OR ")),
            params![old, new, ids::short(old), ids::short(new)],
        )?;
    }
    if has_table(db, "_component_file")? {
        // Text is valid UTF-8; what is not is left alone, as archives and images are.
        db.execute(
            "UPDATE _component_file SET content = CAST(replace(replace(CAST(content AS TEXT), ?1, ?2), ?3, ?4) AS BLOB)
             WHERE instr(content, CAST(?3 AS BLOB)) > 0 AND instr(content, x'00') = 0",
            params![old, new, ids::short(old), ids::short(new)],
        )?;
    }
    Ok(())
}

/// Text, and references, which may point to the org itself (`SetupOwnerId`). Short text cannot hold an id.
fn can_hold(kind: Kind, length: u32) -> bool {
    match kind {
        Kind::Id | Kind::Reference => true,
        Kind::String | Kind::Textarea | Kind::Url | Kind::Email | Kind::Complexvalue | Kind::Combobox => {
            length == 0 || length >= 15
        }
        _ => false,
    }
}
