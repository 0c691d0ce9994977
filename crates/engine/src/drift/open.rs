//! Open changes: branches of work items that their target does not have yet.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::Serialize;
use syncline_domain::config::{Config, Environment};
use syncline_domain::drift::OpenChange;
pub(crate) use syncline_domain::work::TRAILER as ITEM;
use syncline_domain::work::item_of_branch;
use syncline_git::{Oid, Repository, TreePath, parse_trailers};
use syncline_metadata::component::ComponentId;
use syncline_metadata::diff::{ChangeKind, diff};
use syncline_metadata::path::ElementPath;

use crate::environment::{EnvironmentError, tip};
use crate::wire;

/// Trailer of the commits of a work item: the environment it is made in.
pub(crate) const ENVIRONMENT: &str = "Syncline-Environment";

/// The branch of a work item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The work item.
    pub id: String,
    /// The branch without `refs/heads/`.
    pub branch: String,
    /// Its commit.
    #[serde(with = "wire::shown")]
    pub commit: Oid,
    /// What it is about.
    pub title: String,
    /// The environment it is made in.
    pub environment: Option<String>,
    /// The environment that its changes go to.
    pub target: Option<String>,
    /// The target has all of it.
    pub contained: bool,
}

/// All work items whose branch is here.
pub(crate) fn changes(repository: &Repository, config: &Config) -> Result<Vec<Change>, EnvironmentError> {
    let mut found = Vec::new();
    for reference in repository.refs("refs/heads/")? {
        let Some(branch) = reference.name.as_branch() else {
            continue;
        };
        let Some(id) = item_of_branch(&config.naming.changes, branch) else {
            continue;
        };
        let (title, environment) = about(repository, reference.oid)?;
        let target = environment.as_deref().and_then(|name| target_of(config, name));
        let contained = match target {
            Some(target) => match tip(repository, target)? {
                Some(there) => repository.is_ancestor(reference.oid, there)?,
                None => false,
            },
            None => false,
        };
        found.push(Change {
            id: id.to_string(),
            branch: branch.to_owned(),
            commit: reference.oid,
            title,
            environment,
            target: target.map(|target| target.name.clone()),
            contained,
        });
    }
    Ok(found)
}

/// The environment that changes made in another go to: that above, or itself at the top.
pub(crate) fn target_of<'c>(config: &'c Config, name: &str) -> Option<&'c Environment> {
    let environment = config.environment(name)?;
    match &environment.promotes_to {
        Some(above) => config.environment(above),
        None => Some(environment),
    }
}

/// Title and environment from the newest commit with both; commits that people made on the branch have none.
fn about(repository: &Repository, tip: Oid) -> Result<(String, Option<String>), EnvironmentError> {
    const FAR: usize = 50;
    let mut next = Some(tip);
    let mut title = None;
    for _ in 0..FAR {
        let Some(oid) = next else { break };
        let commit = repository.commit(oid)?;
        let trailers = parse_trailers(&commit.message);
        let value = |key: &str| trailers.iter().find(|one| one.key == key).map(|one| one.value.clone());
        title.get_or_insert_with(|| commit.subject().to_owned());
        if value(ITEM).is_some() {
            return Ok((
                value("Syncline-Title").unwrap_or_else(|| commit.subject().to_owned()),
                value(ENVIRONMENT),
            ));
        }
        next = commit.parents.first().copied();
    }
    Ok((title.unwrap_or_default(), None))
}

/// The open changes that touch files which differ.
pub(super) struct OpenChanges<'r> {
    repository: &'r Repository,
    /// Changes by path.
    touched: HashMap<String, Vec<Touched>>,
}

/// A file that a change touches.
struct Touched {
    branch: String,
    before: Option<Oid>,
    after: Option<Oid>,
}

impl<'r> OpenChanges<'r> {
    /// Those that the environment's branch does not have.
    pub(super) fn read(repository: &'r Repository, config: &Config, tip: Oid) -> Result<Self, EnvironmentError> {
        let mut touched: HashMap<String, Vec<Touched>> = HashMap::new();
        for change in changes(repository, config)? {
            if repository.is_ancestor(change.commit, tip)? {
                continue;
            }
            let base = repository.merge_bases(change.commit, tip)?.first().copied();
            let base = base.map(|commit| repository.commit_tree(commit)).transpose()?;
            let tree = repository.commit_tree(change.commit)?;
            for file in repository.diff_trees(base, Some(tree))? {
                let path = file.path.as_str()?.to_owned();
                touched.entry(path).or_default().push(Touched {
                    branch: change.branch.clone(),
                    before: file.old.map(|entry| entry.oid),
                    after: file.new.map(|entry| entry.oid),
                });
            }
        }
        Ok(Self { repository, touched })
    }

    /// Changes that touch one of these files, with what they give to elements of the component. A component that is new or gone as
    /// a whole counts as given when the change has its very files of the org.
    pub(super) fn of(
        &self,
        id: &ComponentId,
        paths: &BTreeSet<&str>,
        org: Oid,
    ) -> Result<Vec<OpenChange>, EnvironmentError> {
        let mut found: BTreeMap<&str, OpenChange> = BTreeMap::new();
        let mut differing: BTreeSet<&str> = BTreeSet::new();
        for path in paths {
            let there = self
                .repository
                .entry_at(org, &TreePath::from(*path))?
                .map(|entry| entry.oid);
            for Touched { branch, before, after } in self.touched.get(*path).into_iter().flatten() {
                let read = |oid: &Option<Oid>| oid.map(|oid| self.repository.read_blob(oid)).transpose();
                let changed = diff(id, path, read(before)?.as_deref(), read(after)?.as_deref());
                if *after != there {
                    differing.insert(branch);
                }
                let open = found.entry(branch).or_insert_with(|| OpenChange {
                    id: branch.clone(),
                    elements: BTreeMap::new(),
                });
                // A file that cannot be read changes nothing that could be compared.
                for change in changed.unwrap_or_default() {
                    let given = match (change.path.steps.is_empty(), change.kind) {
                        (true, ChangeKind::Removed) => None,
                        (true, _) => Some(WHOLE.to_owned()),
                        (false, _) => change.to,
                    };
                    open.elements.insert(change.path, given);
                }
            }
        }
        for branch in differing {
            let whole = ElementPath::root(id.clone());
            let given = found.get_mut(branch).and_then(|open| open.elements.get_mut(&whole));
            if let Some(Some(given)) = given {
                OTHER.clone_into(given);
            }
        }
        Ok(found.into_values().collect())
    }
}

/// Stands for the content of a component as a whole.
pub(super) const WHOLE: &str = "the component";
/// Stands for another content.
pub(super) const OTHER: &str = "another content";
