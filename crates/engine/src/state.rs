//! Names of states as people write them: an environment, a branch or any revision.

use syncline_git::{Head, Oid, RefError, RefName, Repository, ResolveError};

use crate::config::Config;

/// A state to take changes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// What people call it: the environment, else the branch, else the revision as written.
    pub name: String,
    /// Its branch without `refs/heads/`, if it is one: only then a base is remembered for it.
    pub branch: Option<String>,
    /// Its commit.
    pub commit: Oid,
}

/// A branch to bring changes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// What people call it: the environment, else the branch.
    pub name: String,
    /// The branch.
    pub branch: RefName,
    /// Its commit.
    pub tip: Oid,
}

/// A name does not lead to a state.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// Nothing was ever committed.
    #[error("the repository is empty: commit your metadata first, or run `git fetch`")]
    Empty,
    /// There is no such environment.
    #[error("there is no environment `{name}` in syncline.toml; known are: {known}")]
    NoEnvironment {
        /// The name.
        name: String,
        /// All names, or "none".
        known: String,
    },
    /// The name is an environment's and also another branch's or tag's.
    #[error("`{name}` is ambiguous: write `env:{name}` for the branch `{branch}`, or `git:{name}` for the revision")]
    Ambiguous {
        /// The name.
        name: String,
        /// The environment's branch.
        branch: String,
    },
    /// The revision cannot be resolved.
    #[error(transparent)]
    Resolve(#[from] ResolveError),
    /// A ref cannot be read.
    #[error(transparent)]
    Ref(#[from] RefError),
    /// The target is no branch.
    #[error("`{name}` is a commit or tag; changes can only be brought to a branch: name one")]
    NotABranch {
        /// The name.
        name: String,
    },
    /// HEAD names no branch.
    #[error("HEAD is detached, so it names no branch to bring changes to; name the branch, or run `git switch BRANCH`")]
    Detached,
    /// The branch exists only on the remote.
    #[error("the branch `{branch}` is only on the remote; run `git branch {branch} {remote}` first")]
    OnlyRemote {
        /// The branch.
        branch: String,
        /// Where it is, `origin/uat`.
        remote: String,
    },
    /// The branch is not there.
    #[error("there is no branch `{branch}`{near}")]
    NoBranch {
        /// The branch.
        branch: String,
        /// What may be meant.
        near: String,
    },
}

/// Finds the state to take changes from: `env:NAME`, `git:REVISION`, or either bare.
pub fn source(repository: &Repository, config: &Config, text: &str) -> Result<Source, StateError> {
    if repository.is_empty()? {
        return Err(StateError::Empty);
    }
    if let Some(name) = text.strip_prefix("env:") {
        return of_environment(repository, config, name);
    }
    let revision = text.strip_prefix("git:").unwrap_or(text);
    let resolved = repository.resolve(revision);
    if text == revision
        && let Some(environment) = config.environment(text)
    {
        let found = of_environment(repository, config, text)?;
        return match resolved {
            Ok(commit) if commit.oid != found.commit => Err(StateError::Ambiguous {
                name: text.to_owned(),
                branch: environment.branch.clone(),
            }),
            _ => Ok(found),
        };
    }
    let commit = resolved?.oid;
    let branch = branch_of(repository, revision)?;
    let name = match branch.as_deref() {
        Some(branch) => config.of_branch(branch).map_or(branch, |environment| &environment.name),
        None => revision,
    };
    Ok(Source {
        name: name.to_owned(),
        branch,
        commit,
    })
}

/// Finds the branch to bring changes to: `env:NAME`, `git:BRANCH`, or either bare.
pub fn target(repository: &Repository, config: &Config, text: &str) -> Result<Target, StateError> {
    if repository.is_empty()? {
        return Err(StateError::Empty);
    }
    let bare = text.strip_prefix("git:").unwrap_or(text);
    let environment = match text.strip_prefix("env:") {
        Some(name) => Some(config.environment(name).ok_or_else(|| unknown(config, name))?),
        None if bare == text => config.environment(text),
        None => None,
    };
    let branch = match environment {
        Some(environment) => {
            let other = RefName::branch(bare)
                .ok()
                .filter(|_| bare == text && bare != environment.branch);
            let other = other.map(|other| repository.read_ref(&other)).transpose()?.flatten();
            if other.is_some() {
                return Err(StateError::Ambiguous {
                    name: text.to_owned(),
                    branch: environment.branch.clone(),
                });
            }
            environment.branch.clone()
        }
        None if bare == "HEAD" => match repository.head()? {
            Head::Branch { name, .. } => name,
            Head::Detached(_) => return Err(StateError::Detached),
        },
        None => bare.strip_prefix("refs/heads/").unwrap_or(bare).to_owned(),
    };
    let name = config
        .of_branch(&branch)
        .map_or(&branch, |environment| &environment.name);
    let full = RefName::branch(&branch)?;
    match repository.read_ref(&full)? {
        Some(tip) => Ok(Target {
            name: name.clone(),
            branch: full,
            tip,
        }),
        None => Err(missing(repository, &branch)),
    }
}

fn of_environment(repository: &Repository, config: &Config, name: &str) -> Result<Source, StateError> {
    let environment = config.environment(name).ok_or_else(|| unknown(config, name))?;
    let local = RefName::branch(&environment.branch)?;
    let commit = match (repository.read_ref(&local)?, &environment.remote) {
        (Some(commit), _) => commit,
        (None, Some(remote)) => {
            let revision = format!("refs/remotes/{remote}/{}", environment.branch);
            repository.resolve(&revision)?.oid
        }
        (None, None) => return Err(missing(repository, &environment.branch)),
    };
    Ok(Source {
        name: name.to_owned(),
        branch: Some(environment.branch.clone()),
        commit,
    })
}

/// The branch a revision names outright, `main` or `refs/heads/main`; a branch of a remote counts by its own name.
fn branch_of(repository: &Repository, revision: &str) -> Result<Option<String>, StateError> {
    if revision == "HEAD" {
        return Ok(match repository.head()? {
            Head::Branch { name, .. } => Some(name),
            Head::Detached(_) => None,
        });
    }
    let short = revision.strip_prefix("refs/heads/").unwrap_or(revision);
    match RefName::branch(short) {
        Ok(name) => Ok(repository.read_ref(&name)?.map(|_| short.to_owned())),
        Err(RefError::BadName { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn unknown(config: &Config, name: &str) -> StateError {
    let names: Vec<&str> = config.environments().iter().map(|e| e.name.as_str()).collect();
    StateError::NoEnvironment {
        name: name.to_owned(),
        known: match names.is_empty() {
            true => "none; run `syncline init`".to_owned(),
            false => names.join(", "),
        },
    }
}

/// Why a branch is not there, as exactly as can be told.
fn missing(repository: &Repository, branch: &str) -> StateError {
    let remotes = match repository.refs("refs/remotes/") {
        Ok(remotes) => remotes,
        Err(error) => return error.into(),
    };
    let remote = remotes.iter().find_map(|reference| {
        let short = reference.name.as_str().strip_prefix("refs/remotes/")?;
        let (_, own) = short.split_once('/')?;
        (own == branch).then(|| short.to_owned())
    });
    if let Some(remote) = remote {
        return StateError::OnlyRemote {
            branch: branch.to_owned(),
            remote,
        };
    }
    match repository.resolve(branch) {
        Ok(_) => StateError::NotABranch {
            name: branch.to_owned(),
        },
        Err(ResolveError::NotFound { near, .. }) if !near.is_empty() => StateError::NoBranch {
            branch: branch.to_owned(),
            near: format!("; similar names: {}", near.join(", ")),
        },
        Err(_) => StateError::NoBranch {
            branch: branch.to_owned(),
            near: "; `git branch` lists them".to_owned(),
        },
    }
}
