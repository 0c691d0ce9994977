//! Work items: what one person changes in a sandbox, on a branch of its own, for people who know no git.

mod capture;
mod start;
mod submit;

use serde::Serialize;
use syncline_domain::config::Config;
use syncline_git::{Oid, RefName, Repository, Trailer};

pub use capture::{Candidate, Capture, Captured, capture};
pub use start::{Start, start};
pub use submit::{Submit, Submitted, submit};

use crate::config;
pub use crate::drift::Change;
use crate::drift::{ENVIRONMENT, ITEM, changes as all_changes};
use crate::environment::EnvironmentError;

/// Where a work item stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Begun, and nobody else was shown it.
    Begun,
    /// Submitted as it is.
    Open,
    /// Submitted, and changed since.
    Changed,
    /// Its target has all of it.
    Done,
}

/// A work item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Item {
    /// What it is.
    #[serde(flatten)]
    pub change: Change,
    /// Where it stands.
    pub state: State,
    /// Files in which it differs from where it began.
    pub files: usize,
}

/// The work items of a repository.
pub fn list(repository: &Repository) -> Result<Vec<Item>, EnvironmentError> {
    let config = config::read(repository)?;
    let mut items = Vec::new();
    for change in all_changes(repository, &config)? {
        items.push(item(repository, change)?);
    }
    Ok(items)
}

pub(crate) fn changes(repository: &Repository, config: &Config) -> Result<Vec<Change>, EnvironmentError> {
    all_changes(repository, config)
}

fn item(repository: &Repository, change: Change) -> Result<Item, EnvironmentError> {
    let submitted = repository.read_ref(&submitted_ref(&change.id)?)?;
    let state = match submitted {
        _ if change.contained => State::Done,
        Some(commit) if commit == change.commit => State::Open,
        Some(_) => State::Changed,
        None => State::Begun,
    };
    let base = began(repository, change.commit)?
        .map(|commit| repository.commit_tree(commit))
        .transpose()?;
    let files = match base {
        Some(base) => repository
            .diff_trees(Some(base), Some(repository.commit_tree(change.commit)?))?
            .len(),
        None => 0,
    };
    Ok(Item { change, state, files })
}

/// The commit that a work item began on: the one before its first own commit.
fn began(repository: &Repository, tip: Oid) -> Result<Option<Oid>, EnvironmentError> {
    const FAR: usize = 200;
    let (mut next, mut first) = (Some(tip), None);
    for _ in 0..FAR {
        let Some(oid) = next else { break };
        let commit = repository.commit(oid)?;
        next = commit.parents.first().copied();
        if syncline_git::parse_trailers(&commit.message)
            .iter()
            .any(|one| one.key == ITEM)
        {
            first = next;
        }
    }
    Ok(first)
}

/// Remembers at which commit a work item was submitted.
fn submitted_ref(id: &str) -> Result<RefName, EnvironmentError> {
    Ok(format!("refs/syncline/submitted/{id}").parse()?)
}

/// The work item that a person means: by its id or branch, else the one that is checked out, else the only one that is not done.
fn chosen(repository: &Repository, config: &Config, name: Option<&str>) -> Result<Change, EnvironmentError> {
    let all = all_changes(repository, config)?;
    let names = |list: &[&Change]| {
        let names: Vec<String> = list
            .iter()
            .map(|change| format!("{} ({})", change.id, change.title))
            .collect();
        names.join(", ")
    };
    if let Some(name) = name {
        let found = all.iter().find(|change| change.id == name || change.branch == name);
        return found.cloned().ok_or_else(|| EnvironmentError::Argument {
            what: format!("there is no work item `{name}`"),
            hint: match all.is_empty() {
                true => "begin one with `syncline work start \"What it is about\"`".to_owned(),
                false => format!("there are {}", names(&all.iter().collect::<Vec<_>>())),
            },
        });
    }
    if let syncline_git::Head::Branch { name, .. } = repository.head()?
        && let Some(change) = all.iter().find(|change| change.branch == name)
    {
        return Ok(change.clone());
    }
    let open: Vec<&Change> = all.iter().filter(|change| !change.contained).collect();
    match open.as_slice() {
        [one] => Ok((*one).clone()),
        [] => Err(EnvironmentError::Argument {
            what: "no work item is begun".to_owned(),
            hint: "begin one with `syncline work start \"What it is about\"`".to_owned(),
        }),
        several => Err(EnvironmentError::Argument {
            what: "several work items are begun".to_owned(),
            hint: format!("say which with `--item ID`: {}", names(several)),
        }),
    }
}

fn trailers(id: &str, title: &str, environment: &str) -> Vec<Trailer> {
    let trailer = |key: &str, value: &str| Trailer {
        key: key.to_owned(),
        value: value.replace(char::is_control, " "),
    };
    vec![
        trailer(ITEM, id),
        trailer("Syncline-Title", title),
        trailer(ENVIRONMENT, environment),
    ]
}
