//! An environment of syncline.toml with what git knows of it: its branch and its last snapshot.

use syncline_domain::config::{Config, Environment};
use syncline_git::{CommitError, EditError, HistoryError, ObjectError, Oid, OpenError, RefError, RefName, Repository};

use crate::branch::BranchError;
use crate::compare::CompareError;
use crate::config::ReadConfigError;
use crate::drift::overlays;
use crate::org::OrgError;
use crate::org::retrieve::{Head, origin, snapshot_ref};
use crate::org::seal::Sealer;
use crate::org::vault::{Vault, VaultError};
use crate::permission::Refusal;
use crate::project::ReadProjectError;
use crate::scope::ScopeError;
use crate::state::StateError;

/// Something with an environment failed.
#[derive(Debug, thiserror::Error)]
pub enum EnvironmentError {
    /// The configuration is wrong.
    #[error(transparent)]
    Config(#[from] ReadConfigError),
    /// The policy does not allow it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// syncline/scope.toml is wrong.
    #[error(transparent)]
    Scope(#[from] ScopeError),
    /// An environment's overlays are wrong.
    #[error(transparent)]
    Overlay(#[from] crate::drift::OverlayError),
    /// There is no such environment.
    #[error("there is no environment `{name}` in syncline.toml; known are: {known}")]
    Unknown {
        /// The name.
        name: String,
        /// All names, or "none".
        known: String,
    },
    /// No org is named for it.
    #[error("`{name}` has no org in syncline.toml")]
    NoOrg {
        /// The environment.
        name: String,
    },
    /// Its branch is gone.
    #[error("`{name}` has the branch `{branch}` in syncline.toml, which does not exist")]
    NoBranch {
        /// The environment.
        name: String,
        /// The branch.
        branch: String,
    },
    /// No snapshot was taken.
    #[error("there is no snapshot of `{name}` yet")]
    NoSnapshot {
        /// The environment.
        name: String,
    },
    /// What a person asks for cannot be done as asked.
    #[error("{what}")]
    Argument {
        /// What is wrong.
        what: String,
        /// What helps.
        hint: String,
    },
    /// A revision cannot be found.
    #[error(transparent)]
    State(#[from] StateError),
    /// The org or the way to it.
    #[error(transparent)]
    Org(#[from] OrgError),
    /// A package cannot be made.
    #[error(transparent)]
    Deployment(#[from] crate::deployment::DeploymentError),
    /// The branch cannot be moved.
    #[error(transparent)]
    Branch(#[from] BranchError),
    /// States cannot be compared.
    #[error(transparent)]
    Compare(#[from] CompareError),
    /// A project cannot be read.
    #[error(transparent)]
    Project(#[from] ReadProjectError),
    /// An element cannot be taken over.
    #[error("the selected elements cannot be taken over")]
    Pick(#[from] syncline_metadata::merge::MergeError),
    /// A remote did not take a branch.
    #[error("the remote `{remote}` did not take it")]
    Push {
        /// The remote.
        remote: String,
        /// Why.
        source: Box<syncline_git::RemoteError>,
    },
    /// A file beside the repository's objects cannot be written.
    #[error("could not write {}", .path.display())]
    Write {
        /// The file.
        path: std::path::PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The repository cannot be read or written.
    #[error("the repository cannot be read or written")]
    Git(#[source] Box<dyn std::error::Error + Send + Sync>),
}

macro_rules! git {
    ($($kind:ty),*) => {
        $(impl From<$kind> for EnvironmentError {
            fn from(error: $kind) -> Self {
                Self::Git(Box::new(error))
            }
        })*
    };
}

git!(
    CommitError,
    EditError,
    HistoryError,
    ObjectError,
    OpenError,
    RefError,
    syncline_git::NotUtf8,
    syncline_git::TrailerError
);

impl From<VaultError> for EnvironmentError {
    fn from(error: VaultError) -> Self {
        Self::Org(error.into())
    }
}

/// Where calls to orgs run: one for everything that shares the network, since connections live in it. Its handle can be used by
/// several threads at once.
pub(crate) fn network() -> Result<tokio::runtime::Runtime, EnvironmentError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build();
    runtime.map_err(|error| {
        let what = format!("the network cannot be started: {error}");
        EnvironmentError::Org(syncline_salesforce::Error::Internal { what }.into())
    })
}

/// The environment of that name.
pub fn find<'c>(config: &'c Config, name: &str) -> Result<&'c Environment, EnvironmentError> {
    let bare = name.strip_prefix("env:").unwrap_or(name);
    config.environment(bare).ok_or_else(|| {
        let names: Vec<&str> = config.environments().iter().map(|e| e.name.as_str()).collect();
        EnvironmentError::Unknown {
            name: bare.to_owned(),
            known: match names.is_empty() {
                true => "none".to_owned(),
                false => names.join(", "),
            },
        }
    })
}

/// The environments of these names, all that have an org when none is named.
pub fn select<'c>(config: &'c Config, names: &[String]) -> Result<Vec<&'c Environment>, EnvironmentError> {
    if names.is_empty() {
        return Ok(config.environments().iter().filter(|e| e.org.is_some()).collect());
    }
    let mut found: Vec<&Environment> = Vec::new();
    for name in names {
        let environment = find(config, name)?;
        if !found.iter().any(|known| known.name == environment.name) {
            found.push(environment);
        }
    }
    Ok(found)
}

/// What seals the secrets of an environment: those of the table of types, and those that its overlays call so.
pub(crate) fn sealer_of(
    vault: &Vault,
    repository: &Repository,
    environment: &Environment,
) -> Result<Sealer, EnvironmentError> {
    Ok(vault.sealer()?.of(&overlays(repository, environment)?))
}

/// The name of its login.
pub fn org_of(environment: &Environment) -> Result<&str, EnvironmentError> {
    environment.org.as_deref().ok_or_else(|| EnvironmentError::NoOrg {
        name: environment.name.clone(),
    })
}

/// The commit of its branch: the local one, else the remote's.
pub fn tip(repository: &Repository, environment: &Environment) -> Result<Option<Oid>, EnvironmentError> {
    if let Some(commit) = repository.read_ref(&RefName::branch(&environment.branch)?)? {
        return Ok(Some(commit));
    }
    match upstream(environment)? {
        Some(name) => Ok(repository.read_ref(&name)?),
        None => Ok(None),
    }
}

/// The ref of its branch at its remote, as it was fetched last.
pub fn upstream(environment: &Environment) -> Result<Option<RefName>, RefError> {
    let name = |remote: &String| format!("refs/remotes/{remote}/{}", environment.branch).parse();
    environment.remote.as_ref().map(name).transpose()
}

/// The commit of its branch, which has to be there.
pub fn tip_of(repository: &Repository, environment: &Environment) -> Result<Oid, EnvironmentError> {
    tip(repository, environment)?.ok_or_else(|| EnvironmentError::NoBranch {
        name: environment.name.clone(),
        branch: environment.branch.clone(),
    })
}

/// The last snapshot of an environment.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The commit.
    pub commit: Oid,
    /// Its tree.
    pub tree: Oid,
    /// The org it is of.
    pub org: Option<String>,
    /// The digest of its scope, if it has everything in it.
    pub scope: Option<String>,
    /// When it was taken, milliseconds since 1970 in UTC.
    pub taken: i64,
    /// What else is known; `None` on another machine than the one that took it.
    pub head: Option<Head>,
}

/// When the last snapshot was taken, without reading more than needed; `None` when there is none.
pub fn seen(repository: &Repository, name: &str) -> Result<Option<Seen>, EnvironmentError> {
    let Some(commit) = repository.read_ref(&snapshot_ref(name)?)? else {
        return Ok(None);
    };
    let read = repository.commit(commit)?;
    let (org, scope) = origin(repository, commit)?;
    let head = Head::read(repository, name).filter(|head| head.commit == commit.to_string());
    Ok(Some(Seen {
        commit,
        tree: read.tree,
        org,
        scope,
        taken: head
            .as_ref()
            .map_or(read.committer.time.seconds.saturating_mul(1000), |head| head.taken),
        head,
    }))
}

/// The last snapshot, which has to be there.
pub fn seen_of(repository: &Repository, environment: &Environment) -> Result<Seen, EnvironmentError> {
    seen(repository, &environment.name)?.ok_or_else(|| EnvironmentError::NoSnapshot {
        name: environment.name.clone(),
    })
}
