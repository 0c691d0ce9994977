//! The work of a deployment, from the zip to its result.

use super::job::Job;
use super::select::{Selection, select};
use super::{apply, destructive, is_production, tests_none};
use crate::error::ApiError;
use crate::http::Call;
use crate::metadata::archive;
use crate::metadata::message::Message;
use serde_json::{Map, Value, json};

/// Runs a deployment: fills in its result and gives its final status. What fails is undone.
pub(super) fn run(call: &Call<'_>, job: &mut Job) -> Result<&'static str, ApiError> {
    let files = match archive::unpack(&job.zip) {
        Ok(files) => files,
        Err(refused) => return Ok(refuse(job, refused.code, &refused.text)),
    };
    let count = files.len();
    let mut selection = select(files, &job.options);
    let prefix = std::mem::take(&mut selection.prefix);
    let schema = call.schema();
    call.db.execute_batch("SAVEPOINT deployment")?;
    let done = work(call, job, selection);
    let (messages, status) = match done {
        Ok(done) => done,
        Err(error) => {
            undo(call, &schema)?;
            return Ok(refuse(job, &error.code, &error.message));
        }
    };
    if job.options.check_only || status == "Failed" {
        undo(call, &schema)?;
    } else {
        call.db.execute_batch("RELEASE deployment")?;
    }
    tell(call, job, &prefix, messages, count);
    Ok(status)
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

/// Deletes, writes, deletes; gives all messages and the status.
fn work(call: &Call<'_>, job: &Job, selection: Selection) -> Result<(Vec<Message>, &'static str), ApiError> {
    let mut messages = selection.messages;
    let fatal = messages.iter().any(Message::is_failure);
    let strict = job.options.rollback_on_error || is_production(call);
    if !(fatal && strict) {
        for (file, manifest) in selection
            .deletions
            .iter()
            .filter(|(file, _)| !file.ends_with("Post.xml"))
        {
            messages.extend(destructive::delete(call, file, manifest)?);
        }
        messages.extend(apply::apply(call, &selection.items)?);
        for (file, manifest) in selection
            .deletions
            .iter()
            .filter(|(file, _)| file.ends_with("Post.xml"))
        {
            messages.extend(destructive::delete(call, file, manifest)?);
        }
    }
    let failures = messages.iter().filter(|message| message.is_failure()).count();
    let warned = !job.options.ignore_warnings && messages.iter().any(Message::is_warning);
    let status = match (failures, warned) {
        (0, false) => "Succeeded",
        (0, true) => "Failed",
        (_, _) if strict || messages.len() == failures => "Failed",
        _ => "SucceededPartial",
    };
    Ok((messages, status))
}

/// Writes the result of a deployment that came to its end.
fn tell(call: &Call<'_>, job: &mut Job, prefix: &str, messages: Vec<Message>, files: usize) {
    let (failures, successes): (Vec<Message>, Vec<Message>) = messages.into_iter().partition(Message::is_failure);
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
    details.insert("runTestResult".to_owned(), tests_none());
    job.result = json!({
        "details": details,
        "numberComponentErrors": errors,
        "numberComponentsDeployed": components(&successes),
        "numberComponentsTotal": components(&successes) + errors,
        "numberFiles": files,
        "zipSize": job.zip.len(),
    });
}
