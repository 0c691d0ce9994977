//! What an org and the branch of its environment have in common: for each file the last content that both had at one time.
//!
//! A file that differs now was changed by whoever has left this content. It is kept at `refs/syncline/common/ENV` as a commit on
//! the snapshot and the branch of then, and settled anew with each snapshot.

use std::collections::BTreeSet;

use syncline_domain::config::Environment;
use syncline_git::{CommitError, NewCommit, ObjectError, Oid, RefName, Repository, Signature, TreeEdit, TreePath};

use crate::environment::EnvironmentError;

const SUBJECT: &str = "Remember what org and branch have in common";

/// The common state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Common {
    /// Its tree; `None` when nothing is known yet.
    pub(crate) tree: Option<Oid>,
    /// The branch was rewritten since, so that nothing is known.
    pub(crate) rewritten: bool,
}

fn name(environment: &str) -> Result<RefName, EnvironmentError> {
    Ok(format!("refs/syncline/common/{environment}").parse()?)
}

/// What was agreed on as of the last snapshot, if the branch still builds on it.
pub(crate) fn agreed(
    repository: &Repository,
    environment: &Environment,
    branch: Oid,
) -> Result<Common, EnvironmentError> {
    let last = match repository.read_ref(&name(&environment.name)?)? {
        Some(commit) => recorded(repository, commit)?,
        None => None,
    };
    Ok(match last {
        // A branch that was set back or rewritten has lost what it shared.
        Some((tree, held)) if repository.has_object(held)? && repository.is_ancestor(held, branch)? => Common {
            tree: Some(tree),
            rewritten: false,
        },
        other => Common {
            tree: None,
            rewritten: other.is_some(),
        },
    })
}

/// The common state of two trees: what they agree on now, and where they differ what was agreed on before.
fn settle(repository: &Repository, agreed: Option<Oid>, snapshot: Oid, branch: Oid) -> Result<Oid, EnvironmentError> {
    let mut edits = Vec::new();
    for change in repository.diff_trees(Some(snapshot), Some(branch))? {
        let entry = match agreed {
            Some(tree) => repository.entry_at(tree, &change.path)?,
            None => None,
        };
        if entry != change.old {
            edits.push(TreeEdit {
                path: change.path,
                entry,
            });
        }
    }
    Ok(repository.write_edits(Some(snapshot), &edits)?)
}

/// The tree of a record and the branch's commit of then.
fn recorded(repository: &Repository, commit: Oid) -> Result<Option<(Oid, Oid)>, EnvironmentError> {
    match repository.commit(commit) {
        Ok(record) if record.subject() == SUBJECT => Ok(record.parents.last().map(|branch| (record.tree, *branch))),
        Ok(_) | Err(CommitError::Object(ObjectError::Missing { .. })) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// An operation brought the branch's content of these paths to the org: who differs there has changed it since.
pub(crate) fn brought(
    repository: &Repository,
    environment: &Environment,
    branch: Oid,
    paths: BTreeSet<TreePath>,
    who: &Signature,
) -> Result<(), EnvironmentError> {
    let reference = name(&environment.name)?;
    let writer = repository.batch()?;
    let before = writer.read_ref(&reference)?;
    let Some(tree) = agreed(&writer, environment, branch)?.tree else {
        return Ok(());
    };
    let tip = writer.commit_tree(branch)?;
    let mut edits = Vec::new();
    for path in paths {
        let entry = writer.entry_at(tip, &path)?;
        if entry != writer.entry_at(tree, &path)? {
            edits.push(TreeEdit { path, entry });
        }
    }
    let commit = writer.write_commit(NewCommit {
        tree: writer.write_edits(Some(tree), &edits)?,
        parents: &[branch],
        message: SUBJECT,
        author: who,
        committer: who,
    })?;
    writer.update_ref(&reference, Some(commit), before, "syncline: common state")?;
    Ok(())
}

/// Settles the common state of a snapshot and a branch and keeps it.
pub(crate) fn remember(
    repository: &Repository,
    environment: &Environment,
    branch: Oid,
    snapshot: Oid,
    who: &Signature,
) -> Result<(), EnvironmentError> {
    let reference = name(&environment.name)?;
    let writer = repository.batch()?;
    let before = writer.read_ref(&reference)?;
    let known = agreed(&writer, environment, branch)?;
    let (org, tip) = (writer.commit_tree(snapshot)?, writer.commit_tree(branch)?);
    let tree = settle(&writer, known.tree, org, tip)?;
    let parents = [snapshot, branch];
    if let Some(before) = before
        && let Ok(record) = writer.commit(before)
        && (record.tree, record.parents.as_slice()) == (tree, parents.as_slice())
    {
        return Ok(());
    }
    let commit = writer.write_commit(NewCommit {
        tree,
        parents: &parents,
        message: SUBJECT,
        author: who,
        committer: who,
    })?;
    writer.update_ref(&reference, Some(commit), before, "syncline: common state")?;
    Ok(())
}
