//! The baseline of an environment: a person says what it and the environment above have in common.

use serde::Serialize;
use syncline_domain::config::Environment;
use syncline_domain::policy::{Action, Actor};
use syncline_git::{CommitTime, Oid, RefEdit, RefName, Repository};

use crate::back_promote::base_ref;
use crate::config;
use crate::environment::{EnvironmentError, find, tip_of};
use crate::permission::ask;
use crate::state;
use crate::wire;

/// What is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// The environment.
    pub environment: String,
    /// The other environment; that above when none is named.
    pub with: Option<String>,
    /// The state that both have in common, a revision; the tip of the branch above when none is named.
    pub at: Option<String>,
    /// Tell what would happen and write nothing.
    pub dry_run: bool,
}

/// A baseline that was set, or would be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Baseline {
    /// The environment above.
    pub above: String,
    /// The environment.
    pub below: String,
    /// What both are said to have in common.
    #[serde(with = "wire::shown")]
    pub commit: Oid,
    /// Components in which the branch above differs from it: what a back-promotion brings down.
    pub down: usize,
    /// Components in which the branch below differs from it: its own work, which stays and can go up.
    pub up: usize,
    /// What each of the two refs was before.
    pub before: Vec<Moved>,
    /// Nothing was written.
    pub dry_run: bool,
}

/// A ref of a base.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Moved {
    /// The ref.
    #[serde(with = "wire::shown")]
    pub name: RefName,
    /// What it was.
    pub was: Option<String>,
}

/// Sets what an environment and the one above have in common, in both directions.
pub fn baseline(
    repository: &Repository,
    request: &Request,
    actor: &Actor,
    now: CommitTime,
) -> Result<Baseline, EnvironmentError> {
    let config = config::read(repository)?;
    let below = find(&config, &request.environment)?;
    ask(actor, Action::Baseline, Some(below))?;
    let above = match (&request.with, &below.promotes_to) {
        (Some(name), _) | (None, Some(name)) => find(&config, name)?,
        (None, None) => {
            return Err(EnvironmentError::Argument {
                what: format!("no environment is above `{}`", below.name),
                hint: "name the other environment with --with".to_owned(),
            });
        }
    };
    if above.name == below.name {
        return Err(EnvironmentError::Argument {
            what: format!("`{}` has everything in common with itself", below.name),
            hint: "name another environment with --with".to_owned(),
        });
    }
    let (top, tip) = (tip_of(repository, above)?, tip_of(repository, below)?);
    let commit = match &request.at {
        Some(text) => state::source(repository, &config, text)?.commit,
        None => top,
    };
    let tree = repository.commit_tree(commit)?;
    let mut counts = crate::status::Counts::new(repository);
    let mut differing = |other: Oid| -> Result<usize, EnvironmentError> {
        let other = repository.commit_tree(other)?;
        Ok(counts.apart(Some(tree), other, tree, None)?.ahead)
    };
    let (down, up) = (differing(top)?, differing(tip)?);
    let ways = [way(above, below)?, way(below, above)?];
    let mut before = Vec::new();
    let mut edits = Vec::new();
    for name in ways {
        let was = repository.read_ref(&name)?;
        edits.push(RefEdit {
            name: name.clone(),
            expected: was,
            new: Some(commit),
        });
        before.push(Moved {
            name,
            was: was.map(|oid| oid.to_string()),
        });
    }
    if !request.dry_run {
        // The reflog names who did it.
        repository.committer()?;
        repository.update_refs(
            &edits,
            &format!("syncline: baseline of {} at {}", below.name, now.seconds),
        )?;
    }
    Ok(Baseline {
        above: above.name.clone(),
        below: below.name.clone(),
        commit,
        down,
        up,
        before,
        dry_run: request.dry_run,
    })
}

/// The ref of the base on the way from one environment to another.
fn way(from: &Environment, to: &Environment) -> Result<RefName, EnvironmentError> {
    Ok(base_ref(&from.branch, &RefName::branch(&to.branch)?)?)
}
