//! What a back-promotion did, per target.

use serde::Serialize;
use syncline_git::Oid;
use syncline_metadata::component::ComponentId;

use super::base::Base;
use super::selection::Selection;
use crate::conflicts::{Decided, Item};
use crate::problem::Problem;
use crate::wire;

/// The results of a back-promotion, one for each target in the order they were asked for.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// What people call the source.
    pub source: String,
    /// Its commit.
    #[serde(with = "wire::shown")]
    pub commit: Oid,
    /// What was selected.
    pub selection: Selection,
    /// Nothing was written.
    pub dry_run: bool,
    /// One for each target.
    pub targets: Vec<TargetReport>,
}

/// The result on one target.
#[derive(Clone, Debug, Serialize)]
pub struct TargetReport {
    /// What people call it.
    pub target: String,
    /// Its branch.
    pub branch: Option<String>,
    /// The base; `None` when it failed before one was found.
    pub base: Option<Base>,
    /// What became of it.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// What became of one target.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum Outcome {
    /// The branch has the change, or would have it.
    Done {
        /// The new commit; `None` in a dry run.
        commit: Option<String>,
        /// The changed files.
        files: Vec<FileChange>,
        /// What the selection needed besides itself.
        pulled_in: Vec<Needed>,
        /// Remembered resolutions that were replayed.
        replayed: Vec<Replayed>,
        /// The working tree that was updated with the branch.
        worktree: Option<String>,
    },
    /// The branch had everything.
    NothingToDo,
    /// Conflicts wait for a decision; the branch was not moved.
    Conflicts {
        /// The name under which they are kept; in a dry run the name they would have.
        id: String,
        /// Those that are open.
        conflicts: Vec<Item>,
        /// What the selection needed besides itself.
        pulled_in: Vec<Needed>,
        /// Remembered resolutions that were replayed.
        replayed: Vec<Replayed>,
    },
    /// Nothing was written for this target.
    Failed {
        /// Why.
        error: Problem,
    },
}

/// A file of the target that is changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FileChange {
    /// Its path.
    pub path: String,
    /// The component it belongs to, or `File:PATH`.
    #[serde(with = "wire::shown")]
    pub component: ComponentId,
    /// What happens to it.
    pub change: Change,
}

/// What happens to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    /// It is new.
    Added,
    /// It is replaced; the target had not changed it.
    Updated,
    /// The target's changes are kept and the source's added.
    Merged,
    /// It is gone.
    Deleted,
}

/// A component that came in because a selected one needs it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Needed {
    /// The component.
    #[serde(with = "wire::shown")]
    pub component: ComponentId,
    /// What needs it.
    pub because: Vec<Because>,
}

/// A component that refers to a needed one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Because {
    /// The component.
    #[serde(with = "wire::shown")]
    pub component: ComponentId,
    /// Where it refers to it, as in `layoutItems/field`.
    pub via: String,
}

/// A remembered resolution that was replayed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Replayed {
    /// The file.
    pub file: String,
    /// The place.
    pub path: String,
    /// What was decided, by whom and when.
    #[serde(flatten)]
    pub decided: Decided,
}

impl Report {
    /// Whether a target failed.
    pub fn has_failures(&self) -> bool {
        self.targets
            .iter()
            .any(|target| matches!(target.outcome, Outcome::Failed { .. }))
    }

    /// Whether conflicts wait for a decision.
    pub fn has_conflicts(&self) -> bool {
        self.targets
            .iter()
            .any(|target| matches!(target.outcome, Outcome::Conflicts { .. }))
    }
}
