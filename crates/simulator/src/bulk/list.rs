//! `GET /jobs/ingest` and `/jobs/query`: all jobs, 1000 a page; and one; and the end of one.

use super::job::Job;
use super::wrong_state;
use crate::error::ApiError;
use crate::http::{Call, Reply, Route};
use serde_json::{Value as Json, json};

pub(crate) const ROUTES: &[Route] = &[
    Route::rest("GET", "/services/data/{version}/jobs/ingest", |call| {
        list(call, "ingest")
    }),
    Route::rest("GET", "/services/data/{version}/jobs/query", |call| list(call, "query")),
    Route::rest("GET", "/services/data/{version}/jobs/ingest/{job}", |call| {
        one(call, "ingest")
    }),
    Route::rest("GET", "/services/data/{version}/jobs/query/{job}", |call| {
        one(call, "query")
    }),
    Route::rest("DELETE", "/services/data/{version}/jobs/ingest/{job}", |call| {
        delete(call, "ingest")
    }),
    Route::rest("DELETE", "/services/data/{version}/jobs/query/{job}", |call| {
        delete(call, "query")
    }),
];

const PAGE: usize = 1000;

fn list(call: &Call<'_>, kind: &str) -> Result<Reply, ApiError> {
    let from: usize = match call.request.query("queryLocator") {
        None => 0,
        Some(locator) => locator
            .parse()
            .map_err(|_| ApiError::new("INVALID_QUERY_LOCATOR", format!("invalid query locator {locator}")))?,
    };
    let wanted = call.request.query("jobType");
    let own = if kind == "ingest" { "V2Ingest" } else { "V2Query" };
    let mut jobs = match wanted {
        Some(wanted) if !wanted.eq_ignore_ascii_case(own) => Vec::new(),
        _ => Job::list(call, kind, from, PAGE + 1)?,
    };
    let done = jobs.len() <= PAGE;
    jobs.truncate(PAGE);
    let next = (!done).then(|| {
        format!(
            "/services/data/v{}.0/jobs/{kind}?queryLocator={}",
            call.version,
            from + PAGE
        )
    });
    let mut records: Vec<Json> = jobs.iter().map(Job::info).collect();
    for record in &mut records {
        record["jobType"] = json!(own);
    }
    Ok(Reply::json(
        &json!({ "done": done, "nextRecordsUrl": next, "records": records }),
    ))
}

fn one(call: &Call<'_>, kind: &str) -> Result<Reply, ApiError> {
    let job = Job::asked(call, kind)?;
    same_version(call, &job)?;
    Ok(Reply::json(&job.progress()))
}

/// A query job answers in the version it was made in.
pub(super) fn same_version(call: &Call<'_>, job: &Job) -> Result<(), ApiError> {
    if job.kind != "query" || job.version == call.version {
        return Ok(());
    }
    let text = format!(
        "The API version in the request, {}.0, must match the API version of the job, {}.0",
        call.version, job.version
    );
    Err(ApiError::new("API_VERSION_MISMATCH", text).status(409))
}

fn delete(call: &Call<'_>, kind: &str) -> Result<Reply, ApiError> {
    let job = Job::asked(call, kind)?;
    same_version(call, &job)?;
    if !job.is_done() {
        let text = format!("A job in the state {} cannot be deleted; abort it first", job.state);
        return Err(wrong_state(text));
    }
    for (table, column) in [("_bulk_job", "id"), ("_bulk_content", "job"), ("_bulk_result", "job")] {
        call.db
            .execute(&format!("DELETE FROM {table} WHERE {column} = ?1"), [&job.id])?;
    }
    Ok(Reply::empty())
}
