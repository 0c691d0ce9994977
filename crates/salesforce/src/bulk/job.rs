//! Jobs as Salesforce tells them.

use serde::{Deserialize, Serialize};

use crate::id::Id;

/// What an ingest does with its rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Operation {
    /// Creates records.
    Insert,
    /// Changes records by `Id`.
    Update,
    /// Changes or creates records by an external id.
    Upsert,
    /// Deletes records by `Id`; they go to the recycle bin.
    Delete,
    /// Deletes records by `Id` for good; needs its own permission.
    HardDelete,
}

/// What divides fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Delimiter {
    /// `,`
    #[default]
    Comma,
    /// `;`
    Semicolon,
    /// Tabulator.
    Tab,
    /// `|`
    Pipe,
    /// `^`
    Caret,
    /// `` ` ``
    Backquote,
}

impl Delimiter {
    /// The byte.
    pub fn byte(self) -> u8 {
        match self {
            Self::Comma => b',',
            Self::Semicolon => b';',
            Self::Tab => b'\t',
            Self::Pipe => b'|',
            Self::Caret => b'^',
            Self::Backquote => b'`',
        }
    }
}

/// How lines end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum LineEnding {
    /// Line feed.
    Lf,
    /// Carriage return and line feed.
    Crlf,
}

/// The states of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum JobState {
    /// Waits for its data.
    Open,
    /// Waits for its turn.
    UploadComplete,
    /// Runs.
    InProgress,
    /// Ended. An ingest may have refused all of its rows.
    JobComplete,
    /// Ended by us or a person.
    Aborted,
    /// Ended by Salesforce.
    Failed,
    /// A state that this program does not know; waiting goes on.
    #[serde(other)]
    Unknown,
}

impl JobState {
    /// Whether nothing happens any more.
    pub fn is_final(self) -> bool {
        matches!(self, Self::JobComplete | Self::Aborted | Self::Failed)
    }
}

/// What to do with which object.
#[derive(Debug, Clone)]
pub struct Ingest {
    /// The object, as in `Contact`.
    pub object: String,
    /// What is done.
    pub operation: Operation,
    /// The external id of an upsert.
    pub key: Option<String>,
    /// What divides the fields of the input.
    pub delimiter: Delimiter,
    /// An assignment rule for cases and leads.
    pub assignment_rule: Option<Id>,
    /// The most bytes of an upload; [`PART_LIMIT`](super::PART_LIMIT) unless tests want less.
    pub part_limit: usize,
}

impl Ingest {
    /// An ingest of CSV with commas.
    pub fn new(operation: Operation, object: impl Into<String>) -> Self {
        Self {
            object: object.into(),
            operation,
            key: None,
            delimiter: Delimiter::Comma,
            assignment_rule: None,
            part_limit: super::PART_LIMIT,
        }
    }
}

/// A job that ingests.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct IngestJob {
    /// Its id.
    pub id: Id,
    /// The object.
    pub object: String,
    /// What it does.
    pub operation: Operation,
    /// Where it stands.
    pub state: JobState,
    /// When it was created.
    pub created_date: Option<String>,
    /// Rows that were processed, the refused ones included.
    #[serde(default)]
    pub number_records_processed: u64,
    /// Rows that were refused.
    #[serde(default)]
    pub number_records_failed: u64,
    /// Why it failed as a whole.
    pub error_message: Option<String>,
}

/// A job that queries.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct QueryJob {
    /// Its id.
    pub id: Id,
    /// Where it stands.
    pub state: JobState,
    /// Rows of the result; known at the end.
    #[serde(default)]
    pub number_records_processed: u64,
    /// Why it failed.
    pub error_message: Option<String>,
}
