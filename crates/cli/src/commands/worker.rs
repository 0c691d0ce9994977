//! `syncline worker`: works on operations.

use std::time::Duration;

use syncline_engine::operation::worker_name;
use syncline_engine::worker::{self, Options, Stop, Until};

use super::back_promote::open;
use super::operating;
use crate::Status;
use crate::error::CommandError;
use crate::output::Output;

/// Work on operations until stopped
///
/// Takes what is queued or due, begins what is scheduled, and goes on with what a stopped or killed worker left. Several workers may
/// share a PostgreSQL database. Ctrl-C stops after the running steps; a second one at once, and nothing is lost.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  syncline worker                        until Ctrl-C
  syncline worker --until-idle           until nothing is due, as in CI
  SYNCLINE_DATABASE_URL=postgres://syncline@db/syncline syncline worker --slots 8")]
pub struct Args {
    /// End when nothing runs and nothing becomes due within a minute
    #[arg(long)]
    until_idle: bool,
    /// How many operations run at once
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=256))]
    slots: u16,
}

/// How long an operation is a worker's own without a heartbeat.
const LEASE: Duration = Duration::from_secs(60);
/// How long a worker waits between looks at the database.
const POLL: Duration = Duration::from_millis(500);
/// What is due within this time is worth waiting for.
const PATIENCE: Duration = Duration::from_secs(60);

/// Works.
pub fn run(args: Args, out: &mut Output) -> Result<Status, CommandError> {
    let repository = open()?;
    let stop = Stop::new();
    let asked = stop.clone();
    let handled = ctrlc::set_handler(move || {
        if asked.is_requested() {
            std::process::exit(130);
        }
        asked.request();
    });
    handled.map_err(|error| CommandError::user("worker.signal", "could not listen for Ctrl-C").because(error))?;
    let report = operating::block_on(async {
        let runtime = operating::runtime(&repository).await?;
        let options = Options {
            name: worker_name(),
            slots: args.slots.into(),
            lease: LEASE,
            poll: POLL,
            only: Vec::new(),
            until: match args.until_idle {
                true => Until::Idle { patience: PATIENCE },
                false => Until::Stopped,
            },
        };
        out.note(format_args!("works on the operations of {}", runtime.store.place()));
        let mut told = |what: &str, why: &str| out.warn(format_args!("{what}: {why}"));
        Ok(worker::run_and_tell(&runtime, &options, &stop, &mut told).await?)
    })?;
    if out.json() {
        out.value(&report)?;
        return Ok(Status::Done);
    }
    out.line(format_args!("took operations {} times", report.claimed))?;
    for (state, count) in &report.ended {
        out.line(format_args!("  {count} {state}"))?;
    }
    Ok(Status::Done)
}
