//! What people ask of operations: begin, answer, approve, cancel, try again.

use serde_json::json;
use syncline_domain::operation::State;
use syncline_domain::policy::Actor;
use syncline_store::{Approval, NewOperation, Operation, StoreError};

use super::Runtime;

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
    /// The operation asks something else.
    #[error("the operation {operation} does not ask for {wanted}; {asks}")]
    OtherQuestion {
        /// The operation.
        operation: String,
        /// What the person answers.
        wanted: &'static str,
        /// What it asks for.
        asks: String,
    },
    /// The question has other answers.
    #[error("`{given}` is no answer; answers are: {choices}")]
    NoChoice {
        /// What was answered.
        given: String,
        /// What can be answered.
        choices: String,
    },
}

/// A person's decision about a package.
#[derive(Debug, Clone)]
pub struct Decision {
    /// Approve, or refuse.
    pub granted: bool,
    /// In the person's words.
    pub reason: Option<String>,
}

/// Begins an operation: a worker takes it.
pub async fn start(runtime: &Runtime, new: &NewOperation) -> Result<Operation, OperationError> {
    if runtime.kind(&new.kind).is_none() {
        return Err(OperationError::UnknownKind { kind: new.kind.clone() });
    }
    Ok(runtime.store.create(new, runtime.now()).await?)
}

/// Answers the operation's question: with one of its choices, where it has choices.
pub async fn answer(
    runtime: &Runtime,
    id: &str,
    actor: &Actor,
    choice: &str,
    text: Option<&str>,
) -> Result<(), OperationError> {
    let operation = runtime.store.operation(id).await?;
    let question = operation
        .question
        .as_ref()
        .filter(|_| operation.state == State::NeedsPerson);
    let question = question.ok_or_else(|| asks(&operation, "an answer"))?;
    if question.name == "approval" {
        return Err(asks(&operation, "an answer"));
    }
    if !question.choices.is_empty() && !question.choices.iter().any(|known| known == choice) {
        return Err(OperationError::NoChoice {
            given: choice.to_owned(),
            choices: question.choices.join(", "),
        });
    }
    let payload = json!({"choice": choice, "text": text});
    let now = runtime.now();
    Ok(runtime
        .store
        .signal(id, &question.name, &payload, &actor.name, now)
        .await?)
}

/// Approves or refuses the package that the operation asks about.
pub async fn approve(runtime: &Runtime, id: &str, actor: &Actor, decision: &Decision) -> Result<(), OperationError> {
    let operation = runtime.store.operation(id).await?;
    let digest = operation
        .question
        .as_ref()
        .filter(|question| operation.state == State::NeedsPerson && question.name == "approval")
        .and_then(|question| question.detail["digest"].as_str());
    let digest = digest.ok_or_else(|| asks(&operation, "an approval"))?;
    let approval = Approval {
        digest: digest.to_owned(),
        actor: actor.name.clone(),
        roles: actor.roles.clone(),
        granted: decision.granted,
        reason: decision.reason.clone(),
        created: runtime.now(),
    };
    Ok(runtime.store.approve(id, &approval).await?)
}

/// Asks to cancel the operation; it ends at the next safe point.
pub async fn cancel(runtime: &Runtime, id: &str, actor: &Actor, reason: &str) -> Result<Operation, OperationError> {
    let now = runtime.now();
    Ok(runtime.store.cancel(id, &actor.name, reason, now).await?)
}

/// Lets the operation go on with the step that failed.
pub async fn retry(runtime: &Runtime, id: &str, actor: &Actor) -> Result<Operation, OperationError> {
    Ok(runtime.store.retry(id, &actor.name, runtime.now()).await?)
}

fn asks(operation: &Operation, wanted: &'static str) -> OperationError {
    let asks = match (&operation.question, operation.state) {
        (Some(question), State::NeedsPerson) => format!("it asks: {} ({})", question.text, question.name),
        (_, state) => format!("it is {state}"),
    };
    OperationError::OtherQuestion {
        operation: operation.id.clone(),
        wanted,
        asks,
    }
}
