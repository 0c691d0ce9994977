//! The results written: objects first, refs last and only from the values that were seen.

use syncline_git::{
    CommitError, EditError, HistoryError, NewCommit, ObjectError, Oid, RefEdit, RefError, Repository, Trailer,
    TrailerError, TreeEdit, append_trailers,
};

use super::base::{self, Base, base_ref};
use super::file::FileResult;
use super::report::{Change, FileChange, Outcome, Replayed, TargetReport};
use super::run::{Prepared, TargetError, failed};
use super::{BackPromoteError, Job};
use crate::branch::{self, BranchError};
use crate::conflicts::{self, Decided, RecordError};

/// A result cannot be written. The branch is where it was.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// An object cannot be written.
    #[error(transparent)]
    Object(#[from] ObjectError),
    /// The tree cannot be written.
    #[error("the merged files do not fit into one tree")]
    Tree(#[source] EditError),
    /// The commit cannot be written.
    #[error(transparent)]
    Commit(#[from] CommitError),
    /// The message cannot be written.
    #[error(transparent)]
    Trailer(#[from] TrailerError),
    /// The branch cannot be moved.
    #[error(transparent)]
    Branch(#[from] BranchError),
    /// The refs cannot be moved.
    #[error(transparent)]
    Ref(#[from] RefError),
    /// The history cannot be walked.
    #[error(transparent)]
    History(#[from] HistoryError),
    /// The conflicts cannot be kept.
    #[error(transparent)]
    Record(#[from] RecordError),
}

/// What is to be done with the refs of a target.
struct Goal {
    outcome: Outcome,
    /// The branch's new commit, if it moves.
    commit: Option<Oid>,
    refs: Vec<RefEdit>,
}

type Merged = Result<(Result<Vec<FileResult>, TargetError>, Prepared), TargetError>;

/// Writes all objects as one pack and then moves the refs, target by target.
pub(super) fn write(
    repository: &Repository,
    writer: &Repository,
    job: &Job,
    targets: Vec<(String, Merged)>,
) -> Result<Vec<TargetReport>, BackPromoteError> {
    let mut goals = Vec::new();
    for (name, merged) in targets {
        goals.push(match merged {
            Err(error) => Err(failed(&name, None, &error)),
            Ok((Err(error), prepared)) => Err(failed(&name, Some(&prepared), &error)),
            Ok((Ok(files), prepared)) => match goal(writer, job, &prepared, &files) {
                Ok(goal) => Ok((prepared, goal)),
                Err(error) => Err(failed(&name, Some(&prepared), &error.into())),
            },
        });
    }
    if !job.dry_run {
        writer.flush()?;
    }
    let finish = |goal: Result<(Prepared, Goal), TargetReport>| match goal {
        Err(report) => report,
        Ok((prepared, goal)) => match move_refs(repository, job, &prepared, &goal) {
            Err(error) => failed("", Some(&prepared), &error.into()),
            Ok(()) => TargetReport {
                target: prepared.target.name,
                branch: Some(prepared.target.branch.to_string()),
                base: Some(prepared.base),
                outcome: goal.outcome,
            },
        },
    };
    Ok(goals.into_iter().map(finish).collect())
}

/// Makes the objects of one target.
fn goal(writer: &Repository, job: &Job, prepared: &Prepared, files: &[FileResult]) -> Result<Goal, WriteError> {
    let items = conflicts::items(&prepared.plan.cases, files);
    let replayed = replayed(&items);
    let id = conflicts::id_of(job, &prepared.target);
    let kept = |new| RefEdit {
        name: conflicts::ref_of(&id).expect("an id is hexadecimal digits"),
        expected: prepared.kept,
        new,
    };
    if files.iter().any(FileResult::is_open) {
        let mut refs = Vec::new();
        if !job.dry_run {
            let record = conflicts::write_record(writer, job, prepared, &items)?;
            if prepared.kept != Some(record) {
                refs.push(kept(Some(record)));
            }
        }
        return Ok(Goal {
            outcome: Outcome::Conflicts {
                id,
                conflicts: items.into_iter().filter(|item| item.decided.is_none()).collect(),
                pulled_in: prepared.needed.clone(),
                replayed,
            },
            commit: None,
            refs,
        });
    }
    let mut refs = Vec::new();
    if prepared.kept.is_some() {
        refs.push(kept(None));
    }
    let edits: Vec<TreeEdit> = prepared
        .plan
        .edits
        .iter()
        .chain(files.iter().flat_map(|file| &file.edits))
        .cloned()
        .collect();
    let changes = changes(prepared, files);
    if job.dry_run {
        return Ok(Goal {
            outcome: match changes.is_empty() {
                true => Outcome::NothingToDo,
                false => done(None, changes, prepared, replayed),
            },
            commit: None,
            refs: Vec::new(),
        });
    }
    let tree = writer
        .write_edits(Some(prepared.ours), &edits)
        .map_err(WriteError::Tree)?;
    if tree == prepared.ours {
        if is_whole(job)
            && !writer
                .is_ancestor(job.source.commit, prepared.target.tip)
                .unwrap_or(false)
        {
            remember_base(writer, job, prepared, prepared.target.tip, &mut refs)?;
        }
        return Ok(Goal {
            outcome: Outcome::NothingToDo,
            commit: None,
            refs,
        });
    }
    let both = [prepared.target.tip, job.source.commit];
    let whole = job.selection.is_all() && job.range.is_none();
    let commit = writer.write_commit(NewCommit {
        tree,
        parents: if whole { &both } else { &both[..1] },
        message: &message(job, prepared, &replayed)?,
        author: &job.who,
        committer: &job.who,
    })?;
    refs.push(RefEdit {
        name: prepared.target.branch.clone(),
        expected: Some(prepared.target.tip),
        new: Some(commit),
    });
    if is_whole(job) {
        remember_base(writer, job, prepared, commit, &mut refs)?;
    }
    Ok(Goal {
        outcome: done(Some(commit), changes, prepared, replayed),
        commit: Some(commit),
        refs,
    })
}

/// Is everything of a branch brought down, so that the two share a state afterwards?
fn is_whole(job: &Job) -> bool {
    job.selection.is_all() && job.range.is_none() && job.source.branch.is_some()
}

fn remember_base(
    writer: &Repository,
    job: &Job,
    prepared: &Prepared,
    target_commit: Oid,
    refs: &mut Vec<RefEdit>,
) -> Result<(), WriteError> {
    let Some(branch) = &job.source.branch else {
        return Ok(());
    };
    let record = base::write_record(writer, job.source.commit, target_commit, &job.who)?;
    refs.push(RefEdit {
        name: base_ref(branch, &prepared.target.branch)?,
        expected: prepared.recorded.at,
        new: Some(record),
    });
    Ok(())
}

fn move_refs(repository: &Repository, job: &Job, prepared: &Prepared, goal: &Goal) -> Result<(), WriteError> {
    if goal.refs.is_empty() {
        return Ok(());
    }
    let branch = &prepared.target.branch;
    let mut refs = goal.refs.clone();
    if let (Some(worktree), Some(commit)) = (&prepared.worktree, goal.commit) {
        branch::follow(repository, branch, prepared.target.tip, worktree, commit)?;
        refs.retain(|edit| edit.name != *branch);
    }
    let log = format!("syncline: back-promote {}", job.source.name);
    match repository.update_refs(&refs, &log) {
        Err(RefError::Moved { name, .. } | RefError::Locked { name }) if name == *branch => Err(BranchError::Moved {
            branch: branch::short(branch),
        }
        .into()),
        result => Ok(result?),
    }
}

fn done(commit: Option<Oid>, files: Vec<FileChange>, prepared: &Prepared, replayed: Vec<Replayed>) -> Outcome {
    Outcome::Done {
        commit: commit.map(|commit| commit.to_string()),
        files,
        pulled_in: prepared.needed.clone(),
        replayed,
        worktree: prepared.worktree.as_ref().map(|path| path.display().to_string()),
    }
}

/// The changed files of the target, by path.
fn changes(prepared: &Prepared, files: &[FileResult]) -> Vec<FileChange> {
    let change = |edit: &TreeEdit, change: Change| FileChange {
        path: edit.path.to_string(),
        component: prepared.projects.component(&edit.path.to_string()),
        change,
    };
    let taken = prepared.plan.edits.iter().map(|edit| {
        change(
            edit,
            match edit.entry {
                None => Change::Deleted,
                Some(_) if prepared.plan.added.contains(&edit.path) => Change::Added,
                Some(_) => Change::Updated,
            },
        )
    });
    let merged = files.iter().flat_map(|file| &file.edits).map(|edit| {
        change(
            edit,
            match edit.entry {
                None => Change::Deleted,
                Some(_) => Change::Merged,
            },
        )
    });
    let mut changes: Vec<_> = taken.chain(merged).collect();
    changes.sort_by(|a, b| a.path.cmp(&b.path));
    changes
}

fn replayed(items: &[conflicts::Item]) -> Vec<Replayed> {
    let replayed = |item: &conflicts::Item, decided: &Decided| Replayed {
        file: item.file.clone(),
        path: item.path.to_string(),
        decided: decided.clone(),
    };
    items
        .iter()
        .filter_map(|item| item.decided.as_ref().map(|decided| replayed(item, decided)))
        .collect()
}

/// The message of a back-promotion: subject, and where everything came from as trailers.
fn message(job: &Job, prepared: &Prepared, replayed: &[Replayed]) -> Result<String, WriteError> {
    let trailer = |key: &str, value: String| Trailer {
        key: key.to_owned(),
        // Names of components may hold anything.
        value: value.replace(char::is_control, " "),
    };
    let mut trailers = vec![trailer(
        "Syncline-From",
        format!("{}@{}", job.source.name, job.source.commit),
    )];
    match &prepared.base {
        Base::None => trailers.push(trailer("Syncline-Base", "none".to_owned())),
        base => trailers.extend(
            base.commits()
                .iter()
                .map(|commit| trailer("Syncline-Base", format!("{commit} {}", base.how()))),
        ),
    }
    if let Some(range) = job.range {
        trailers.push(trailer("Syncline-Commits", format!("{}..{}", range.from, range.to)));
    }
    let components = job.selection.components.iter().map(ToString::to_string);
    let elements = job.selection.elements.iter().map(ToString::to_string);
    trailers.extend(
        components
            .chain(elements)
            .map(|text| trailer("Syncline-Selection", text)),
    );
    trailers.extend((prepared.needed.iter()).map(|needed| trailer("Syncline-Pulled-In", needed.component.to_string())));
    if !replayed.is_empty() {
        let fingerprints: Vec<&str> = replayed.iter().map(|one| &one.decided.fingerprint[..16]).collect();
        let value = format!("{} {}", replayed.len(), fingerprints.join(" "));
        trailers.push(trailer("Syncline-Replayed", value));
    }
    let subject = format!("Back-promote {} to {}", job.source.name, prepared.target.name);
    Ok(append_trailers(&subject, &trailers)?)
}
