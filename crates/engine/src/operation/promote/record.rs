//! The branch moved and the new common state recorded.

use std::collections::BTreeSet;

use syncline_git::{NewCommit, Oid, RefName, Signature, Trailer, TreePath, append_trailers};

use super::data::Direction;
use super::deploy::words;
use super::hand::{Hand, broken, failed};
use super::merge::{self, Met};
use super::snapshot;
use crate::back_promote::{base_ref, shared_record};
use crate::branch::{self, BranchError};
use crate::operation::{Lease, Outcome, StepContext, StepError};
use crate::snapshot::brought;

/// How often a branch that others move is merged again.
const ATTEMPTS: usize = 10;

pub(super) async fn run(context: &mut StepContext) -> Result<Outcome, StepError> {
    let mut hand = Hand::open(context)?;
    context.signals("conflicts");
    if let Some(outcome) = move_branch(&mut hand, &context.lease)? {
        context.set_data(&hand.kept)?;
        return Ok(outcome);
    }
    share(context, &mut hand).await?;
    see(context, &mut hand).await?;
    let store = &context.runtime.store;
    let mut state = store.environment_state(&hand.target.name).await?;
    state.org_id.clone_from(&hand.kept.org_id);
    store.save_environment_state(&state, context.now()).await?;
    context.set_data(&hand.kept)?;
    context.say(message(&hand));
    Ok(Outcome::Done)
}

/// Looks at the org once more, so that status and drift tell of it as it is now. What keeps it from being seen is told: the work is done.
async fn see(context: &mut StepContext, hand: &mut Hand) -> Result<(), StepError> {
    if hand.kept.deployed.is_empty() && hand.kept.branch_commit == hand.kept.branch_tip {
        return Ok(());
    }
    context.set_data(&hand.kept)?;
    let name = RefName::branch(&hand.target.branch)?;
    if let Some(tip) = hand.repository.read_ref(&name)?
        && !hand.kept.deployed.is_empty()
    {
        let who = Signature {
            identity: hand.repository.committer()?,
            time: hand.time(),
        };
        brought(&hand.repository, &hand.target, tip, touched(hand)?, &who)?;
    }
    let seen = match hand.connect(context).await {
        Ok(connection) => snapshot::take(hand, &connection, false).await.map_err(StepError::from),
        Err(error) => Err(error),
    };
    if let Err(error) = seen {
        let target = &hand.target.name;
        hand.kept.notes.push(format!(
            "the last snapshot of `{target}` is of before the deployment: {}; take one with `syncline snapshot {target}`",
            error.problem.message
        ));
    }
    Ok(())
}

/// What came to the org, and what came to the branch.
fn touched(hand: &Hand) -> Result<BTreeSet<TreePath>, StepError> {
    let (before, after) = hand.trees()?;
    let mut changes = hand.repository.diff_trees(Some(before), Some(after))?;
    if let (Some(tip), Some(commit)) = (&hand.kept.branch_tip, &hand.kept.branch_commit) {
        let tree = |commit: &String| -> Result<Oid, StepError> { Ok(hand.repository.commit_tree(commit.parse()?)?) };
        changes.extend(hand.repository.diff_trees(Some(tree(tip)?), Some(tree(commit)?))?);
    }
    Ok(changes.into_iter().map(|change| change.path).collect())
}

fn message(hand: &Hand) -> String {
    let target = &hand.target.name;
    if hand.only_validates() && hand.kept.validation.is_some() {
        return format!(
            "`{target}` takes it: {} components to deploy, {} to delete; nothing was deployed",
            hand.kept.components.len(),
            hand.kept.deletions.len()
        );
    }
    if hand.kept.deployed.is_empty() {
        return format!("`{target}` has everything already");
    }
    let count = hand.kept.components.len();
    let components = if count == 1 { "component" } else { "components" };
    let mut text = format!("{count} {components} deployed to `{target}`");
    if !hand.kept.deletions.is_empty() {
        text.push_str(&format!(", {} deleted", hand.kept.deletions.len()));
    }
    if let Some(rollback) = hand.kept.rollback.as_ref().filter(|rollback| !rollback.valid) {
        text.push_str(&format!("; rollback not valid: {}", rollback.problems.join("; ")));
    }
    if !hand.kept.differences.is_empty() {
        text.push_str(&format!(
            "; the org has it otherwise: {}",
            words(&hand.kept.differences)
        ));
    }
    text
}

/// Brings the change to the target's branch, from where it is now.
fn move_branch(hand: &mut Hand, lease: &Lease) -> Result<Option<Outcome>, StepError> {
    let name = RefName::branch(&hand.target.branch)?;
    let mut seen = Hand::commit(&hand.kept.branch_tip, "branch")?;
    for _ in 0..ATTEMPTS {
        let Some(tip) = hand.repository.read_ref(&name)? else {
            return Ok(Some(failed(
                "promote.no_branch",
                format!(
                    "the org has the change, but the branch `{}` is gone",
                    hand.target.branch
                ),
                "create it again, then `syncline operation retry`",
            )));
        };
        // It moved when we were killed after moving it.
        if hand.kept.branch_commit.as_deref() == Some(tip.to_string().as_str()) {
            return Ok(None);
        }
        if tip != seen {
            if !hand.repository.is_ancestor(seen, tip)? {
                hand.kept.notes.push(format!(
                    "the branch `{}` was rewritten meanwhile; the change was merged into what it has now",
                    hand.target.branch
                ));
            }
            let mut met = Met::default();
            let base = hand.kept.base.as_ref().map(|base| base.parse()).transpose()?;
            let result = merge::branch_onto(hand, tip, base, &mut met)?;
            if !met.open.is_empty() {
                return Ok(Some(Outcome::NeedsPerson {
                    question: merge::question(hand, &met),
                }));
            }
            hand.kept.branch_result = result.map(|result| result.to_string());
            seen = tip;
        }
        hand.kept.branch_tip = Some(tip.to_string());
        let Some(result) = hand.kept.branch_result.as_ref() else {
            return Ok(None);
        };
        let tree = hand.repository.commit_tree(result.parse()?)?;
        let source: Oid = hand.params.commit.parse()?;
        let has_all = hand.repository.commit_tree(tip)? == tree;
        if has_all {
            hand.kept.branch_commit = Some(tip.to_string());
            return Ok(None);
        }
        let commit = commit(hand, tip, source, tree)?;
        if lease.is_lost() {
            return Err(broken("promote.lease", "another worker records the operation"));
        }
        match branch::advance(&hand.repository, &name, Some(tip), commit, "syncline: promote") {
            Ok(()) => {
                hand.kept.branch_commit = Some(commit.to_string());
                return Ok(None);
            }
            Err(BranchError::Moved { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(broken(
        "promote.contended",
        format!("the branch `{}` moves again and again", hand.target.branch),
    ))
}

fn commit(hand: &Hand, tip: Oid, source: Oid, tree: Oid) -> Result<Oid, StepError> {
    let who = Signature {
        identity: hand.repository.committer()?,
        time: hand.time(),
    };
    let whole = hand.params.selection.is_all() && hand.params.direction != Direction::Back;
    let both = [tip, source];
    let trailer = |key: &str, value: String| Trailer {
        key: key.to_owned(),
        value,
    };
    let trailers = [
        trailer("Syncline-From", format!("{}@{source}", hand.params.from)),
        trailer("Syncline-Operation", hand.id().to_owned()),
    ];
    Ok(hand.repository.write_commit(NewCommit {
        tree,
        parents: if whole { &both } else { &both[..1] },
        message: &append_trailers(&hand.title(), &trailers)?,
        author: &who,
        committer: &who,
    })?)
}

/// Records the new common state; a rollback brings back the one before.
async fn share(context: &mut StepContext, hand: &mut Hand) -> Result<(), StepError> {
    if let Some(undo) = &hand.params.undo {
        let Some((name, before, after)) = &undo.base else {
            return Ok(());
        };
        let (name, before): (RefName, _) = (name.parse()?, oid(before)?);
        let after: Oid = after.parse()?;
        if hand.repository.read_ref(&name)? == Some(after) {
            hand.repository
                .update_ref(&name, before, Some(after), "syncline: rollback")?;
        }
        return Ok(());
    }
    let (Some(source), Some(commit)) = (&hand.params.branch, &hand.kept.branch_commit) else {
        return Ok(());
    };
    if !hand.params.selection.is_all() {
        return Ok(());
    }
    let name = base_ref(source, &RefName::branch(&hand.target.branch)?)?;
    let found = hand.repository.read_ref(&name)?;
    let noted = match &hand.kept.shared {
        Some((_, before, record)) => Some((oid(before)?, record.parse::<Oid>()?)),
        None => None,
    };
    let record = match noted {
        // An earlier run has moved it, and was interrupted.
        Some((_, record)) if found == Some(record) => return Ok(()),
        Some((before, record)) if found == before => record,
        _ => {
            let record = shared_record(
                &hand.repository,
                hand.params.commit.parse()?,
                commit.parse()?,
                hand.time(),
            )?;
            // What stood there before is known only until it moves, and a rollback needs it.
            hand.kept.shared = Some((
                name.as_str().to_owned(),
                found.map(|before| before.to_string()),
                record.to_string(),
            ));
            context.set_data(&hand.kept)?;
            context.save().await?;
            record
        }
    };
    Ok(hand
        .repository
        .update_ref(&name, Some(record), found, "syncline: promote")?)
}

fn oid(text: &Option<String>) -> Result<Option<Oid>, StepError> {
    Ok(text.as_ref().map(|text| text.parse()).transpose()?)
}
