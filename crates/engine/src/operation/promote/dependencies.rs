//! What the package is, and what it needs that nobody has.

use syncline_domain::operation::{Answer, Question, QuestionKind};
use syncline_domain::overlay::marks;

use super::hand::{Hand, failed};
use crate::deployment::missing;
use crate::operation::{Outcome, StepContext, StepError};

const GO_ON: &str = "go-on";
const STOP: &str = "stop";

pub(super) async fn run(context: &mut StepContext) -> Result<Outcome, StepError> {
    let mut hand = Hand::open(context)?;
    let connection = hand.connect(context).await?;
    if let Some(other) = hand.other_org(connection.org()) {
        return Ok(other);
    }
    let (before, after) = hand.trees()?;
    let package = hand.package(&connection, before, after).await?;
    let text = |ids: &std::collections::BTreeSet<syncline_metadata::component::ComponentId>| {
        ids.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    hand.kept.components = text(&package.components);
    hand.kept.deletions = text(&package.deletions);
    hand.kept.notes.extend(package.notes.clone());
    hand.kept.missing = missing(&hand.repository, &package, before, after)?;
    let digest = package.digest.clone();
    if hand.kept.digest.as_ref() != Some(&digest) {
        // Approvals name the package that they are for, so those of another one are void.
        let void = hand
            .kept
            .digest
            .as_ref()
            .map(|old| serde_json::json!({ "void": old, "package": &digest }));
        if let Some(void) = void {
            context.audit("promote.package_changed", "noted", void);
        }
        hand.kept.digest = Some(digest.clone());
    }
    context.set_data(&hand.kept)?;
    if package.is_empty() {
        return Ok(Outcome::Next {
            step: "record".to_owned(),
        });
    }
    let files = package.chunks.iter().flat_map(|chunk| &chunk.files);
    let unfilled: Vec<String> = files
        .flat_map(|(path, bytes)| marks(bytes).into_iter().map(move |place| format!("{path}: {place}")))
        .collect();
    if !unfilled.is_empty() {
        return Ok(failed(
            "promote.overlay",
            format!(
                "values of `{}` are not known: {}",
                hand.target.name,
                unfilled.join(", ")
            ),
            "write them into the environment's file in syncline/overlays",
        ));
    }
    if hand.kept.missing.is_empty() {
        return Ok(Outcome::Done);
    }
    match answer(context, "dependencies", &digest)?.as_deref() {
        Some(GO_ON) => Ok(Outcome::Done),
        Some(_) => Ok(failed(
            "promote.missing",
            "stopped: components are missing",
            "bring them along, then begin anew",
        )),
        None => {
            let named: Vec<String> = hand
                .kept
                .missing
                .iter()
                .map(|one| format!("{} needs {}", one.needed_by, one.component))
                .collect();
            Ok(Outcome::NeedsPerson {
                question: Question {
                    name: "dependencies".to_owned(),
                    subject: digest,
                    text: format!(
                        "Components are missing in `{}`: {}. Go on?",
                        hand.target.name,
                        named.join("; ")
                    ),
                    kind: QuestionKind::Choice {
                        options: vec![GO_ON.to_owned(), STOP.to_owned()],
                    },
                    details: serde_json::to_value(&hand.kept.missing)?,
                },
            })
        }
    }
}

/// The answer to a question about a subject, if it was given.
pub(super) fn answer(context: &mut StepContext, name: &str, subject: &str) -> Result<Option<String>, StepError> {
    let mut found = None;
    for signal in context.signals(name) {
        let answer: Answer = serde_json::from_value(signal.payload)?;
        if answer.subject == subject {
            found = Some(answer.value);
        }
    }
    Ok(found)
}
