//! Open changes: branches of work items that their target does not have yet.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::Serialize;
use syncline_domain::config::{Config, Environment};
use syncline_git::{Oid, Repository, parse_trailers};
use syncline_metadata::component::ComponentId;
use syncline_metadata::diff::{ElementChange, diff};

use crate::environment::{EnvironmentError, tip};
use crate::wire;

/// Trailer of the commits of a work item: its id.
pub(crate) const ITEM: &str = "Syncline-Item";
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
        let Some(name) = config.naming.changes.parse(branch) else {
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
            id: name.id,
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
    /// Changes by path: branch, the file before and after.
    touched: HashMap<String, Vec<(String, Option<Oid>, Option<Oid>)>>,
}

impl<'r> OpenChanges<'r> {
    /// Those that the environment's branch does not have.
    pub(super) fn read(repository: &'r Repository, config: &Config, tip: Oid) -> Result<Self, EnvironmentError> {
        let mut touched: HashMap<String, Vec<_>> = HashMap::new();
        for change in changes(repository, config)? {
            if repository.is_ancestor(change.commit, tip)? {
                continue;
            }
            let base = repository.merge_bases(change.commit, tip)?.first().copied();
            let base = base.map(|commit| repository.commit_tree(commit)).transpose()?;
            let tree = repository.commit_tree(change.commit)?;
            for file in repository.diff_trees(base, Some(tree))? {
                let path = file.path.as_str()?.to_owned();
                let (old, new) = (file.old.map(|entry| entry.oid), file.new.map(|entry| entry.oid));
                touched.entry(path).or_default().push((change.branch.clone(), old, new));
            }
        }
        Ok(Self { repository, touched })
    }

    /// Changes that touch one of these files, with what they change there.
    pub(super) fn of(
        &self,
        id: &ComponentId,
        paths: &BTreeSet<&str>,
    ) -> Result<BTreeMap<String, Vec<ElementChange>>, EnvironmentError> {
        let mut found: BTreeMap<String, Vec<ElementChange>> = BTreeMap::new();
        for path in paths {
            for (branch, old, new) in self.touched.get(*path).into_iter().flatten() {
                let read = |oid: &Option<Oid>| oid.map(|oid| self.repository.read_blob(oid)).transpose();
                let changed = diff(id, path, read(old)?.as_deref(), read(new)?.as_deref());
                // A file that cannot be read changes nothing that could be compared.
                found
                    .entry(branch.clone())
                    .or_default()
                    .extend(changed.unwrap_or_default());
            }
        }
        Ok(found)
    }
}
