//! What an org can have of a state of git: the metadata that is managed. The rest goes to the branch only.

use syncline_git::{NewCommit, Oid};

use super::hand::Hand;
use super::overlay::Laid;
use crate::operation::StepError;
use crate::org::retrieve::PROJECT_FILES;
use crate::project::ProjectReader;
use crate::scope::Managed;

/// Both states without files that a snapshot never has: else each would count as deleted in the org.
pub(super) fn only_managed(hand: &Hand, laid: Laid) -> Result<Laid, StepError> {
    let managed = crate::scope::read(&hand.repository)?;
    let state = |commit: Oid| reduced(hand, commit, &managed);
    Ok(Laid {
        base: laid.base.map(state).transpose()?,
        commit: state(laid.commit)?,
        notes: laid.notes,
    })
}

fn reduced(hand: &Hand, commit: Oid, managed: &Managed) -> Result<Oid, StepError> {
    let repository = &hand.repository;
    let tree = repository.commit_tree(commit)?;
    let projects = ProjectReader::default().read(repository, tree)?;
    let mut edited = repository.edit_tree(Some(tree));
    for (path, _) in repository.files(tree, "")? {
        let Ok(text) = path.as_str() else {
            edited.remove(&path)?;
            continue;
        };
        let has = projects
            .file(text)
            .is_some_and(|file| managed.has(&file.id) || file.parent.is_some_and(|parent| managed.has(&parent)));
        if !has && !PROJECT_FILES.contains(&text) {
            edited.remove(&path)?;
        }
    }
    let reduced = edited.write()?;
    if reduced == tree {
        return Ok(commit);
    }
    // The same state is the same commit each time, so that conflicts are found again.
    let who = repository.commit(commit)?.committer;
    Ok(repository.write_commit(NewCommit {
        tree: reduced,
        parents: &[commit],
        message: &format!("Metadata of {}", hand.params.from),
        author: &who,
        committer: &who,
    })?)
}
