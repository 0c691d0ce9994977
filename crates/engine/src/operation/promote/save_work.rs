//! The target's work in progress, on a ref of its own before anything is written.

use syncline_git::{NewCommit, RefName, Signature};

use super::hand::Hand;
use crate::operation::{Outcome, StepContext, StepError};

pub(super) async fn run(context: &mut StepContext) -> Result<Outcome, StepError> {
    let mut hand = Hand::open(context)?;
    let repository = &hand.repository;
    let snapshot = Hand::commit(&hand.kept.snapshot, "snapshot")?;
    let tip = Hand::commit(&hand.kept.branch_tip, "branch")?;
    let tree = repository.commit_tree(snapshot)?;
    if tree == repository.commit_tree(tip)? {
        return Ok(Outcome::Done);
    }
    let who = Signature {
        identity: repository.committer()?,
        time: hand.time(),
    };
    // The snapshot is a parent too, so that it stays as long as the work does.
    let commit = repository.write_commit(NewCommit {
        tree,
        parents: &[tip, snapshot],
        message: &format!("Work in progress in {}", hand.target.name),
        author: &who,
        committer: &who,
    })?;
    let number = hand.kept.changed_meanwhile;
    let name = format!("refs/syncline/saved/{}/{}-{number}", hand.target.name, hand.id());
    let reference: RefName = name.parse()?;
    let before = repository.read_ref(&reference)?;
    repository.update_ref(&reference, Some(commit), before, "syncline: save work in progress")?;
    hand.kept.work = Some(name);
    context.set_data(&hand.kept)?;
    Ok(Outcome::Done)
}
