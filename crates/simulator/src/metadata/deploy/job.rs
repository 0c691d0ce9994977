//! Deployments as jobs: one works at a time, the others wait in the order they came.

use super::options::Options;
use crate::clock::Millis;
use crate::error::ApiError;
use crate::http::Call;
use crate::world::{Event, schedule};
use rusqlite::{OptionalExtension, params};
use serde_json::{Value, json};

/// Table of deployments.
pub(crate) const TABLES: &str = "
CREATE TABLE IF NOT EXISTS _deploy (
    id TEXT PRIMARY KEY, n INTEGER NOT NULL, status TEXT NOT NULL, options TEXT NOT NULL, zip BLOB NOT NULL, version INTEGER NOT NULL,
    created INTEGER NOT NULL, created_by TEXT NOT NULL, started INTEGER, completed INTEGER, modified INTEGER NOT NULL,
    canceled_by TEXT, result TEXT NOT NULL, quick_of TEXT
);
";

/// How long a deployment waits before it begins.
const WAIT: Millis = 1_000;
/// How long it works at least, and for each file more.
const WORK: Millis = 2_000;
const WORK_PER_FILE: Millis = 5;
/// How long it finalizes.
const FINALIZE: Millis = 1_000;
/// The API version since which clients see `Finalizing`.
const FINALIZING_SINCE: u16 = 66;

/// States in which a deployment holds the org.
const ACTIVE: &str = "('InProgress', 'Canceling', 'Finalizing')";

/// A deployment.
#[derive(Debug, Clone)]
pub(crate) struct Job {
    /// `0Af…`.
    pub id: String,
    /// Status as clients see it.
    pub status: String,
    /// Options.
    pub options: Options,
    /// The package.
    pub zip: Vec<u8>,
    /// API version of the request.
    pub version: u16,
    /// When it was asked for.
    pub created: Millis,
    /// By whom.
    pub created_by: String,
    /// When it began.
    pub started: Option<Millis>,
    /// When it ended.
    pub completed: Option<Millis>,
    /// When its status was last changed.
    pub modified: Millis,
    /// Who canceled it.
    pub canceled_by: Option<String>,
    /// Counters, details and errors, as in a `DeployResult`.
    pub result: Value,
    /// The validation that a quick deployment takes up.
    pub quick_of: Option<String>,
}

impl Job {
    /// Whether nothing more happens.
    pub(crate) fn done(&self) -> bool {
        matches!(
            self.status.as_str(),
            "Succeeded" | "SucceededPartial" | "Failed" | "Canceled" | "FinalizingFailed"
        )
    }
}

/// Puts a deployment into the queue; gives its id.
pub(crate) fn enqueue(
    call: &Call<'_>,
    zip: &[u8],
    options: &Options,
    quick_of: Option<&str>,
) -> Result<String, ApiError> {
    let id = call.next_id("0Af")?;
    let text = serde_json::to_string(options)
        .map_err(|error| ApiError::new("UNKNOWN_EXCEPTION", error.to_string()).status(500))?;
    call.db.execute(
        "INSERT INTO _deploy (id, n, status, options, zip, version, created, created_by, modified, result, quick_of)
         VALUES (?1, (SELECT count(*) FROM _deploy), 'Pending', ?2, ?3, ?4, ?5, ?6, ?5, '{}', ?7)",
        params![id, text, zip, call.version, call.now, call.user, quick_of],
    )?;
    super::request::record(call, &load(call, &id)?)?;
    schedule(call.db, call.now + WAIT, "deploy.start", &Value::Null)?;
    Ok(id)
}

/// Reads a deployment by its id of either length.
pub(crate) fn load(call: &Call<'_>, id: &str) -> Result<Job, ApiError> {
    let unknown = || ApiError::new("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id");
    let id = crate::ids::long(id)
        .filter(|id| id.starts_with("0Af"))
        .ok_or_else(|| ApiError::new("MALFORMED_ID", format!("{id}: id value of incorrect type")))?;
    let row = call
        .db
        .prepare_cached(
            "SELECT id, status, options, zip, version, created, created_by, started, completed, modified, canceled_by, result, quick_of
             FROM _deploy WHERE id = ?1",
        )?
        .query_row([&id], |row| {
            Ok(Job {
                id: row.get(0)?,
                status: row.get(1)?,
                options: serde_json::from_str(&row.get::<_, String>(2)?).unwrap_or_default(),
                zip: row.get(3)?,
                version: row.get(4)?,
                created: row.get(5)?,
                created_by: row.get(6)?,
                started: row.get(7)?,
                completed: row.get(8)?,
                modified: row.get(9)?,
                canceled_by: row.get(10)?,
                result: serde_json::from_str(&row.get::<_, String>(11)?).unwrap_or_default(),
                quick_of: row.get(12)?,
            })
        })
        .optional()?;
    row.ok_or_else(unknown)
}

/// Keeps what can change in a deployment.
fn save(call: &Call<'_>, job: &mut Job, status: &str) -> Result<(), ApiError> {
    status.clone_into(&mut job.status);
    job.modified = call.now;
    if job.done() {
        job.completed = Some(call.now);
    }
    call.db.execute(
        "UPDATE _deploy SET status = ?2, started = ?3, completed = ?4, modified = ?5, canceled_by = ?6, result = ?7 WHERE id = ?1",
        params![
            job.id,
            job.status,
            job.started,
            job.completed,
            job.modified,
            job.canceled_by,
            job.result.to_string()
        ],
    )?;
    super::request::record(call, job)?;
    if job.done() {
        schedule(call.db, call.now, "deploy.start", &Value::Null)?;
    }
    Ok(())
}

/// Event: takes the next deployment up unless one is at work.
pub(crate) fn start(call: &Call<'_>, _: &Event) -> Result<(), ApiError> {
    let busy: bool = call.db.query_row(
        &format!("SELECT EXISTS (SELECT 1 FROM _deploy WHERE status IN {ACTIVE})"),
        [],
        |row| row.get(0),
    )?;
    let next: Option<String> = call
        .db
        .query_row(
            "SELECT id FROM _deploy WHERE status = 'Pending' ORDER BY n LIMIT 1",
            [],
            |row| row.get(0),
        )
        .optional()?;
    let (false, Some(id)) = (busy, next) else { return Ok(()) };
    let mut job = load(call, &id)?;
    job.started = Some(call.now);
    let files =
        super::super::archive::unpack(&job.zip, call.world.config.limits.zip_entries).map_or(0, |files| files.len());
    job.result = json!({ "numberFiles": files, "zipSize": job.zip.len() });
    save(call, &mut job, "InProgress")?;
    let work = WORK + WORK_PER_FILE * Millis::try_from(files).unwrap_or(0);
    schedule(
        call.db,
        call.now + work,
        "deploy.run",
        &json!({ "id": id, "user": job.created_by }),
    )
}

/// Event: does the work.
pub(crate) fn work(call: &Call<'_>, event: &Event) -> Result<(), ApiError> {
    let mut job = load(call, event.payload["id"].as_str().unwrap_or_default())?;
    if job.status == "Canceling" {
        return save(call, &mut job, "Canceled");
    }
    let status = super::run::run(call, &mut job)?;
    let finalizes = job.version >= FINALIZING_SINCE && !job.options.check_only && status.starts_with("Succeeded");
    if finalizes {
        schedule(
            call.db,
            call.now + FINALIZE,
            "deploy.finalize",
            &json!({ "id": job.id, "status": status, "user": job.created_by }),
        )?;
        return save(call, &mut job, "Finalizing");
    }
    save(call, &mut job, status)
}

/// Event: ends a deployment that finalizes. The value `deploy_finalizing` = `fail` makes it fail once.
pub(crate) fn finalize(call: &Call<'_>, event: &Event) -> Result<(), ApiError> {
    let mut job = load(call, event.payload["id"].as_str().unwrap_or_default())?;
    let fails = call.db.execute(
        "DELETE FROM _value WHERE name = 'deploy_finalizing' AND value = 'fail'",
        [],
    )? > 0;
    let status = event.payload["status"].as_str().unwrap_or("Succeeded").to_owned();
    save(call, &mut job, if fails { "FinalizingFailed" } else { &status })
}

/// Cancels: true when it had not begun.
pub(crate) fn cancel(call: &Call<'_>, id: &str) -> Result<bool, ApiError> {
    let mut job = load(call, id)?;
    match job.status.as_str() {
        "Pending" => {
            job.canceled_by = Some(call.user.clone());
            save(call, &mut job, "Canceled")?;
            Ok(true)
        }
        "InProgress" => {
            job.canceled_by = Some(call.user.clone());
            save(call, &mut job, "Canceling")?;
            Ok(false)
        }
        "Canceling" => Ok(false),
        _ => Err(ApiError::new("INVALID_ID_FIELD", "Deployment already completed")),
    }
}
