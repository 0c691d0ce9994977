//! Working trees: what is changed in them, what is going on, which branches they hold.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use git2::RepositoryState;

use crate::{Oid, Program, ProgramError, RefName, Repository, TreePath};

/// An operation that git has begun in a working tree and not finished.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InProgress {
    /// `git merge`.
    Merge,
    /// `git revert`.
    Revert,
    /// `git cherry-pick`.
    CherryPick,
    /// `git bisect`.
    Bisect,
    /// `git rebase`.
    Rebase,
    /// `git am`.
    ApplyMailbox,
}

/// A path of the working tree that differs from HEAD.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirtyPath {
    /// The path from the root of the working tree.
    pub path: TreePath,
    /// Unknown to git (and not ignored); otherwise a tracked file that was changed, staged or not.
    pub untracked: bool,
}

/// The state of the working trees cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum WorktreeError {
    /// A bare repository has no working tree.
    #[error("the repository at {} is bare: it has no working tree", .path.display())]
    Bare {
        /// Its path.
        path: PathBuf,
    },
    /// `git status` failed.
    #[error(transparent)]
    Status(#[from] ProgramError),
    /// `git status` printed what we do not understand.
    #[error("`git status` printed an unknown line: {line}")]
    Line {
        /// The line.
        line: String,
    },
    /// The main repository of a linked worktree cannot be opened.
    #[error("the main repository at {} cannot be opened", .path.display())]
    Main {
        /// Its path.
        path: PathBuf,
        /// The reason.
        source: git2::Error,
    },
    /// A file of the git directory cannot be read.
    #[error("{} cannot be read", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
}

impl InProgress {
    /// The git command that ends it, as in "finish or abort `git merge` first".
    pub const fn command(self) -> &'static str {
        match self {
            Self::Merge => "git merge",
            Self::Revert => "git revert",
            Self::CherryPick => "git cherry-pick",
            Self::Bisect => "git bisect",
            Self::Rebase => "git rebase",
            Self::ApplyMailbox => "git am",
        }
    }
}

impl Repository {
    /// The operation that is unfinished in this working tree.
    pub fn in_progress(&self) -> Option<InProgress> {
        match self.inner.state() {
            RepositoryState::Clean => None,
            RepositoryState::Merge => Some(InProgress::Merge),
            RepositoryState::Revert | RepositoryState::RevertSequence => Some(InProgress::Revert),
            RepositoryState::CherryPick | RepositoryState::CherryPickSequence => Some(InProgress::CherryPick),
            RepositoryState::Bisect => Some(InProgress::Bisect),
            RepositoryState::Rebase | RepositoryState::RebaseInteractive | RepositoryState::RebaseMerge => {
                Some(InProgress::Rebase)
            }
            RepositoryState::ApplyMailbox | RepositoryState::ApplyMailboxOrRebase => Some(InProgress::ApplyMailbox),
        }
    }

    /// The paths of the working tree beneath `prefixes` (everywhere with none) that differ from HEAD. Asks
    /// `git status`, so that filters and attributes count.
    pub fn dirty_paths(&self, git: &Program, prefixes: &[&str]) -> Result<Vec<DirtyPath>, WorktreeError> {
        let root = self.worktree().ok_or_else(|| WorktreeError::Bare {
            path: self.git_dir().to_owned(),
        })?;
        let fixed = [
            "--no-optional-locks",
            "--literal-pathspecs",
            "status",
            "--porcelain=v1",
            "-z",
            "--no-renames",
        ];
        let mut arguments: Vec<OsString> = fixed.map(OsString::from).to_vec();
        arguments.extend(["--untracked-files=all", "--ignore-submodules=none", "--"].map(OsString::from));
        arguments.extend(prefixes.iter().map(OsString::from));
        let output = git.run(root, &arguments, &[])?;
        output
            .split(|byte| *byte == 0)
            .filter(|line| !line.is_empty())
            .map(dirty_path)
            .collect()
    }

    /// Where a branch is checked out (or being rebased), in the main or any linked worktree. Such a branch must not be
    /// moved without its working tree.
    pub fn checked_out_at(&self, branch: &RefName) -> Result<Option<PathBuf>, WorktreeError> {
        let common = self.common_dir();
        if let Some(main) = self.main_worktree()?
            && holds(common, branch)?
        {
            return Ok(Some(main));
        }
        let worktrees = common.join("worktrees");
        let list = match fs::read_dir(&worktrees) {
            Ok(list) => list,
            Err(reason) if reason.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => {
                return Err(WorktreeError::Read {
                    path: worktrees,
                    source,
                });
            }
        };
        let mut paths = list
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|source| WorktreeError::Read {
                path: worktrees,
                source,
            })?;
        paths.sort();
        for git_dir in paths {
            if holds(&git_dir, branch)? {
                return Ok(Some(linked_worktree(&git_dir)?));
            }
        }
        Ok(None)
    }

    /// The root of the main working tree; `None` when the repository is bare.
    fn main_worktree(&self) -> Result<Option<PathBuf>, WorktreeError> {
        if !self.inner.is_worktree() {
            return Ok(self.worktree().map(Path::to_owned));
        }
        let path = self.common_dir();
        let main = git2::Repository::open(path);
        let main = main.map_err(|source| WorktreeError::Main {
            path: path.to_owned(),
            source,
        })?;
        Ok(main.workdir().map(Path::to_owned))
    }
}

impl Program {
    /// Moves the branch that is checked out in a working tree forward to a commit, and its files with it
    /// (`git merge --ff-only`). Git refuses, and changes nothing, when the commit does not build on the branch or a
    /// file is in the way.
    pub fn fast_forward(&self, worktree: &Path, commit: Oid) -> Result<(), ProgramError> {
        let arguments = ["merge", "--ff-only", "--quiet", &commit.to_string()].map(OsString::from);
        self.run(worktree, &arguments, &[]).map(drop)
    }
}

/// The two letters of `git status --porcelain=v1`, a space and the path.
fn dirty_path(line: &[u8]) -> Result<DirtyPath, WorktreeError> {
    match line {
        [x, y, b' ', path @ ..] if !path.is_empty() => {
            let path = path.strip_suffix(b"/").unwrap_or(path);
            Ok(DirtyPath {
                path: TreePath::from_bytes(path),
                untracked: [*x, *y] == *b"??",
            })
        }
        _ => Err(WorktreeError::Line {
            line: TreePath::from_bytes(line).to_string(),
        }),
    }
}

/// Does HEAD of this git directory name the branch, or will it when the rebase ends?
fn holds(git_dir: &Path, branch: &RefName) -> Result<bool, WorktreeError> {
    let symbolic = format!("ref: {branch}");
    let signs = [
        ("HEAD", symbolic.as_str()),
        ("rebase-merge/head-name", branch.as_str()),
        ("rebase-apply/head-name", branch.as_str()),
    ];
    for (file, expect) in signs {
        if read_line(&git_dir.join(file))?.is_some_and(|line| line == expect) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// `gitdir` holds the path of the worktree's `.git` file, possibly relative to the git directory.
fn linked_worktree(git_dir: &Path) -> Result<PathBuf, WorktreeError> {
    let link = read_line(&git_dir.join("gitdir"))?.map(|line| git_dir.join(line));
    Ok(link.as_deref().and_then(Path::parent).unwrap_or(git_dir).to_owned())
}

fn read_line(path: &Path) -> Result<Option<String>, WorktreeError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(
            String::from_utf8_lossy(&bytes)
                .trim_end_matches(['\r', '\n'])
                .to_owned(),
        )),
        Err(reason) if matches!(reason.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
        Err(source) => Err(WorktreeError::Read {
            path: path.to_owned(),
            source,
        }),
    }
}
