//! What became of the rows of an ingest job, as CSV.

use super::job::Job;
use super::wrong_state;
use crate::error::ApiError;
use crate::http::{Call, Reply, Route};
use rusqlite::params;

pub(crate) const ROUTES: &[Route] = &[
    Route::rest(
        "GET",
        "/services/data/{version}/jobs/ingest/{job}/successfulResults",
        |call| given(call, "success", &["sf__Id", "sf__Created"]),
    ),
    Route::rest(
        "GET",
        "/services/data/{version}/jobs/ingest/{job}/failedResults",
        |call| given(call, "failure", &["sf__Id", "sf__Error"]),
    ),
    Route::rest(
        "GET",
        "/services/data/{version}/jobs/ingest/{job}/unprocessedRecords",
        unprocessed,
    ),
];

/// Keeps rows of a result after those that are kept already.
pub(super) fn keep(call: &Call<'_>, job: &str, kind: &str, rows: i64, text: &str) -> Result<(), ApiError> {
    if rows == 0 {
        return Ok(());
    }
    call.db
        .prepare_cached(
            "INSERT INTO _bulk_result (job, kind, first, rows, body) SELECT ?1, ?2, COALESCE(MAX(first + rows), 0), ?3, ?4 \
             FROM _bulk_result WHERE job = ?1 AND kind = ?2",
        )?
        .execute(params![job, kind, rows, text.as_bytes()])?;
    Ok(())
}

fn given(call: &Call<'_>, kind: &str, own: &[&str]) -> Result<Reply, ApiError> {
    let job = done(call)?;
    let separator = char::from(job.separator());
    let mut body = Vec::new();
    for name in own {
        body.extend_from_slice(format!("\"{name}\"{separator}").as_bytes());
    }
    body.extend_from_slice(job.header.as_deref().unwrap_or_default().as_bytes());
    body.extend_from_slice(job.newline().as_bytes());
    let mut chunks = call
        .db
        .prepare_cached("SELECT body FROM _bulk_result WHERE job = ?1 AND kind = ?2 ORDER BY first")?;
    let mut rows = chunks.query([job.id.as_str(), kind])?;
    while let Some(row) = rows.next()? {
        body.extend_from_slice(row.get_ref(0)?.as_blob().unwrap_or_default());
    }
    Ok(Reply::text(200, "text/csv", body))
}

fn unprocessed(call: &Call<'_>) -> Result<Reply, ApiError> {
    let job = done(call)?;
    let mut body = job.header.clone().unwrap_or_default().into_bytes();
    body.extend_from_slice(job.newline().as_bytes());
    let mut chunks = call
        .db
        .prepare_cached("SELECT body FROM _bulk_content WHERE job = ?1 ORDER BY batch")?;
    let mut rows = chunks.query([&job.id])?;
    while let Some(row) = rows.next()? {
        body.extend_from_slice(row.get_ref(0)?.as_blob().unwrap_or_default());
    }
    Ok(Reply::text(200, "text/csv", body))
}

fn done(call: &Call<'_>) -> Result<Job, ApiError> {
    let job = Job::asked(call, "ingest")?;
    if job.is_done() {
        return Ok(job);
    }
    Err(wrong_state(format!(
        "Results can be read when the job has ended; it is {}",
        job.state
    )))
}
