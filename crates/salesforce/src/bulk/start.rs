//! Starting one ingest job, and what to do when an answer on the way is lost.

use reqwest::Method;
use serde::Deserialize;
use serde_json::json;

use super::job::{Ingest, IngestJob, JobState, LineEnding};
use super::parts::Part;
use crate::connection::Connection;
use crate::error::{Error, Result};
use crate::id::Id;
use crate::request::Request;

/// Jobs that came into being while one was started.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Leftovers {
    /// Jobs that we aborted: their upload may or may not have arrived.
    pub(super) aborted: Vec<Id>,
    /// Open, empty jobs of the same kind, seen after the answer to a creation was lost: one of them is probably ours.
    pub(super) stray: Vec<Id>,
}

#[derive(Deserialize)]
struct Listed {
    records: Vec<serde_json::Value>,
}

impl Connection {
    /// Creates a job, uploads the part and closes the job, so that it is processed exactly once.
    ///
    /// A lost answer to the creation leaves an open job, which does nothing: another one is created. A lost answer to the upload
    /// leaves it unknown whether the data arrived: the job is aborted, and another one is created. A lost answer to the closing
    /// is cleared up by looking at the job.
    pub(super) async fn start_job(
        &self,
        ingest: &Ingest,
        ending: LineEnding,
        part: &Part,
        left: &mut Leftovers,
    ) -> Result<IngestJob> {
        let attempts = self.inner.options.retry.attempts.max(1);
        let mut last = None;
        for _ in 0..attempts {
            let job = match self.create_job(ingest, ending).await {
                Ok(job) => job,
                Err(error @ Error::UnknownOutcome { .. }) => {
                    left.stray = self.open_jobs(ingest).await?;
                    last = Some(error);
                    continue;
                }
                Err(error) => return Err(error),
            };
            match self.upload(&job.id, part).await {
                Ok(()) => return self.close_job(&job.id).await.map_err(|error| named(error, &job.id)),
                Err(error) => {
                    self.abort_job(&job.id).await.map_err(|error| named(error, &job.id))?;
                    left.aborted.push(job.id);
                    match error {
                        Error::UnknownOutcome { .. } => last = Some(error),
                        error => return Err(error),
                    }
                }
            }
        }
        Err(last.unwrap_or_else(|| Error::Internal {
            what: "no attempt at starting a job".to_owned(),
        }))
    }

    async fn create_job(&self, ingest: &Ingest, ending: LineEnding) -> Result<IngestJob> {
        let mut body = json!({
            "object": ingest.object,
            "operation": ingest.operation,
            "contentType": "CSV",
            "lineEnding": ending,
            "columnDelimiter": ingest.delimiter,
        });
        if let Some(key) = &ingest.key {
            body["externalIdFieldName"] = json!(key);
        }
        if let Some(rule) = &ingest.assignment_rule {
            body["assignmentRuleId"] = json!(rule);
        }
        let what = format!("create a bulk job for {}", ingest.object);
        self.send(Request::post(what, "jobs/ingest").json(&body)?).await?.json()
    }

    async fn upload(&self, job: &Id, part: &Part) -> Result<()> {
        let what = format!("upload {} records to the bulk job {job}", part.records);
        let request = Request::put(what, format!("jobs/ingest/{job}/batches"));
        self.send(request.bytes("text/csv", part.data.clone())).await?;
        Ok(())
    }

    async fn close_job(&self, job: &Id) -> Result<IngestJob> {
        match self.set_state(job, "UploadComplete").await {
            Ok(job) => Ok(job),
            Err(Error::UnknownOutcome { .. }) => {
                let found = self.ingest_job(job).await?;
                match found.state {
                    JobState::Open => self.set_state(job, "UploadComplete").await,
                    _ => Ok(found),
                }
            }
            Err(error) => Err(error),
        }
    }

    /// Ends a job; what it did by then stays done.
    ///
    /// # Errors
    /// `salesforce_error` when it ended already.
    pub async fn abort_job(&self, job: &Id) -> Result<IngestJob> {
        match self.set_state(job, "Aborted").await {
            Err(Error::UnknownOutcome { .. }) => {
                let found = self.ingest_job(job).await?;
                match found.state {
                    state if state.is_final() => Ok(found),
                    _ => self.set_state(job, "Aborted").await,
                }
            }
            other => other,
        }
    }

    async fn set_state(&self, job: &Id, state: &str) -> Result<IngestJob> {
        let what = format!("set the bulk job {job} to {state}");
        let request = Request::new(what, Method::PATCH, format!("jobs/ingest/{job}"));
        self.send(request.json(&json!({"state": state}))?).await?.json()
    }

    /// Where a job stands.
    pub async fn ingest_job(&self, job: &Id) -> Result<IngestJob> {
        let request = Request::get(format!("look at the bulk job {job}"), format!("jobs/ingest/{job}"));
        self.send(request).await?.json()
    }

    /// Deletes a job that ended, with its data and results.
    pub async fn delete_job(&self, job: &Id) -> Result<()> {
        let request = Request::delete(format!("delete the bulk job {job}"), format!("jobs/ingest/{job}"));
        self.send(request).await?;
        Ok(())
    }

    /// Open jobs of the same object and operation, of the first page of the list.
    async fn open_jobs(&self, ingest: &Ingest) -> Result<Vec<Id>> {
        let request = Request::get("list the bulk jobs", "jobs/ingest").with("jobType", "V2Ingest");
        let listed: Listed = self.send(request).await?.json()?;
        // Rows of other kinds of jobs lack members.
        let jobs = listed
            .records
            .into_iter()
            .filter_map(|row| serde_json::from_value::<IngestJob>(row).ok());
        let same = |job: &IngestJob| {
            job.object == ingest.object && job.operation == ingest.operation && job.state == JobState::Open
        };
        Ok(jobs.filter(same).map(|job| job.id).collect())
    }
}

/// An error that leaves a job behind names it.
fn named(error: Error, job: &Id) -> Error {
    Error::LeftBehind {
        what: "bulk job",
        id: job.to_string(),
        why: Box::new(error),
    }
}
