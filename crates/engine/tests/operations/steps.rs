//! Kinds of operations for these tests.

use std::io;

use serde_json::json;
use syncline_domain::operation::{Outcome, Question, QuestionKind};
use syncline_engine::operation::{Kind, StepContext, StepDef, StepFn, StepFuture};

use crate::support::HOUR;

pub const KINDS: &[&Kind] = &[
    &kind(
        "plain",
        &[step("one", add), step("two", back_once), step("three", finish)],
    ),
    &kind("broken", &[step("only", broken)]),
    &kind("broken-half", &[held("only", broken)]),
    &kind("panics", &[step("only", panics)]),
    &kind("waits", &[step("only", waits)]),
    &kind("asks", &[step("choice", asks), step("gates", gates)]),
    &kind(
        "deploys",
        &[held("deploy", deploys), held("record", records), step("notify", finish)],
    ),
    &kind("hangs", &[step("hang", hangs), step("next", finish)]),
];

const fn kind(name: &'static str, steps: &'static [StepDef]) -> Kind {
    Kind {
        name,
        title: "a kind for tests",
        steps,
    }
}

const fn step(name: &'static str, run: StepFn) -> StepDef {
    StepDef {
        name,
        title: "a step for tests",
        may_stop: true,
        run,
    }
}

const fn held(name: &'static str, run: StepFn) -> StepDef {
    StepDef {
        may_stop: false,
        ..step(name, run)
    }
}

fn note(context: &mut StepContext, name: &str) -> usize {
    let mut ran = context.data["ran"].as_array().cloned().unwrap_or_default();
    ran.push(json!(name));
    let count = ran.len();
    context.data = json!({"ran": ran});
    count
}

fn add(context: &mut StepContext) -> StepFuture<'_> {
    Box::pin(async move {
        note(context, "one");
        Ok(Outcome::Done)
    })
}

fn back_once(context: &mut StepContext) -> StepFuture<'_> {
    Box::pin(async move {
        let step = match note(context, "two") {
            2 => "one",
            _ => "three",
        };
        Ok(Outcome::Next { step: step.to_owned() })
    })
}

fn finish(context: &mut StepContext) -> StepFuture<'_> {
    Box::pin(async move {
        note(context, "three");
        context.say("five steps");
        Ok(Outcome::Done)
    })
}

#[derive(Debug, thiserror::Error)]
#[error("the org does not answer")]
struct NoAnswer(#[source] io::Error);

fn broken(context: &mut StepContext) -> StepFuture<'_> {
    Box::pin(async move {
        if !context.runtime.repository.join("repaired").exists() {
            let refused = io::Error::new(io::ErrorKind::ConnectionRefused, "connection refused");
            Err(NoAnswer(refused))?;
        }
        Ok(Outcome::Done)
    })
}

fn panics(context: &mut StepContext) -> StepFuture<'_> {
    Box::pin(async move {
        let floor: Option<Outcome> = context.data["floor"].as_str().map(|_| Outcome::Done);
        Ok(floor.expect("a hole in the floor"))
    })
}

fn waits(context: &mut StepContext) -> StepFuture<'_> {
    Box::pin(async move {
        let signals = context.signals("go");
        let until = context.data["until"].as_i64().unwrap_or(context.now() + HOUR);
        if signals.is_empty() && context.now() < until {
            context.data = json!({"until": until});
            return Ok(Outcome::Wait {
                until: Some(until),
                signal: Some("go".to_owned()),
                why: "the test waits".to_owned(),
            });
        }
        let woken: Vec<_> = signals.into_iter().map(|signal| signal.payload).collect();
        context.data = json!({"woken": woken});
        Ok(Outcome::Done)
    })
}

fn asks(context: &mut StepContext) -> StepFuture<'_> {
    Box::pin(async move {
        if let Some(answer) = context.signals("choice").pop() {
            context.data = json!({"answer": answer.payload["value"]});
            return Ok(Outcome::Done);
        }
        let question = Question {
            name: "choice".to_owned(),
            subject: "of today".to_owned(),
            text: "Adopt or revert?".to_owned(),
            kind: QuestionKind::Choice {
                options: vec!["adopt".to_owned(), "revert".to_owned()],
            },
            details: json!({}),
        };
        Ok(Outcome::NeedsPerson { question })
    })
}

/// The package changes once while it is asked about.
fn gates(context: &mut StepContext) -> StepFuture<'_> {
    Box::pin(async move {
        let runs = context.runtime.store.step_runs(&context.operation.id).await?;
        let asked = runs.iter().filter(|run| run.name == "gates").count();
        let subject = if asked == 1 { "package 1" } else { "package 2" };
        let approvals = context.runtime.store.approvals(&context.operation.id, subject).await?;
        if approvals.iter().any(|approval| approval.granted) {
            return Ok(Outcome::Done);
        }
        let question = Question {
            name: "gates".to_owned(),
            subject: subject.to_owned(),
            text: "Approve?".to_owned(),
            kind: QuestionKind::Gates,
            details: json!({}),
        };
        Ok(Outcome::NeedsPerson { question })
    })
}

fn deploys(context: &mut StepContext) -> StepFuture<'_> {
    Box::pin(async move {
        let until = context.data["until"].as_i64().unwrap_or(context.now() + HOUR);
        if context.now() < until {
            context.data = json!({"until": until});
            return Ok(Outcome::Wait {
                until: Some(until),
                signal: None,
                why: "the org deploys".to_owned(),
            });
        }
        Ok(Outcome::Done)
    })
}

fn records(context: &mut StepContext) -> StepFuture<'_> {
    Box::pin(async move {
        context.data = json!({"recorded": true});
        Ok(Outcome::Done)
    })
}

/// Works until it is told to stop, or for ever.
fn hangs(context: &mut StepContext) -> StepFuture<'_> {
    Box::pin(async move {
        let told = Told(context.runtime.repository.join("told"));
        context.progress(1, 2, "hours", context.now()).await?;
        context.stop.requested().await;
        drop(told);
        Ok(Outcome::Done)
    })
}

/// Leaves a file when the step is given up.
struct Told(std::path::PathBuf);

impl Drop for Told {
    fn drop(&mut self) {
        std::fs::write(&self.0, "").expect("written");
    }
}
