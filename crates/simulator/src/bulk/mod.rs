//! Bulk API 2.0: jobs that write or read many records. What a job does, it does in events.
//!
//! An upload is cut into batches of 10,000 rows when it arrives; each batch is one event and one transaction. Results are kept
//! as CSV in chunks. Source: Salesforce Bulk API 2.0 guide.

mod csv;
pub(crate) mod ingest;
mod job;
pub(crate) mod list;
pub(crate) mod query;
pub(crate) mod results;
mod run;

use crate::error::ApiError;
use crate::http::EventHandler;

/// Tables of jobs, of content that waits, and of results. `_bulk_content.rows` says how many rows a batch has.
/// `_bulk_result.kind` is `success`, `failure` or `query`; `first` is the number of rows in the chunks before.
pub(crate) const TABLES: &str = "
CREATE TABLE IF NOT EXISTS _bulk_job (
    id TEXT PRIMARY KEY, kind TEXT NOT NULL, object TEXT NOT NULL, operation TEXT NOT NULL, key TEXT, query TEXT, state TEXT NOT NULL,
    created INTEGER NOT NULL, modified INTEGER NOT NULL, by_user TEXT NOT NULL, version INTEGER NOT NULL, line_ending TEXT NOT NULL,
    delimiter TEXT NOT NULL, header TEXT, processed INTEGER NOT NULL, failed INTEGER NOT NULL, millis INTEGER NOT NULL, error TEXT
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS _bulk_content (job TEXT NOT NULL, batch INTEGER NOT NULL, rows INTEGER NOT NULL, body BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS _bulk_content_job ON _bulk_content (job, batch);
CREATE TABLE IF NOT EXISTS _bulk_result (
    job TEXT NOT NULL, kind TEXT NOT NULL, first INTEGER NOT NULL, rows INTEGER NOT NULL, body BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS _bulk_result_job ON _bulk_result (job, kind, first);
";

/// What jobs do when it is their turn.
pub(crate) const EVENTS: &[(&str, EventHandler)] = &[("bulk.ingest", run::batch), ("bulk.query", query::run)];

/// Milliseconds from the end of an upload to the first batch, and of a batch of 10,000 rows.
const START: i64 = 500;
const BATCH: i64 = 1_000;

/// A job in the wrong state.
fn wrong_state(text: impl Into<String>) -> ApiError {
    ApiError::new("INVALIDJOBSTATE", text)
}
