//! The way back: computed, its data kept, tried on a simulated org.

use syncline_domain::gate::Done;
use syncline_domain::operation::{Question, QuestionKind};

use super::dependencies::answer;
use super::hand::{Hand, failed};
use crate::deployment::export::{export, wanted};
use crate::deployment::irreversible;
use crate::deployment::rehearse::{Proof, rehearse};
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
    let forward = hand.forward(&connection).await?;
    hand.kept.irreversible = irreversible(&forward);
    let data = wanted(&hand.repository, &forward, before)?;
    let folder = hand
        .repository
        .common_dir()
        .join("syncline")
        .join("exports")
        .join(hand.id());
    hand.kept.exported = export(&connection, &data, &folder).await?;
    let known = hand
        .kept
        .rehearsed
        .as_ref()
        .is_some_and(|done| done.digest == forward.digest);
    if !known {
        let options = hand.options(&connection, Default::default());
        let program = std::env::var_os("SYNCLINE_PROGRAM").map(std::path::PathBuf::from);
        let program = program.map_or_else(std::env::current_exe, Ok)?;
        let tried = rehearse(&program, &hand.repository.handle(), before, after, &options).await;
        // That a simulated org cannot tell does not keep anybody from deploying; it is told.
        let proof = tried.unwrap_or_else(|error| Proof::Open {
            why: vec![error.to_string()],
        });
        hand.kept.rehearsed = Some(Done {
            digest: forward.digest.clone(),
            result: proof,
        });
    }
    context.set_data(&hand.kept)?;
    let told: Vec<String> = match hand.kept.rehearsed.as_ref().map(|done| &done.result) {
        Some(Proof::Differs { differences }) => differences
            .iter()
            .filter(|one| {
                !hand
                    .kept
                    .irreversible
                    .iter()
                    .any(|known| known.component == one.component)
            })
            .map(|one| format!("{} {}", one.words, one.change))
            .collect(),
        _ => Vec::new(),
    };
    if told.is_empty() {
        return Ok(Outcome::Done);
    }
    Ok(match answer(context, "way-back", &forward.digest)?.as_deref() {
        Some(GO_ON) => Outcome::Done,
        Some(_) => failed(
            "promote.way_back",
            "stopped: there is no way back",
            "bring the change in smaller parts",
        ),
        None => Outcome::NeedsPerson {
            question: Question {
                name: "way-back".to_owned(),
                subject: forward.digest,
                text: format!(
                    "A rollback would not bring back everything: {}. Go on?",
                    told.join("; ")
                ),
                kind: QuestionKind::Choice {
                    options: vec![GO_ON.to_owned(), STOP.to_owned()],
                },
                details: serde_json::to_value(&hand.kept.rehearsed)?,
            },
        },
    })
}
