//! The deployment: looked at the org right before, sent once, waited for.

use serde_json::json;
use std::time::Duration;

use syncline_domain::operation::{Question, QuestionKind};
use syncline_git::{Oid, RefName};
use syncline_salesforce::Connection;

use super::dependencies::answer;
use super::hand::{Hand, failed};
use super::{gates, progress, validate};
use crate::deployment::{Difference, Package, look};
use crate::operation::{Outcome, Problem, StepContext, StepError};

/// How often and how long apart a deployment is looked for that an earlier run may have sent.
const LOOKS: u32 = 3;
const BETWEEN: Duration = Duration::from_secs(2);

pub(super) async fn run(context: &mut StepContext) -> Result<Outcome, StepError> {
    let mut hand = Hand::open(context)?;
    let connection = hand.connect_to_write(context).await?;
    if let Some(other) = hand.other_org(connection.org()) {
        return Ok(other);
    }
    let trees = hand.trees()?;
    let package = hand.forward(&connection).await?;
    let branch = RefName::branch(&hand.target.branch)?;
    // What goes to the org has to go to the branch as well.
    if hand.kept.deploying.is_none() && hand.repository.read_ref(&branch)?.is_none() {
        return Ok(hand.no_branch());
    }
    while hand.kept.deployed.len() < package.chunks.len() {
        if let Some(outcome) = one(context, &mut hand, &connection, &package, trees).await? {
            return Ok(outcome);
        }
        if context.stop.is_requested() && hand.kept.deployed.len() < package.chunks.len() {
            return Ok(Outcome::Wait {
                until: Some(context.now()),
                signal: None,
                why: "the worker stopped between two parts of the package".to_owned(),
            });
        }
    }
    Ok(Outcome::Done)
}

/// Sends the next part and waits for it; an outcome when it cannot go on.
async fn one(
    context: &mut StepContext,
    hand: &mut Hand,
    connection: &Connection,
    package: &Package,
    trees: (Oid, Oid),
) -> Result<Option<Outcome>, StepError> {
    if hand.kept.running.is_none()
        && let Some(intent) = hand.kept.intent.clone()
    {
        match earlier(context, connection, &intent).await? {
            Earlier::Sent(id) => {
                hand.kept.running = Some(id);
                keep(context, hand).await?;
            }
            Earlier::NotSent => hand.kept.intent = None,
            Earlier::Unknown(outcome) => return Ok(Some(outcome)),
        }
    }
    if hand.kept.running.is_none() {
        if hand.kept.deployed.is_empty() && Some(&package.digest) != hand.kept.digest.as_ref() {
            // Versions of flows changed: that is another package, and approvals are for the old one.
            hand.kept.deploying = None;
            context.set_data(&hand.kept)?;
            return Ok(Some(Outcome::Next {
                step: "dependencies".to_owned(),
            }));
        }
        if let Some(outcome) = changed(context, hand, connection, package, trees).await? {
            return Ok(Some(outcome));
        }
        send(context, hand, connection, package).await?;
    }
    let Some(id) = hand.kept.running.clone() else {
        return Ok(None);
    };
    let parts = (hand.kept.deployed.len() + 1, package.chunks.len());
    let result = progress::finish(context, connection, &id, parts).await?;
    hand.kept.running = None;
    hand.kept.intent = None;
    let outcome = if result.succeeded() { "succeeded" } else { "failed" };
    context.audit(
        "deploy",
        outcome,
        json!({ "deployment": id, "part": parts.0, "of": parts.1 }),
    );
    if !result.succeeded() {
        hand.kept.deploying = None;
        context.set_data(&hand.kept)?;
        let problems = result.problems();
        let rest = match parts.0 {
            1 => "nothing was changed".to_owned(),
            part => format!("the {} parts before it are deployed", part - 1),
        };
        let message = format!(
            "`{}` refused the deployment, {rest}: {}",
            hand.target.name,
            problems.join("; ")
        );
        return Ok(Some(Outcome::Failed {
            problem: Problem::new("promote.deploy", message).details(json!({ "problems": problems })),
        }));
    }
    hand.kept.deployed.push(id);
    keep(context, hand).await?;
    Ok(None)
}

async fn keep(context: &mut StepContext, hand: &Hand) -> Result<(), StepError> {
    context.set_data(&hand.kept)?;
    context.save().await
}

/// What became of a deployment that an earlier run was about to send.
enum Earlier {
    Sent(String),
    NotSent,
    Unknown(Outcome),
}

async fn earlier(
    context: &mut StepContext,
    connection: &Connection,
    intent: &syncline_salesforce::metadata::DeployIntent,
) -> Result<Earlier, StepError> {
    if intent.before.is_none() {
        let subject = intent.zip_size.unwrap_or_default().to_string();
        let options = vec!["sent".to_owned(), "not-sent".to_owned()];
        return Ok(match answer(context, "deployment", &subject)?.as_deref() {
            Some("not-sent") => Earlier::NotSent,
            Some(_) => Earlier::Unknown(failed(
                "promote.unknown",
                "the deployment was sent by an earlier run, and the org does not show this user how it ended",
                "look in the org's setup, then begin anew: what is deployed is seen by the snapshot",
            )),
            None => Earlier::Unknown(Outcome::NeedsPerson {
                question: Question {
                    name: "deployment".to_owned(),
                    subject,
                    text: "An earlier run was interrupted while it sent the deployment, and this user may not see deployments. \
                           Look in Setup, Deployment Status: was it sent?"
                        .to_owned(),
                    kind: QuestionKind::Choice { options },
                    details: serde_json::Value::Null,
                },
            }),
        });
    }
    for look in 0..LOOKS {
        if look > 0 {
            connection.clock().sleep(BETWEEN).await;
        }
        if let Some(id) = connection.find_deploy(intent).await? {
            return Ok(Earlier::Sent(id));
        }
    }
    Ok(Earlier::NotSent)
}

/// Looks at everything that the package touches. What somebody changed since the snapshot leads back to it.
async fn changed(
    context: &mut StepContext,
    hand: &mut Hand,
    connection: &Connection,
    package: &Package,
    (before, after): (Oid, Oid),
) -> Result<Option<Outcome>, StepError> {
    let look = look(connection, package).await?;
    let mut seen = look.against(&hand.repository, before, Some(&hand.sealer))?.differences;
    if !hand.kept.deployed.is_empty() {
        // Parts of the package are there already: only what is neither as before nor as after is somebody else's.
        let other = look.against(&hand.repository, after, Some(&hand.sealer))?.differences;
        seen.retain(|one| other.iter().any(|there| there.path == one.path));
    }
    if seen.is_empty() {
        return Ok(None);
    }
    let words: Vec<String> = seen.iter().map(|one| format!("{} {}", one.words, one.change)).collect();
    if hand.kept.meanwhile == seen {
        return Ok(Some(disagree(&words)));
    }
    context.audit("promote.changed_meanwhile", "noted", json!({ "differences": words }));
    hand.kept.changed_meanwhile += 1;
    hand.kept.meanwhile = seen;
    hand.kept.deployed.clear();
    hand.kept.deploying = None;
    hand.kept.quick = None;
    context.set_data(&hand.kept)?;
    context.say(format!(
        "somebody changed `{}` meanwhile, so it is merged anew",
        hand.target.name
    ));
    Ok(Some(Outcome::Next {
        step: "snapshot".to_owned(),
    }))
}

fn disagree(words: &[String]) -> Outcome {
    failed(
        "promote.unstable",
        format!(
            "the snapshot and a second look at the org differ in the same places twice: {}",
            words.join("; ")
        ),
        "the org gives these components otherwise each time; leave them out with a selection or .forceignore",
    )
}

/// Writes down what is to be sent, then sends it.
async fn send(
    context: &mut StepContext,
    hand: &mut Hand,
    connection: &Connection,
    package: &Package,
) -> Result<(), StepError> {
    let at = hand.kept.deployed.len();
    let Some(chunk) = package.chunks.get(at) else {
        return Ok(());
    };
    let zip = chunk.zip()?;
    let validation = hand.kept.quick.clone().filter(|_| {
        let done = hand.kept.validation.as_ref();
        done.is_some_and(|done| done.digest == package.digest)
    });
    let intent = match &validation {
        Some(_) => connection.plan_quick_deploy().await?,
        None => {
            let options = validate::options(hand, &gates::way(hand)?);
            connection.plan_deploy(&zip, &options).await?
        }
    };
    hand.kept.intent = Some(intent.clone());
    hand.kept.deploying = Some(package.digest.clone());
    let opened = json!({ "package": package.digest, "part": at + 1, "of": package.chunks.len() });
    context.audit("deploy", "opened", opened);
    keep(context, hand).await?;
    if context.lease.is_lost() {
        return Ok(());
    }
    let sent = match &validation {
        Some(validation) => connection.send_quick_deploy(validation, &intent).await,
        None => connection.send_deploy(zip, &intent).await,
    };
    match sent {
        Ok(id) => hand.kept.running = Some(id),
        // The validation does not count any more: nothing was deployed, and the whole package is sent next time.
        Err(error) if validation.is_some() && error.code() != "unknown_outcome" => {
            hand.kept.quick = None;
            hand.kept.intent = None;
        }
        Err(error) => return Err(error.into()),
    }
    keep(context, hand).await
}

/// The differences in words, for messages.
pub(super) fn words(differences: &[Difference]) -> String {
    let words: Vec<String> = differences
        .iter()
        .map(|one| format!("{} {}", one.words, one.change))
        .collect();
    words.join("; ")
}
