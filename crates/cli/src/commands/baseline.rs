//! `syncline baseline`: what two environments have in common.

use syncline_engine::baseline::{Baseline, Request, baseline};

use super::back_promote::{counted, now, open, short};
use super::operating;
use crate::Status;
use crate::error::CommandError;
use crate::output::Output;

/// Say what an environment and the one above have in common
///
/// A back-promotion needs to know the last state that both shared: what differs from it is somebody's change. Syncline remembers it
/// after each back-promotion and else asks git. Where neither knows (branches without common history, an org that was copied by
/// hand), every difference would be a conflict: then a person says it, once. The state named here is taken as known to both, in both
/// directions. Only refs of Syncline are written, no branch.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  syncline baseline uat --dry-run           what it would mean that uat has all that is on the branch above
  syncline baseline uat --at v1.4           both share what v1.4 has
  syncline baseline dev1 --with production --at main~3")]
pub struct Args {
    /// The environment
    #[arg(value_name = "ENV")]
    environment: String,
    /// The other environment; that above when not given
    #[arg(long, value_name = "ENV")]
    with: Option<String>,
    /// The state that both have in common; the branch above as it is now when not given
    #[arg(long, value_name = "REF")]
    at: Option<String>,
    /// Show what it would mean and write nothing
    #[arg(long)]
    dry_run: bool,
}

/// Sets the baseline and says what it means.
pub fn run(args: Args, out: &mut Output) -> Result<Status, CommandError> {
    let request = Request {
        environment: args.environment,
        with: args.with,
        at: args.at,
        dry_run: args.dry_run,
    };
    let repository = open()?;
    let set = baseline(&repository, &request, &operating::actor(&repository)?, now())?;
    if out.json() {
        out.value(&set)?;
        return Ok(Status::Done);
    }
    tell(&set, out)?;
    Ok(Status::Done)
}

fn tell(set: &Baseline, out: &mut Output) -> Result<(), CommandError> {
    let Baseline { above, below, .. } = set;
    let commit = set.commit.to_string();
    let commit = short(&commit);
    out.line(match set.dry_run {
        true => format!("{below} and {above} would be said to share {commit}. Then:"),
        false => format!("{below} and {above} share {commit} from now on:"),
    })?;
    out.line(match set.down {
        0 => format!("  {below} has all of {above}: a back-promotion brings nothing down until {above} changes again"),
        count => format!(
            "  {} in which {above} differs from it count as changes of {above}: a back-promotion brings them down",
            counted(count, "component")
        ),
    })?;
    out.line(match set.up {
        0 => format!("  {below} has no work of its own"),
        count => format!(
            "  {} in which {below} differs from it count as work of {below}: a back-promotion keeps them",
            counted(count, "component")
        ),
    })?;
    for moved in &set.before {
        let was = moved
            .was
            .as_deref()
            .map_or_else(|| "was not set".to_owned(), |was| format!("was {}", short(was)));
        out.line(format_args!("  {} {was}", moved.name))?;
    }
    if set.dry_run {
        out.line("nothing is written; leave --dry-run out to say so")?;
    }
    Ok(())
}
