//! Runs a claimed operation step by step until it waits or ends.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use serde_json::json;
use syncline_domain::operation::{Outcome, Problem, State};
use syncline_store::{Claim, Operation, StepEnd, StoreError};

use super::context::StepContext;
use super::lease::Lease;
use super::{Kind, Runtime, StepDef, StepError};
use crate::worker::Stop;

/// Runs the operation until it waits, ends, or the worker is to stop. Nothing is written any more when the lease is lost:
/// then the error is [`StoreError::Lost`].
pub(crate) async fn run(
    runtime: &Arc<Runtime>,
    claim: &Claim,
    operation: Operation,
    lease_length: Duration,
    stop: &Stop,
) -> Result<State, StoreError> {
    let until = operation.lease_until.unwrap_or(0);
    let lease = Lease::new(until, operation.cancelling, runtime.clock.clone());
    let keeper = tokio::spawn(lease.clone().keep(runtime.store.clone(), claim.clone(), lease_length));
    let ended = steps(runtime, claim, operation, &lease, stop).await;
    keeper.abort();
    ended
}

async fn steps(
    runtime: &Arc<Runtime>,
    claim: &Claim,
    operation: Operation,
    lease: &Lease,
    stop: &Stop,
) -> Result<State, StoreError> {
    let store = &runtime.store;
    // A worker claims only kinds that it knows.
    let kind = runtime.kind(&operation.kind).ok_or_else(|| StoreError::Unknown {
        what: "kind of operation",
        name: operation.kind.clone(),
    })?;
    let mut context = StepContext {
        runtime: Arc::clone(runtime),
        data: operation.data.clone(),
        lease: lease.clone(),
        stop: stop.clone(),
        claim: claim.clone(),
        signals: Vec::new(),
        consumed: Vec::new(),
        audit: Vec::new(),
        message: None,
        operation,
    };
    // The signal that woke it is taken in even if its step does not look at it.
    let mut waited_for = context.operation.waits_for.clone();
    loop {
        if stop.is_requested() {
            store.release(claim, runtime.now()).await?;
            return Ok(State::Queued);
        }
        let name = context.operation.step.clone();
        let step = kind.step(name.as_deref());
        let name = step.map_or_else(|| name.unwrap_or_default(), |step| step.name.to_owned());
        context.signals = store.pending_signals(&claim.operation).await?;
        let run = store.begin_step(claim, &name, runtime.now()).await?;
        let outcome = match step {
            None => Ok(unknown_step(kind, &name)),
            Some(step) => tokio::select! {
                biased;
                () = lease.lost() => return Err(lost(claim)),
                outcome = caught(step, &mut context) => outcome,
            },
        };
        if lease.is_lost() {
            return Err(lost(claim));
        }
        if let Some(name) = waited_for.take() {
            context.signals(&name);
        }
        let end = conclude(&mut context, kind, &name, run, outcome);
        let after = store.end_step(claim, &end, runtime.now()).await?;
        if after.state != State::Running {
            return Ok(after.state);
        }
        context.operation = after;
    }
}

fn lost(claim: &Claim) -> StoreError {
    StoreError::Lost {
        operation: claim.operation.clone(),
        worker: claim.worker.clone(),
    }
}

/// The operation was begun by another version of this program: that one can go on after a retry.
fn unknown_step(kind: &Kind, name: &str) -> Outcome {
    let message = format!(
        "operations of the kind {} have no step `{name}` in this program",
        kind.name
    );
    let problem = Problem::new("operation.unknown-step", message).hint("run the worker of the version that began it");
    Outcome::Errored {
        problem,
        retry_at: None,
    }
}

/// Runs a step; a panic in it is a technical failure.
async fn caught(step: &StepDef, context: &mut StepContext) -> Result<Outcome, StepError> {
    let mut future = (step.run)(context);
    std::future::poll_fn(move |task| {
        catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(task))).unwrap_or_else(|panic| {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
            let message = format!("the step `{}` broke down: a defect of this program", step.name);
            let details = json!({"causes": [text.unwrap_or("unknown")]});
            let problem = Problem::new("operation.defect", message).details(details);
            Poll::Ready(Err(StepError::new(problem)))
        })
    })
    .await
}

/// What is written after a step.
fn conclude(
    context: &mut StepContext,
    kind: &'static Kind,
    name: &str,
    run: i64,
    outcome: Result<Outcome, StepError>,
) -> StepEnd {
    let outcome = match outcome {
        // A step that is not in the table is found before anything is written.
        Ok(Outcome::Next { step }) if kind.step(Some(&step)).is_none() => unknown_step(kind, &step),
        Ok(outcome) => outcome,
        Err(StepError(outcome)) => *outcome,
    };
    let next = kind.after(name);
    let follows = match &outcome {
        Outcome::Done => next,
        Outcome::Next { step } => kind.step(Some(step)),
        _ => kind.step(Some(name)),
    };
    StepEnd {
        run,
        outcome,
        next: next.map(|step| step.name.to_owned()),
        may_stop: follows.is_some_and(|step| step.may_stop),
        seed: RandomState::new().build_hasher().finish(),
        left: context.take(),
    }
}
