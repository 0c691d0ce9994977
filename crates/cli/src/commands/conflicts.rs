//! `syncline conflicts`: what back-promotions left to decide.

use std::path::PathBuf;

use syncline_engine::back_promote::{Outcome, TargetReport};
use syncline_engine::conflicts::{self, ConflictsError, Decided, Item, Record, Resolve, Which};
use syncline_engine::operation::promote::conflicts_decided;
use syncline_engine::resolution::Choice;
use syncline_engine::wire::Text;
use syncline_git::Repository;

use super::back_promote::{conflict, counted, now, open, tell};
use super::operating;
use crate::Status;
use crate::error::{CommandError, Kind};
use crate::output::Output;

/// Decide what a back-promotion left open
///
/// A decision is remembered and taken again by itself wherever the same conflict comes up. After the last one the
/// back-promotion completes.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  syncline conflicts list
  syncline conflicts show 3fa9c1d2
  syncline conflicts resolve 3fa9c1d2 1 --theirs             take the source's side of conflict 1
  syncline conflicts resolve 3fa9c1d2 2 --value element.xml  take the text of a file
  syncline conflicts resolve 3fa9c1d2 --all --ours           keep the target's side everywhere
  syncline conflicts abort 3fa9c1d2                          give up; the branch stays as it is")]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// List what is open
    List,
    /// Show each conflict with the texts of all sides
    Show {
        /// The id, or its beginning
        id: String,
    },
    Resolve(ResolveArgs),
    /// Give up: remove the conflicts and leave the branch as it is
    Abort {
        /// The id, or its beginning
        id: String,
    },
}

/// Decide conflicts; after the last one the back-promotion completes
#[derive(Debug, clap::Args)]
#[command(group(clap::ArgGroup::new("choice").required(true)))]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of the command line")]
struct ResolveArgs {
    /// The id, or its beginning
    id: String,
    /// Numbers, element paths or files
    #[arg(value_name = "NUMBER|PATH", required_unless_present = "all")]
    which: Vec<String>,
    /// All that are open
    #[arg(long, conflicts_with = "which")]
    all: bool,
    /// Keep the target's side
    #[arg(long, group = "choice")]
    ours: bool,
    /// Take the source's side
    #[arg(long, group = "choice")]
    theirs: bool,
    /// Go back to the common ancestor
    #[arg(long, group = "choice")]
    base: bool,
    /// Take the text of this file: the element with its tags, or the whole file
    #[arg(long, group = "choice", value_name = "FILE")]
    value: Option<PathBuf>,
    /// Delete the element
    #[arg(long, group = "choice")]
    delete: bool,
}

/// Lists, shows, decides or gives up.
pub fn run(args: Args, out: &mut Output) -> Result<Status, CommandError> {
    match args.action {
        Action::List => list(out),
        Action::Show { id } => show(&id, out),
        Action::Resolve(args) => resolve(args, out),
        Action::Abort { id } => {
            let repository = open()?;
            let id = conflicts::abort(&repository, &id, &operating::actor(&repository)?)?;
            match out.json() {
                true => out.value(&serde_json::json!({"aborted": id}))?,
                false => out.line(format_args!("{id} is given up; the branch is as it was"))?,
            }
            Ok(Status::Done)
        }
    }
}

fn list(out: &mut Output) -> Result<Status, CommandError> {
    let all = conflicts::list(&open()?).map_err(ConflictsError::from)?;
    if out.json() {
        out.value(&all)?;
    } else if all.is_empty() {
        out.line("no conflicts are kept")?;
    }
    for listed in all.iter().filter(|_| !out.json()).collect::<Vec<_>>() {
        match (&listed.record, &listed.error) {
            (Some(record), _) => out.line(format_args!(
                "{}  {} → {}: {} open, {} decided",
                listed.id,
                record.source,
                record.target,
                counted(record.open().count(), "conflict"),
                record.conflicts.len() - record.open().count(),
            ))?,
            (None, Some(error)) => out.line(format_args!("{}  {}", listed.id, error.message))?,
            (None, None) => {}
        }
    }
    Ok(match all.is_empty() {
        true => Status::Done,
        false => Status::Found,
    })
}

fn show(id: &str, out: &mut Output) -> Result<Status, CommandError> {
    let record = conflicts::show(&open()?, id)?;
    if out.json() {
        out.value(&record)?;
        return Ok(Status::Done);
    }
    let Record { source, target, .. } = &record;
    out.line(format_args!("{}: {source} → {target}", record.id))?;
    out.line(format_args!(
        "ours is what {target} has, theirs is what comes from {source}, base is what both had before"
    ))?;
    for item in &record.conflicts {
        out.line("")?;
        sides(item, &record, out)?;
    }
    Ok(Status::Done)
}

fn sides(item: &Item, record: &Record, out: &mut Output) -> Result<(), CommandError> {
    conflict(out, item)?;
    out.line(format_args!("     file: {}", item.file))?;
    if let Some(Decided { choice, by, .. }) = &item.decided {
        out.line(format_args!("     decided: {} by {by}", choice.word()))?;
    }
    let texts = [
        ("base", "before".to_owned(), &item.base),
        ("ours", record.target.clone(), &item.ours),
        ("theirs", record.source.clone(), &item.theirs),
    ];
    for (side, place, text) in texts {
        match text {
            None => out.line(format_args!("     {side} ({place}): not there"))?,
            Some(text) => {
                out.line(format_args!("     {side} ({place}):"))?;
                lines(text, out)?;
            }
        }
    }
    Ok(())
}

/// More lines of one side are left to `--json`.
const MOST_LINES: usize = 40;

fn lines(text: &Text, out: &mut Output) -> Result<(), CommandError> {
    if text.0.contains(&0) {
        return out.line(format_args!("       {} bytes that are no text", text.0.len()));
    }
    let shown = text.lossy();
    let all: Vec<&str> = shown.lines().collect();
    // The text of an element begins at its tag; the lines below are as far in as in the file.
    let indent = |line: &str| line.len() - line.trim_start_matches(' ').len();
    let below = all.iter().skip(1).filter(|line| !line.trim().is_empty());
    let shared = match all.first() {
        Some(first) if indent(first) == 0 => below.map(|line| indent(line)).min().unwrap_or(0),
        _ => 0,
    };
    for (number, line) in all.iter().take(MOST_LINES).enumerate() {
        let line = match number {
            0 => line,
            _ => line.get(shared..).unwrap_or_default(),
        };
        // Terminals obey control characters.
        let plain: String = line.chars().filter(|c| !c.is_control() || *c == '\t').collect();
        out.line(format_args!("       {plain}"))?;
    }
    match all.len().saturating_sub(MOST_LINES) {
        0 => Ok(()),
        more => out.line(format_args!("       … {more} lines more; --json has them")),
    }
}

/// Operations that wait for conflicts look again, and go on.
fn wake(repository: &Repository, out: &mut Output) -> Result<(), CommandError> {
    if !operating::is_used(repository) {
        return Ok(());
    }
    let actor = operating::actor(repository)?;
    let woken = operating::block_on(async {
        let runtime = operating::runtime(repository).await?;
        Ok(conflicts_decided(&runtime.store, &actor.name, runtime.now()).await?)
    })?;
    if woken > 0 {
        let them = if woken == 1 { "it" } else { "them" };
        out.note(format_args!(
            "{} on when the command that began {them} is run again, or with `syncline worker`",
            if woken == 1 {
                "1 operation goes".to_owned()
            } else {
                format!("{woken} operations go")
            }
        ));
    }
    Ok(())
}

fn resolve(args: ResolveArgs, out: &mut Output) -> Result<Status, CommandError> {
    let value = match &args.value {
        None => None,
        Some(path) => Some(std::fs::read(path).map_err(|error| {
            CommandError::user("file.unreadable", format_args!("could not read {}", path.display())).because(error)
        })?),
    };
    let choice = match (args.ours, args.theirs, args.base, args.delete) {
        (true, ..) => Choice::Ours,
        (_, true, ..) => Choice::Theirs,
        (_, _, true, _) => Choice::Base,
        (.., true) => Choice::Delete,
        _ => Choice::Value,
    };
    let request = Resolve {
        id: args.id,
        which: match args.all {
            true => Which::All,
            false => Which::Named(args.which),
        },
        choice,
        value,
    };
    let repository = open()?;
    let record = conflicts::show(&repository, &request.id)?;
    let resolved = conflicts::resolve(&repository, &request, &operating::actor(&repository)?, now())?;
    wake(&repository, out)?;
    if out.json() {
        out.value(&resolved)?;
    } else {
        for item in &resolved.decided {
            out.line(format_args!("decided: {} ({})", item.path, choice.word()))?;
        }
        match &resolved.result {
            Some(report) if record.is_of_operation() => of_operation(report, out)?,
            Some(report) => tell(out, &record.source, &without(report, &resolved.decided), false)?,
            None => out.line("somebody else completed the back-promotion meanwhile")?,
        }
    }
    match resolved.result.as_ref().map(|report| &report.outcome) {
        Some(Outcome::Conflicts { .. }) => Ok(Status::Found),
        Some(Outcome::Failed { error }) => Err(CommandError::user(
            "back-promote.failed",
            "the decision is remembered, but the back-promotion failed",
        )
        .hint(&error.message)),
        _ => Ok(Status::Done),
    }
}

/// The merge is a part of an operation: nothing has come to the target yet.
fn of_operation(report: &TargetReport, out: &mut Output) -> Result<(), CommandError> {
    let target = &report.target;
    match &report.outcome {
        Outcome::Conflicts { conflicts, .. } => {
            out.line(format_args!(
                "{target}: {} to decide still",
                counted(conflicts.len(), "conflict")
            ))?;
            conflicts.iter().try_for_each(|item| conflict(out, item))
        }
        Outcome::Failed { error } => out.line(format_args!("{target}: the merge failed: {}", error.message)),
        Outcome::Done { .. } | Outcome::NothingToDo => out.line(format_args!(
            "{target}: these conflicts are decided; nothing is deployed yet"
        )),
    }
}

/// A report that does not tell once more what was decided just now.
fn without(report: &TargetReport, decided: &[Item]) -> TargetReport {
    let mut report = report.clone();
    if let Outcome::Done { replayed, .. } | Outcome::Conflicts { replayed, .. } = &mut report.outcome {
        replayed.retain(|one| {
            !decided
                .iter()
                .any(|item| item.fingerprint.to_string() == one.decided.fingerprint)
        });
    }
    report
}

impl From<ConflictsError> for CommandError {
    fn from(error: ConflictsError) -> Self {
        let code = match &error {
            ConflictsError::Refused(refusal) => return refusal.clone().into(),
            ConflictsError::Config(_) => "config.invalid",
            ConflictsError::Run(_) | ConflictsError::Failed { .. } => "back-promote.failed",
            ConflictsError::Unknown { .. } | ConflictsError::Ambiguous { .. } | ConflictsError::NoConflict { .. } => {
                "conflicts.unknown"
            }
            ConflictsError::NothingOpen { .. } => "conflicts.nothing-open",
            ConflictsError::ValueForMany => "conflicts.value",
            ConflictsError::DoesNotFit { .. } => "merge.resolution",
            ConflictsError::Contended { .. } => "conflicts.contended",
            ConflictsError::Record(_) => "conflicts.unreadable",
            ConflictsError::Resolution(_) => "resolution.invalid",
            ConflictsError::Ref(_) | ConflictsError::Commit(_) => "git.repository",
        };
        let causes = match &error {
            ConflictsError::Failed { problem, .. } => problem.causes.clone(),
            _ => Vec::new(),
        };
        let told = Self::new(Kind::User, code, "could not do that with the conflicts").because(error);
        causes
            .iter()
            .fold(told, |told, cause| told.hint(format_args!("because: {cause}")))
    }
}
