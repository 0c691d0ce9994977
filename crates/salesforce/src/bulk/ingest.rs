//! Writing many records.

use tokio::io::{AsyncRead, AsyncWrite};

use super::job::{Ingest, IngestJob, JobState, Operation};
use super::parts::Parts;
use super::spool::Csv;
use super::start::Leftovers;
use crate::connection::Connection;
use crate::error::{Error, Result};
use crate::id::Id;
use crate::poll::Poll;
use crate::request::Request;

/// What happened to an input.
#[derive(Debug, Default)]
pub struct IngestReport {
    /// The jobs that took it, in the order of the input. [`JobState::JobComplete`] does not say that all rows were taken.
    pub jobs: Vec<IngestJob>,
    /// Jobs that were aborted on the way, because it was unknown whether their upload arrived. None of their rows was processed.
    pub aborted: Vec<Id>,
    /// Open, empty jobs of the same object and operation that may be ours, after the answer to a creation was lost. They do
    /// nothing, and Salesforce deletes them after seven days.
    pub stray: Vec<Id>,
    /// Why the input was not taken to its end, when it was not; the jobs above ended all the same.
    pub stopped: Option<Error>,
}

impl IngestReport {
    /// Whether no job came into being, as far as we know.
    fn is_empty(&self) -> bool {
        self.jobs.is_empty() && self.aborted.is_empty() && self.stray.is_empty()
    }

    /// Rows that were processed, the refused ones included.
    pub fn processed(&self) -> u64 {
        self.jobs.iter().map(|job| job.number_records_processed).sum()
    }

    /// Rows that were refused.
    pub fn failed(&self) -> u64 {
        self.jobs.iter().map(|job| job.number_records_failed).sum()
    }
}

/// Which rows of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Taken: `sf__Id`, `sf__Created` and the columns.
    Successful,
    /// Refused: `sf__Id`, `sf__Error` and the columns.
    Failed,
    /// Not looked at, because the job was aborted or failed.
    Unprocessed,
}

impl Outcome {
    fn path(self) -> &'static str {
        match self {
            Self::Successful => "successfulResults",
            Self::Failed => "failedResults",
            Self::Unprocessed => "unprocessedrecords",
        }
    }
}

impl Connection {
    /// Writes records from CSV. The input is read as a stream; each part is a job, and the jobs run one after the other, so
    /// that rows are taken in order from part to part.
    ///
    /// An empty cell leaves a field as it is; `#N/A` empties it.
    ///
    /// # Errors
    /// When no job came into being. Else the report tells in `stopped` what went wrong.
    pub async fn ingest(&self, ingest: &Ingest, csv: impl AsyncRead + Unpin, poll: &Poll) -> Result<IngestReport> {
        if (ingest.operation == Operation::Upsert) != ingest.key.is_some() {
            return Err(Error::argument(
                "an upsert, and only an upsert, needs the name of an external id",
            ));
        }
        let mut parts = Parts::read(csv, ingest.delimiter, ingest.part_limit).await?;
        let mut report = IngestReport::default();
        loop {
            let mut left = Leftovers::default();
            let taken = self.take_part(ingest, &mut parts, poll, &mut left).await;
            report.aborted.append(&mut left.aborted);
            report.stray.append(&mut left.stray);
            match taken {
                Ok(Some(job)) => report.jobs.push(job),
                Ok(None) => return Ok(report),
                Err(error) if report.is_empty() => return Err(error),
                Err(error) => {
                    report.stopped = Some(error);
                    return Ok(report);
                }
            }
        }
    }

    async fn take_part<R: AsyncRead + Unpin>(
        &self,
        ingest: &Ingest,
        parts: &mut Parts<R>,
        poll: &Poll,
        left: &mut Leftovers,
    ) -> Result<Option<IngestJob>> {
        let Some(part) = parts.next().await? else {
            return Ok(None);
        };
        let job = self.start_job(ingest, parts.ending(), &part, left).await?;
        let line = part.line;
        // Its data is not needed any more while the job runs.
        drop(part);
        let job = self.wait_for_ingest(&job.id, poll).await?;
        if job.state != JobState::JobComplete {
            let message = job.error_message.unwrap_or_default();
            return Err(Error::Job {
                what: "the bulk job",
                id: job.id.to_string(),
                state: format!("{:?}", job.state),
                message: format!("{message} (its rows begin on line {line})"),
            });
        }
        Ok(Some(job))
    }

    /// Waits until a job ends, well or not.
    pub async fn wait_for_ingest(&self, job: &Id, poll: &Poll) -> Result<IngestJob> {
        let mut waiting = poll.begin(self.clock(), format!("wait for the bulk job {job}"));
        loop {
            let found = self.ingest_job(job).await?;
            if found.state.is_final() {
                return Ok(found);
            }
            waiting.wait().await?;
        }
    }

    /// Writes rows of jobs as CSV, with one header; jobs of one input have the same columns.
    pub async fn ingest_results(
        &self,
        jobs: &[&Id],
        outcome: Outcome,
        to: &mut (impl AsyncWrite + Unpin),
    ) -> Result<()> {
        let mut csv = Csv::default();
        for job in jobs {
            let what = format!("read {} of the bulk job {job}", outcome.path());
            let request = Request::get(what.clone(), format!("jobs/ingest/{job}/{}", outcome.path()));
            let (_, body) = self.spool(request.header("accept", "text/csv")?).await?;
            body.append(&mut csv, to, &what).await?;
        }
        Ok(())
    }
}
