//! What triggers and flows of an org would do, declared in the configuration.

use super::change::{Change, Op};
use super::value::{Given, read};
use super::{Options, Writer};
use crate::config::Automation;
use crate::error::ApiError;
use crate::formula;
use crate::http::Call;
use crate::schema::Object;
use rusqlite::params_from_iter;
use rusqlite::types::Value;
use serde_json::{Map, Value as Json};

/// How deep automations may set off each other.
const DEPTH: u8 = 16;

/// The automations of an object that are on.
pub(super) struct Automations(Vec<Automation>);

impl Automations {
    pub(super) fn of(call: &Call<'_>, object: &Object) -> Result<Self, ApiError> {
        let mut on = Vec::new();
        for automation in &call.world.config.automations {
            let here = automation.org.as_ref().is_none_or(|name| *name == call.org.name);
            if here && automation.object.eq_ignore_ascii_case(&object.name) && active(call, automation)? {
                on.push(automation.clone());
            }
        }
        Ok(Self(on))
    }

    /// None of them makes records.
    pub(super) fn is_plain(&self) -> bool {
        self.0.iter().all(|automation| automation.insert.is_none())
    }

    /// Sets fields and refuses, before the record is written.
    pub(super) fn before(&self, call: &Call<'_>, change: &mut Change<'_>) -> Result<(), ApiError> {
        for automation in &self.0 {
            if !applies(call, automation, change)? {
                continue;
            }
            if let Some(message) = &automation.fail {
                let code = automation
                    .code
                    .as_deref()
                    .unwrap_or("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY");
                return Err(ApiError::new(code, message).fields(automation.field.iter()));
            }
            for (name, value) in &automation.set {
                let at = change.object.position(name).ok_or_else(|| unknown(automation, name))?;
                let value = read(&change.object.fields[at], Given::Json(value))?;
                change.put(at, value);
            }
        }
        Ok(())
    }

    /// Makes records, after the record is written. A text `{Id}` stands for the field of the record.
    pub(super) fn after(&self, call: &Call<'_>, change: &Change<'_>) -> Result<(), ApiError> {
        for automation in &self.0 {
            let Some(made) = &automation.insert else { continue };
            if !applies(call, automation, change)? {
                continue;
            }
            let _deeper = call.deeper(DEPTH)?;
            let mut record: Map<String, Json> = made.clone();
            let name = record
                .remove("object")
                .and_then(|name| name.as_str().map(str::to_owned));
            let object = call.object(&name.ok_or_else(|| unknown(automation, "insert.object"))?)?;
            for value in record.values_mut() {
                let field = value
                    .as_str()
                    .and_then(|text| text.strip_prefix('{')?.strip_suffix('}'));
                if let Some(field) = field {
                    *value = match field {
                        "Id" => Json::String(change.id.clone()),
                        field => change
                            .text(field)
                            .map_or(Json::Null, |text| Json::String(text.to_owned())),
                    };
                }
            }
            Writer::new(call, &object, &Options::default())?.insert_json(&record)?;
        }
        Ok(())
    }
}

/// Whether the trigger or flow an automation stands for is there and active.
fn active(call: &Call<'_>, automation: &Automation) -> Result<bool, ApiError> {
    let count = |sql: &str, name: &String| -> Result<bool, ApiError> {
        Ok(call.db.prepare_cached(sql)?.query_row([name], |row| row.get(0))?)
    };
    let trigger = automation.trigger.as_ref().map_or(Ok(true), |name| {
        count(
            "SELECT EXISTS (SELECT 1 FROM \"ApexTrigger\" WHERE \"Name\" = ?1 AND \"Status\" = 'Active')",
            name,
        )
    })?;
    let flow = automation.flow.as_ref().map_or(Ok(true), |name| {
        count(
            "SELECT EXISTS (SELECT 1 FROM \"FlowDefinition\" WHERE \"DeveloperName\" = ?1 AND \"ActiveVersionId\" IS NOT NULL)",
            name,
        )
    })?;
    Ok(trigger && flow)
}

fn applies(call: &Call<'_>, automation: &Automation, change: &Change<'_>) -> Result<bool, ApiError> {
    let on = match change.op {
        Op::Insert => "insert",
        Op::Update => "update",
        Op::Delete => "delete",
        Op::Undelete => "undelete",
    };
    if !automation.on.split([' ', ',', '|']).any(|word| word == on) {
        return Ok(false);
    }
    let Some(when) = &automation.when else {
        return Ok(true);
    };
    let schema = call.schema();
    let context = formula::Context {
        new: change.op == Op::Insert,
        ..formula::Context::reading(&schema, call.now, &call.user)
    };
    let sql = formula::condition(&context, change.object, "r", when).map_err(|problem| {
        ApiError::new("UNKNOWN_EXCEPTION", format!("an automation's when: {problem}")).status(500)
    })?;
    let columns: Vec<String> = (change.object.fields.iter().enumerate())
        .map(|(at, field)| format!("?{} AS \"{}\"", at + 1, field.name))
        .collect();
    Ok(call
        .db
        .prepare_cached(&format!("SELECT {sql} FROM (SELECT {}) r", columns.join(", ")))?
        .query_row(params_from_iter(change.new.iter().map(|value: &Value| value)), |row| {
            row.get(0)
        })?)
}

fn unknown(automation: &Automation, name: &str) -> ApiError {
    ApiError::new(
        "UNKNOWN_EXCEPTION",
        format!(
            "an automation on {} names `{name}`, which is not there",
            automation.object
        ),
    )
    .status(500)
}
