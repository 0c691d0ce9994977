//! `syncline init`: writes `syncline.toml`.

use syncline_engine::init::{InitError, init};
use syncline_engine::init_from_orgs::{Request, SetUpError, init_from_orgs};

use super::back_promote::{counted, now, open, short};
use super::org::orgs;
use super::snapshot::Bars;
use crate::Status;
use crate::error::CommandError;
use crate::output::Output;

/// Write syncline.toml: environments, branches and the path between them
///
/// Guesses the environments from the names of the branches that exist. With --from-org each login becomes an environment: their orgs
/// are looked at, syncline.toml and syncline/scope.toml are committed, and a branch that does not exist yet begins with what its org
/// has. An existing file is never overwritten, and a branch with metadata keeps it.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  syncline init --dry-run    print the file and write nothing
  syncline init
  syncline init --from-org prod uat dev1    the first day: from three logins to three branches")]
pub struct Args {
    /// Print the file and write nothing
    #[arg(long)]
    dry_run: bool,
    /// The logins of the orgs to begin with; each becomes an environment of that name
    #[arg(long, value_name = "NAME", num_args = 1..)]
    from_org: Vec<String>,
}

/// Writes or prints the file.
pub fn run(args: Args, out: &mut Output) -> Result<Status, CommandError> {
    if !args.from_org.is_empty() {
        return from_orgs(args, out);
    }
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

fn from_orgs(args: Args, out: &mut Output) -> Result<Status, CommandError> {
    let request = Request {
        orgs: args.from_org,
        dry_run: args.dry_run,
    };
    let bars = Bars::new(out);
    let progress = |name: &str, done: usize, total: usize| bars.show(name, done, total);
    let made = init_from_orgs(&open()?, &orgs()?, &request, now(), &progress)?;
    drop(bars);
    if out.json() {
        out.value(&made)?;
        return Ok(Status::Done);
    }
    if args.dry_run {
        out.bytes(made.config.as_bytes())?;
        return Ok(Status::Done);
    }
    for one in &made.environments {
        let commit = one
            .commit
            .as_deref()
            .map(|commit| format!(", commit {}", short(commit)))
            .unwrap_or_default();
        let state = match one.existed {
            true => format!("its branch {} keeps what it has{commit}", one.branch),
            false => format!("its branch {} begins with what the org has{commit}", one.branch),
        };
        out.line(format_args!("{}: {}; {state}", one.name, one.kind.name()))?;
    }
    out.line("next: look syncline.toml over, then `syncline env check` and `syncline status`")?;
    if made.environments.iter().any(|one| one.existed) {
        out.note("what differs between an org and its branch: `syncline drift ENV`; take it over with `--adopt --all`");
    }
    Ok(Status::Done)
}

impl From<SetUpError> for CommandError {
    fn from(error: SetUpError) -> Self {
        match error {
            SetUpError::Init(error) => error.into(),
            SetUpError::Environment(error) => error.into(),
        }
    }
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
