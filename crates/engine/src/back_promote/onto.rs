//! A merge onto a ref that is no branch: the state of an org, or a branch that is to move only later.

use syncline_git::{CommitTime, EditError, NewCommit, Oid, RefName, Repository, Signature};

use super::base::{self, Base, FindBaseError};
use super::{BackPromoteError, Job, Range, Selection, TargetReport, run, signature};
use crate::resolution::Resolutions;
use crate::state::{Source, Target};

/// What is merged onto which ref.
#[derive(Clone, Debug)]
pub struct Onto<'a> {
    /// What people call the source.
    pub source: &'a str,
    /// Its commit.
    pub commit: Oid,
    /// The state that source and target shared last. `None`: every difference that both have is a conflict.
    pub base: Option<Oid>,
    /// What people call the target.
    pub target: &'a str,
    /// The ref. It moves to the result; conflicts are kept for it and decided as all others.
    pub reference: &'a RefName,
    /// Its commit.
    pub tip: Oid,
    /// What comes in.
    pub selection: &'a Selection,
}

/// Merges onto a ref. Decisions of conflicts that were made elsewhere are replayed.
pub fn merge_onto(repository: &Repository, onto: &Onto<'_>, now: CommitTime) -> Result<TargetReport, BackPromoteError> {
    let who = signature(repository.committer()?, now);
    let base = match onto.base {
        Some(base) => base,
        None => nothing(repository, &who)?,
    };
    let job = Job {
        source: Source {
            name: onto.source.to_owned(),
            branch: None,
            commit: onto.commit,
        },
        range: Some(Range {
            from: base,
            to: onto.commit,
        }),
        selection: onto.selection.clone(),
        resolutions: Resolutions::read(repository, onto.commit)?,
        dry_run: false,
        who,
        kept: None,
    };
    let target = Target {
        name: onto.target.to_owned(),
        branch: onto.reference.clone(),
        tip: onto.tip,
    };
    let mut reports = run(repository, &job, vec![(onto.target.to_owned(), Ok(target))])?;
    Ok(reports.pop().expect("one target gives one report"))
}

/// A commit without files: the base of states that share nothing.
fn nothing(repository: &Repository, who: &Signature) -> Result<Oid, BackPromoteError> {
    let tree = repository.edit_tree(None).write()?;
    let at = Signature {
        time: CommitTime {
            seconds: 0,
            offset_minutes: 0,
        },
        ..who.clone()
    };
    Ok(repository.write_commit(NewCommit {
        tree,
        parents: &[],
        message: "No common state",
        author: &at,
        committer: &at,
    })?)
}

/// The state that an environment's branch and a source shared last, as one commit; `None` when none is known.
pub fn shared_state(
    repository: &Repository,
    source: &Source,
    target: &Target,
    now: CommitTime,
) -> Result<Option<Oid>, FindBaseError> {
    let recorded = base::recorded(repository, source, target)?;
    let found = base::find(repository, source, target, recorded)?;
    Ok(match &found {
        Base::None => None,
        Base::Recorded { commit } | Base::MergeBase { commit } | Base::Range { commit } => Some(*commit),
        Base::Folded { commits } => {
            let Some(tree) = base::tree(repository, &found)? else {
                return Ok(None);
            };
            let who = signature(repository.committer().map_err(FindBaseError::from)?, now);
            let commit = repository.write_commit(NewCommit {
                tree,
                parents: commits,
                message: "Several common states, merged into one",
                author: &who,
                committer: &who,
            });
            Some(commit.map_err(FindBaseError::from)?)
        }
    })
}

/// Writes the record that a target branch shares a source's commit; the caller moves [`super::base_ref`] to it.
pub fn shared_record(
    repository: &Repository,
    source: Oid,
    target_commit: Oid,
    now: CommitTime,
) -> Result<Oid, BackPromoteError> {
    let who = signature(repository.committer()?, now);
    Ok(base::write_record(repository, source, target_commit, &who)?)
}

impl From<EditError> for BackPromoteError {
    fn from(error: EditError) -> Self {
        Self::Tree(error)
    }
}
