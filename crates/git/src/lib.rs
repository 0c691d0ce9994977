//! Git repositories: objects, trees, commits and refs in process; fetch, push and clone through the `git` program.
//!
//! Nothing here knows what the files mean. A [`Repository`] is not shared between threads: give each thread its own
//! through [`Repository::handle`]. Objects are written first and refs last ([`Repository::update_refs`]), so a crash
//! leaves at most unreachable objects.

mod batch;
mod commit;
mod config;
mod diff;
mod editor;
mod entry;
mod history;
mod merge;
mod object;
mod oid;
mod path;
mod program;
mod refs;
mod remote;
mod repository;
mod revision;
mod trailer;
mod tree;
mod virtual_base;
mod worktree;

pub use commit::{Commit, CommitError, CommitTime, Identity, NewCommit, Signature};
pub use config::ConfigError;
pub use diff::TreeChange;
pub use editor::{EditError, TreeEditor};
pub use entry::{Entry, Mode};
pub use history::HistoryError;
pub use merge::{BothChanged, MergeError, Outcome, ThreeWay, TreeEdit, TreeMerge};
pub use object::ObjectError;
pub use oid::{BadOid, Oid};
pub use path::{NotUtf8, TreePath};
pub use program::{Program, ProgramError, Version};
pub use refs::{RefEdit, RefError, RefName, Reference};
pub use remote::{Authorization, Expect, PushRef, RejectedRef, Remote, RemoteError, clone_mirror};
pub use repository::{Head, OpenError, Repository, RepositoryHandle};
pub use revision::ResolveError;
pub use trailer::{Trailer, TrailerError, append_trailers, parse_trailers};
pub use virtual_base::{BaseError, OnBases};
pub use worktree::{DirtyPath, InProgress, WorktreeError};
