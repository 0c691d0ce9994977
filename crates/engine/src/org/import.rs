//! Writing many records from a CSV file.

use std::path::Path;

use syncline_salesforce::bulk::{Ingest, IngestReport, Outcome};
use syncline_salesforce::metadata::polling;
use syncline_salesforce::{Connection, Id};
use tokio::fs::File;
use tokio::io::AsyncWriteExt;

use super::OrgError;

/// Writes the rows of a file by jobs of Bulk 2.0 and waits for their end. What went wrong after the first job began stands in
/// the report.
pub async fn import(connection: &Connection, ingest: &Ingest, file: &Path) -> Result<IngestReport, OrgError> {
    let rows = File::open(file).await.map_err(OrgError::file("could not read", file))?;
    Ok(connection.ingest(ingest, rows, &polling()).await?)
}

/// Writes the rows that the org refused, as CSV with `sf__Id` and `sf__Error` before their columns.
pub async fn refused(connection: &Connection, report: &IngestReport, to: &Path) -> Result<(), OrgError> {
    let unwritable = || OrgError::file("could not write", to);
    let mut file = File::create(to).await.map_err(unwritable())?;
    let jobs: Vec<&Id> = report.jobs.iter().map(|job| &job.id).collect();
    connection.ingest_results(&jobs, Outcome::Failed, &mut file).await?;
    file.shutdown().await.map_err(unwritable())
}
