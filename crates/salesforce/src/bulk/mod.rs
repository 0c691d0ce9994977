//! Bulk API 2.0: many records as CSV, in jobs.
//!
//! An ingest cuts its input into uploads of at most 100 MB on record boundaries ([`Parts`]); a query's result comes page by
//! page. In both directions bytes are copied and rows are never parsed one by one; one part or page is held at a time.

mod ingest;
mod job;
mod parts;
mod query;
mod scan;
mod spool;
mod start;

pub use ingest::{IngestReport, Outcome};
pub use job::{Delimiter, Ingest, IngestJob, JobState, LineEnding, Operation, QueryJob};
pub use parts::{PART_LIMIT, Part, Parts};
pub use query::{BulkQuery, Exported};
