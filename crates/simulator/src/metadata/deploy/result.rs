//! A deployment as clients see it.

use super::job::Job;
use crate::error::ApiError;
use crate::http::Call;
use crate::soap::date::iso;
use rusqlite::OptionalExtension;
use serde_json::{Map, Value, json};

/// Counters that are zero until there is work.
const COUNTERS: [&str; 6] = [
    "numberComponentErrors",
    "numberComponentsDeployed",
    "numberComponentsTotal",
    "numberTestErrors",
    "numberTestsCompleted",
    "numberTestsTotal",
];

/// A `DeployResult`. Source: Metadata API Developer Guide, DeployResult.
pub(crate) fn result(call: &Call<'_>, job: &Job, details: bool) -> Result<Value, ApiError> {
    let mut out = Map::new();
    let mut set = |name: &str, value: Value| {
        out.insert(name.to_owned(), value);
    };
    set("checkOnly", json!(job.options.check_only));
    if let Some(by) = &job.canceled_by {
        set("canceledBy", json!(by));
        set("canceledByName", json!(name_of(call, by)?));
    }
    if let Some(at) = job.completed {
        set("completedDate", json!(iso(at)));
    }
    set("createdBy", json!(job.created_by));
    set("createdByName", json!(name_of(call, &job.created_by)?));
    set("createdDate", json!(iso(job.created)));
    if details {
        let details = job.result.get("details").cloned();
        set(
            "details",
            details.unwrap_or_else(|| json!({ "runTestResult": super::tests::Tested::default().json() })),
        );
    }
    set("done", json!(job.done()));
    for name in ["errorMessage", "errorStatusCode"] {
        if let Some(value) = job.result.get(name) {
            set(name, value.clone());
        }
    }
    set("id", json!(job.id));
    set("ignoreWarnings", json!(job.options.ignore_warnings));
    set("lastModifiedDate", json!(iso(job.modified)));
    for name in COUNTERS {
        set(name, job.result.get(name).cloned().unwrap_or_else(|| json!(0)));
    }
    for name in ["numberFiles", "zipSize"] {
        if let Some(value) = job.result.get(name) {
            set(name, value.clone());
        }
    }
    if job.version >= 67 {
        set("notifications", json!([]));
        set("deployExtensionResults", json!([]));
    }
    set("rollbackOnError", json!(job.options.rollback_on_error));
    set(
        "runTestsEnabled",
        job.result
            .get("runTestsEnabled")
            .cloned()
            .unwrap_or_else(|| json!(false)),
    );
    if let Some(at) = job.started {
        set("startDate", json!(iso(at)));
    }
    if let Some(state) = job.result.get("stateDetail") {
        set("stateDetail", state.clone());
    }
    set("status", json!(job.status));
    set("success", json!(job.status.starts_with("Succeeded")));
    Ok(Value::Object(out))
}

/// The name of a user.
pub(crate) fn name_of(call: &Call<'_>, user: &str) -> Result<String, ApiError> {
    let name: Option<Option<String>> = call
        .db
        .prepare_cached("SELECT Name FROM User WHERE Id = ?1")?
        .query_row([user], |row| row.get(0))
        .optional()?;
    Ok(name.flatten().unwrap_or_default())
}
