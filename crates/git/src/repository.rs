//! A repository on disk: found, checked for formats we cannot read, described.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use git2::{ErrorCode, RepositoryOpenFlags};

use crate::batch::Batch;
use crate::tree::Item;
use crate::{Oid, RefError};

/// A git repository, bare or with a working tree, opened by one thread.
pub struct Repository {
    pub(crate) inner: git2::Repository,
    pub(crate) batch: Option<Batch>,
    /// Directories that were looked into.
    pub(crate) trees: RefCell<HashMap<Oid, Arc<[Item]>>>,
}

/// Opens a repository again, in another thread. Cheap to clone and to open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepositoryHandle {
    git_dir: PathBuf,
}

/// What HEAD says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Head {
    /// A branch: its short name, and its commit unless it has none yet.
    Branch {
        /// Without `refs/heads/`.
        name: String,
        /// `None` on a branch without commits, as in an empty repository.
        tip: Option<Oid>,
    },
    /// A commit, no branch.
    Detached(Oid),
}

/// The repository cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// There is none.
    #[error("{} is not inside a git repository; run `git init` or name another folder", .path.display())]
    NotFound {
        /// Where the search began.
        path: PathBuf,
    },
    /// It belongs to another user.
    #[error(
        "the repository at {} belongs to another user; if you trust it run \
         `git config --global --add safe.directory {}`", .path.display(), .path.display()
    )]
    Owner {
        /// The path.
        path: PathBuf,
    },
    /// It uses a format that cannot be read in process.
    #[error(
        "the repository at {} uses `extensions.{extension} = {value}`, which syncline cannot read; \
         clone it again with SHA-1 objects, the files ref storage and no filter", .path.display()
    )]
    Unsupported {
        /// The path.
        path: PathBuf,
        /// The key beneath `extensions`.
        extension: String,
        /// Its value.
        value: String,
    },
    /// Anything else.
    #[error("the repository at {} cannot be opened", .path.display())]
    Open {
        /// The path.
        path: PathBuf,
        /// The reason.
        source: git2::Error,
    },
}

impl Repository {
    /// Opens the repository that holds this folder, searching upwards as git does.
    pub fn discover(path: &Path) -> Result<Self, OpenError> {
        Self::open_with(path, RepositoryOpenFlags::empty())
    }

    /// Opens the repository at this very path: a bare repository, a working tree or its `.git`.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        Self::open_with(path, RepositoryOpenFlags::NO_SEARCH)
    }

    /// For other threads.
    pub fn handle(&self) -> RepositoryHandle {
        RepositoryHandle {
            git_dir: self.git_dir().to_owned(),
        }
    }

    /// Without a working tree?
    pub fn is_bare(&self) -> bool {
        self.inner.is_bare()
    }

    /// Is the history cut off (`git clone --depth`)? Merge bases beyond the cut are unknown then.
    pub fn is_shallow(&self) -> bool {
        self.inner.is_shallow()
    }

    /// The root of the working tree; `None` when bare.
    pub fn worktree(&self) -> Option<&Path> {
        self.inner.workdir()
    }

    /// The directory of this working tree's own data; for a linked worktree `<common>/worktrees/<name>`.
    pub fn git_dir(&self) -> &Path {
        self.inner.path()
    }

    /// The directory of the data that all worktrees share.
    pub fn common_dir(&self) -> &Path {
        self.inner.commondir()
    }

    /// Without any ref: nothing was ever committed or fetched.
    pub fn is_empty(&self) -> Result<bool, RefError> {
        Ok(self.refs("")?.is_empty())
    }

    /// What HEAD says.
    pub fn head(&self) -> Result<Head, RefError> {
        let error = |source| RefError::Read {
            name: "HEAD".to_owned(),
            source,
        };
        let head = self.inner.find_reference("HEAD").map_err(error)?;
        let Some(target) = head.symbolic_target().map_err(error)? else {
            let id = head
                .target()
                .ok_or_else(|| error(git2::Error::from_str("HEAD has no target")))?;
            return Ok(Head::Detached(Oid::from_git2(id)));
        };
        let name = target.strip_prefix("refs/heads/").unwrap_or(target).to_owned();
        match head.resolve() {
            Ok(branch) => Ok(Head::Branch {
                name,
                tip: branch.target().map(Oid::from_git2),
            }),
            Err(reason) if reason.code() == ErrorCode::NotFound => Ok(Head::Branch { name, tip: None }),
            Err(reason) => Err(error(reason)),
        }
    }

    fn open_with(path: &Path, flags: RepositoryOpenFlags) -> Result<Self, OpenError> {
        // Like git itself: objects are not hashed again on every read; `git fsck` does that.
        static ONCE: std::sync::Once = std::sync::Once::new();
        ONCE.call_once(|| git2::opts::strict_hash_verification(false));
        let none: [&Path; 0] = [];
        match git2::Repository::open_ext(path, flags, none) {
            Ok(inner) => {
                let repository = Self {
                    inner,
                    batch: None,
                    trees: RefCell::default(),
                };
                repository.check_format().map(|()| repository)
            }
            Err(reason) => Err(open_error(path, flags, reason)),
        }
    }

    /// libgit2 may open some formats that it cannot read.
    fn check_format(&self) -> Result<(), OpenError> {
        refused_extension(&self.common_dir().join("config")).map_or(Ok(()), |(extension, value)| {
            Err(OpenError::Unsupported {
                path: self.common_dir().to_owned(),
                extension,
                value,
            })
        })
    }
}

impl RepositoryHandle {
    /// Opens the repository for this thread.
    pub fn open(&self) -> Result<Repository, OpenError> {
        Repository::open(&self.git_dir)
    }
}

fn open_error(path: &Path, flags: RepositoryOpenFlags, source: git2::Error) -> OpenError {
    let path = path.to_owned();
    match source.code() {
        ErrorCode::NotFound => return OpenError::NotFound { path },
        ErrorCode::Owner => return OpenError::Owner { path },
        _ => {}
    }
    let mut candidates = vec![path.join("config"), path.join(".git/config")];
    if flags.is_empty() {
        candidates.extend(path.ancestors().skip(1).map(|folder| folder.join(".git/config")));
    }
    match candidates.iter().find_map(|file| refused_extension(file)) {
        Some((extension, value)) => OpenError::Unsupported { path, extension, value },
        None => OpenError::Open { path, source },
    }
}

/// Extensions that libgit2 reads as we need them; see git's documentation of `extensions.*`.
const READABLE: [(&str, Option<&str>); 6] = [
    ("noop", None),
    ("worktreeconfig", None),
    ("preciousobjects", None),
    ("relativeworktrees", None),
    ("objectformat", Some("sha1")),
    ("refstorage", Some("files")),
];

/// The first extension in this configuration file that we cannot read. A file that is not there has none.
fn refused_extension(file: &Path) -> Option<(String, String)> {
    let config = git2::Config::open(file).ok()?;
    let mut entries = config.entries(Some("^extensions\\.")).ok()?;
    while let Some(Ok(entry)) = entries.next() {
        let Some(extension) = entry.name().ok().and_then(|name| name.strip_prefix("extensions.")) else {
            continue;
        };
        let value = String::from_utf8_lossy(entry.value_bytes()).into_owned();
        let readable = READABLE
            .iter()
            .any(|(name, only)| extension == *name && only.is_none_or(|only| value.eq_ignore_ascii_case(only)));
        if !readable {
            return Some((extension.to_owned(), value));
        }
    }
    None
}
