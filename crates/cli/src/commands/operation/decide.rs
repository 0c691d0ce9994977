//! What a person says to an operation: approve, reject, answer, cancel, retry.

use std::sync::Arc;

use syncline_engine::operation::{self, Decision, Operation, Runtime};
use syncline_git::Repository;

use super::find;
use crate::Status;
use crate::commands::operating;
use crate::error::CommandError;
use crate::output::Output;

/// Approve the package that an operation asks about
#[derive(Debug, clap::Args)]
pub(super) struct ApproveArgs {
    /// The operation: its id, or the beginning or end of it
    operation: String,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// The package that you looked at, as `show` tells it; another one is refused
    #[arg(long, value_name = "DIGEST")]
    about: Option<String>,
    /// Leave going on to a worker
    #[arg(long)]
    detach: bool,
}

/// Refuse the package that an operation asks about
#[derive(Debug, clap::Args)]
pub(super) struct RejectArgs {
    /// The operation: its id, or the beginning or end of it
    operation: String,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Leave going on to a worker
    #[arg(long)]
    detach: bool,
}

/// Answer an operation's question
#[derive(Debug, clap::Args)]
pub(super) struct AnswerArgs {
    /// The operation: its id, or the beginning or end of it
    operation: String,
    /// A choice, or a text; nothing to confirm
    #[arg(default_value = "")]
    value: String,
    /// A remark
    #[arg(long, value_name = "TEXT", default_value = "")]
    comment: String,
    /// What you looked at, as `show` tells it; an answer about something else is refused
    #[arg(long, value_name = "SUBJECT")]
    about: Option<String>,
    /// Leave going on to a worker
    #[arg(long)]
    detach: bool,
}

/// End an operation at the next safe point
#[derive(Debug, clap::Args)]
pub(super) struct CancelArgs {
    /// The operation: its id, or the beginning or end of it
    operation: String,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Leave going on to a safe point to a worker
    #[arg(long)]
    detach: bool,
}

/// Go on with the step that failed
#[derive(Debug, clap::Args)]
pub(super) struct RetryArgs {
    /// The operation: its id, or the beginning or end of it
    operation: String,
    /// Leave going on to a worker
    #[arg(long)]
    detach: bool,
}

pub(super) async fn approve(
    runtime: &Arc<Runtime>,
    repository: &Repository,
    args: ApproveArgs,
    out: &mut Output,
) -> Result<Status, CommandError> {
    let decision = Decision {
        granted: true,
        reason: args.reason,
        subject: args.about,
    };
    decide(runtime, repository, &args.operation, &decision, args.detach, out).await
}

pub(super) async fn reject(
    runtime: &Arc<Runtime>,
    repository: &Repository,
    args: RejectArgs,
    out: &mut Output,
) -> Result<Status, CommandError> {
    let decision = Decision {
        granted: false,
        reason: Some(args.reason),
        subject: None,
    };
    decide(runtime, repository, &args.operation, &decision, args.detach, out).await
}

async fn decide(
    runtime: &Arc<Runtime>,
    repository: &Repository,
    operation: &str,
    decision: &Decision,
    detach: bool,
    out: &mut Output,
) -> Result<Status, CommandError> {
    let found = find(runtime, operation).await?;
    operation::approve(runtime, &found.id, &operating::actor(repository)?, decision).await?;
    go_on(runtime, found, detach, out).await
}

pub(super) async fn answer(
    runtime: &Arc<Runtime>,
    repository: &Repository,
    args: AnswerArgs,
    out: &mut Output,
) -> Result<Status, CommandError> {
    let found = find(runtime, &args.operation).await?;
    let about = args.about.as_deref();
    operation::answer(
        runtime,
        &found.id,
        &operating::actor(repository)?,
        &args.value,
        &args.comment,
        about,
    )
    .await?;
    go_on(runtime, found, args.detach, out).await
}

pub(super) async fn cancel(
    runtime: &Arc<Runtime>,
    repository: &Repository,
    args: CancelArgs,
    out: &mut Output,
) -> Result<Status, CommandError> {
    let found = find(runtime, &args.operation).await?;
    let seen = operation::cancel(runtime, &found.id, &operating::actor(repository)?, &args.reason).await?;
    if seen.state.is_terminal() {
        match out.json() {
            true => out.value(&seen)?,
            false => out.line(format_args!("{}: {}", operation::short(&seen.id), seen.state))?,
        }
        return Ok(Status::Done);
    }
    go_on(runtime, found, args.detach, out).await
}

pub(super) async fn retry(
    runtime: &Arc<Runtime>,
    repository: &Repository,
    args: RetryArgs,
    out: &mut Output,
) -> Result<Status, CommandError> {
    let found = find(runtime, &args.operation).await?;
    operation::retry(runtime, &found.id, &operating::actor(repository)?).await?;
    go_on(runtime, found, args.detach, out).await
}

/// Works on the operation here, unless a worker is to.
async fn go_on(
    runtime: &Arc<Runtime>,
    found: Operation,
    detach: bool,
    out: &mut Output,
) -> Result<Status, CommandError> {
    if !detach {
        let target = found.environment.clone().unwrap_or_else(|| found.kind.clone());
        return operating::work(runtime, vec![(target, Ok(found))], out).await;
    }
    let seen = runtime.store.operation(&found.id).await?;
    match out.json() {
        true => out.value(&seen)?,
        false => out.line(format_args!("{}: a worker goes on with it", operation::short(&seen.id)))?,
    }
    Ok(Status::Done)
}
