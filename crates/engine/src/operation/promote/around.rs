//! Steps before and after the deployment, once in each environment.

use serde_json::json;
use syncline_domain::config::{DeploymentStep, When, Work};
use syncline_domain::operation::{Question, QuestionKind};
use syncline_git::TreePath;
use syncline_metadata::component::ComponentId;

use super::dependencies::answer;
use super::hand::{Hand, broken, failed};
use super::run_command;
use crate::operation::{Outcome, StepContext, StepError};

/// The longest that a program of a step may take.
const LIMIT_MILLIS: i64 = 60 * 60 * 1000;

pub(super) async fn before(context: &mut StepContext) -> Result<Outcome, StepError> {
    around(context, When::Pre).await
}

pub(super) async fn after(context: &mut StepContext) -> Result<Outcome, StepError> {
    around(context, When::Post).await
}

async fn around(context: &mut StepContext, when: When) -> Result<Outcome, StepError> {
    let hand = Hand::open(context)?;
    let mut touched: Vec<ComponentId> = Vec::new();
    for text in hand.kept.components.iter().chain(&hand.kept.deletions) {
        touched.push(text.parse()?);
    }
    let has = |pattern: &syncline_domain::pattern::ComponentPattern| touched.iter().any(|id| pattern.matches(id));
    let steps: Vec<DeploymentStep> = hand.config.steps_for(&hand.target.name, when, has).cloned().collect();
    for step in steps {
        if let Some(outcome) = once(context, &hand, &step).await? {
            return Ok(outcome);
        }
    }
    Ok(Outcome::Done)
}

/// Runs one step unless it was done; an outcome when it cannot go on.
async fn once(context: &mut StepContext, hand: &Hand, step: &DeploymentStep) -> Result<Option<Outcome>, StepError> {
    let store = context.runtime.store.clone();
    let (environment, now) = (&hand.target.name, context.now());
    let known = store
        .steps_once(environment)
        .await?
        .into_iter()
        .find(|known| known.step == step.id);
    if known.as_ref().is_some_and(|known| known.done.is_some()) {
        return Ok(None);
    }
    if let Work::Manual(text) = &step.work {
        store.begin_once(environment, &step.id, hand.id(), now).await?;
        return match answer(context, &step.id, &step.id)? {
            Some(_) => {
                store
                    .note_once(environment, &step.id, hand.id(), &json!({"confirmed": true}), Some(now))
                    .await?;
                Ok(None)
            }
            None => Ok(Some(ask(step, text.clone(), QuestionKind::Confirm))),
        };
    }
    if known.is_some() {
        // It was begun, and nobody knows whether it ended: it is not run twice without a person.
        let options = vec!["done".to_owned(), "run-again".to_owned()];
        match answer(context, &step.id, &step.id)?.as_deref() {
            Some("done") => {
                store
                    .note_once(environment, &step.id, hand.id(), &json!({"told": "done"}), Some(now))
                    .await?;
                return Ok(None);
            }
            Some(_) => drop(store.forget_once(environment, Some(&step.id)).await?),
            None => {
                let text = format!(
                    "The step `{}` was begun in `{environment}` and was interrupted. Was it done?",
                    step.id
                );
                return Ok(Some(ask(step, text, QuestionKind::Choice { options })));
            }
        }
    }
    store.begin_once(environment, &step.id, hand.id(), now).await?;
    context.audit(
        "step.run",
        "opened",
        json!({ "step": step.id, "environment": environment }),
    );
    context.save().await?;
    let refusal = match &step.work {
        Work::Apex(path) => apex(context, hand, path).await?,
        Work::Command(command) => {
            let folder = hand.repository.worktree().unwrap_or(hand.repository.git_dir());
            let digest = hand.kept.digest.clone().unwrap_or_default();
            let limit = syncline_domain::time::Duration::from_millis(LIMIT_MILLIS);
            let ran = run_command::run(context, hand, command, folder, &digest, limit).await?;
            (!ran.passed).then_some(ran.message)
        }
        Work::Manual(_) => None,
    };
    let outcome = if refusal.is_none() { "succeeded" } else { "failed" };
    context.audit(
        "step.run",
        outcome,
        json!({ "step": step.id, "environment": environment }),
    );
    match refusal {
        None => {
            store
                .note_once(environment, &step.id, hand.id(), &json!({}), Some(context.now()))
                .await?;
            Ok(None)
        }
        Some(why) => {
            store.forget_once(environment, Some(&step.id)).await?;
            Ok(Some(failed(
                "promote.step",
                format!("the step `{}` failed in `{environment}`: {why}", step.id),
                "correct it, then `syncline operation retry`",
            )))
        }
    }
}

/// Runs Apex of the change; why it failed, if it did.
async fn apex(context: &StepContext, hand: &Hand, path: &str) -> Result<Option<String>, StepError> {
    let tree = hand.repository.commit_tree(hand.params.commit.parse()?)?;
    let Some(entry) = hand.repository.entry_at(tree, &TreePath::from(path))? else {
        return Ok(Some(format!("there is no file {path} in the source")));
    };
    let script = String::from_utf8(hand.repository.read_blob(entry.oid)?)
        .map_err(|_| broken("promote.step", format!("{path} is not UTF-8")))?;
    let connection = hand.connect_to_write(context).await?;
    let done = connection.execute_anonymous(&script).await?;
    Ok(match (done.compiled, done.success) {
        (true, true) => None,
        (false, _) => Some(format!(
            "line {}: {}",
            done.line,
            done.compile_problem.unwrap_or_default()
        )),
        (true, false) => done.exception_message.or_else(|| Some("it threw".to_owned())),
    })
}

fn ask(step: &DeploymentStep, text: String, kind: QuestionKind) -> Outcome {
    Outcome::NeedsPerson {
        question: Question {
            name: step.id.clone(),
            subject: step.id.clone(),
            text,
            kind,
            details: serde_json::Value::Null,
        },
    }
}
