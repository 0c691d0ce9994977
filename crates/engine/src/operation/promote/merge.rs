//! The change merged into the org's state and into the branch. Conflicts wait for a person.

use std::collections::BTreeSet;

use syncline_domain::operation::{Question, QuestionKind};
use syncline_git::{Oid, RefName};

use super::data::Direction;
use super::hand::{Hand, broken};
use super::overlay::Under;
use super::{overlay, revert};
use crate::back_promote::{Onto, Outcome as Merged, Replayed, merge_onto, shared_state};
use crate::operation::{Outcome, StepContext, StepError};
use crate::state::{Source, Target};

/// What became of conflicts.
#[derive(Default)]
pub(super) struct Met {
    /// Open ones: the id of the record, and how many.
    pub(super) open: Vec<(String, usize)>,
    /// Those that were decided before, in words.
    decided: BTreeSet<String>,
}

pub(super) async fn run(context: &mut StepContext) -> Result<Outcome, StepError> {
    let mut hand = Hand::open(context)?;
    context.signals("conflicts");
    let branch: RefName = RefName::branch(&hand.target.branch)?;
    let Some(tip) = hand.repository.read_ref(&branch)? else {
        return Ok(hand.no_branch());
    };
    if let Some(wanted) = hand.params.revert.clone() {
        return revert::run(context, hand, &wanted);
    }
    let base = base(&hand, tip)?;
    let snapshot = Hand::commit(&hand.kept.snapshot, "snapshot")?;
    let commit: Oid = hand.params.commit.parse()?;
    let laid = overlay::lay(&hand, base, commit, Under::Org(snapshot))?;
    let mut met = Met::default();
    let result = onto(&hand, "org", snapshot, laid.base, laid.commit, &mut met)?;
    let branch_result = branch_onto(&hand, tip, base, &mut met)?;
    if !met.open.is_empty() {
        context.set_data(&hand.kept)?;
        return Ok(Outcome::NeedsPerson {
            question: question(&hand, &met),
        });
    }
    hand.kept.base = base.map(|base| base.to_string());
    hand.kept.branch_tip = Some(tip.to_string());
    hand.kept.result = Some(result.to_string());
    hand.kept.branch_result = branch_result.map(|result| result.to_string());
    hand.kept.notes.extend(laid.notes);
    hand.kept.notes.extend(met.decided);
    context.set_data(&hand.kept)?;
    let trees = hand.trees()?;
    // The org has everything already.
    Ok(match trees.0 == trees.1 {
        true => Outcome::Next {
            step: "record".to_owned(),
        },
        false => Outcome::Done,
    })
}

/// The state that source and target shared last; for a rollback the state after the deployment that is undone.
fn base(hand: &Hand, tip: Oid) -> Result<Option<Oid>, StepError> {
    if let Some(undo) = &hand.params.undo {
        return Ok(Some(undo.org.parse()?));
    }
    let source = Source {
        name: hand.params.from.clone(),
        branch: hand.params.branch.clone(),
        commit: hand.params.commit.parse()?,
    };
    let target = Target {
        name: hand.target.name.clone(),
        branch: RefName::branch(&hand.target.branch)?,
        tip,
    };
    Ok(shared_state(&hand.repository, &source, &target, hand.time())?)
}

/// The branch with the change: the tip itself when it has everything, or is what the org is set back to; none when a rollback has no
/// branch to bring back.
pub(super) fn branch_onto(hand: &Hand, tip: Oid, base: Option<Oid>, met: &mut Met) -> Result<Option<Oid>, StepError> {
    if hand.params.revert.is_some() {
        return Ok(Some(tip));
    }
    let (base, commit) = match (&hand.params.undo, hand.params.direction) {
        (Some(undo), Direction::Back) => match &undo.branch {
            Some((before, after)) => (Some(after.parse()?), before.parse()?),
            None => return Ok(None),
        },
        _ => {
            let laid = overlay::lay(hand, base, hand.params.commit.parse()?, Under::Branch(tip))?;
            (laid.base, laid.commit)
        }
    };
    onto(hand, "branch", tip, base, commit, met).map(Some)
}

/// Merges onto a ref of the operation that begins at `tip`, and gives where it stands then.
fn onto(hand: &Hand, name: &str, tip: Oid, base: Option<Oid>, commit: Oid, met: &mut Met) -> Result<Oid, StepError> {
    let reference = hand.reference(name)?;
    let repository = &hand.repository;
    let before = repository.read_ref(&reference)?;
    if before != Some(tip) {
        repository.update_ref(&reference, Some(tip), before, "syncline: begin to merge")?;
    }
    let report = merge_onto(
        repository,
        &Onto {
            source: &hand.params.from,
            commit,
            base,
            target: &hand.target.name,
            reference: &reference,
            tip,
            selection: &hand.params.selection,
        },
        hand.time(),
    )?;
    match report.outcome {
        Merged::NothingToDo => {}
        Merged::Done { replayed, .. } => met.decided.extend(replayed.into_iter().map(|one| {
            let Replayed { path, decided, .. } = one;
            format!("{path}: decided before ({}, by {})", decided.choice.word(), decided.by)
        })),
        Merged::Conflicts { id, conflicts, .. } => met.open.push((id, conflicts.len())),
        Merged::Failed { error } => {
            return Err(broken(
                "promote.merge",
                format!("{}: {}", error.message, error.causes.join(": ")),
            ));
        }
    }
    let result = repository.read_ref(&reference)?;
    result.ok_or_else(|| broken("promote.merge", format!("{} is gone", reference.as_str())))
}

/// The question about open conflicts; it is asked anew when others are open.
pub(super) fn question(hand: &Hand, met: &Met) -> Question {
    let ids: Vec<String> = met.open.iter().map(|(id, count)| format!("{id}:{count}")).collect();
    let count: usize = met.open.iter().map(|(_, count)| count).sum();
    let names: Vec<&str> = met.open.iter().map(|(id, _)| id.as_str()).collect();
    Question {
        name: "conflicts".to_owned(),
        subject: ids.join(" "),
        text: format!(
            "{count} conflict{} in `{}`: `syncline conflicts show {}`",
            if count == 1 { "" } else { "s" },
            hand.target.name,
            names.first().unwrap_or(&"")
        ),
        kind: QuestionKind::Conflicts {
            open: u32::try_from(count).unwrap_or(u32::MAX),
        },
        details: serde_json::json!({ "ids": names }),
    }
}
