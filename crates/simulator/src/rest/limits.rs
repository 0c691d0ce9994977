//! `GET /limits` and `/limits/recordCount`, and what the limits are measured by.

use crate::error::ApiError;
use crate::http::{Call, Reply, Route, usage};
use crate::schema::Api;
use rusqlite::OptionalExtension;
use serde_json::{Map, Value as Json, json};

pub(crate) const ROUTES: &[Route] = &[
    Route::rest("GET", "/services/data/{version}/limits", limits),
    Route::rest("GET", "/services/data/{version}/limits/recordCount", record_count),
];

/// Records of 2 KB in a megabyte.
const RECORDS_PER_MB: u64 = 512;
/// Data storage that is told when none is enforced.
const STORAGE_MB: u64 = 10_240;

fn limits(call: &Call<'_>) -> Result<Reply, ApiError> {
    let limits = &call.world.config.limits;
    let storage = data_storage_mb(call)?.unwrap_or(STORAGE_MB);
    let spent = |name: &str| usage::spent(call.db, name, call.now);
    let table = [
        ("DailyApiRequests", limits.daily_api_requests, spent("api")?),
        ("DailyBulkApiBatches", limits.daily_bulk_batches, spent("bulk_batches")?),
        (
            "DailyBulkV2QueryJobs",
            limits.daily_bulk_query_jobs,
            spent("bulk_queries")?,
        ),
        ("DailyBulkV2QueryFileStorageMB", 976_562, spent("bulk_query_mb")?),
        ("DataStorageMB", storage, stored(call)?.div_ceil(RECORDS_PER_MB)),
        ("FileStorageMB", STORAGE_MB, 0),
        ("DailyAsyncApexExecutions", 250_000, 0),
        ("DailyAsyncApexTests", 500, 0),
        ("DailyDurableStreamingApiEvents", 10_000, 0),
        ("DailyStreamingApiEvents", 10_000, 0),
        ("DailyWorkflowEmails", 1_000, 0),
        ("HourlyAsyncReportRuns", 1_200, 0),
        ("HourlyDashboardRefreshes", 200, 0),
        ("HourlyDashboardResults", 5_000, 0),
        ("HourlyODataCallout", 20_000, 0),
        ("HourlySyncReportRuns", 500, 0),
        ("HourlyTimeBasedWorkflow", 1_000, 0),
        ("MassEmail", 5_000, 0),
        ("SingleEmail", 5_000, 0),
        ("StreamingApiConcurrentClients", 20, 0),
    ];
    let body: Map<String, Json> = table
        .into_iter()
        .map(|(name, max, used)| {
            (
                name.to_owned(),
                json!({ "Max": max, "Remaining": max.saturating_sub(used) }),
            )
        })
        .collect();
    Ok(Reply::json(&Json::Object(body)))
}

fn count(call: &Call<'_>, object: &str) -> Result<u64, ApiError> {
    let n: i64 = call
        .db
        .prepare_cached(&format!("SELECT count(*) FROM \"{object}\""))?
        .query_row([], |row| row.get(0))?;
    Ok(u64::try_from(n).unwrap_or(0))
}

/// Records that take storage: those people make, not the setup.
fn stored(call: &Call<'_>) -> Result<u64, ApiError> {
    let mut all = 0;
    for object in call.schema().objects() {
        if object.api == Api::Data && object.createable && object.field("IsDeleted").is_some() {
            all += count(call, &object.name)?;
        }
    }
    Ok(all)
}

/// The data storage of the org, if it is enforced: that of the configuration, or that of a sandbox's licence.
fn data_storage_mb(call: &Call<'_>) -> Result<Option<u64>, ApiError> {
    if let Some(mb) = call.world.config.limits.data_storage_mb {
        return Ok(Some(mb));
    }
    let kept: Option<String> = call
        .db
        .prepare_cached("SELECT value FROM _value WHERE name = 'data_storage_mb'")?
        .query_row([], |row| row.get(0))
        .optional()?;
    Ok(kept.and_then(|mb| mb.parse().ok()))
}

/// How many more records the org can store; none when no limit is enforced.
pub(crate) fn room_for_records(call: &Call<'_>) -> Result<Option<u64>, ApiError> {
    match data_storage_mb(call)? {
        None => Ok(None),
        Some(mb) => Ok(Some((mb * RECORDS_PER_MB).saturating_sub(stored(call)?))),
    }
}

/// Approximate counts, in the order asked for; of all objects when none is named.
fn record_count(call: &Call<'_>) -> Result<Reply, ApiError> {
    let schema = call.schema();
    let mut counts = Vec::new();
    let asked = call.request.query("sObjects");
    for object in schema.objects().filter(|object| object.api != Api::Tooling) {
        let wanted = |names: &str| {
            names
                .split(',')
                .any(|name| name.trim().eq_ignore_ascii_case(&object.name))
        };
        if asked.is_none_or(wanted) {
            counts.push(json!({ "count": count(call, &object.name)?, "name": object.name }));
        }
    }
    Ok(Reply::json(&json!({ "sObjects": counts })))
}
