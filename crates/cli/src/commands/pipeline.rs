//! `syncline pipeline`: the path between environments, drawn.

use serde_json::json;
use syncline_engine::pipeline::{Drawn, show};

use super::back_promote::open;
use crate::Status;
use crate::error::CommandError;
use crate::output::Output;

/// Draw the path between environments
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  syncline pipeline show
  syncline pipeline show --mermaid > docs/pipeline.mmd")]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Draw environments, the ways between them and the external systems they depend on
    Show {
        /// As a Mermaid flowchart, for documents
        #[arg(long)]
        mermaid: bool,
    },
}

/// Draws it.
pub fn run(args: Args, out: &mut Output) -> Result<Status, CommandError> {
    let Action::Show { mermaid } = args.action;
    let Drawn {
        tree,
        mermaid: chart,
        ways,
    } = show(&open()?)?;
    if out.json() {
        out.value(&json!({"ways": ways, "mermaid": chart}))?;
    } else {
        out.bytes(if mermaid { chart } else { tree }.as_bytes())?;
    }
    Ok(Status::Done)
}
