//! Reading many records.

use serde_json::json;
use tokio::io::{AsyncWrite, AsyncWriteExt};

use super::job::{Delimiter, JobState, LineEnding, QueryJob};
use super::spool::Csv;
use crate::connection::Connection;
use crate::error::{Error, Result};
use crate::id::Id;
use crate::poll::Poll;
use crate::request::Request;

/// A query for many records. It cannot have GROUP BY, OFFSET, sub-queries or compound fields.
#[derive(Debug, Clone)]
pub struct BulkQuery {
    /// The query.
    pub soql: String,
    /// Whether deleted and archived rows are read, too.
    pub all: bool,
    /// The most rows of a page.
    pub page: u32,
}

impl BulkQuery {
    /// A query in pages of 50,000 rows.
    pub fn new(soql: impl Into<String>) -> Self {
        Self {
            soql: soql.into(),
            all: false,
            page: 50_000,
        }
    }
}

/// A result that was written.
#[derive(Debug, Clone, PartialEq)]
pub struct Exported {
    /// The job; Salesforce keeps it for seven days.
    pub job: QueryJob,
    /// Its rows.
    pub rows: u64,
    /// Its pages.
    pub pages: u64,
}

impl Connection {
    /// Runs a query and writes its rows as CSV with one header.
    ///
    /// # Errors
    /// `job_failed` when Salesforce gives up; `unexpected_answer` when fewer or more rows came than the job counted.
    pub async fn export(&self, query: &BulkQuery, to: &mut (impl AsyncWrite + Unpin), poll: &Poll) -> Result<Exported> {
        let job = self.start_query(query).await?;
        let job = self.wait_for_query(&job.id, poll).await?;
        self.query_results(job, query.page, to).await
    }

    /// Starts a query. It only reads: when an answer is lost, another job is started.
    pub async fn start_query(&self, query: &BulkQuery) -> Result<QueryJob> {
        let body = json!({
            "operation": if query.all { "queryAll" } else { "query" },
            "query": query.soql,
            "contentType": "CSV",
            "columnDelimiter": Delimiter::Comma,
            "lineEnding": LineEnding::Lf,
        });
        self.send(Request::post("start a bulk query", "jobs/query").json(&body)?)
            .await?
            .json()
    }

    /// Where a query stands.
    pub async fn query_job(&self, job: &Id) -> Result<QueryJob> {
        let request = Request::get(format!("look at the bulk query {job}"), format!("jobs/query/{job}"));
        self.send(request).await?.json()
    }

    /// Ends a query.
    pub async fn abort_query(&self, job: &Id) -> Result<QueryJob> {
        let request = Request::patch(format!("abort the bulk query {job}"), format!("jobs/query/{job}"));
        self.send(request.json(&json!({"state": "Aborted"}))?).await?.json()
    }

    /// Waits until a query ends well.
    ///
    /// # Errors
    /// `job_failed` when it ends in another way.
    pub async fn wait_for_query(&self, job: &Id, poll: &Poll) -> Result<QueryJob> {
        let mut waiting = poll.begin(self.clock(), format!("wait for the bulk query {job}"));
        let job = loop {
            let found = self.query_job(job).await?;
            if found.state.is_final() {
                break found;
            }
            waiting.wait().await?;
        };
        if job.state == JobState::JobComplete {
            return Ok(job);
        }
        Err(Error::Job {
            what: "the bulk query",
            id: job.id.to_string(),
            state: format!("{:?}", job.state),
            message: job.error_message.unwrap_or_default(),
        })
    }

    /// Writes the rows of a query that ended, page by page. A page is asked for again by its locator when its answer breaks off.
    pub async fn query_results(
        &self,
        job: QueryJob,
        page: u32,
        to: &mut (impl AsyncWrite + Unpin),
    ) -> Result<Exported> {
        let what = format!("read the result of the bulk query {}", job.id);
        let (mut csv, mut rows, mut pages, mut counted) = (Csv::default(), 0, 0, true);
        let mut locator: Option<String> = None;
        loop {
            let path = format!("jobs/query/{}/results", job.id);
            let mut request = Request::get(what.clone(), path).with("maxRecords", page.to_string());
            if let Some(locator) = &locator {
                request = request.with("locator", locator.clone());
            }
            let (headers, body) = self.spool(request.header("accept", "text/csv")?).await?;
            let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
            match text("sforce-numberofrecords").map(str::parse::<u64>) {
                Some(Ok(number)) => rows += number,
                _ => counted = false,
            }
            let next = next_locator(text("sforce-locator"));
            if next.is_some() && next == locator {
                return Err(Error::unexpected(&what, "a page points to itself"));
            }
            body.append(&mut csv, to, &what).await?;
            pages += 1;
            locator = next;
            if locator.is_none() {
                break;
            }
        }
        to.flush().await.map_err(|error| Error::io(what.clone(), error))?;
        if counted && rows != job.number_records_processed {
            let expected = job.number_records_processed;
            return Err(Error::unexpected(
                &what,
                format!("{rows} rows, but the job counted {expected}"),
            ));
        }
        let rows = if counted { rows } else { job.number_records_processed };
        Ok(Exported { job, rows, pages })
    }
}

/// The locator of the next page. Behind the last one the header is missing, empty, or holds the word `null`.
fn next_locator(header: Option<&str>) -> Option<String> {
    header
        .map(str::trim)
        .filter(|text| !text.is_empty() && *text != "null")
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locators() {
        assert_eq!(next_locator(None), None);
        assert_eq!(next_locator(Some("null")), None);
        assert_eq!(next_locator(Some(" ")), None);
        assert_eq!(next_locator(Some("MTAwMDA")).as_deref(), Some("MTAwMDA"));
    }
}
