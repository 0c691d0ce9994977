//! `syncline init`: writes `syncline.toml`.

use syncline_engine::init::{InitError, init};

use super::back_promote::{counted, open};
use crate::Status;
use crate::error::CommandError;
use crate::output::Output;

/// Write syncline.toml: environments, branches and the path between them
///
/// Guesses the environments from the names of the branches that exist. An existing file is never overwritten.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  syncline init --dry-run    print the file and write nothing
  syncline init")]
pub struct Args {
    /// Print the file and write nothing
    #[arg(long)]
    dry_run: bool,
}

/// Writes or prints the file.
pub fn run(args: Args, out: &mut Output) -> Result<Status, CommandError> {
    let done = init(&open()?, args.dry_run)?;
    if out.json() {
        out.value(&done)?;
    } else if args.dry_run {
        out.bytes(done.text.as_bytes())?;
    } else {
        let path = done.path.as_deref().map(|path| path.display().to_string());
        out.line(format_args!(
            "{} is written with {}",
            path.unwrap_or_default(),
            counted(done.environments.len(), "environment")
        ))?;
        for found in &done.environments {
            let above = found.promotes_to.as_deref().map(|above| format!(" → {above}"));
            out.line(format_args!(
                "  {} (branch {}){}",
                found.name,
                found.branch,
                above.unwrap_or_default()
            ))?;
        }
        out.line("look it over and commit it")?;
    }
    for hint in &done.hints {
        out.note(hint);
    }
    Ok(Status::Done)
}

impl From<InitError> for CommandError {
    fn from(error: InitError) -> Self {
        let code = match &error {
            InitError::Exists { .. } => "init.exists",
            InitError::Bare { .. } => "init.bare",
            InitError::Write { .. } => "file.unwritable",
            InitError::Ref(_) | InitError::Project(_) | InitError::Object(_) => "git.repository",
        };
        Self::user(code, "could not write syncline.toml").because(error)
    }
}
