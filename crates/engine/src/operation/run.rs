//! Runs a claimed operation step by step until it waits or ends.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use serde_json::{Value, json};
use syncline_domain::audit::Event;
use syncline_domain::operation::{ATTEMPTS, State, retry_at};
use syncline_store::{Change, Claim, Operation, StoreError};

use super::context::StepContext;
use super::lease::Lease;
use super::{Kind, Runtime, StepDef, StepError, StepResult};
use crate::problem::Problem;
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
    let lease = Lease::new(operation.lease_until.unwrap_or(0), runtime.clock.clone());
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
    let Some(kind) = runtime.kind(&operation.kind) else {
        // A worker claims only kinds that it knows.
        return Err(StoreError::Unknown {
            what: "kind of operation",
            name: operation.kind,
        });
    };
    let mut context = StepContext {
        runtime: Arc::clone(runtime),
        data: operation.data.clone(),
        lease: lease.clone(),
        cancelling: operation.cancel.is_some(),
        stop: stop.clone(),
        claim: claim.clone(),
        step: "",
        signals: Vec::new(),
        consumed: Vec::new(),
        audit: Vec::new(),
        message: None,
        operation,
    };
    let mut next = context.operation.step.clone();
    // The signal that woke it is taken in even if its step does not look at it.
    let mut waited_for = context.operation.waits_for.take();
    loop {
        let step = match find(kind, next.as_deref()) {
            Ok(step) => step,
            Err(error) => {
                let state = State::Errored;
                let change = conclude(&mut context, kind, None, Err(error));
                return store.save(claim, &change, runtime.now()).await.map(|()| state);
            }
        };
        context.step = step.name;
        context.signals = store.pending_signals(&claim.operation).await?;
        context.cancelling |= !context.signals("cancel").is_empty();
        if context.cancelling && step.cancellable {
            let change = cancelled(&mut context, step);
            store.save(claim, &change, runtime.now()).await?;
            return Ok(State::Cancelled);
        }
        if stop.is_requested() {
            let change = handed_on(&mut context, step);
            store.save(claim, &change, runtime.now()).await?;
            return Ok(State::Waiting);
        }
        let number = store.begin_step(claim, step.name, runtime.now()).await?;
        let outcome = tokio::select! {
            biased;
            () = lease.lost() => None,
            outcome = caught(step, &mut context) => Some(outcome),
        };
        if outcome.is_none() || lease.is_lost() {
            return Err(StoreError::Lost {
                operation: claim.operation.clone(),
                worker: claim.worker.clone(),
            });
        }
        if let Some(name) = waited_for.take() {
            context.signals(&name);
        }
        let mut change = conclude(&mut context, kind, Some(step), outcome.unwrap_or(Ok(StepResult::Done)));
        change.step_end = Some((number, logged(&change)));
        store.save(claim, &change, runtime.now()).await?;
        match change.state {
            Some(state) => return Ok(state),
            None => next = change.step,
        }
        context.operation.attempts = 0;
        context.message = None;
    }
}

fn find(kind: &'static Kind, name: Option<&str>) -> Result<&'static StepDef, StepError> {
    let found = match name {
        None => kind.steps.first(),
        Some(name) => kind.steps.iter().find(|step| step.name == name),
    };
    found.ok_or_else(|| {
        let name = name.unwrap_or("first");
        StepError::new(Problem {
            message: format!(
                "operations of the kind {} have no step `{name}` in this program",
                kind.name
            ),
            causes: Vec::new(),
            again: false,
        })
        .hopeless()
    })
}

/// Runs a step; a panic in it is a technical failure that does not pass.
async fn caught(step: &StepDef, context: &mut StepContext) -> Result<StepResult, StepError> {
    let mut future = (step.run)(context);
    std::future::poll_fn(move |task| {
        catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(task))).unwrap_or_else(|panic| {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text
                .or_else(|| panic.downcast_ref::<&str>().copied())
                .unwrap_or("unknown");
            let problem = Problem {
                message: format!("the step `{}` broke down: a defect of this program", step.name),
                causes: vec![text.to_owned()],
                again: false,
            };
            Poll::Ready(Err(StepError::new(problem).hopeless()))
        })
    })
    .await
}

/// What is written after a step.
fn conclude(
    context: &mut StepContext,
    kind: &'static Kind,
    step: Option<&StepDef>,
    outcome: Result<StepResult, StepError>,
) -> Change {
    let mut change = unchanged(context);
    let outcome = outcome.and_then(|result| {
        // A name that is not in the table is found before anything is written.
        if let StepResult::Next(name) = &result {
            find(kind, Some(name))?;
        }
        Ok(result)
    });
    match outcome {
        Ok(StepResult::Done) => {
            let at = kind
                .steps
                .iter()
                .position(|one| Some(one.name) == step.map(|step| step.name));
            match at.and_then(|at| kind.steps.get(at + 1)) {
                Some(next) => change.step = Some(next.name.to_owned()),
                None => {
                    change.state = Some(State::Succeeded);
                    change.audit.push(event(context, "operation.succeeded", Value::Null));
                }
            }
        }
        Ok(StepResult::Next(name)) => change.step = Some(name.to_owned()),
        Ok(StepResult::Wait { until, signal, why }) => {
            change.state = Some(State::Waiting);
            change.wake_at = until;
            change.waits_for = signal;
            change.message = Some(why);
        }
        Ok(StepResult::NeedsPerson { question }) => {
            let asked_before = context.operation.question.as_ref() == Some(&question);
            if !asked_before {
                change.audit.push(event(context, "operation.asked", json!(question)));
            }
            change.state = Some(State::NeedsPerson);
            change.waits_for = Some(question.name.clone());
            change.message = Some(question.text.clone());
            change.question = Some(question);
        }
        Ok(StepResult::Failed { problem }) => end(context, &mut change, State::Failed, &problem),
        Err(error) => failed(context, &mut change, &error),
    }
    change
}

fn failed(context: &StepContext, change: &mut Change, error: &StepError) {
    let now = context.now();
    let attempts = context.operation.attempts + 1;
    let jitter = RandomState::new().build_hasher().finish();
    let by_waiting = retry_at(now, attempts, jitter).filter(|_| !error.hopeless);
    change.attempts = attempts;
    match by_waiting.map(|at| error.retry_at.unwrap_or(at)) {
        Some(at) => {
            change.state = Some(State::Waiting);
            change.wake_at = Some(at);
            change.message = Some(format!(
                "{}; tries again, failure {attempts} of {ATTEMPTS}",
                error.problem.message
            ));
            change.problem = Some(json!(error.problem));
        }
        None => end(context, change, State::Errored, &error.problem),
    }
}

fn end(context: &StepContext, change: &mut Change, state: State, problem: &Problem) {
    let detail = json!({"step": context.step, "problem": problem});
    change.audit.push(event(context, &format!("operation.{state}"), detail));
    change.state = Some(state);
    change.message = Some(problem.message.clone());
    change.problem = Some(json!(problem));
}

fn cancelled(context: &mut StepContext, step: &StepDef) -> Change {
    let mut change = unchanged(context);
    let detail = json!({"before_step": step.name});
    change.state = Some(State::Cancelled);
    change.message = Some(format!("cancelled before the step `{}`", step.name));
    change.audit.push(event(context, "operation.cancelled", detail));
    change
}

/// The worker stops: any other one goes on at once.
fn handed_on(context: &mut StepContext, step: &StepDef) -> Change {
    let mut change = unchanged(context);
    change.state = Some(State::Waiting);
    change.step = Some(step.name.to_owned());
    change.wake_at = Some(context.now());
    change.message = Some("its worker was stopped; any worker goes on".to_owned());
    change
}

/// A change that keeps what is there and takes over what the step noted.
fn unchanged(context: &mut StepContext) -> Change {
    Change {
        step: Some(context.step.to_owned()).filter(|step| !step.is_empty()),
        data: context.data.clone(),
        message: context.message.clone(),
        consumed: std::mem::take(&mut context.consumed),
        audit: std::mem::take(&mut context.audit),
        ..Change::default()
    }
}

fn event(context: &StepContext, action: &str, detail: Value) -> Event {
    Event {
        at: context.now(),
        actor: context.operation.actor.clone(),
        action: action.to_owned(),
        environment: context.operation.environment.clone(),
        operation: Some(context.operation.id.clone()),
        detail,
    }
}

/// How the step ended, for the log.
fn logged(change: &Change) -> Value {
    let result = change.state.map_or("done", State::name);
    let mut log = json!({"result": result});
    if let Some(map) = log.as_object_mut() {
        let mut put = |name: &str, value: Value| map.insert(name.to_owned(), value);
        match &change.state {
            None => put("next", json!(change.step)),
            Some(_) => put("message", json!(change.message)),
        };
        if let Some(at) = change.wake_at {
            put("wake_at", json!(at));
        }
        if let Some(problem) = &change.problem {
            put("problem", problem.clone());
        }
    }
    log
}
