//! `/jobs/ingest`: making a job, uploading its content, starting and aborting it.

use super::csv::Rows;
use super::job::Job;
use super::{START, wrong_state};
use crate::error::ApiError;
use crate::http::{Call, Reply, Route, usage};
use crate::rest::multipart;
use crate::schema::{Api, Object};
use crate::world::schedule;
use rusqlite::params;
use serde_json::{Value as Json, json};

pub(crate) const ROUTES: &[Route] = &[
    Route::rest("POST", "/services/data/{version}/jobs/ingest", create),
    Route::rest("PUT", "/services/data/{version}/jobs/ingest/{job}/batches", upload),
    Route::rest("PATCH", "/services/data/{version}/jobs/ingest/{job}", change),
];

/// Rows of a batch.
pub(super) const ROWS: usize = 10_000;
const OPERATIONS: &[&str] = &["insert", "update", "upsert", "delete", "hardDelete"];

fn create(call: &Call<'_>) -> Result<Reply, ApiError> {
    let kind = call.request.header("content-type").unwrap_or_default();
    if !kind.starts_with("multipart/form-data") {
        let mut job = open(call, &call.json()?)?;
        job.save(call)?;
        return Ok(Reply::json(&job.info()));
    }
    let parts = multipart::parts(kind, &call.request.body)?;
    let part = |name: &str| {
        let found = parts.iter().find(|part| part.name == name);
        found.ok_or_else(|| ApiError::new("INVALID_MULTIPART_REQUEST", format!("the part {name} is missing")))
    };
    let body = serde_json::from_slice(part("job")?.body)
        .map_err(|error| ApiError::new("JSON_PARSER_ERROR", error.to_string()))?;
    let mut job = open(call, &body)?;
    store(call, &mut job, part("content")?.body)?;
    start(call, &mut job)?;
    Ok(Reply::json(&job.info()))
}

/// Reads the body of a new job.
fn open(call: &Call<'_>, body: &Json) -> Result<Job, ApiError> {
    let mut job = Job::new(call, "ingest", body)?;
    if !OPERATIONS.contains(&job.operation.as_str()) {
        let text = format!("operation {} is not one of {}", job.operation, OPERATIONS.join(", "));
        return Err(ApiError::new("JSON_PARSER_ERROR", text));
    }
    let name = body["object"].as_str().unwrap_or_default();
    let schema = call.schema();
    let object = schema
        .object(name)
        .filter(|object| object.api != Api::Tooling)
        .ok_or_else(|| {
            ApiError::new(
                "INVALIDENTITY",
                format!("Entity '{name}' is not supported by the Bulk API."),
            )
        })?;
    job.object.clone_from(&object.name);
    if job.operation == "upsert" {
        job.key = Some(upsert_key(object, job.key.as_deref())?);
    }
    Ok(job)
}

fn upsert_key(object: &Object, key: Option<&str>) -> Result<String, ApiError> {
    let Some(key) = key.filter(|key| !key.is_empty()) else {
        let text = format!(
            "InvalidJob : External ID was blank for {}. An external ID must be specified for upsert.",
            object.name
        );
        return Err(ApiError::new("INVALIDJOB", text));
    };
    let field = object
        .field(key)
        .filter(|f| f.external_id || f.unique || f.name_field || f.name == "Id");
    field.map(|field| field.name.clone()).ok_or_else(|| {
        let text = format!(
            "InvalidJob : Field name provided, {key} does not match an External ID for {}",
            object.name
        );
        ApiError::new("INVALIDJOB", text)
    })
}

fn upload(call: &Call<'_>) -> Result<Reply, ApiError> {
    let mut job = Job::asked(call, "ingest")?;
    if job.state != "Open" || job.header.is_some() {
        return Err(wrong_state(format!(
            "Found multiple contents for job: <{}>, please 'Close' / 'Abort' / 'Delete' the current Job then create a new Job \
             and make sure you only do 'PUT' once on a given Job.",
            job.id
        )));
    }
    store(call, &mut job, &call.request.body)?;
    job.save(call)?;
    Ok(Reply {
        status: 201,
        ..Reply::empty()
    })
}

/// Cuts an upload into its header and batches of 10,000 rows.
fn store(call: &Call<'_>, job: &mut Job, body: &[u8]) -> Result<(), ApiError> {
    let most = call.world.config.limits.bulk_upload_bytes;
    if body.len() > most {
        let text = format!("Maximum size of an upload is {most} bytes");
        return Err(ApiError::new("EXCEEDED_MAX_SIZE_REQUEST", text).status(413));
    }
    let text = std::str::from_utf8(body)
        .map_err(|_| ApiError::new("INVALIDBATCH", "InvalidBatch : the content is not UTF-8"))?;
    let text = text.trim_start_matches('\u{feff}');
    let mut rows = Rows::new(text, job.separator());
    job.header = Some(rows.raw().unwrap_or_default().to_owned());
    let ends_in_crlf = text[..rows.position()].ends_with("\r\n");
    if rows.position() > 0 && text[..rows.position()].ends_with('\n') && ends_in_crlf != (job.line_ending == "CRLF") {
        job.error = Some(format!(
            "InvalidBatch : LineEnding is invalid on user data. Current LineEnding setting is {}",
            job.line_ending
        ));
    }
    let mut insert = call
        .db
        .prepare_cached("INSERT INTO _bulk_content (job, batch, rows, body) VALUES (?1, ?2, ?3, ?4)")?;
    let (mut from, mut count, mut batch) = (rows.position(), 0, 0);
    loop {
        let more = rows.raw().is_some();
        count += usize::from(more);
        if count == ROWS || (!more && count > 0) {
            let to = rows.position();
            insert.execute(params![
                job.id,
                batch,
                i64::try_from(count).unwrap_or(0),
                &text.as_bytes()[from..to]
            ])?;
            (from, count, batch) = (to, 0, batch + 1);
        }
        if !more {
            return Ok(());
        }
    }
}

fn change(call: &Call<'_>) -> Result<Reply, ApiError> {
    let mut job = Job::asked(call, "ingest")?;
    let body = call.json()?;
    match (body["state"].as_str().unwrap_or_default(), job.state.as_str()) {
        ("UploadComplete", "Open") => start(call, &mut job)?,
        ("Aborted", "Open" | "UploadComplete" | "InProgress") => {
            "Aborted".clone_into(&mut job.state);
            job.save(call)?;
        }
        (wanted @ ("UploadComplete" | "Aborted"), state) => {
            let text = format!("Aborting/Closing Job not allowed: the job is {state}, it cannot become {wanted}");
            return Err(wrong_state(text));
        }
        (wanted, _) => {
            let text = format!("state must be UploadComplete or Aborted, not `{wanted}`");
            return Err(ApiError::new("JSON_PARSER_ERROR", text));
        }
    }
    Ok(Reply::json(&job.info()))
}

/// Counts the batches against the day's limit and queues the first.
fn start(call: &Call<'_>, job: &mut Job) -> Result<(), ApiError> {
    let batches: i64 = call
        .db
        .query_row("SELECT count(*) FROM _bulk_content WHERE job = ?1", [&job.id], |row| {
            row.get(0)
        })?;
    let used = usage::spend(call.db, "bulk_batches", call.now, u64::try_from(batches).unwrap_or(0))?;
    if used > call.world.config.limits.daily_bulk_batches {
        let text = "ExceededQuota : Exceeded the daily limit of batches";
        return Err(ApiError::new("LIMIT_EXCEEDED", text));
    }
    "UploadComplete".clone_into(&mut job.state);
    job.save(call)?;
    schedule(
        call.db,
        call.now + START,
        "bulk.ingest",
        &json!({ "job": job.id, "user": job.by_user }),
    )
}
