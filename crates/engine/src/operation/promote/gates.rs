//! The gates of the way: tests, analysis, soak, freezes, evidence, approvals.

use std::collections::{BTreeMap, BTreeSet};

use syncline_domain::calendar::frozen;
use syncline_domain::config::{Direction as Way_, GateRules, Gates, Rule, Way};
use syncline_domain::gate::{Checked, Done, Facts, Gate, State, count, evaluate, required};
use syncline_domain::operation::{Question, QuestionKind};
use syncline_domain::pipeline::Bypass;
use syncline_domain::policy::{Action, Actor, Approval, Role, Verdict, decide};

use super::data::Direction;
use super::hand::{Hand, broken, failed};
use super::run_command;
use crate::deployment::Package;
use crate::operation::{Outcome, StepContext, StepError};

/// The rules of the way. A source that is no environment, a rollback and a revert have the gates that hold on all ways.
pub(super) fn way(hand: &Hand) -> Result<Way, StepError> {
    let (from, to) = (hand.params.way_from(), hand.target.name.as_str());
    let known = hand.config.environment(from).is_some();
    if matches!(hand.params.direction, Direction::Back | Direction::Revert) || !known {
        let mut gates = GateRules::default().over(&hand.config.gates.over(&Gates::default()));
        gates.soak = None;
        // Nobody has tried before what is set back.
        gates.validate |= hand.params.direction == Direction::Revert;
        return Ok(Way {
            from: from.to_owned(),
            to: to.to_owned(),
            direction: Way_::Down,
            rule: Rule::Manual,
            select: Vec::new(),
            gates,
        });
    }
    if hand.params.bypass.is_some() {
        return Ok(hand
            .config
            .bypass(from, to, &asked(hand, vec!["somebody".to_owned()]))?);
    }
    Ok(hand.config.way(from, to)?)
}

/// The exception that was asked for, with those who agree.
fn asked(hand: &Hand, approved_by: Vec<String>) -> Bypass {
    Bypass {
        reason: hand.params.bypass.clone().unwrap_or_default(),
        requested_by: String::new(),
        approved_by,
    }
}

pub(super) async fn run(context: &mut StepContext) -> Result<Outcome, StepError> {
    let mut hand = Hand::open(context)?;
    context.signals("gates");
    if hand.only_validates() {
        return Ok(Outcome::Next {
            step: "record".to_owned(),
        });
    }
    let way = way(&hand)?;
    let digest = hand.kept.digest.clone().unwrap_or_default();
    let connection = hand.connect(context).await?;
    let package = hand.forward(&connection).await?;
    if package.digest != digest {
        return Ok(Outcome::Next {
            step: "dependencies".to_owned(),
        });
    }
    run_programs(context, &mut hand, &way, &package).await?;
    context.set_data(&hand.kept)?;
    let store = &context.runtime.store;
    let approvals: Vec<Approval> = store
        .approvals(hand.id(), &digest)
        .await?
        .into_iter()
        .map(|row| Approval {
            by: row.actor,
            roles: row.roles.iter().filter_map(|name| Role::named(name)).collect(),
            at: row.created,
            digest: row.digest,
            verdict: match row.granted {
                true => Verdict::Approve,
                false => Verdict::Reject,
            },
            comment: row.reason.unwrap_or_default(),
        })
        .collect();
    let attached: BTreeSet<String> = store
        .evidence(hand.id())
        .await?
        .into_iter()
        .map(|one| one.name)
        .collect();
    let mut gates = required(&way, &hand.target);
    // What has no Apex has no coverage.
    gates.retain(|gate| !matches!(gate, Gate::Coverage { .. }) || package.has_apex());
    let commit = hand.repository.commit(hand.params.commit.parse()?)?;
    let now = context.now();
    let checked = evaluate(
        &gates,
        &Facts {
            digest: &digest,
            requester: &context.operation.actor,
            tier: hand.target.tier,
            now,
            frozen: frozen(&hand.config.freezes, &hand.target.name, now),
            validation: hand.kept.validation.clone(),
            analysis: hand.kept.analysis.clone(),
            functional: hand.kept.functional.clone(),
            in_source_since: Some(commit.committer.time.seconds.saturating_mul(1000)),
            attached,
            approvals: &approvals,
            bypasses: BTreeMap::new(),
        },
    );
    let exception = bypass(&hand, &context.operation.actor, &approvals);
    let outcome = conclude(&hand, &digest, &checked, exception);
    if let (Outcome::Done, Some(reason)) = (&outcome, &hand.params.bypass) {
        let agreed = approvals.iter().filter(|one| one.verdict == Verdict::Approve);
        let agreed: Vec<&str> = agreed.map(|one| one.by.as_str()).collect();
        let details = serde_json::json!({ "reason": reason, "package": digest, "approved_by": agreed });
        context.audit("promote.bypass", "noted", details);
    }
    Ok(outcome)
}

/// What keeps the path from being left, if it is to be: nobody else has agreed.
fn bypass(hand: &Hand, actor: &str, approvals: &[Approval]) -> Option<String> {
    hand.params.bypass.as_ref()?;
    // Who may approve the package need not be one who may agree to leave the path.
    let may = |one: &&Approval| {
        let person = Actor::person(one.by.clone(), one.roles.iter().copied());
        decide(&person, Action::ApproveBypass, Some(&hand.target)).allowed
    };
    let yes = approvals
        .iter()
        .filter(|one| one.verdict == Verdict::Approve)
        .filter(may);
    let bypass = Bypass {
        requested_by: actor.to_owned(),
        ..asked(hand, yes.map(|one| one.by.clone()).collect())
    };
    bypass.check().err().map(|error| error.to_string())
}

fn conclude(hand: &Hand, digest: &str, checked: &[Checked], exception: Option<String>) -> Outcome {
    let closed: Vec<(&Gate, &String, Option<i64>, bool)> = checked
        .iter()
        .filter_map(|one| match &one.state {
            State::Closed {
                reason,
                opens_at,
                fatal,
            } => Some((&one.gate, reason, *opens_at, *fatal)),
            _ => None,
        })
        .collect();
    let words = |(gate, reason, ..): &(&Gate, &String, Option<i64>, bool)| format!("{gate}: {reason}");
    if let Some(fatal) = closed.iter().find(|(.., fatal)| *fatal) {
        return failed("promote.gate", words(fatal), "only another package can open this gate");
    }
    let mut people: Vec<String> = closed
        .iter()
        .filter(|(_, _, opens, _)| opens.is_none())
        .map(words)
        .collect();
    people.extend(exception.map(|why| format!("path: {why}")));
    if !people.is_empty() {
        return Outcome::NeedsPerson {
            question: Question {
                name: "gates".to_owned(),
                subject: digest.to_owned(),
                text: format!("{}: {}", hand.title(), people.join("; ")),
                kind: QuestionKind::Gates,
                details: serde_json::json!({
                    "digest": digest,
                    "gates": checked,
                    "components": hand.kept.components,
                    "deletions": hand.kept.deletions,
                    "notes": hand.kept.notes,
                    "bypass": hand.params.bypass,
                }),
            },
        };
    }
    match closed.iter().max_by_key(|(_, _, opens, _)| *opens) {
        Some(last) => Outcome::Wait {
            until: last.2,
            signal: Some("gates".to_owned()),
            why: words(last),
        },
        None => Outcome::Done,
    }
}

/// Runs the analysis and the functional tests that have not seen this package.
async fn run_programs(context: &StepContext, hand: &mut Hand, way: &Way, package: &Package) -> Result<(), StepError> {
    let digest = &package.digest;
    let is_current = |done: &str| done == digest;
    let stale = hand.kept.analysis.as_ref().is_none_or(|done| !is_current(&done.digest));
    if let Some(analysis) = way.gates.analysis.as_ref().filter(|_| stale) {
        let folder = tempfile::tempdir()?;
        for (path, bytes) in package.chunks.iter().flat_map(|chunk| &chunk.files) {
            let file = folder.path().join(path);
            if let Some(parent) = file.parent() {
                std::fs::create_dir_all(parent)?;
            }
            std::fs::write(file, bytes)?;
        }
        let ran = run_command::run(
            context,
            hand,
            &analysis.command,
            folder.path(),
            digest,
            analysis.timeout,
        )
        .await?;
        let report = folder.path().join(&analysis.sarif);
        let text = std::fs::read_to_string(&report).map_err(|_| {
            broken(
                "promote.analysis",
                format!("the analysis wrote no {}: {}", analysis.sarif, ran.message),
            )
        })?;
        hand.kept.analysis = Some(Done {
            digest: digest.clone(),
            result: count(&text)?,
        });
    }
    for test in &way.gates.functional {
        let done = hand.kept.functional.get(&test.name);
        if done.is_some_and(|done| is_current(&done.digest)) {
            continue;
        }
        let folder = hand
            .repository
            .worktree()
            .unwrap_or(hand.repository.git_dir())
            .to_owned();
        let ran = run_command::run(context, hand, &test.command, &folder, digest, test.timeout).await?;
        let result = syncline_domain::gate::Functional {
            passed: ran.passed,
            message: ran.message,
        };
        let done = Done {
            digest: digest.clone(),
            result,
        };
        hand.kept.functional.insert(test.name.clone(), done);
    }
    Ok(())
}
