//! `syncline rollback`: a deployment undone.

use syncline_engine::operation::promote::rollback;

use super::back_promote::open;
use super::operating;
use crate::Status;
use crate::error::CommandError;
use crate::output::Output;

/// Undo what an operation deployed
///
/// The state before the deployment is merged into what the org contains now, so that later work stays. It is checked and deployed as a
/// promotion is. What no deployment can undo was listed when the operation ran.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  By the end of the operation's id:
    syncline rollback 9f3a1c02

Exit codes: 0 done · 1 a person is asked, or a time is waited for · 2 failed")]
pub struct Args {
    /// The operation: its id, or the beginning or end of it
    operation: String,
}

/// Runs the rollback and tells of it.
pub fn run(args: Args, out: &mut Output) -> Result<Status, CommandError> {
    let repository = open()?;
    let actor = operating::actor(&repository)?;
    operating::block_on(async {
        let runtime = operating::runtime(&repository).await?;
        let begun = rollback(&runtime, &repository, &args.operation, &actor).await?;
        let target = begun.environment.clone().unwrap_or_default();
        operating::work(&runtime, vec![(target, Ok(begun))], out).await
    })
}
