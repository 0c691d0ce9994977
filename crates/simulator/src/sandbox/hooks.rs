//! What writing `SandboxInfo` and `SandboxProcess` does: the bridge from `dml`.

use super::{info, process};
use crate::dml::{Change, Op};
use crate::error::ApiError;
use crate::http::Call;
use crate::schema::Kind;
use crate::switches::UserEmailChange;
use rusqlite::types::Value as Sql;
use serde_json::{Map, Value};

/// The values that the request gave.
fn given(change: &Change<'_>) -> Map<String, Value> {
    let mut values = Map::new();
    for (at, field) in change.object.fields.iter().enumerate() {
        if change.is_given(at) {
            let value = match &change.new[at] {
                Sql::Text(text) => Value::from(text.as_str()),
                Sql::Integer(n) if field.kind == Kind::Boolean => Value::from(*n != 0),
                Sql::Integer(n) => Value::from(*n),
                Sql::Real(n) => Value::from(*n),
                Sql::Null | Sql::Blob(_) => Value::Null,
            };
            values.insert(field.name.clone(), value);
        }
    }
    values
}

/// Before a SandboxInfo is written: the rules.
pub(crate) fn before_info(call: &Call<'_>, change: &mut Change<'_>) -> Result<(), ApiError> {
    let mut values = given(change);
    match change.op {
        Op::Insert => info::check_create(call, &mut values)?,
        Op::Update => info::check_refresh(call, &change.id, &mut values)?,
        Op::Delete => return info::check_delete(call, &change.id),
        Op::Undelete => {
            return Err(ApiError::new(
                "UNDELETE_FAILED",
                "A deleted sandbox can't be brought back.",
            ));
        }
    }
    if let Some(Value::String(license)) = values.get("LicenseType") {
        change.set("LicenseType", Sql::Text(license.clone()))?;
    }
    Ok(())
}

/// After it: the copy or the deletion begins.
pub(crate) fn after_info(call: &Call<'_>, change: &Change<'_>) -> Result<(), ApiError> {
    match change.op {
        Op::Insert | Op::Update => info::after_change(call, &change.id),
        Op::Delete => info::after_delete(call, &change.id),
        Op::Undelete => Ok(()),
    }
}

/// Before a SandboxProcess is written: whether its action is legal.
pub(crate) fn before_process(call: &Call<'_>, change: &mut Change<'_>) -> Result<(), ApiError> {
    process::check_change(call, &change.id, &given(change))
}

/// After it: the action.
pub(crate) fn after_process(call: &Call<'_>, change: &Change<'_>) -> Result<(), ApiError> {
    process::after_change(call, &change.id, &given(change))
}

/// In a sandbox an address may change only when the new one is confirmed, which no request here does: the old one stays.
pub(crate) fn before_user(call: &Call<'_>, change: &mut Change<'_>) -> Result<(), ApiError> {
    let waits = call.world.switches().user_email_change == UserEmailChange::PendingVerification;
    if waits && change.op == Op::Update && call.org.kind.is_sandbox() && change.changed("Email") {
        let old = change.was("Email").clone();
        change.set("Email", old)?;
    }
    Ok(())
}
