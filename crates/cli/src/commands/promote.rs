//! `syncline promote`: the changes of an environment brought up.

use syncline_engine::back_promote::{ComponentPattern, Selection};
use syncline_engine::config::{self, Config};
use syncline_engine::operation::promote::{Direction, Wanted, promote};
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
  Past an environment, with a reason, once somebody else has approved it:
    syncline promote --from dev1 --to production --bypass --reason 'Outage 4711'

Exit codes: 0 done · 1 a person is asked, or a time is waited for · 2 failed")]
pub struct Args {
    /// The environment whose changes are brought up
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

/// Runs the promotion and tells of it.
pub fn run(args: Args, out: &mut Output) -> Result<Status, CommandError> {
    let repository = open()?;
    let config: Config = config::read(&repository).map_err(|error| {
        CommandError::new(crate::error::Kind::Config, "config.invalid", &error).with_source_of(error)
    })?;
    let to = match args.to {
        Some(to) => to,
        None => match config.next_above(&args.from) {
            Some(next) => next.name.clone(),
            None => {
                let message = format!("no environment is above `{}` in syncline.toml", args.from);
                return Err(CommandError::user("promote.no-target", message).hint("name one with `--to`"));
            }
        },
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
