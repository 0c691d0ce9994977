//! A work item begins: a branch on what its target has now.

use syncline_domain::config::{Config, Environment, Kind};
use syncline_domain::policy::{Action, Actor};
use syncline_domain::work::{ItemId, ItemIdError, branch as branch_of};
use syncline_git::{CommitTime, NewCommit, RefName, Repository, append_trailers};

use super::{Item, item, trailers};
use crate::back_promote::signature;
use crate::branch::advance;
use crate::config;
use crate::drift::{changes, target_of};
use crate::environment::{EnvironmentError, find, tip_of};
use crate::permission::ask;

/// What is begun.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Start {
    /// What it is about, in a few words.
    pub title: String,
    /// The sandbox that one works in; the only one for developers when none is named.
    pub environment: Option<String>,
    /// The id, as in `BILL-12`; the next number when none is given.
    pub id: Option<String>,
}

/// Begins a work item.
pub fn start(
    repository: &Repository,
    request: &Start,
    actor: &Actor,
    now: CommitTime,
) -> Result<Item, EnvironmentError> {
    let title = request.title.trim();
    if title.is_empty() {
        return Err(EnvironmentError::Argument {
            what: "the work item has no title".to_owned(),
            hint: "say in a few words what it is about, as in `syncline work start \"Fees in euro\"`".to_owned(),
        });
    }
    let config = config::read(repository)?;
    let environment = sandbox(&config, request.environment.as_deref())?;
    ask(actor, Action::Work, Some(environment))?;
    let target = target_of(&config, &environment.name).unwrap_or(environment);
    let base = tip_of(repository, target)?;
    let known = changes(repository, &config)?;
    let id = match &request.id {
        Some(id) => id.trim().to_owned(),
        None => {
            let numbers = known.iter().filter_map(|change| change.id.parse::<u64>().ok());
            (numbers.max().unwrap_or(0) + 1).to_string()
        }
    };
    if let Some(other) = known.iter().find(|change| change.id == id) {
        return Err(EnvironmentError::Argument {
            what: format!("there is a work item {id} already: {}", other.title),
            hint: format!("go on with it, as in `syncline work capture --item {id}`, or give another id"),
        });
    }
    let item_id: ItemId = id.parse().map_err(|error: ItemIdError| EnvironmentError::Argument {
        what: error.to_string(),
        hint: "give another id with --id".to_owned(),
    })?;
    let name = branch_of(&config.naming.changes, &item_id, title);
    let branch = RefName::branch(&name)?;
    let who = signature(repository.committer()?, now);
    let commit = repository.write_commit(NewCommit {
        tree: repository.commit_tree(base)?,
        parents: &[base],
        message: &append_trailers(&format!("Begin: {title}"), &trailers(&id, title, &environment.name))?,
        author: &who,
        committer: &who,
    })?;
    advance(repository, &branch, None, commit, "syncline: work start")?;
    let begun = changes(repository, &config)?.into_iter().find(|change| change.id == id);
    let begun = begun.ok_or_else(|| EnvironmentError::Argument {
        what: format!("the branch `{name}` of the work item is not found again"),
        hint: "look at `naming.changes` in syncline.toml".to_owned(),
    })?;
    item(repository, begun)
}

/// The environment that one works in.
fn sandbox<'c>(config: &'c Config, name: Option<&str>) -> Result<&'c Environment, EnvironmentError> {
    if let Some(name) = name {
        return find(config, name);
    }
    let developers: Vec<&Environment> = config
        .environments()
        .iter()
        .filter(|environment| environment.kind == Kind::Developer)
        .collect();
    let names = |list: &[&Environment]| {
        let names: Vec<&str> = list.iter().map(|environment| environment.name.as_str()).collect();
        names.join(", ")
    };
    match developers.as_slice() {
        [one] => Ok(one),
        [] => Err(EnvironmentError::Argument {
            what: "no environment in syncline.toml is for developers".to_owned(),
            hint: "say which sandbox you work in with `--env NAME`".to_owned(),
        }),
        several => Err(EnvironmentError::Argument {
            what: "there are several sandboxes for developers".to_owned(),
            hint: format!("say which you work in with `--env NAME`: {}", names(several)),
        }),
    }
}
