//! Rows of objects that metadata writes: inserted or updated by record id, past the API's rules.

use crate::error::ApiError;
use crate::http::Call;
use crate::org::records;
use rusqlite::params_from_iter;
use rusqlite::types::Value;

/// A text value.
pub(crate) fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

/// A boolean value.
pub(crate) fn flag(flag: bool) -> Value {
    Value::Integer(flag.into())
}

/// Writes the row of that id: a new one with audit fields, or new values for an old one.
pub(crate) fn put(call: &Call<'_>, object: &str, id: &str, values: &[(&str, Value)]) -> Result<(), ApiError> {
    let object = call.object(object)?;
    let known: i64 = call.db.query_row(
        &format!("SELECT count(*) FROM \"{}\" WHERE Id = ?1", object.name),
        [id],
        |row| row.get(0),
    )?;
    if known == 0 {
        let mut all = vec![("Id", text(id))];
        all.extend(values.iter().map(|(name, value)| (*name, value.clone())));
        records::insert(call.org, call.db, &object, &all, &call.user, call.now)?;
        return Ok(());
    }
    let mut set: Vec<(&str, Value)> = values.to_vec();
    for (name, value) in [
        ("LastModifiedDate", Value::Integer(call.now)),
        ("LastModifiedById", text(&call.user)),
        ("SystemModstamp", Value::Integer(call.now)),
    ] {
        if object.field(name).is_some() && !values.iter().any(|(given, _)| *given == name) {
            set.push((name, value));
        }
    }
    let columns: Vec<String> = set.iter().map(|(name, _)| format!("\"{name}\" = ?")).collect();
    let sql = format!("UPDATE \"{}\" SET {} WHERE Id = ?", object.name, columns.join(", "));
    let values = set.into_iter().map(|(_, value)| value).chain([text(id)]);
    call.db.prepare_cached(&sql)?.execute(params_from_iter(values))?;
    Ok(())
}

/// Removes the row of that id.
pub(crate) fn delete(call: &Call<'_>, object: &str, id: &str) -> Result<(), ApiError> {
    let object = call.object(object)?;
    call.db
        .execute(&format!("DELETE FROM \"{}\" WHERE Id = ?1", object.name), [id])?;
    Ok(())
}
