//! `syncline org import`.

use std::path::PathBuf;

use serde_json::json;
use syncline_engine::org::import;
use syncline_salesforce::bulk::{Ingest, IngestReport, Operation};

use super::{block_on, orgs};
use crate::Status;
use crate::error::CommandError;
use crate::file;
use crate::output::Output;

/// Write many records from a CSV file
///
/// By jobs of Bulk 2.0: inserts unless an option says otherwise. The first line names the fields, `Owner.Email` one of a parent.
/// An empty cell leaves a field as it is, #N/A empties it. Rows are taken one by one: those that the org refuses do not hold back
/// the others. Ends with 1 when it refused some.
#[derive(Debug, clap::Args)]
#[command(group(clap::ArgGroup::new("how")))]
#[command(after_help = "\
Examples:
  syncline org import uat Contact contacts.csv
  syncline org import uat Account accounts.csv --upsert Number__c --refused refused.csv
  syncline org import prod Case cases.csv --update --confirm-production prod")]
pub struct Args {
    /// The name of the login
    org: String,
    /// The object
    object: String,
    /// The rows, as CSV with commas
    file: PathBuf,
    /// Change records by their column Id
    #[arg(long, group = "how")]
    update: bool,
    /// Change or make records by this external id
    #[arg(long, group = "how", value_name = "FIELD")]
    upsert: Option<String>,
    /// Delete records by their column Id; they go to the recycle bin
    #[arg(long, group = "how")]
    delete: bool,
    /// Write the rows that the org refused to this file, with the reasons
    #[arg(long, value_name = "FILE")]
    refused: Option<PathBuf>,
    /// The name of a production org, once more
    #[arg(long, value_name = "NAME")]
    confirm_production: Option<String>,
}

impl Args {
    fn ingest(&self) -> Ingest {
        let operation = match (self.update, self.delete, &self.upsert) {
            (true, ..) => Operation::Update,
            (_, true, _) => Operation::Delete,
            (.., Some(_)) => Operation::Upsert,
            _ => Operation::Insert,
        };
        Ingest {
            key: self.upsert.clone(),
            ..Ingest::new(operation, &self.object)
        }
    }
}

/// Writes the records and waits for the end of the jobs.
pub fn run(args: &Args, out: &mut Output) -> Result<Status, CommandError> {
    if let Some(path) = &args.refused {
        file::check_writable(path)?;
    }
    let orgs = orgs()?;
    let (mut report, listed) = block_on(async {
        let connection = orgs
            .connect_to_write(&args.org, args.confirm_production.as_deref())
            .await?;
        let report = import::import(&connection, &args.ingest(), &args.file).await?;
        let listed = match &args.refused {
            Some(path) => import::refused(&connection, &report, path).await,
            None => Ok(()),
        };
        Ok((report, listed))
    })?;
    // What the org took is told whatever went wrong afterwards.
    tell(args, &report, out)?;
    listed?;
    match report.stopped.take() {
        Some(stopped) => Err(syncline_engine::org::OrgError::from(stopped).into()),
        None if report.failed() > 0 => Ok(Status::Found),
        None => Ok(Status::Done),
    }
}

fn tell(args: &Args, report: &IngestReport, out: &mut Output) -> Result<(), CommandError> {
    let jobs: Vec<String> = report.jobs.iter().map(|job| job.id.to_string()).collect();
    let (taken, refused) = (report.processed() - report.failed(), report.failed());
    let ids = |ids: &[syncline_salesforce::Id]| ids.iter().map(ToString::to_string).collect::<Vec<_>>();
    let (aborted, stray) = (ids(&report.aborted), ids(&report.stray));
    if out.json() {
        return out.value(&json!({
            "org": args.org,
            "object": args.object,
            "jobs": jobs,
            "taken": taken,
            "refused": refused,
            "aborted": aborted,
            "stray": stray,
            "stopped": report.stopped.as_ref().map(ToString::to_string),
        }));
    }
    for id in &aborted {
        out.warn(format_args!(
            "the job {id} is aborted, since its upload may have been lost; its rows were sent again"
        ));
    }
    for id in &stray {
        out.warn(format_args!(
            "the open job {id} may be left of this import; it holds nothing"
        ));
    }
    if refused > 0 && args.refused.is_none() {
        out.note("--refused FILE writes the refused rows with the reasons");
    }
    out.line(format_args!("{taken} rows taken, {refused} refused"))
}
