//! What people ask of operations: begin, answer, approve, cancel, try again.

use serde_json::{Value, json};
use syncline_domain::operation::{Answer, Question, QuestionError, QuestionKind, State};
use syncline_domain::policy::{Action, Actor, ApprovalError, Verdict, check_approval};
use syncline_store::{Approval, Evidence, NewOperation, Operation, StoreError};

use super::Runtime;
use crate::permission::{Refusal, ask, environment_of};

/// Why something about an operation was refused.
#[derive(Debug, thiserror::Error)]
pub enum OperationError {
    /// The database refuses.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is no such kind.
    #[error("this program knows no operations of the kind `{kind}`")]
    UnknownKind {
        /// The kind.
        kind: String,
    },
    /// The operation asks nothing of that sort.
    #[error("the operation {operation} does not ask for {wanted}; {asks}")]
    NotAsked {
        /// The operation.
        operation: String,
        /// What the person gives.
        wanted: &'static str,
        /// What it asks for.
        asks: String,
    },
    /// The policy does not allow it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The answer does not fit the question.
    #[error(transparent)]
    Answer(#[from] QuestionError),
}

/// A person's decision about a package.
#[derive(Debug, Clone)]
pub struct Decision {
    /// Approve, or refuse.
    pub granted: bool,
    /// In the person's words.
    pub reason: Option<String>,
    /// The package that the person saw; without one, the package that is asked about now.
    pub subject: Option<String>,
}

/// Begins an operation: a worker takes it.
pub async fn start(runtime: &Runtime, new: &NewOperation) -> Result<Operation, OperationError> {
    if runtime.kind(&new.kind).is_none() {
        return Err(OperationError::UnknownKind { kind: new.kind.clone() });
    }
    Ok(runtime.store.create(new, runtime.now()).await?)
}

/// Answers the operation's question. Without a subject the person is taken to have seen the present one.
pub async fn answer(
    runtime: &Runtime,
    id: &str,
    actor: &Actor,
    value: &str,
    comment: &str,
    subject: Option<&str>,
) -> Result<(), OperationError> {
    let operation = runtime.store.operation(id).await?;
    ask(actor, Action::Decide, Some(&environment_of(runtime, &operation)))?;
    let question = question(&operation).ok_or_else(|| not_asked(&operation, "an answer"))?;
    let answer = Answer {
        question: question.name.clone(),
        subject: subject.unwrap_or(&question.subject).to_owned(),
        value: value.to_owned(),
        by: actor.name.clone(),
        at: runtime.now(),
        comment: comment.to_owned(),
    };
    question.accepts(&answer)?;
    let now = runtime.now();
    let payload = json!(answer);
    Ok(runtime
        .store
        .signal(id, &question.name, &payload, &actor.name, now)
        .await?)
}

/// Approves or refuses the package that the operation's gates ask about.
pub async fn approve(runtime: &Runtime, id: &str, actor: &Actor, decision: &Decision) -> Result<(), OperationError> {
    let operation = runtime.store.operation(id).await?;
    let environment = environment_of(runtime, &operation);
    ask(actor, Action::Approve, Some(&environment))?;
    let question = gates(&operation).ok_or_else(|| not_asked(&operation, "an approval"))?;
    let verdict = match decision.granted {
        true => Verdict::Approve,
        false => Verdict::Reject,
    };
    let asked = &question.subject;
    let seen = decision.subject.as_ref().unwrap_or(asked);
    check_approval(actor, &environment, &operation.actor, asked, seen, verdict).map_err(|error| match error {
        ApprovalError::Changed => OperationError::Answer(QuestionError::Changed(question.name.clone())),
        error => Refusal::new(Action::Approve, Some(&environment), error.to_string()).into(),
    })?;
    let roles = actor.roles_in(operation.environment.as_deref());
    let approval = Approval {
        digest: question.subject.clone(),
        actor: actor.name.clone(),
        roles: roles.iter().map(ToString::to_string).collect(),
        granted: decision.granted,
        reason: decision.reason.clone(),
        created: runtime.now(),
    };
    Ok(runtime.store.approve(id, &approval, &question.name).await?)
}

/// Attaches evidence; gates that wait for it look again.
pub async fn attach(
    runtime: &Runtime,
    id: &str,
    actor: &Actor,
    name: &str,
    content: Value,
) -> Result<(), OperationError> {
    let operation = runtime.store.operation(id).await?;
    ask(actor, Action::Decide, Some(&environment_of(runtime, &operation)))?;
    let evidence = Evidence {
        name: name.to_owned(),
        content,
        actor: actor.name.clone(),
        created: runtime.now(),
    };
    let signal = gates(&operation).map_or("evidence", |question| &question.name);
    Ok(runtime.store.attach_evidence(id, &evidence, signal).await?)
}

/// Asks to cancel the operation: it ends now if nothing is half done, else at the next safe point.
pub async fn cancel(runtime: &Runtime, id: &str, actor: &Actor, reason: &str) -> Result<Operation, OperationError> {
    for _ in 0..LOOKS {
        let seen = runtime.store.operation(id).await?;
        ask(actor, Action::Control, Some(&environment_of(runtime, &seen)))?;
        let step = runtime
            .kind(&seen.kind)
            .and_then(|kind| kind.step(seen.step.as_deref()));
        // Nothing is left half done before the first step.
        let may_stop = seen.step.is_none() || step.is_some_and(|step| step.may_stop);
        let now = runtime.now();
        match runtime.store.cancel(&seen, may_stop, &actor.name, reason, now).await {
            Err(StoreError::Changed { .. }) => {}
            done => return Ok(done?),
        }
    }
    Err(contended(id))
}

/// Lets the operation go on with the step that broke or failed.
pub async fn retry(runtime: &Runtime, id: &str, actor: &Actor) -> Result<Operation, OperationError> {
    for _ in 0..LOOKS {
        let seen = runtime.store.operation(id).await?;
        ask(actor, Action::Control, Some(&environment_of(runtime, &seen)))?;
        match runtime.store.retry(&seen, &actor.name, runtime.now()).await {
            Err(StoreError::Changed { .. }) => {}
            done => return Ok(done?),
        }
    }
    Err(contended(id))
}

/// How often an operation is looked at again that its worker has just written.
const LOOKS: u32 = 20;

fn contended(id: &str) -> OperationError {
    let error = StoreError::Changed {
        what: "operation",
        name: id.to_owned(),
    };
    error.into()
}

fn question(operation: &Operation) -> Option<&Question> {
    let question = operation.question.as_ref();
    question.filter(|_| operation.state == State::NeedsPerson)
}

fn gates(operation: &Operation) -> Option<&Question> {
    question(operation).filter(|question| question.kind == QuestionKind::Gates)
}

fn not_asked(operation: &Operation, wanted: &'static str) -> OperationError {
    let asks = match question(operation) {
        Some(question) => format!("it asks `{}`: {}", question.name, question.text),
        None => format!("it is {}", operation.state),
    };
    OperationError::NotAsked {
        operation: operation.id.clone(),
        wanted,
        asks,
    }
}
