//! `syncline back-promote`: the changes of an environment brought down to others.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use syncline_engine::back_promote::{
    ALL_BELOW, BackPromoteError, Base, Change, ComponentPattern, Needed, Outcome, Replayed, Request, Selection,
    TargetReport, back_promote,
};
use syncline_engine::config;
use syncline_engine::conflicts::Item;
use syncline_engine::operation::promote::{Direction, Wanted, promote};
use syncline_engine::problem::Problem;
use syncline_git::{CommitTime, Repository};
use syncline_metadata::path::ElementPath;

use super::environment::CORRECT;
use super::operating;
use crate::Status;
use crate::error::{CommandError, Kind};
use crate::output::Output;

/// Bring the changes of an environment down to others
///
/// An environment with an org gets them by an operation: its org is looked at, merged, deployed to and read back, then its branch is moved.
/// An environment without one, and a branch:
/// each target branch gets one commit with the source's changes since the last state that both shared; what the target itself
/// changed stays. Where both changed the same element the branch is not moved and the conflict is kept: decide it with
/// `syncline conflicts`, and the back-promotion completes.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  Show what would happen in two environments:
    syncline back-promote --from production --onto uat,developer --dry-run
  All environments below production:
    syncline back-promote --from production --onto all-below
  Only the changes of these commits:
    syncline back-promote --from production --onto uat --commits v1..v2
  One component and what it needs:
    syncline back-promote --from production --onto uat --component Flow:Lead_Route
  One element:
    syncline back-promote --from production --onto uat \\
      --element 'Profile:Admin/fieldPermissions[field=Account.Rating]'

Exit codes: 0 done or nothing to do · 1 conflicts are kept · 2 a target failed; the others are done")]
pub struct Args {
    /// The environment, branch or revision whose changes are brought down
    #[arg(long, value_name = "REF")]
    from: String,
    /// The environments or branches that get them, with commas between, or `all-below`
    #[arg(long, value_name = "BRANCH", required = true, value_delimiter = ',')]
    onto: Vec<String>,
    /// Only the changes of these commits
    #[arg(long, value_name = "A..B")]
    commits: Option<String>,
    /// Only this component, with what it needs; `*` stands for any text; may be repeated
    #[arg(long = "component", value_name = "Type:Name")]
    components: Vec<ComponentPattern>,
    /// Only this element, with what it needs; may be repeated
    #[arg(long = "element", value_name = "PATH")]
    elements: Vec<ElementPath>,
    /// Show what would happen to the branches and write nothing
    #[arg(long)]
    dry_run: bool,
    /// Only the branches, also of environments that have an org
    #[arg(long)]
    branches_only: bool,
}

/// Runs the back-promotion and tells of each target.
pub fn run(args: Args, out: &mut Output) -> Result<Status, CommandError> {
    let repository = open()?;
    let (with_org, onto) = match args.dry_run || args.branches_only {
        true => (Vec::new(), args.onto),
        false => parted(&repository, &args.from, args.onto)?,
    };
    if !with_org.is_empty() && args.commits.is_some() {
        let message = format!(
            "a range of commits goes to branches only, and {} have orgs",
            with_org.join(", ")
        );
        return Err(
            CommandError::user("back-promote.commits", message).hint("add `--branches-only`, or take the whole source")
        );
    }
    let selection = Selection {
        components: args.components.clone(),
        elements: args.elements.clone(),
    };
    let orgs = match with_org.is_empty() {
        true => Status::Done,
        false => to_orgs(&repository, &args.from, &with_org, &selection, out)?,
    };
    if onto.is_empty() {
        return Ok(orgs);
    }
    let request = Request {
        from: args.from,
        onto,
        commits: args.commits,
        selection: Selection {
            components: args.components,
            elements: args.elements,
        },
        dry_run: args.dry_run,
    };
    let report = back_promote(&repository, &request, &operating::actor(&repository)?, now())?;
    if out.json() {
        out.value(&report)?;
    } else {
        let source = format!("{} ({})", report.source, short(&report.commit.to_string()));
        for target in &report.targets {
            tell(out, &source, target, report.dry_run)?;
        }
    }
    let failed: Vec<&str> = report
        .targets
        .iter()
        .filter(|target| matches!(target.outcome, Outcome::Failed { .. }))
        .map(|target| target.target.as_str())
        .collect();
    if !failed.is_empty() {
        let message = format!("the back-promotion failed for {}", failed.join(", "));
        return Err(CommandError::user("back-promote.failed", message)
            .hint("correct what is named above and run the same command again; what is done stays done"));
    }
    Ok(match report.has_conflicts() {
        true => Status::Found,
        false => orgs,
    })
}

/// Targets that are environments with an org, and all others.
fn parted(repository: &Repository, from: &str, onto: Vec<String>) -> Result<(Vec<String>, Vec<String>), CommandError> {
    let config = config::read(repository).map_err(BackPromoteError::from)?;
    let mut names = Vec::new();
    for name in onto {
        let source = from.strip_prefix("env:").unwrap_or(from);
        match name == ALL_BELOW && config.environment(source).is_some() {
            true => names.extend(config.below(source).iter().map(|below| below.name.clone())),
            false => names.push(name),
        }
    }
    // Nothing is below: the branches' own message tells it.
    if names.is_empty() {
        names.push(ALL_BELOW.to_owned());
    }
    let has_org = |name: &String| {
        let name = name.strip_prefix("env:").unwrap_or(name);
        config
            .environment(name)
            .is_some_and(|environment| environment.org.is_some())
    };
    Ok(names.into_iter().partition(has_org))
}

/// Brings the changes to the orgs of environments, each as an operation of its own.
fn to_orgs(
    repository: &Repository,
    from: &str,
    targets: &[String],
    selection: &Selection,
    out: &mut Output,
) -> Result<Status, CommandError> {
    let actor = operating::actor(repository)?;
    operating::block_on(async {
        let runtime = operating::runtime(repository).await?;
        let mut begun = Vec::new();
        for target in targets {
            let to = target.strip_prefix("env:").unwrap_or(target);
            let wanted = Wanted {
                from: from.to_owned(),
                to: to.to_owned(),
                selection: selection.clone(),
                direction: Direction::Down,
                bypass: None,
            };
            begun.push((to.to_owned(), promote(&runtime, repository, &wanted, &actor).await));
        }
        operating::work(&runtime, begun, out).await
    })
}

/// Opens the repository of the current folder.
pub(in crate::commands) fn open() -> Result<Repository, CommandError> {
    Repository::discover(Path::new("."))
        .map_err(|error| CommandError::user("git.no-repository", "could not open the repository").because(error))
}

/// The time of commits: now, in UTC.
pub(in crate::commands) fn now() -> CommitTime {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    CommitTime {
        // A clock before 1970 is no clock.
        seconds: since.map_or(0, |since| i64::try_from(since.as_secs()).unwrap_or(i64::MAX)),
        offset_minutes: 0,
    }
}

/// One target as a block of lines.
pub(super) fn tell(out: &mut Output, source: &str, target: &TargetReport, dry_run: bool) -> Result<(), CommandError> {
    let would = if dry_run { "would be " } else { "" };
    match &target.outcome {
        Outcome::NothingToDo => out.line(format_args!("{}: nothing to do, it has all of {source}", target.target))?,
        Outcome::Failed { error } => {
            out.line(format_args!("{}: failed, nothing is written", target.target))?;
            problem(out, error)?;
        }
        Outcome::Done {
            commit,
            files,
            pulled_in,
            replayed,
            worktree,
        } => {
            let commit = commit.as_deref().map(|commit| format!(", commit {}", short(commit)));
            out.line(format_args!(
                "{}: {would}back-promoted from {source}{}",
                target.target,
                commit.unwrap_or_default()
            ))?;
            base(out, target)?;
            let count = |change| files.iter().filter(|file| file.change == change).count();
            let counts = [
                (Change::Added, "added"),
                (Change::Updated, "updated"),
                (Change::Merged, "merged with the target's own changes"),
                (Change::Deleted, "deleted"),
            ];
            let counts: Vec<String> = counts
                .into_iter()
                .map(|(change, word)| (count(change), word))
                .filter(|(count, _)| *count > 0)
                .map(|(count, word)| format!("{count} {word}"))
                .collect();
            out.line(format_args!("  files: {}", counts.join(", ")))?;
            extras(out, pulled_in, replayed)?;
            if let Some(worktree) = worktree {
                out.line(format_args!("  working tree: {worktree} {would}updated"))?;
            }
        }
        Outcome::Conflicts {
            id,
            conflicts,
            pulled_in,
            replayed,
        } => {
            out.line(format_args!(
                "{}: {} to decide, the branch {}",
                target.target,
                counted(conflicts.len(), "conflict"),
                if dry_run { "would not be moved" } else { "was not moved" }
            ))?;
            base(out, target)?;
            extras(out, pulled_in, replayed)?;
            for item in conflicts {
                conflict(out, item)?;
            }
            if !dry_run {
                out.line(format_args!("  next: syncline conflicts show {id}"))?;
                out.line(format_args!(
                    "        syncline conflicts resolve {id} 1 --theirs   (--ours, --base, --value FILE, --delete; --all for all)"
                ))?;
            }
        }
    }
    Ok(())
}

/// One conflict in one line.
pub(super) fn conflict(out: &mut Output, item: &Item) -> Result<(), CommandError> {
    let note = item.note.as_deref().map(|note| format!("; {note}")).unwrap_or_default();
    out.line(format_args!("  {}. {}: {}{note}", item.number, item.path, item.reason))
}

/// `1 conflict`, `2 conflicts`.
pub(super) fn counted(count: usize, noun: &str) -> String {
    match count {
        1 => format!("1 {noun}"),
        _ => format!("{count} {noun}s"),
    }
}

fn base(out: &mut Output, target: &TargetReport) -> Result<(), CommandError> {
    match &target.base {
        None => Ok(()),
        Some(Base::None) => out.line(format_args!("  base: {}", Base::None.how())),
        Some(base) => {
            let commits: Vec<String> = base
                .commits()
                .iter()
                .map(|commit| short(&commit.to_string()).to_owned())
                .collect();
            out.line(format_args!("  base: {} ({})", commits.join(", "), base.how()))
        }
    }
}

fn extras(out: &mut Output, pulled_in: &[Needed], replayed: &[Replayed]) -> Result<(), CommandError> {
    for needed in pulled_in {
        let because: Vec<String> = needed
            .because
            .iter()
            .map(|because| format!("{} needs it ({})", because.component, because.via))
            .collect();
        out.line(format_args!(
            "  pulled in: {} because {}",
            needed.component,
            because.join(", ")
        ))?;
    }
    for one in replayed {
        let decided = &one.decided;
        out.line(format_args!(
            "  replayed: {} as decided before ({}, by {})",
            one.path,
            decided.choice.word(),
            decided.by
        ))?;
    }
    Ok(())
}

fn problem(out: &mut Output, problem: &Problem) -> Result<(), CommandError> {
    out.line(format_args!("  {}", problem.message))?;
    for cause in &problem.causes {
        out.line(format_args!("  because: {cause}"))?;
    }
    Ok(())
}

pub(super) fn short(commit: &str) -> &str {
    commit.get(..8).unwrap_or(commit)
}

impl From<BackPromoteError> for CommandError {
    fn from(error: BackPromoteError) -> Self {
        let (kind, code) = match &error {
            BackPromoteError::Refused(refusal) => return refusal.clone().into(),
            BackPromoteError::Config(_) => (Kind::Config, "config.invalid"),
            BackPromoteError::State(_) | BackPromoteError::Range(_) => (Kind::User, "state.unknown"),
            BackPromoteError::NoTarget | BackPromoteError::NoPath { .. } | BackPromoteError::NothingBelow { .. } => {
                (Kind::User, "back-promote.no-target")
            }
            BackPromoteError::Resolution(_) => (Kind::User, "resolution.invalid"),
            BackPromoteError::Commit(_)
            | BackPromoteError::Open(_)
            | BackPromoteError::Ref(_)
            | BackPromoteError::Object(_)
            | BackPromoteError::Tree(_) => (Kind::User, "git.repository"),
        };
        let is_config = code == "config.invalid";
        let made = Self::new(kind, code, "could not back-promote").because(error);
        match is_config {
            true => made.hint(CORRECT),
            false => made,
        }
    }
}
