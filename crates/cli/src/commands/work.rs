//! `syncline work`: work items, from a sandbox to a pull request.

use serde_json::json;
use syncline_engine::work::{Capture, Captured, Item, Start, State, Submit, capture, list, start, submit};

use super::back_promote::{counted, now, open};
use super::environment::shortened;
use super::operating;
use super::org::orgs;
use crate::Status;
use crate::error::CommandError;
use crate::output::Output;

/// Keep what you change in your sandbox, and hand it on
///
/// A work item is one thing that you do: a correction, a new field. `start` begins one, `capture` keeps what you changed in your
/// sandbox, `submit` shows it to the others. You need no git for it, and nothing in your sandbox is changed. What others changed in
/// the same sandbox is left alone.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  syncline work start \"Fees in euro\" --env dev1
  syncline work capture              what did I change?
  syncline work capture 1 3          keep the first and the third
  syncline work capture --all -m \"Round the fees\"
  syncline work submit")]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Begin a work item
    ///
    /// Makes a branch for it on what the environment above your sandbox has now. The branch that you have open stays open.
    Start {
        /// What it is about, in a few words
        title: String,
        /// The sandbox that you work in; the only one for developers when not given
        #[arg(long, value_name = "ENV")]
        env: Option<String>,
        /// Its number or name in your ticket system; the next number when not given
        #[arg(long, value_name = "ID")]
        id: Option<String>,
    },
    /// List what you changed in your sandbox, and keep what you pick
    ///
    /// Looks at your sandbox first. Where it tracks changes, yours are those that it has noted for you; else those whose last change
    /// was yours. Nothing is kept until you pick: numbers of the list, components (`ApexClass:Fee*`), or --all.
    Capture {
        /// Numbers of the list (`1`, `3-5`), components or elements
        selection: Vec<String>,
        /// Everything in the list
        #[arg(long)]
        all: bool,
        /// The work item; the only one that is begun when not given
        #[arg(long, value_name = "ID")]
        item: Option<String>,
        /// List what others changed, too
        #[arg(long)]
        everybody: bool,
        /// What you did, in a few words
        #[arg(short, long, value_name = "TEXT")]
        message: Option<String>,
        /// Do not look at the sandbox again; the last snapshot counts
        #[arg(long)]
        offline: bool,
    },
    /// Hand a work item on: push its branch and say how to ask for it to be taken
    Submit {
        /// The work item; the only one that is begun when not given
        #[arg(long, value_name = "ID")]
        item: Option<String>,
    },
    /// List the work items
    List,
}

/// Does what is asked for.
pub fn run(args: Args, out: &mut Output) -> Result<Status, CommandError> {
    match args.action {
        Action::Start { title, env, id } => {
            let request = Start {
                title,
                environment: env,
                id,
            };
            let repository = open()?;
            let actor = operating::actor(&repository)?;
            started(&start(&repository, &request, &actor, now())?, out)
        }
        Action::Capture {
            selection,
            all,
            item,
            everybody,
            message,
            offline,
        } => {
            let request = Capture {
                item,
                selection,
                all,
                everybody,
                message,
                refresh: !offline,
            };
            let repository = open()?;
            let actor = operating::actor(&repository)?;
            captured(&capture(&repository, &orgs()?, &request, &actor, now())?, out)
        }
        Action::Submit { item } => submitted(&Submit { item }, out),
        Action::List => listed(out),
    }
}

fn started(item: &Item, out: &mut Output) -> Result<Status, CommandError> {
    if out.json() {
        out.value(item)?;
        return Ok(Status::Done);
    }
    let change = &item.change;
    out.line(format_args!("work item {} is begun: {}", change.id, change.title))?;
    if let (Some(environment), Some(target)) = (&change.environment, &change.target) {
        out.line(format_args!(
            "  made in {environment}, goes to {target}, branch {}",
            change.branch
        ))?;
    }
    out.line("next: change something in your sandbox, then `syncline work capture`")?;
    Ok(Status::Done)
}

fn captured(captured: &Captured, out: &mut Output) -> Result<Status, CommandError> {
    if out.json() {
        out.value(captured)?;
        return Ok(Status::Done);
    }
    let change = &captured.item.change;
    if captured.candidates.is_empty() {
        out.line(format_args!(
            "nothing to keep: {} has changed nothing that work item {} does not have",
            if captured.user.is_empty() {
                "you"
            } else {
                captured.user.as_str()
            },
            change.id
        ))?;
    }
    for one in &captured.candidates {
        let mark = if captured.captured.contains(&one.number) {
            "kept"
        } else {
            ""
        };
        let also = one
            .also_in
            .as_deref()
            .map(|branch| format!("  (also on {branch})"))
            .unwrap_or_default();
        out.line(format_args!(
            "{:>4}  {mark:<4}  {} {}{also}",
            one.number, one.component, one.kind
        ))?;
        for change in one.changes.iter().filter(|_| one.kind == "changed").take(5) {
            out.line(format_args!("              {}", shortened(change, 160)))?;
        }
    }
    if captured.others > 0 {
        out.line(format_args!(
            "{} changed by others {} not listed; --everybody lists them",
            counted(captured.others, "component"),
            if captured.others == 1 { "is" } else { "are" }
        ))?;
    }
    if !captured.tracked && !captured.candidates.is_empty() {
        out.note("the sandbox does not track changes: the last change of each component tells whose it is");
    }
    match (captured.captured.len(), captured.files) {
        (0, _) if captured.candidates.is_empty() => Ok(Status::Done),
        (0, _) => {
            out.line("nothing is kept yet: pick numbers, as in `syncline work capture 1 2`, or all with --all")?;
            Ok(Status::Done)
        }
        (count, files) => {
            let files = counted(files, "file");
            out.line(format_args!(
                "{} kept in {files} for work item {}",
                counted(count, "component"),
                change.id
            ))?;
            out.line("next: `syncline work submit` hands it on")?;
            Ok(Status::Done)
        }
    }
}

fn submitted(request: &Submit, out: &mut Output) -> Result<Status, CommandError> {
    let repository = open()?;
    let submitted = submit(&repository, request, &operating::actor(&repository)?)?;
    if out.json() {
        out.value(&submitted)?;
        return Ok(Status::Done);
    }
    let change = &submitted.item.change;
    match &submitted.remote {
        Some(remote) => out.line(format_args!(
            "work item {} is at {remote} as {}",
            change.id, change.branch
        ))?,
        None => out.line(format_args!(
            "work item {} is open as {}; this repository has no remote, so only it has the branch",
            change.id, change.branch
        ))?,
    }
    let into = submitted.into.as_deref().unwrap_or("the branch above");
    match (&submitted.url, &submitted.remote) {
        (Some(url), _) => out.line(format_args!("ask for it to be taken into {into}: {url}"))?,
        (None, Some(_)) => out.line(format_args!(
            "ask for it to be taken: open a pull request from {} into {into} where your repository is hosted",
            change.branch
        ))?,
        (None, None) => {}
    }
    if let Some(target) = &change.target {
        out.line(format_args!(
            "next: `syncline promote --from {}` brings it to {target} when that is agreed",
            change.branch
        ))?;
    }
    if submitted.behind > 0 {
        out.note(format_args!(
            "{into} has {} that were not there when you began; whoever takes it merges them",
            counted(submitted.behind, "commit")
        ));
    }
    Ok(Status::Done)
}

fn listed(out: &mut Output) -> Result<Status, CommandError> {
    let items = list(&open()?)?;
    if out.json() {
        out.value(&json!({"items": items}))?;
        return Ok(Status::Done);
    }
    for item in &items {
        let state = match item.state {
            State::Begun => "begun",
            State::Open => "open",
            State::Changed => "open, changed since",
            State::Done => "done",
        };
        let change = &item.change;
        let place = change
            .environment
            .as_deref()
            .map(|name| format!(", in {name}"))
            .unwrap_or_default();
        out.line(format_args!(
            "{}  {}  [{state}{place}, {}]",
            change.id,
            change.title,
            counted(item.files, "file")
        ))?;
    }
    if items.is_empty() {
        out.line("no work item is begun; `syncline work start \"What it is about\"` begins one")?;
    }
    Ok(Status::Done)
}
