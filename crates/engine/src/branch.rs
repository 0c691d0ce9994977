//! Branches that get a commit: moved only forward from what was seen, and together with a working tree that has them checked out.

use std::path::{Path, PathBuf};

use syncline_git::{InProgress, Oid, OpenError, Program, ProgramError, RefError, RefName, Repository, WorktreeError};

/// A branch cannot be moved. It is where it was.
#[derive(Debug, thiserror::Error)]
pub enum BranchError {
    /// Its working tree has changes.
    #[error(
        "`{branch}` is checked out at {} with changes that are not committed ({path}{more}); commit or stash them there, then try again",
        .worktree.display()
    )]
    Dirty {
        /// The branch.
        branch: String,
        /// The working tree.
        worktree: PathBuf,
        /// The first changed path.
        path: String,
        /// " and N more".
        more: String,
    },
    /// Its working tree is in the middle of something.
    #[error("`{branch}` is checked out at {}, where {} is unfinished; finish or abort it there, then try again", .worktree.display(), .operation.command())]
    Unfinished {
        /// The branch.
        branch: String,
        /// The working tree.
        worktree: PathBuf,
        /// What is unfinished.
        operation: InProgress,
    },
    /// Somebody moved the branch meanwhile.
    #[error("`{branch}` was moved by somebody else meanwhile and nothing was written; run the same command again")]
    Moved {
        /// The branch.
        branch: String,
    },
    /// The working tree could not follow the branch.
    #[error("the working tree at {} could not follow", .worktree.display())]
    Follow {
        /// The working tree.
        worktree: PathBuf,
        /// What git said.
        source: ProgramError,
    },
    /// The working trees cannot be looked at.
    #[error(transparent)]
    Worktree(#[from] WorktreeError),
    /// A working tree cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The git program is missing or too old; it is needed for branches that are checked out.
    #[error(transparent)]
    Program(#[from] ProgramError),
    /// A ref cannot be read or moved.
    #[error(transparent)]
    Ref(RefError),
}

impl BranchError {
    /// Was somebody else faster? Then trying again helps.
    pub fn is_lost_race(&self) -> bool {
        let Self::Ref(error) = self else {
            return matches!(self, Self::Moved { .. });
        };
        matches!(error, RefError::Moved { .. } | RefError::Locked { .. })
    }
}

impl From<RefError> for BranchError {
    fn from(error: RefError) -> Self {
        Self::Ref(error)
    }
}

/// Where the branch is checked out; refused unless that working tree can follow. `git` is found when it is needed.
pub(crate) fn worktree_of(
    repository: &Repository,
    branch: &RefName,
    git: &mut Option<Program>,
) -> Result<Option<PathBuf>, BranchError> {
    let Some(worktree) = repository.checked_out_at(branch)? else {
        return Ok(None);
    };
    let opened = Repository::open(&worktree)?;
    if let Some(operation) = opened.in_progress() {
        return Err(BranchError::Unfinished {
            branch: short(branch),
            worktree,
            operation,
        });
    }
    let git = match git {
        Some(git) => git,
        None => git.insert(Program::find()?),
    };
    // Files that git does not know stay where they are; if one is in the way, git refuses before it writes.
    let mut dirty = opened.dirty_paths(git, &[])?;
    dirty.retain(|dirty| !dirty.untracked);
    match dirty.split_first() {
        None => Ok(Some(worktree)),
        Some((first, rest)) => Err(BranchError::Dirty {
            branch: short(branch),
            worktree,
            path: first.path.to_string(),
            more: match rest.len() {
                0 => String::new(),
                n => format!(" and {n} more"),
            },
        }),
    }
}

/// Moves a branch together with the working tree that has it checked out. The git program does it, so that filters
/// and hooks run; it moves only forward, from the commit that was seen.
pub(crate) fn follow(
    repository: &Repository,
    branch: &RefName,
    seen: Oid,
    worktree: &Path,
    commit: Oid,
) -> Result<(), BranchError> {
    let error = |source| BranchError::Follow {
        worktree: worktree.to_owned(),
        source,
    };
    if repository.read_ref(branch)? != Some(seen) {
        return Err(BranchError::Moved { branch: short(branch) });
    }
    let git = Program::find().map_err(error)?;
    git.fast_forward(worktree, commit).map_err(error)
}

/// Moves a branch to a commit that was written onto the one that was seen, with its working tree if it has one. `None`: it is new.
pub(crate) fn advance(
    repository: &Repository,
    branch: &RefName,
    seen: Option<Oid>,
    commit: Oid,
    log: &str,
) -> Result<(), BranchError> {
    match (seen, worktree_of(repository, branch, &mut None)?) {
        (Some(seen), Some(worktree)) => follow(repository, branch, seen, &worktree, commit),
        _ => match repository.update_ref(branch, Some(commit), seen, log) {
            Err(RefError::Moved { .. } | RefError::Locked { .. }) => Err(BranchError::Moved { branch: short(branch) }),
            result => Ok(result?),
        },
    }
}

/// The name without `refs/heads/`.
pub(crate) fn short(branch: &RefName) -> String {
    branch.as_branch().unwrap_or(branch.as_str()).to_owned()
}
