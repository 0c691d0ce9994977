//! `/jobs/query`: queries whose result is read in pages of CSV.

use super::csv::{self, Rows};
use super::job::Job;
use super::list::same_version;
use super::{START, results, wrong_state};
use crate::error::ApiError;
use crate::http::{Call, Reply, Route, usage};
use crate::soql;
use crate::world::{Event, schedule};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rusqlite::params;
use serde_json::json;

pub(crate) const ROUTES: &[Route] = &[
    Route::rest("POST", "/services/data/{version}/jobs/query", create),
    Route::rest("PATCH", "/services/data/{version}/jobs/query/{job}", abort),
    Route::rest("GET", "/services/data/{version}/jobs/query/{job}/results", page),
    Route::rest("GET", "/services/data/{version}/jobs/query/{job}/resultPages", pages),
];

/// Bytes of a chunk of a result.
const CHUNK: usize = 1 << 20;
/// Rows of a page when the client does not say.
const PAGE: i64 = 100_000;
/// Pages told at once.
const PAGES: i64 = 5;

fn create(call: &Call<'_>) -> Result<Reply, ApiError> {
    let body = call.json()?;
    let mut job = Job::new(call, "query", &body)?;
    let all = match job.operation.as_str() {
        "query" => false,
        "queryAll" => true,
        other => {
            let text = format!("operation must be query or queryAll, not `{other}`");
            return Err(ApiError::new("JSON_PARSER_ERROR", text));
        }
    };
    let text = body["query"].as_str().unwrap_or_default();
    soql::columns(call, text, all)?;
    let used = usage::spend(call.db, "bulk_queries", call.now, 1)?;
    if used > call.world.config.limits.daily_bulk_query_jobs {
        return Err(ApiError::new(
            "LIMIT_EXCEEDED",
            "ExceededQuota : Exceeded the daily limit of query jobs",
        ));
    }
    job.object = object_of(call, text);
    job.query = Some(text.to_owned());
    "UploadComplete".clone_into(&mut job.state);
    job.save(call)?;
    schedule(
        call.db,
        call.now + START,
        "bulk.query",
        &json!({ "job": job.id, "user": job.by_user }),
    )?;
    Ok(Reply::json(&job.info()))
}

/// The object after `FROM`, in the casing of the API.
fn object_of(call: &Call<'_>, text: &str) -> String {
    let mut words = text.split_ascii_whitespace();
    let name = words
        .by_ref()
        .find(|word| word.eq_ignore_ascii_case("from"))
        .and_then(|_| words.next());
    let schema = call.schema();
    let object = name.and_then(|name| schema.object(name.trim_end_matches([',', ';'])));
    object.map_or_else(String::new, |object| object.name.clone())
}

fn abort(call: &Call<'_>) -> Result<Reply, ApiError> {
    let mut job = Job::asked(call, "query")?;
    same_version(call, &job)?;
    let wanted = call.json()?["state"].as_str().unwrap_or_default().to_owned();
    if wanted != "Aborted" || job.is_done() {
        return Err(wrong_state(format!(
            "the job is {}, it cannot become `{wanted}`",
            job.state
        )));
    }
    "Aborted".clone_into(&mut job.state);
    job.save(call)?;
    Ok(Reply::json(&job.info()))
}

/// Runs the query of a job and keeps its rows.
pub(super) fn run(call: &Call<'_>, event: &Event) -> Result<(), ApiError> {
    let id = event.payload["job"].as_str().unwrap_or_default();
    let mut job = match Job::find(call, "query", id) {
        Err(error) if error.code == "NOT_FOUND" => return Ok(()),
        found => found?,
    };
    if job.state != "UploadComplete" {
        return Ok(());
    }
    let text = job.query.clone().unwrap_or_default();
    let (separator, newline) = (char::from(job.separator()), job.newline());
    let (mut chunk, mut rows, mut bytes) = (String::new(), 0, 0_u64);
    let mut keep = |chunk: &mut String, rows: &mut i64| -> Result<(), ApiError> {
        results::keep(call, &job.id, "query", *rows, chunk)?;
        job.processed += *rows;
        bytes += chunk.len() as u64;
        chunk.clear();
        *rows = 0;
        Ok(())
    };
    let done = soql::each_row(call, &text, job.operation == "queryAll", &mut |cells| {
        for (at, cell) in cells.iter().enumerate() {
            if at > 0 {
                chunk.push(separator);
            }
            csv::push(&mut chunk, cell.as_deref().unwrap_or_default());
        }
        chunk.push_str(newline);
        rows += 1;
        if chunk.len() < CHUNK {
            Ok(())
        } else {
            keep(&mut chunk, &mut rows)
        }
    });
    let done = done.and_then(|columns| keep(&mut chunk, &mut rows).map(|()| columns));
    match done {
        Ok(columns) => {
            let mut header = String::new();
            for (at, name) in columns.iter().enumerate() {
                if at > 0 {
                    header.push(separator);
                }
                csv::push(&mut header, name);
            }
            job.header = Some(header);
            "JobComplete".clone_into(&mut job.state);
            usage::spend(call.db, "bulk_query_mb", call.now, bytes.div_ceil(1 << 20))?;
        }
        Err(error) if error.status >= 500 => return Err(error),
        Err(error) => {
            job.error = Some(error.message);
            "Failed".clone_into(&mut job.state);
        }
    }
    job.millis = job.processed / 10 + 1;
    job.save(call)
}

fn done(call: &Call<'_>) -> Result<Job, ApiError> {
    let job = Job::asked(call, "query")?;
    same_version(call, &job)?;
    if job.state == "JobComplete" {
        return Ok(job);
    }
    Err(wrong_state(format!(
        "Results can be read when the job is complete; it is {}",
        job.state
    )))
}

/// Locators are the number of rows before the page.
fn locator(rows: i64) -> String {
    STANDARD.encode(rows.to_string())
}

fn asked_locator(call: &Call<'_>) -> Result<i64, ApiError> {
    let Some(text) = call
        .request
        .query("locator")
        .filter(|text| !text.is_empty() && *text != "null")
    else {
        return Ok(0);
    };
    let bytes = STANDARD.decode(text).ok();
    let number = bytes.and_then(|bytes| String::from_utf8(bytes).ok()?.parse().ok());
    number.ok_or_else(|| ApiError::new("INVALID_QUERY_LOCATOR", format!("invalid query locator {text}")))
}

fn most_rows(call: &Call<'_>) -> Result<i64, ApiError> {
    match call.request.query("maxRecords") {
        None => Ok(PAGE),
        Some(text) => text.parse().ok().filter(|n| *n > 0).ok_or_else(|| {
            ApiError::new(
                "INVALID_INPUT",
                format!("maxRecords must be a number above 0, not `{text}`"),
            )
        }),
    }
}

/// One page; the header `Sforce-Locator` is the word `null` after the last.
fn page(call: &Call<'_>) -> Result<Reply, ApiError> {
    let job = done(call)?;
    let (from, most) = (asked_locator(call)?, most_rows(call)?);
    let to = job.processed.min(from.saturating_add(most));
    let mut body = job.header.clone().unwrap_or_default().into_bytes();
    body.extend_from_slice(job.newline().as_bytes());
    let mut chunks = call.db.prepare_cached(
        "SELECT first, rows, body FROM _bulk_result WHERE job = ?1 AND kind = 'query' AND first < ?3 AND first + rows > ?2 ORDER BY first",
    )?;
    let mut rows = chunks.query(params![job.id, from, to])?;
    while let Some(row) = rows.next()? {
        let (first, count): (i64, i64) = (row.get(0)?, row.get(1)?);
        let text = row.get_ref(2)?.as_blob().unwrap_or_default();
        body.extend_from_slice(cut(text, job.separator(), from - first, to - first, count));
    }
    let next = if to < job.processed {
        locator(to)
    } else {
        "null".to_owned()
    };
    Ok(Reply::text(200, "text/csv", body)
        .header("Sforce-Locator", next)
        .header("Sforce-NumberOfRecords", (to - from).max(0).to_string()))
}

/// The rows of a chunk from one to another.
fn cut(text: &[u8], separator: u8, from: i64, to: i64, count: i64) -> &[u8] {
    if from <= 0 && to >= count {
        return text;
    }
    let Ok(all) = std::str::from_utf8(text) else {
        return text;
    };
    let mut rows = Rows::new(all, separator);
    let mut start = 0;
    for at in 0..to.min(count) {
        if at == from {
            start = rows.position();
        }
        rows.raw();
    }
    &text[start..rows.position()]
}

/// Addresses of the next pages, to be read at the same time.
fn pages(call: &Call<'_>) -> Result<Reply, ApiError> {
    let job = done(call)?;
    let (from, most) = (asked_locator(call)?, most_rows(call)?);
    let base = format!("/services/data/v{}.0/jobs/query/{}", job.version, job.id);
    let mut urls = Vec::new();
    let mut at = from;
    while at < job.processed && at < from.saturating_add(most.saturating_mul(PAGES)) {
        urls.push(json!({ "resultUrl": format!("{base}/results?locator={}&maxRecords={most}", locator(at)) }));
        at = at.saturating_add(most);
    }
    let more = at < job.processed;
    let next = more.then(|| format!("{base}/resultPages?locator={}&maxRecords={most}", locator(at)));
    Ok(Reply::json(
        &json!({ "done": !more, "nextRecordsUrl": next, "resultPages": urls }),
    ))
}
