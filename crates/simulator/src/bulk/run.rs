//! One batch of an ingest job.

use super::csv::{self, Rows};
use super::ingest::ROWS;
use super::job::Job;
use super::{BATCH, results};
use crate::dml::{Column, Options, RowResult, Writer};
use crate::error::ApiError;
use crate::http::Call;
use crate::ids;
use crate::schema::{Field, Object};
use crate::world::{Event, schedule};
use rusqlite::{OptionalExtension, params};
use std::borrow::Cow;
use std::sync::Arc;

/// What each column of the upload means.
struct Layout {
    columns: Vec<Column>,
    /// The column with the id.
    id: Option<usize>,
    /// The column with the key of an upsert, and its field.
    key: Option<(usize, Field)>,
}

/// Writes the next batch of a job, and queues the one after it.
pub(super) fn batch(call: &Call<'_>, event: &Event) -> Result<(), ApiError> {
    let id = event.payload["job"].as_str().unwrap_or_default();
    let mut job = match Job::find(call, "ingest", id) {
        Err(error) if error.code == "NOT_FOUND" => return Ok(()),
        found => found?,
    };
    if !["UploadComplete", "InProgress"].contains(&job.state.as_str()) {
        return Ok(());
    }
    "InProgress".clone_into(&mut job.state);
    let next: Option<(i64, Vec<u8>)> = call
        .db
        .prepare_cached("SELECT batch, body FROM _bulk_content WHERE job = ?1 ORDER BY batch LIMIT 1")?
        .query_row([&job.id], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let object = call.object(&job.object)?;
    if job.error.is_none()
        && let Err(problem) = layout(call, &object, &job)
    {
        job.error = Some(problem);
    }
    let Some((number, body)) = next.filter(|_| job.error.is_none()) else {
        job.state = if job.error.is_some() { "Failed" } else { "JobComplete" }.to_owned();
        return job.save(call);
    };
    let before = (job.processed, job.failed);
    call.db.execute_batch("SAVEPOINT batch")?;
    match write(call, &object, &mut job, &body) {
        Ok(rows) => {
            call.db.execute_batch("RELEASE batch")?;
            call.db.execute(
                "DELETE FROM _bulk_content WHERE job = ?1 AND batch = ?2",
                params![job.id, number],
            )?;
            let took = (BATCH * i64::try_from(rows).unwrap_or(0) / i64::try_from(ROWS).unwrap_or(1)).max(1);
            job.millis += took;
            schedule(call.db, call.now + took, "bulk.ingest", &event.payload)?;
        }
        Err(problem) => {
            call.db.execute_batch("ROLLBACK TO batch; RELEASE batch")?;
            (job.processed, job.failed) = before;
            job.error = Some(problem.message);
            "Failed".clone_into(&mut job.state);
        }
    }
    job.save(call)
}

fn layout(call: &Call<'_>, object: &Object, job: &Job) -> Result<Layout, String> {
    let (header, separator) = (job.header.as_deref().unwrap_or_default(), job.separator());
    let mut names = Vec::new();
    Rows::new(header, separator).next(&mut names);
    let mut columns = Vec::new();
    for name in &names {
        let column = Column::of_header(call, object, name.trim());
        columns.push(column.ok_or_else(|| format!("InvalidBatch : Field name not found : {name}"))?);
    }
    let place = |field: &str| names.iter().position(|name| name.trim().eq_ignore_ascii_case(field));
    let key = match &job.key {
        None => None,
        Some(key) => {
            let at = place(key).ok_or_else(|| format!("InvalidBatch : Field name not found : {key}"))?;
            object.field(key).map(|field| (at, field.clone()))
        }
    };
    Ok(Layout {
        columns,
        id: place("Id"),
        key,
    })
}

/// Results of a batch, of rows at odd and at even places: they are given out of order, as the real thing does.
#[derive(Default)]
struct Out {
    text: [String; 2],
    rows: i64,
}

/// Writes the rows of a batch; gives how many there were. An error fails the job.
fn write(call: &Call<'_>, object: &Arc<Object>, job: &mut Job, body: &[u8]) -> Result<usize, ApiError> {
    let invalid = |text: String| ApiError::new("INVALIDBATCH", text);
    let layout = layout(call, object, job).map_err(invalid)?;
    let text = std::str::from_utf8(body).map_err(|error| invalid(format!("InvalidBatch : {error}")))?;
    let options = Options {
        hard_delete: job.operation == "hardDelete",
        holder: job.id.clone(),
        ..Options::default()
    };
    let mut writer = Writer::new(call, object, &options)?;
    let rival: bool = call.db.query_row(
        "SELECT EXISTS (SELECT 1 FROM _bulk_job WHERE kind = 'ingest' AND id <> ?1 AND state IN ('UploadComplete', 'InProgress'))",
        [&job.id],
        |row| row.get(0),
    )?;
    writer.note_parents(rival);
    let faults = !call.world.faults.all().is_empty();
    let (mut succeeded, mut failed) = (Out::default(), Out::default());
    let mut rows = Rows::new(text, job.separator());
    let mut cells = Vec::new();
    let mut count = 0;
    let separator = char::from(job.separator());
    while let Some(raw) = rows.next(&mut cells) {
        if cells.len() != layout.columns.len() {
            let text = format!(
                "InvalidBatch : row {} has {} cells, the header has {}",
                job.processed + 1,
                cells.len(),
                layout.columns.len()
            );
            return Err(invalid(text));
        }
        let struck = faults && call.world.faults.fails_row(&call.org.name, &object.name);
        let done = if struck {
            Err(locked(&layout, &cells))
        } else {
            row(&mut writer, job, &layout, &cells)
        };
        // A failure of the simulator is no failed row.
        let done = match done {
            Err(error) if error.status >= 500 => return Err(error),
            done => done,
        };
        let out = if done.is_ok() { &mut succeeded } else { &mut failed };
        let line = &mut out.text[count % 2];
        match &done {
            Ok(done) => {
                csv::push(line, &done.id);
                line.push(separator);
                csv::push(line, if done.created { "true" } else { "false" });
            }
            Err(error) => {
                let id = layout.id.map_or("", |at| &cells[at]);
                csv::push(line, if ids::long(id).is_some() { id } else { "" });
                line.push(separator);
                csv::push(line, &shown(error));
            }
        }
        line.push(separator);
        line.push_str(raw);
        line.push_str(job.newline());
        out.rows += 1;
        count += 1;
        job.processed += 1;
        job.failed += i64::from(done.is_err());
    }
    let parents = writer.noted_parents();
    lock(call, job, &parents, count)?;
    for (kind, out) in [("success", succeeded), ("failure", failed)] {
        let [even, odd] = out.text;
        results::keep(call, &job.id, kind, out.rows, &(odd + &even))?;
    }
    Ok(count)
}

/// `REQUIRED_FIELD_MISSING:Required fields are missing: [LastName]:LastName --`
fn shown(error: &ApiError) -> String {
    let fields = error.fields.join(", ");
    let blank = if fields.is_empty() { "" } else { " " };
    format!("{}:{}:{fields}{blank}--", error.code, error.message)
}

fn locked(layout: &Layout, cells: &[Cow<'_, str>]) -> ApiError {
    let id = layout.id.map_or("", |at| &cells[at]);
    ApiError::new(
        "UNABLE_TO_LOCK_ROW",
        format!(
            "unable to obtain exclusive access to this record or 1 records: {}",
            ids::short(id)
        ),
    )
}

fn row(writer: &mut Writer<'_, '_>, job: &Job, layout: &Layout, cells: &[Cow<'_, str>]) -> RowResult {
    let all = || layout.columns.iter().zip(cells.iter().map(AsRef::as_ref));
    let without = |skip: Option<usize>| {
        let kept = move |(at, _): &(usize, _)| Some(*at) != skip;
        all().enumerate().filter(kept).map(|(_, pair)| pair)
    };
    let id = || {
        let id = layout.id.map_or("", |at| cells[at].trim());
        let missing = || {
            ApiError::new(
                "MISSING_ARGUMENT",
                format!("Id not specified in an {} call", job.operation),
            )
        };
        if id.is_empty() { Err(missing()) } else { Ok(id) }
    };
    match (job.operation.as_str(), &layout.key) {
        ("insert", _) => writer.insert_cells(all()),
        ("update", _) => writer.update_cells(id()?, without(layout.id)),
        ("upsert", Some((at, key))) => {
            let value = cells[*at].trim();
            if value.is_empty() && key.name == "Id" {
                return writer.insert_cells(without(Some(*at)));
            }
            if value.is_empty() {
                return Err(
                    ApiError::new("MISSING_ARGUMENT", format!("{} not specified", key.name)).fields([&key.name])
                );
            }
            match writer.find(key, value)? {
                Some(id) => writer.update_cells(&id, without(Some(*at))),
                None => writer.insert_cells(all()),
            }
        }
        _ => writer.delete(id()?),
    }
}

/// While other jobs run, the parents of a batch are locked as long as the batch takes.
fn lock(call: &Call<'_>, job: &Job, parents: &[String], rows: usize) -> Result<(), ApiError> {
    call.db
        .prepare_cached("DELETE FROM _lock WHERE until <= ?1 OR holder = ?2")?
        .execute(params![call.now, job.id])?;
    let until = call.now + (BATCH * i64::try_from(rows).unwrap_or(0) / i64::try_from(ROWS).unwrap_or(1)).max(1);
    let mut insert = call
        .db
        .prepare_cached("INSERT OR IGNORE INTO _lock (id, until, holder) VALUES (?1, ?2, ?3)")?;
    for parent in parents {
        insert.execute(params![parent, until, job.id])?;
    }
    Ok(())
}
