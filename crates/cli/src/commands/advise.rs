//! `syncline advise`: refresh or back-promotion.

use serde_json::json;
use syncline_engine::advise::{Recommendation, Request, advise};

use super::back_promote::open;
use super::environment::millis;
use crate::Status;
use crate::error::CommandError;
use crate::output::Output;

/// Recommend what to do with each environment: back-promotion or a refresh
///
/// Weighs how far an environment is from the one above, the work in it that a copy would destroy, the next legal refresh of its
/// sandbox, and whether newer data is needed. Numbers are those of `syncline status`; nothing is asked of an org.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  syncline advise
  syncline advise uat --needs-data")]
pub struct Args {
    /// The environments; all below production when none is named
    #[arg(value_name = "ENV")]
    environments: Vec<String>,
    /// Newer data of production is needed
    #[arg(long)]
    needs_data: bool,
}

/// Recommends.
pub fn run(args: Args, out: &mut Output) -> Result<Status, CommandError> {
    let request = Request {
        environments: args.environments,
        needs_data: args.needs_data,
    };
    let advice = advise(&open()?, &request, millis())?;
    if out.json() {
        out.value(&json!({"advice": advice}))?;
        return Ok(Status::Done);
    }
    for one in &advice {
        let what = match one.recommendation {
            Recommendation::Nothing => "nothing to do",
            Recommendation::BackPromote => "back-promote",
            Recommendation::Refresh => "refresh its sandbox",
            Recommendation::CaptureThenRefresh => "capture the work in it, then refresh its sandbox",
            Recommendation::BackPromoteThenRefresh => "back-promote now, and refresh its sandbox when that is allowed",
        };
        out.line(format_args!("{}: {what}", one.environment))?;
        for reason in &one.reasons {
            out.line(format_args!("  {reason}"))?;
        }
    }
    if advice.is_empty() {
        out.line("no environment is below another, so there is nothing to recommend")?;
    }
    Ok(Status::Done)
}
