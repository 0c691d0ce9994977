//! Back-promotion: the changes of an environment brought down to the branches of others, without losing their work.
//!
//! For each target: find the base, restrict the source to what is selected, merge by meaning, and either move the
//! branch or keep the conflicts. Targets share the work: a file with the same three versions is merged once.

pub(crate) mod base;
mod file;
mod onto;
mod plan;
mod report;
mod run;
mod selection;
mod write;

use serde::{Deserialize, Serialize};
use syncline_domain::policy::{Action, Actor};
use syncline_git::{
    CommitError, CommitTime, EditError, Identity, ObjectError, Oid, OpenError, RefError, Repository, ResolveError,
    Signature,
};

pub use base::{Base, FindBaseError, base_ref};
pub use file::FileError;
pub(crate) use file::FileResult;
pub use onto::{Onto, merge_onto, shared_record, shared_state};
pub(crate) use plan::Case;
pub use plan::PlanError;
pub use report::{Because, Change, FileChange, Needed, Outcome, Replayed, Report, TargetReport};
pub use run::TargetError;
pub(crate) use run::{Prepared, run};
pub use selection::{Selection, SelectionError};
pub use syncline_domain::pattern::ComponentPattern;
pub use write::WriteError;

use crate::config::{self, Config, ReadConfigError};
use crate::permission::{Refusal, ask_named};
use crate::resolution::{ResolutionError, Resolutions};
use crate::state::{self, Source, StateError, Target};

/// Stands for all environments below the source.
pub const ALL_BELOW: &str = "all-below";

/// What is to be brought where.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// The state to take changes from: an environment, a branch or any revision.
    pub from: String,
    /// The branches or environments to bring them to; [`ALL_BELOW`] for all below the source.
    pub onto: Vec<String>,
    /// Only the changes of these commits, `A..B`.
    pub commits: Option<String>,
    /// Only these components and elements.
    pub selection: Selection,
    /// Tell what would happen and write nothing.
    pub dry_run: bool,
}

/// Two commits: the changes from one to the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Range {
    /// The state before the changes.
    #[serde(with = "crate::wire::shown")]
    pub from: Oid,
    /// The state with the changes.
    #[serde(with = "crate::wire::shown")]
    pub to: Oid,
}

/// A request with its names resolved.
pub(crate) struct Job {
    pub(crate) source: Source,
    pub(crate) range: Option<Range>,
    pub(crate) selection: Selection,
    pub(crate) resolutions: Resolutions,
    pub(crate) dry_run: bool,
    /// Who makes the commits, when.
    pub(crate) who: Signature,
    /// The record of the conflicts that are being decided.
    pub(crate) kept: Option<Oid>,
}

/// Nothing could be done for any target.
#[derive(Debug, thiserror::Error)]
pub enum BackPromoteError {
    /// The configuration is wrong.
    #[error(transparent)]
    Config(#[from] ReadConfigError),
    /// The policy does not allow it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The source or a target cannot be found.
    #[error(transparent)]
    State(#[from] StateError),
    /// The range of commits cannot be resolved.
    #[error("the range of commits cannot be used")]
    Range(#[source] ResolveError),
    /// No target is named.
    #[error("no target is named; write `--onto BRANCH`, or `--onto all-below` for all environments below the source")]
    NoTarget,
    /// `all-below` needs a configured source.
    #[error(
        "`all-below` needs the environments and their path, but `{source_name}` is none in syncline.toml; run `syncline init`, or name the branches"
    )]
    NoPath {
        /// The source.
        source_name: String,
    },
    /// There is nothing below the source.
    #[error("no environment is below `{source_name}` in syncline.toml")]
    NothingBelow {
        /// The source.
        source_name: String,
    },
    /// Git does not know who commits, or cannot read or write a commit.
    #[error(transparent)]
    Commit(#[from] CommitError),
    /// Remembered resolutions cannot be read.
    #[error(transparent)]
    Resolution(#[from] ResolutionError),
    /// The repository cannot be opened a second time.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// A ref cannot be read.
    #[error(transparent)]
    Ref(#[from] RefError),
    /// Merged files cannot be written.
    #[error(transparent)]
    Object(#[from] ObjectError),
    /// A tree cannot be written.
    #[error("a tree cannot be written")]
    Tree(#[source] EditError),
}

/// Brings the changes of a source to each target: a commit and a moved branch, nothing to do, kept conflicts, or an error
/// of its own. `now` is the time of the commits.
///
/// # Errors
/// What concerns all targets: an unknown source, a wrong configuration, no identity.
pub fn back_promote(
    repository: &Repository,
    request: &Request,
    actor: &Actor,
    now: CommitTime,
) -> Result<Report, BackPromoteError> {
    let config = config::read(repository)?;
    let mut source = state::source(repository, &config, &request.from)?;
    let range = match &request.commits {
        None => None,
        Some(text) => {
            let (from, to) = repository.resolve_range(text).map_err(BackPromoteError::Range)?;
            source.commit = to.oid;
            Some(Range {
                from: from.oid,
                to: to.oid,
            })
        }
    };
    let targets = targets(repository, &config, &source, &request.onto)?;
    for target in targets.iter().filter_map(|(_, target)| target.as_ref().ok()) {
        ask_named(actor, Action::BackPromote, &config, &target.name)?;
    }
    let job = Job {
        resolutions: Resolutions::read(repository, source.commit)?,
        source,
        range,
        selection: request.selection.clone(),
        dry_run: request.dry_run,
        who: signature(repository.committer()?, now),
        kept: None,
    };
    Ok(Report {
        source: job.source.name.clone(),
        commit: job.source.commit,
        selection: job.selection.clone(),
        dry_run: job.dry_run,
        targets: run(repository, &job, targets)?,
    })
}

/// A target as it was asked for, or why there is none.
pub(crate) type Asked = (String, Result<Target, StateError>);

fn targets(
    repository: &Repository,
    config: &Config,
    source: &Source,
    onto: &[String],
) -> Result<Vec<Asked>, BackPromoteError> {
    let mut names: Vec<String> = Vec::new();
    for name in onto {
        if name != ALL_BELOW {
            names.push(name.clone());
            continue;
        }
        let source_name = || source.name.clone();
        if config.environment(&source.name).is_none() {
            return Err(BackPromoteError::NoPath {
                source_name: source_name(),
            });
        }
        let below = config.below(&source.name);
        if below.is_empty() {
            return Err(BackPromoteError::NothingBelow {
                source_name: source_name(),
            });
        }
        names.extend(below.iter().map(|environment| format!("env:{}", environment.name)));
    }
    let mut targets: Vec<Asked> = Vec::new();
    for name in names {
        let target = state::target(repository, config, &name);
        let same = |(_, other): &Asked| match (other, &target) {
            (Ok(other), Ok(target)) => other.branch == target.branch,
            _ => false,
        };
        if !targets.iter().any(same) {
            targets.push((name, target));
        }
    }
    match targets.is_empty() {
        true => Err(BackPromoteError::NoTarget),
        false => Ok(targets),
    }
}

pub(crate) fn signature(identity: Identity, time: CommitTime) -> Signature {
    Signature { identity, time }
}
