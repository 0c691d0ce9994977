//! `syncline operation`: what runs, what waits, what a person has to say.

mod decide;
mod watch;

use std::sync::Arc;

use syncline_engine::operation::promote::Kept;
use syncline_engine::operation::{Blocked, Operation, OperationError, Runtime, State, blocked, short};
use syncline_engine::store::Filter;
use syncline_engine::time::{Millis, rfc3339};

use super::back_promote::open;
use super::operating;
use crate::Status;
use crate::error::{CommandError, Kind};
use crate::output::Output;

/// See what runs and what waits, and answer, approve, cancel or retry it
///
/// Everything long is an operation: it survives a crash, and goes on where it was. An operation is named by the end of its id.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  syncline operation list
  syncline operation show 9f3a1c02
  syncline operation approve 9f3a1c02 --reason 'looks right'
  syncline operation answer 9f3a1c02 adopt
  syncline operation retry 9f3a1c02              go on after a failure
  syncline operation watch 9f3a1c02              follow it until it waits or ends

Exit codes: 0 done · 1 a person is asked, a time is waited for, or it failed · 2 error")]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// List operations, the newest first
    List {
        /// Also those that have ended
        #[arg(long)]
        all: bool,
        /// Only those of this environment
        #[arg(long, value_name = "ENV")]
        environment: Option<String>,
        /// At most so many
        #[arg(long, value_name = "N", default_value_t = 50)]
        limit: u32,
    },
    /// Show where an operation stands and what it asks
    Show {
        /// The operation: its id, or the beginning or end of it
        operation: String,
    },
    /// Show each run of its steps, and its audit entries
    Log {
        /// The operation: its id, or the beginning or end of it
        operation: String,
    },
    Approve(decide::ApproveArgs),
    Reject(decide::RejectArgs),
    Answer(decide::AnswerArgs),
    Cancel(decide::CancelArgs),
    Retry(decide::RetryArgs),
    /// Follow an operation until it waits for a person or has ended
    Watch {
        /// The operation: its id, or the beginning or end of it
        operation: String,
    },
}

/// Shows or decides.
pub fn run(args: Args, out: &mut Output) -> Result<Status, CommandError> {
    let repository = open()?;
    operating::block_on(async {
        let runtime = operating::runtime(&repository).await?;
        match args.action {
            Action::List {
                all,
                environment,
                limit,
            } => list(&runtime, all, environment, limit, out).await,
            Action::Show { operation } => show(&runtime, &find(&runtime, &operation).await?, out).await,
            Action::Log { operation } => log(&runtime, &find(&runtime, &operation).await?, out).await,
            Action::Watch { operation } => watch::watch(&runtime, find(&runtime, &operation).await?, out).await,
            Action::Approve(args) => decide::approve(&runtime, &repository, args, out).await,
            Action::Reject(args) => decide::reject(&runtime, &repository, args, out).await,
            Action::Answer(args) => decide::answer(&runtime, &repository, args, out).await,
            Action::Cancel(args) => decide::cancel(&runtime, &repository, args, out).await,
            Action::Retry(args) => decide::retry(&runtime, &repository, args, out).await,
        }
    })
}

async fn find(runtime: &Arc<Runtime>, name: &str) -> Result<Operation, CommandError> {
    Ok(runtime.store.find_operation(name).await?)
}

/// What is left to look at.
fn status(operation: &Operation) -> Status {
    match operation.state {
        State::Succeeded | State::Queued | State::Running | State::Cancelled => Status::Done,
        State::Waiting | State::NeedsPerson | State::Failed | State::Errored => Status::Found,
    }
}

async fn list(
    runtime: &Arc<Runtime>,
    all: bool,
    environment: Option<String>,
    limit: u32,
    out: &mut Output,
) -> Result<Status, CommandError> {
    let filter = Filter {
        environment,
        kind: None,
        open: !all,
        limit,
    };
    let found = runtime.store.operations(&filter).await?;
    if out.json() {
        let mut told = Vec::new();
        for one in &found {
            told.push(Told::of(runtime, one).await?);
        }
        out.value(&serde_json::json!({ "operations": told }))?;
        return Ok(Status::Done);
    }
    if found.is_empty() {
        out.line(if all {
            "there are no operations"
        } else {
            "nothing runs and nothing waits"
        })?;
    }
    for one in &found {
        let environment = one.environment.as_deref().unwrap_or("-");
        let step = one.step.as_deref().unwrap_or("not begun");
        let message = one.message.as_deref().unwrap_or_default();
        out.line(
            format!(
                "{}  {} {environment}: {}, {step}  {message}",
                short(&one.id),
                one.kind,
                one.state
            )
            .trim_end(),
        )?;
        if let Some(blocked) = blocked(runtime, one).await? {
            out.line(format_args!("          waits: {}", blocked.words()))?;
            for hint in &blocked.hints {
                out.line(format_args!("          {hint}"))?;
            }
        }
    }
    Ok(Status::Done)
}

/// An operation as JSON, with who has its org.
#[derive(serde::Serialize)]
struct Told<'a> {
    #[serde(flatten)]
    operation: &'a Operation,
    blocked: Option<Blocked>,
}

impl<'a> Told<'a> {
    async fn of(runtime: &Runtime, operation: &'a Operation) -> Result<Self, CommandError> {
        Ok(Self {
            operation,
            blocked: blocked(runtime, operation).await?,
        })
    }
}

async fn show(runtime: &Runtime, operation: &Operation, out: &mut Output) -> Result<Status, CommandError> {
    let told = Told::of(runtime, operation).await?;
    if out.json() {
        out.value(&told)?;
        return Ok(status(operation));
    }
    out.line(format_args!("{}", operation.id))?;
    let mut field = |name: &str, value: Option<String>| match value {
        Some(value) => out.line(format_args!("  {name:<12} {value}")),
        None => Ok(()),
    };
    let time = |at: Option<Millis>| at.map(rfc3339);
    field("kind", Some(operation.kind.clone()))?;
    field("environment", operation.environment.clone())?;
    field("state", Some(operation.state.to_string()))?;
    field("step", operation.step.clone())?;
    field("message", operation.message.clone())?;
    field("asked by", Some(operation.actor.clone()))?;
    field("asked", time(Some(operation.created)))?;
    field("goes on", time(operation.wake_at))?;
    field("waits for", operation.waits_for.clone())?;
    if let Some(blocked) = &told.blocked {
        field("waits", Some(blocked.words()))?;
        for hint in &blocked.hints {
            field("hint", Some(hint.clone()))?;
        }
    }
    field("ended", time(operation.ended))?;
    field(
        "cancelling",
        operation.cancelling.then(|| "at the next safe point".to_owned()),
    )?;
    field(
        "failures",
        (operation.attempts > 0).then(|| operation.attempts.to_string()),
    )?;
    field("progress", operation.progress.as_ref().map(progress))?;
    field(
        "worker",
        operation
            .lease_owner
            .clone()
            .filter(|_| operation.state == State::Running),
    )?;
    if let Some(problem) = &operation.problem {
        field("problem", Some(format!("{} ({})", problem.message, problem.code)))?;
        for hint in &problem.hints {
            field("hint", Some(hint.clone()))?;
        }
    }
    if let Some(question) = &operation.question {
        field("question", Some(format!("{}: {}", question.name, question.text)))?;
        field(
            "about",
            Some(question.subject.clone()).filter(|subject| !subject.is_empty()),
        )?;
    }
    field("next", operating::next(operation, short(&operation.id)))?;
    package(operation, out)?;
    Ok(status(operation))
}

/// Components of a package that are shown.
const SHOWN: usize = 50;

/// What the package of an operation holds: what a person agrees to.
fn package(operation: &Operation, out: &mut Output) -> Result<(), CommandError> {
    let Ok(kept) = serde_json::from_value::<Kept>(operation.data.clone()) else {
        return Ok(());
    };
    for (what, ids) in [("deploys", &kept.components), ("deletes", &kept.deletions)] {
        for id in ids.iter().take(SHOWN) {
            out.line(format_args!("  {what:<12} {id}"))?;
        }
        if let more @ 1.. = ids.len().saturating_sub(SHOWN) {
            out.line(format_args!("  {what:<12} {more} more; --json lists all"))?;
        }
    }
    for note in &kept.notes {
        out.line(format_args!("  {:<12} {note}", "note"))?;
    }
    kept.irreversible.iter().try_for_each(|one| {
        out.line(format_args!(
            "  {:<12} cannot be undone: {}: {}",
            "note", one.component, one.words
        ))
    })
}

/// `3 of 10 tests, until 2026-…`.
pub(in crate::commands) fn progress(progress: &serde_json::Value) -> String {
    let number = |name: &str| progress[name].as_u64().unwrap_or(0);
    let unit = progress["unit"].as_str().unwrap_or_default();
    let end = progress["ends_at"]
        .as_i64()
        .map(|at| format!(", until {}", rfc3339(at)));
    format!(
        "{} of {} {unit}{}",
        number("done"),
        number("total"),
        end.unwrap_or_default()
    )
}

async fn log(runtime: &Arc<Runtime>, operation: &Operation, out: &mut Output) -> Result<Status, CommandError> {
    let runs = runtime.store.step_runs(&operation.id).await?;
    let subject = format!("operation:{}", operation.id);
    let audit = runtime.store.recent_audit(Some(&subject), 1_000).await?;
    if out.json() {
        out.value(&serde_json::json!({ "operation": operation.id, "steps": runs, "audit": audit }))?;
        return Ok(Status::Done);
    }
    for run in &runs {
        let outcome = run.outcome.as_ref();
        let ended = outcome.and_then(|outcome| outcome["outcome"]["outcome"].as_str());
        let why = ["why", "message"].iter().find_map(|name| {
            let outcome = &outcome?["outcome"];
            outcome[name].as_str().or_else(|| outcome["problem"][name].as_str())
        });
        let ended = match (ended, operation.state) {
            (Some(ended), _) => ended,
            (None, State::Running) if run.epoch == operation.lease_epoch => "runs",
            (None, _) => "its worker was gone",
        };
        let text = format!(
            "{}  {:<14} {ended}  {}",
            rfc3339(run.started),
            run.name,
            why.unwrap_or_default()
        );
        out.line(text.trim_end())?;
    }
    for entry in &audit {
        let draft = &entry.draft;
        out.line(format_args!(
            "{}  audit {}: {} {} by {}",
            rfc3339(draft.at),
            entry.seq,
            draft.action,
            draft.outcome,
            draft.actor
        ))?;
    }
    Ok(Status::Done)
}

impl From<OperationError> for CommandError {
    fn from(error: OperationError) -> Self {
        match error {
            OperationError::Store(error) => error.into(),
            OperationError::Refused(refusal) => refusal.into(),
            other => Self::new(Kind::User, "operation.refused", &other).with_source_of(other),
        }
    }
}
