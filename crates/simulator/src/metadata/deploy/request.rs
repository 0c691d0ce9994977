//! Deployments as rows of the Tooling object DeployRequest.

use super::job::Job;
use crate::error::ApiError;
use crate::http::Call;
use crate::metadata::rows::{self, text};
use rusqlite::types::Value;

/// Counters by field.
const COUNTERS: &[(&str, &str)] = &[
    ("NumberComponentsTotal", "numberComponentsTotal"),
    ("NumberComponentsDeployed", "numberComponentsDeployed"),
    ("NumberComponentErrors", "numberComponentErrors"),
    ("NumberTestsTotal", "numberTestsTotal"),
    ("NumberTestsCompleted", "numberTestsCompleted"),
    ("NumberTestErrors", "numberTestErrors"),
    ("NumberFiles", "numberFiles"),
    ("ZipSize", "zipSize"),
];

/// Writes the row of a deployment.
pub(super) fn record(call: &Call<'_>, job: &Job) -> Result<(), ApiError> {
    let flag = |flag: bool| Value::Integer(flag.into());
    let moment = |at: Option<i64>| at.map_or(Value::Null, Value::Integer);
    let stated = |name: &str| {
        job.result
            .get(name)
            .and_then(serde_json::Value::as_str)
            .map_or(Value::Null, text)
    };
    let options = &job.options;
    let mut values = vec![
        ("Type", text("Api")),
        ("Status", text(&job.status)),
        ("StateDetail", stated("stateDetail")),
        ("CheckOnly", flag(options.check_only)),
        ("TestLevel", options.test_level.as_deref().map_or(Value::Null, text)),
        ("RollbackOnError", flag(options.rollback_on_error)),
        ("IgnoreWarnings", flag(options.ignore_warnings)),
        ("PurgeOnDelete", flag(options.purge_on_delete)),
        ("SinglePackage", flag(options.single_package)),
        ("AllowMissingFiles", flag(options.allow_missing_files)),
        ("AutoUpdatePackage", flag(options.auto_update_package)),
        (
            "RunTestsEnabled",
            flag(job.result["runTestsEnabled"].as_bool().unwrap_or_default()),
        ),
        ("StartDate", moment(job.started)),
        ("CompletedDate", moment(job.completed)),
        ("CanceledById", job.canceled_by.as_deref().map_or(Value::Null, text)),
        ("ErrorMessage", stated("errorMessage")),
        ("ErrorStatusCode", stated("errorStatusCode")),
        ("CreatedDate", Value::Integer(job.created)),
        ("CreatedById", text(&job.created_by)),
    ];
    for (field, counter) in COUNTERS {
        values.push((field, Value::Integer(job.result[*counter].as_i64().unwrap_or_default())));
    }
    rows::put(call, "DeployRequest", &job.id, &values)
}
