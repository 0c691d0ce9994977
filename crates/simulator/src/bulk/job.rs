//! A job: what it is to do and how far it is.

use crate::clock::Millis;
use crate::dates;
use crate::error::ApiError;
use crate::http::Call;
use crate::ids;
use rusqlite::{OptionalExtension, Row, params};
use serde_json::{Value as Json, json};

/// Delimiters by name.
const DELIMITERS: &[(&str, u8)] = &[
    ("COMMA", b','),
    ("BACKQUOTE", b'`'),
    ("CARET", b'^'),
    ("PIPE", b'|'),
    ("SEMICOLON", b';'),
    ("TAB", b'\t'),
];

/// A job as it is stored.
#[derive(Debug, Clone)]
pub(super) struct Job {
    /// `750…`
    pub(super) id: String,
    /// `ingest` or `query`.
    pub(super) kind: String,
    pub(super) object: String,
    pub(super) operation: String,
    /// External id of an upsert.
    pub(super) key: Option<String>,
    pub(super) query: Option<String>,
    pub(super) state: String,
    pub(super) created: Millis,
    pub(super) modified: Millis,
    pub(super) by_user: String,
    pub(super) version: u16,
    pub(super) line_ending: String,
    pub(super) delimiter: String,
    /// First line of the CSV.
    pub(super) header: Option<String>,
    pub(super) processed: i64,
    pub(super) failed: i64,
    pub(super) millis: i64,
    pub(super) error: Option<String>,
}

const COLUMNS: &str = "id, kind, object, operation, key, query, state, created, modified, by_user, version, line_ending, delimiter, \
                       header, processed, failed, millis, error";

fn read(row: &Row<'_>) -> rusqlite::Result<Job> {
    Ok(Job {
        id: row.get(0)?,
        kind: row.get(1)?,
        object: row.get(2)?,
        operation: row.get(3)?,
        key: row.get(4)?,
        query: row.get(5)?,
        state: row.get(6)?,
        created: row.get(7)?,
        modified: row.get(8)?,
        by_user: row.get(9)?,
        version: row.get(10)?,
        line_ending: row.get(11)?,
        delimiter: row.get(12)?,
        header: row.get(13)?,
        processed: row.get(14)?,
        failed: row.get(15)?,
        millis: row.get(16)?,
        error: row.get(17)?,
    })
}

impl Job {
    /// A new job of a body, `Open`.
    pub(super) fn new(call: &Call<'_>, kind: &str, body: &Json) -> Result<Self, ApiError> {
        let word = |name: &str, default: &str| body[name].as_str().unwrap_or(default).to_owned();
        let delimiter = word("columnDelimiter", "COMMA").to_uppercase();
        let line_ending = word("lineEnding", "LF").to_uppercase();
        if !DELIMITERS.iter().any(|(name, _)| *name == delimiter) || !["LF", "CRLF"].contains(&line_ending.as_str()) {
            return Err(ApiError::new(
                "JSON_PARSER_ERROR",
                format!("columnDelimiter {delimiter} or lineEnding {line_ending} is not known"),
            ));
        }
        if !word("contentType", "CSV").eq_ignore_ascii_case("CSV") {
            return Err(ApiError::new("INVALIDJOB", "contentType must be CSV"));
        }
        Ok(Self {
            id: call.next_id("750")?,
            kind: kind.to_owned(),
            object: String::new(),
            operation: word("operation", ""),
            key: body["externalIdFieldName"].as_str().map(str::to_owned),
            query: None,
            state: "Open".to_owned(),
            created: call.now,
            modified: call.now,
            by_user: call.user.clone(),
            version: call.version,
            line_ending,
            delimiter,
            header: None,
            processed: 0,
            failed: 0,
            millis: 0,
            error: None,
        })
    }

    /// The job of an id, 404 when there is none of that kind.
    pub(super) fn find(call: &Call<'_>, kind: &str, id: &str) -> Result<Self, ApiError> {
        let id = ids::long(id).ok_or_else(ApiError::not_found)?;
        let sql = format!("SELECT {COLUMNS} FROM _bulk_job WHERE id = ?1 AND kind = ?2");
        let job = call.db.prepare_cached(&sql)?.query_row([&id, kind], read).optional()?;
        job.ok_or_else(ApiError::not_found)
    }

    /// The job of the request's path.
    pub(super) fn asked(call: &Call<'_>, kind: &str) -> Result<Self, ApiError> {
        Self::find(call, kind, call.request.param("job"))
    }

    /// Jobs of a kind from a place on, so many.
    pub(super) fn list(call: &Call<'_>, kind: &str, from: usize, most: usize) -> Result<Vec<Self>, ApiError> {
        let sql = format!("SELECT {COLUMNS} FROM _bulk_job WHERE kind = ?1 ORDER BY created, id LIMIT ?2 OFFSET ?3");
        let mut rows = call.db.prepare_cached(&sql)?;
        let from = i64::try_from(from).unwrap_or(i64::MAX);
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        Ok(rows
            .query_map(params![kind, most, from], read)?
            .collect::<Result<_, _>>()?)
    }

    /// Stores what has changed.
    pub(super) fn save(&mut self, call: &Call<'_>) -> Result<(), ApiError> {
        self.modified = call.now;
        let places: Vec<String> = (1..=18).map(|n| format!("?{n}")).collect();
        call.db
            .prepare_cached(&format!(
                "INSERT OR REPLACE INTO _bulk_job ({COLUMNS}) VALUES ({})",
                places.join(", ")
            ))?
            .execute(params![
                self.id,
                self.kind,
                self.object,
                self.operation,
                self.key,
                self.query,
                self.state,
                self.created,
                self.modified,
                self.by_user,
                self.version,
                self.line_ending,
                self.delimiter,
                self.header,
                self.processed,
                self.failed,
                self.millis,
                self.error
            ])?;
        Ok(())
    }

    /// The delimiter as a byte.
    pub(super) fn separator(&self) -> u8 {
        DELIMITERS
            .iter()
            .find(|(name, _)| *name == self.delimiter)
            .map_or(b',', |(_, byte)| *byte)
    }

    /// The line end as text.
    pub(super) fn newline(&self) -> &'static str {
        if self.line_ending == "CRLF" { "\r\n" } else { "\n" }
    }

    /// Nothing more happens to it.
    pub(super) fn is_done(&self) -> bool {
        matches!(self.state.as_str(), "JobComplete" | "Aborted" | "Failed")
    }

    /// As it is answered when it is made.
    pub(super) fn info(&self) -> Json {
        let mut info = json!({
            "id": self.id,
            "operation": self.operation,
            "object": self.object,
            "createdById": self.by_user,
            "createdDate": dates::write_moment(self.created, "+0000"),
            "systemModstamp": dates::write_moment(self.modified, "+0000"),
            "state": self.state,
            "concurrencyMode": "Parallel",
            "contentType": "CSV",
            "apiVersion": f64::from(self.version),
        });
        if let Some(key) = &self.key {
            info["externalIdFieldName"] = json!(key);
        }
        if self.kind == "ingest" && self.state == "Open" {
            info["contentUrl"] = json!(format!(
                "services/data/v{}.0/jobs/ingest/{}/batches",
                self.version, self.id
            ));
        }
        info["lineEnding"] = json!(self.line_ending);
        info["columnDelimiter"] = json!(self.delimiter);
        info
    }

    /// As it is answered when it is asked for.
    pub(super) fn progress(&self) -> Json {
        let mut info = self.info();
        let ingest = self.kind == "ingest";
        for (name, value) in [
            ("jobType", json!(if ingest { "V2Ingest" } else { "V2Query" })),
            ("numberRecordsProcessed", json!(self.processed)),
            ("retries", json!(0)),
            ("totalProcessingTime", json!(self.millis)),
        ] {
            info[name] = value;
        }
        if ingest {
            info["numberRecordsFailed"] = json!(self.failed);
            info["apiActiveProcessingTime"] = json!(self.millis);
            info["apexProcessingTime"] = json!(0);
        } else {
            info["isPkChunkingSupported"] = json!(true);
        }
        if let Some(error) = &self.error {
            info["errorMessage"] = json!(error);
        }
        info
    }
}
