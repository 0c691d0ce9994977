//! The work of a deployment, from the zip to its result.

use super::job::Job;
use super::select::{Selection, select};
use super::tests::{self, Tested};
use super::{apply, destructive, is_production, validate};
use crate::error::ApiError;
use crate::http::Call;
use crate::metadata::message::Message;
use crate::metadata::package::DESTRUCTIVE_POST;
use crate::metadata::store::Item;
use crate::metadata::{archive, retrieve, tracking};
use rusqlite::OptionalExtension;
use serde_json::{Map, Value, json};

/// What a deployment did.
struct Done {
    messages: Vec<Message>,
    tested: Tested,
    status: &'static str,
    /// What the org has of the components afterwards, if that was asked for: a `RetrieveResult`.
    retrieved: Option<Value>,
}

/// Runs a deployment: fills in its result and gives its final status. What fails is undone.
pub(super) fn run(call: &Call<'_>, job: &mut Job) -> Result<&'static str, ApiError> {
    if setup_locked(call)? {
        let text = "The changes you requested require Salesforce to temporarily lock your organization's administration setup. \
                    However, the administration setup has already been locked by another change.";
        return Ok(refuse(job, "ALREADY_IN_PROCESS", text));
    }
    let files = match archive::unpack(&job.zip, call.world.config.limits.zip_entries) {
        Ok(files) => files,
        Err(refused) => return Ok(refuse(job, refused.code, &refused.text)),
    };
    let count = files.len();
    let mut selection = select(files, &job.options);
    let prefix = std::mem::take(&mut selection.prefix);
    let schema = call.schema();
    call.db.execute_batch("SAVEPOINT deployment")?;
    let done = match work(call, job, selection) {
        Ok(done) => done,
        Err(error) => {
            undo(call, &schema)?;
            return Ok(refuse(job, &error.code, &error.message));
        }
    };
    if job.options.check_only || done.status == "Failed" {
        undo(call, &schema)?;
    } else {
        call.db.execute_batch("RELEASE deployment")?;
        tracking::deployed(call, &done.messages)?;
    }
    let status = done.status;
    tell(call, job, &prefix, done, count);
    Ok(status)
}

/// Whether another change holds the org's setup: the value `setup_locked`.
fn setup_locked(call: &Call<'_>) -> Result<bool, ApiError> {
    let value: Option<String> = call
        .db
        .query_row("SELECT value FROM _value WHERE name = 'setup_locked'", [], |row| {
            row.get(0)
        })
        .optional()?;
    Ok(value.is_some_and(|value| !matches!(value.as_str(), "" | "0" | "false")))
}

fn undo(call: &Call<'_>, schema: &crate::schema::Schema) -> Result<(), ApiError> {
    call.db.execute_batch("ROLLBACK TO deployment; RELEASE deployment")?;
    call.set_schema(schema.clone());
    Ok(())
}

fn refuse(job: &mut Job, code: &str, text: &str) -> &'static str {
    let mut result = Map::new();
    result.insert("errorStatusCode".to_owned(), json!(code));
    result.insert("errorMessage".to_owned(), json!(format!("{code}: {text}")));
    for name in ["numberFiles", "zipSize"] {
        if let Some(value) = job.result.get(name) {
            result.insert(name.to_owned(), value.clone());
        }
    }
    job.result = Value::Object(result);
    "Failed"
}

/// Deletes, writes, deletes, tests.
fn work(call: &Call<'_>, job: &Job, selection: Selection) -> Result<Done, ApiError> {
    let mut messages = selection.messages;
    let strict = job.options.rollback_on_error || is_production(call);
    let (after, before): (Vec<_>, Vec<_>) = selection
        .deletions
        .iter()
        .partition(|(file, _)| *file == DESTRUCTIVE_POST);
    for (file, manifest) in before {
        messages.extend(destructive::delete(call, file, manifest)?);
    }
    let level = tests::level(call, &job.options, &selection.items)?;
    let refused = validate::validate(call, &selection.items, &selection.sources)?;
    let valid: Vec<Item> = selection
        .items
        .into_iter()
        .filter(|item| !refused.owners.contains(&item.id))
        .collect();
    messages.extend(refused.messages);
    messages.extend(apply::apply(call, &valid)?);
    for (file, manifest) in after {
        messages.extend(destructive::delete(call, file, manifest)?);
    }
    let failures = messages.iter().filter(|message| message.is_failure()).count();
    let warned = !job.options.ignore_warnings && messages.iter().any(Message::is_warning);
    let stopped = warned || failures > 0 && (strict || messages.len() == failures);
    // The platform runs no tests when components have failed already. A quick deployment has had its tests.
    let tested = if stopped || job.quick_of.is_some() {
        Tested::default()
    } else {
        tests::run(call, level, &job.options.run_tests, &valid)?
    };
    let status = if stopped || tested.failed() {
        "Failed"
    } else if failures > 0 {
        "SucceededPartial"
    } else {
        "Succeeded"
    };
    let retrieved = match job.options.perform_retrieve && !job.options.check_only && status != "Failed" {
        true => Some(retrieve::deployed(
            call,
            job.version,
            valid.iter().map(|item| &item.id),
        )?),
        false => None,
    };
    Ok(Done {
        messages,
        tested,
        status,
        retrieved,
    })
}

/// Writes the result of a deployment that came to its end.
fn tell(call: &Call<'_>, job: &mut Job, prefix: &str, done: Done, files: usize) {
    let (failures, successes): (Vec<Message>, Vec<Message>) = done.messages.into_iter().partition(Message::is_failure);
    let list = |messages: &[Message]| -> Vec<Value> {
        messages.iter().map(|message| message.json(prefix, call.now)).collect()
    };
    let components = |messages: &[Message]| messages.iter().filter(|message| !message.kind.is_empty()).count();
    let errors = failures.len();
    let mut details = Map::new();
    if !failures.is_empty() {
        details.insert("componentFailures".to_owned(), json!(list(&failures)));
    }
    details.insert("componentSuccesses".to_owned(), json!(list(&successes)));
    if let Some(retrieved) = done.retrieved {
        details.insert("retrieveResult".to_owned(), retrieved);
    }
    details.insert("runTestResult".to_owned(), done.tested.json());
    job.result = json!({
        "details": details,
        "numberComponentErrors": errors,
        "numberComponentsDeployed": components(&successes),
        "numberComponentsTotal": components(&successes) + errors,
        "numberTestErrors": done.tested.failures(),
        "numberTestsCompleted": done.tested.outcomes.iter().filter(|outcome| !outcome.is_failure()).count(),
        "numberTestsTotal": done.tested.outcomes.len(),
        "runTestsEnabled": done.tested.ran,
        "numberFiles": files,
        "zipSize": job.zip.len(),
    });
}
