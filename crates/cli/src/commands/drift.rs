//! `syncline drift`: in what an org differs from its branch, and what to do about it.

use std::io::{self, BufRead, IsTerminal, Write};

use syncline_engine::drift::{Adopt, Adopted, Difference, Drift, adopt, drift};
use syncline_engine::operation::Runtime;
use syncline_engine::operation::promote::{Kept, Revert, revert};
use syncline_engine::snapshot::{Request, snapshots};

use super::back_promote::{counted, now, open, short};
use super::environment::{ago, millis, shortened};
use super::operating;
use super::org::orgs;
use super::snapshot::Bars;
use crate::Status;
use crate::error::CommandError;
use crate::output::Output;

/// Show in what an org differs from its branch, by whom and since when, and settle it
///
/// Compares the last snapshot of an environment with its branch, element by element. Each difference has a class: *foreign* (changed
/// in the org directly), *unmanaged* (only in the org, and never was in git), *captured* (changed in the org, and on the branch of a
/// work item), *open change* (a work item is about the same component), *pending* (changed on the branch, not yet in the org),
/// *overlay* (a value of this environment only) and *noise* (it means nothing). --adopt
/// commits the org's state to the branch, --revert brings the branch's state to the org, as an operation: validated first, deployed
/// with --yes or when the environment's name is typed; a pending difference that is named is deployed so too. A SELECTION is numbers of
/// the list (`3`, `5-9`), components (`ApexClass:Tax*`) or elements.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  syncline drift production                           counts by type, then every difference
  syncline drift production --now                     look at the org first
  syncline drift production --adopt 3 'ApexClass:Tax*'
  syncline drift uat --adopt --all                    the first day: all that is outside of git
  syncline drift uat --revert 4-6 --yes

Exit codes: 0 no difference but noise and overlays, or done · 1 differences, or a person is asked · 2 error, or the org refused")]
pub struct Args {
    /// The environment
    #[arg(value_name = "ENV")]
    environment: String,
    /// Take a snapshot of the org before
    #[arg(long)]
    now: bool,
    /// Only count by type
    #[arg(long, conflicts_with_all = ["adopt", "revert"])]
    stat: bool,
    /// List noise and overlays too
    #[arg(long)]
    every: bool,
    /// Commit these differences to the branch: the org is right
    #[arg(long, value_name = "SELECTION", num_args = 0.., conflicts_with = "revert")]
    adopt: Option<Vec<String>>,
    /// Bring these differences to the org as the branch has them: the branch is right
    #[arg(long, value_name = "SELECTION", num_args = 0..)]
    revert: Option<Vec<String>>,
    /// Every foreign and unmanaged difference
    #[arg(long)]
    all: bool,
    /// Subject of the commit
    #[arg(short, long, value_name = "TEXT", requires = "adopt")]
    message: Option<String>,
    /// Show what would happen and write nothing
    #[arg(long, requires = "adopt")]
    dry_run: bool,
    /// Deploy what was validated, without asking
    #[arg(long, requires = "revert")]
    yes: bool,
    /// The environment's name once more; a production needs it
    #[arg(long, value_name = "ENV", requires = "revert")]
    confirm: Option<String>,
}

/// Differences of one list that are shown; the rest is counted.
const SHOWN: usize = 200;

/// Shows the drift, or settles it.
pub fn run(args: Args, out: &mut Output) -> Result<Status, CommandError> {
    if args.now {
        let request = Request {
            environments: vec![args.environment.clone()],
            ..Request::default()
        };
        let repository = open()?;
        let actor = operating::actor(&repository)?;
        let bars = Bars::new(out);
        let progress = |name: &str, done: usize, total: usize| bars.show(name, done, total);
        for taken in snapshots(&repository, &orgs()?, &request, &actor, now(), &progress)? {
            taken.result?;
        }
    }
    let chosen = |words: &[String]| match (words.is_empty(), args.all) {
        (true, false) => Err(CommandError::user("drift.selection", "nothing is selected")
            .hint("name numbers or components, or take all that was changed in the org with --all")),
        _ => Ok(()),
    };
    match (&args.adopt, &args.revert) {
        (Some(words), _) => chosen(words).and_then(|()| adopting(&args, words, out)),
        (None, Some(words)) => chosen(words).and_then(|()| reverting(&args, words, out)),
        (None, None) => show(&args, out),
    }
}

fn show(args: &Args, out: &mut Output) -> Result<Status, CommandError> {
    let found = drift(&open()?, &args.environment)?;
    let news = found.news().count();
    if out.json() {
        out.value(&found)?;
        return Ok(if news > 0 { Status::Found } else { Status::Done });
    }
    for (path, why) in &found.unknown {
        out.warn(format_args!("{path}: {why}; it is not compared"));
    }
    for (kind, why) in &found.not_listed {
        out.note(format_args!(
            "{kind} could not be listed, so nothing is known about it: {why}"
        ));
    }
    if found.rewritten {
        out.warn(format_args!(
            "the branch {} was rewritten since the last snapshot: nobody knows who changed what, so all counts as foreign",
            found.branch
        ));
    }
    out.line(format_args!(
        "{}: the org as of {} ({}) against {} ({})",
        found.environment,
        ago(millis().saturating_sub(found.taken)),
        short(&found.snapshot.to_string()),
        found.branch,
        short(&found.commit.to_string())
    ))?;
    counts(&found, out)?;
    if !args.stat {
        let listed: Vec<&Difference> = match args.every {
            true => found.differences.iter().collect(),
            false => found.news().collect(),
        };
        list(&listed, out)?;
        next(&found, out)?;
    }
    Ok(if news > 0 { Status::Found } else { Status::Done })
}

/// Names of classes and what they mean, those to look at first.
const CLASSES: [(&str, &str); 7] = [
    ("foreign", "foreign: changed in the org directly"),
    ("unmanaged", "unmanaged: only in the org, and never was in git"),
    ("open_change", "open change: a work item is about the same component"),
    (
        "captured",
        "captured: changed in the org, and on the branch of a work item",
    ),
    ("pending", "pending: changed on the branch, not yet in the org"),
    ("overlay", "overlay: a value of this environment only"),
    ("noise", "noise: it means nothing"),
];

fn counts(found: &Drift, out: &mut Output) -> Result<(), CommandError> {
    if found.differences.is_empty() {
        return out.line("the org is as its branch says");
    }
    for (class, words) in CLASSES {
        let by_type = found.by_type(class);
        if by_type.is_empty() {
            continue;
        }
        let width = by_type.keys().map(|name| name.len()).max().unwrap_or(0).max(5);
        out.line(words)?;
        out.line(format_args!("  {:width$}  only org  only branch  differ", "Type"))?;
        let mut total = [0; 3];
        for (name, counted) in &by_type {
            let row = [counted.added, counted.removed, counted.changed];
            total.iter_mut().zip(row).for_each(|(sum, n)| *sum += n);
            line(name, width, row, out)?;
        }
        if by_type.len() > 1 {
            line("Total", width, total, out)?;
        }
    }
    Ok(())
}

fn line(name: &str, width: usize, [added, removed, changed]: [usize; 3], out: &mut Output) -> Result<(), CommandError> {
    out.line(format_args!("  {name:width$}  {added:>8}  {removed:>11}  {changed:>6}"))
}

fn list(differences: &[&Difference], out: &mut Output) -> Result<(), CommandError> {
    for one in differences.iter().take(SHOWN) {
        let mut about = vec![one.class.name().replace('_', " ")];
        about.extend(one.change().map(str::to_owned));
        if let Some(author) = &one.author {
            about.push(format!("by {} {}", author.by, ago(millis().saturating_sub(author.at))));
        }
        out.line(format_args!(
            "{:>4}  {}  [{}]",
            one.number,
            shortened(&one.words, 200),
            about.join(", ")
        ))?;
    }
    match differences.len().saturating_sub(SHOWN) {
        0 => Ok(()),
        more => out.line(format_args!("      and {more} more; --json lists all")),
    }
}

fn next(found: &Drift, out: &mut Output) -> Result<(), CommandError> {
    let environment = &found.environment;
    if found.differences.iter().any(Difference::is_unclaimed) {
        out.line("next:")?;
        out.line(format_args!(
            "  syncline drift {environment} --adopt 1 2 3   the org is right: commit it to {}",
            found.branch
        ))?;
        out.line(format_args!(
            "  syncline drift {environment} --revert 1 2 3  the branch is right: validate, then set the org back"
        ))?;
    } else if found.differences.iter().any(Difference::is_pending) {
        out.line(format_args!(
            "next: syncline drift {environment} --revert 1 2 3  brings what the branch has to the org"
        ))?;
    }
    Ok(())
}

fn adopting(args: &Args, words: &[String], out: &mut Output) -> Result<Status, CommandError> {
    let request = Adopt {
        environment: args.environment.clone(),
        selection: words.to_vec(),
        all: args.all,
        message: args.message.clone(),
        dry_run: args.dry_run,
    };
    let repository = open()?;
    let adopted = adopt(&repository, &request, &operating::actor(&repository)?, now())?;
    if out.json() {
        out.value(&adopted)?;
    } else {
        tell_adopted(&adopted, args.dry_run, out)?;
    }
    Ok(Status::Done)
}

fn tell_adopted(adopted: &Adopted, dry_run: bool, out: &mut Output) -> Result<(), CommandError> {
    let what = counted(adopted.adopted.len(), "difference");
    match (&adopted.commit, dry_run) {
        (Some(commit), _) => out.line(format_args!(
            "{what} of {} adopted in {}: commit {} on {}",
            adopted.environment,
            counted(adopted.files, "file"),
            short(&commit.to_string()),
            adopted.branch
        ))?,
        (None, true) => out.line(format_args!(
            "{what} of {} would be adopted in {} on {}",
            adopted.environment,
            counted(adopted.files, "file"),
            adopted.branch
        ))?,
        (None, false) => out.line("nothing to adopt: the branch has all of it")?,
    }
    let listed: Vec<&Difference> = adopted.adopted.iter().collect();
    if listed.len() <= 20 {
        list(&listed, out)?;
    }
    let mut reasons: Vec<(&str, usize)> = Vec::new();
    for left in &adopted.left {
        match reasons.iter_mut().find(|(reason, _)| *reason == left.reason) {
            Some((_, count)) => *count += 1,
            None => reasons.push((left.reason, 1)),
        }
    }
    for (reason, count) in reasons {
        out.line(format_args!("left out: {}: {reason}", counted(count, "difference")))?;
    }
    Ok(())
}

fn reverting(args: &Args, words: &[String], out: &mut Output) -> Result<Status, CommandError> {
    let repository = open()?;
    let actor = operating::actor(&repository)?;
    let mut request = Revert {
        environment: args.environment.clone(),
        selection: words.to_vec(),
        all: args.all,
        deploy: args.yes,
        confirmed: args.confirm.clone(),
    };
    operating::block_on(async {
        let runtime = operating::runtime(&repository).await?;
        let target = || args.environment.clone();
        let begun = revert(&runtime, &repository, &request, &actor).await?;
        let id = begun.id.clone();
        let ended = operating::work(&runtime, vec![(target(), Ok(begun))], out).await?;
        if args.yes || out.json() || ended != Status::Done || !has_package(&runtime, &id).await? {
            return Ok(ended);
        }
        if !typed(&args.environment)? {
            out.line("only validated; deploy it with --yes, or type the environment's name when asked")?;
            return Ok(Status::Done);
        }
        request.deploy = true;
        request.confirmed = Some(target());
        let begun = revert(&runtime, &repository, &request, &actor).await?;
        operating::work(&runtime, vec![(target(), Ok(begun))], out).await
    })
}

/// Whether what was validated is anything at all.
async fn has_package(runtime: &Runtime, id: &str) -> Result<bool, CommandError> {
    let operation = runtime.store.operation(id).await?;
    let kept = serde_json::from_value::<Kept>(operation.data);
    Ok(kept.is_ok_and(|kept| kept.validation.is_some()))
}

/// Whether a person at the terminal types the environment's name.
fn typed(environment: &str) -> Result<bool, CommandError> {
    if !io::stdin().is_terminal() {
        return Ok(false);
    }
    let failed = |error| CommandError::user("terminal", "could not ask").because(error);
    write!(io::stderr(), "type `{environment}` to deploy this to its org: ").map_err(failed)?;
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line).map_err(failed)?;
    Ok(line.trim() == environment)
}
