//! `syncline promote`: the changes of an environment brought up.

use syncline_engine::back_promote::{ComponentPattern, Selection};
use syncline_engine::config::{self, Config};
use syncline_engine::operation::promote::{Direction, Wanted, promote};
use syncline_engine::work::list;
use syncline_git::Repository;
use syncline_metadata::path::ElementPath;

use super::back_promote::open;
use super::operating;
use crate::Status;
use crate::error::CommandError;
use crate::output::Output;

/// Bring the changes of an environment up to the next one
///
/// The change is merged into what the org of the target contains, validated, waits until all gates are open, is deployed, read back,
/// and recorded on the target's branch. Before the deployment the org is looked at again: what somebody changed meanwhile is merged,
/// not overwritten.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  To the environment that syncline.toml names as the next:
    syncline promote --from uat
  A work item to the environment above the sandbox that it is made in:
    syncline promote --from changes/7-fees-in-euro
  Past an environment, with a reason, once somebody else has approved it:
    syncline promote --from dev1 --to production --bypass --reason 'Outage 4711'

Exit codes: 0 done · 1 a person is asked, or a time is waited for · 2 failed")]
pub struct Args {
    /// The environment whose changes are brought up, or the branch of a work item
    #[arg(long, value_name = "ENV")]
    from: String,
    /// The environment that gets them [default: the next one of the path]
    #[arg(long, value_name = "ENV")]
    to: Option<String>,
    /// Only this component, with what it needs; `*` stands for any text; may be repeated
    #[arg(long = "component", value_name = "Type:Name")]
    components: Vec<ComponentPattern>,
    /// Only this element, with what it needs; may be repeated
    #[arg(long = "element", value_name = "PATH")]
    elements: Vec<ElementPath>,
    /// Leave out environments of the path; somebody else has to approve it
    #[arg(long, requires = "reason")]
    bypass: bool,
    /// Why the path is left
    #[arg(long, value_name = "TEXT", requires = "bypass")]
    reason: Option<String>,
}

/// The environment above an environment, or above the one in which a work item is made.
fn next_above(repository: &Repository, config: &Config, from: &str) -> Result<String, CommandError> {
    if let Some(next) = config.next_above(from.strip_prefix("env:").unwrap_or(from)) {
        return Ok(next.name.clone());
    }
    let item = list(repository)?.into_iter().find(|item| item.change.branch == from);
    item.and_then(|item| item.change.target).ok_or_else(|| {
        let message = format!("no environment is above `{from}` in syncline.toml");
        CommandError::user("promote.no-target", message).hint("name one with `--to`")
    })
}

/// Runs the promotion and tells of it.
pub fn run(args: Args, out: &mut Output) -> Result<Status, CommandError> {
    let repository = open()?;
    let config = config::read(&repository)?;
    let to = match args.to {
        Some(to) => to,
        None => next_above(&repository, &config, &args.from)?,
    };
    let wanted = Wanted {
        from: args.from,
        to: to.clone(),
        selection: Selection {
            components: args.components,
            elements: args.elements,
        },
        direction: Direction::Up,
        bypass: args.reason.filter(|_| args.bypass),
    };
    let actor = operating::actor(&repository)?;
    operating::block_on(async {
        let runtime = operating::runtime(&repository).await?;
        let begun = promote(&runtime, &repository, &wanted, &actor).await;
        operating::work(&runtime, vec![(to, begun)], out).await
    })
}
