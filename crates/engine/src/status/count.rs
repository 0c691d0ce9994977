//! How far two states are apart, in components. Answers are kept by the ids of the trees, so that what was counted once is read.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use syncline_git::{Entry, Oid, Repository, TreePath};
use syncline_metadata::component::{ComponentId, Located};
use syncline_metadata::diff;

use crate::environment::EnvironmentError;
use crate::project::{ProjectReader, Projects};
use crate::scope::Managed;
use crate::source::MAX_BYTES;

/// Raised when the same trees would be counted differently.
const VERSION: u32 = 1;

/// Components in which two states differ, by who changed them since their common state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Apart {
    /// Only the first state changed them.
    pub ahead: usize,
    /// Only the second changed them.
    pub behind: usize,
    /// Both changed them, or nobody knows who.
    pub both: usize,
}

impl Apart {
    /// All of them.
    pub fn total(self) -> usize {
        self.ahead + self.behind + self.both
    }
}

/// Counts, and remembers.
pub(crate) struct Counts<'r> {
    repository: &'r Repository,
    projects: ProjectReader,
    known: BTreeMap<String, Apart>,
    used: BTreeSet<String>,
    news: bool,
}

#[derive(Default, Serialize, Deserialize)]
struct Kept {
    version: u32,
    counts: BTreeMap<String, Apart>,
}

impl<'r> Counts<'r> {
    /// Without a memory.
    pub(crate) fn new(repository: &'r Repository) -> Self {
        Self {
            repository,
            projects: ProjectReader::default(),
            known: BTreeMap::new(),
            used: BTreeSet::new(),
            news: false,
        }
    }

    /// With what was counted before. A memory that cannot be read is none.
    pub(crate) fn read(repository: &'r Repository) -> Self {
        let kept = fs::read(file(repository)).ok();
        let kept: Kept = kept
            .and_then(|bytes| serde_json::from_slice(&bytes).ok())
            .unwrap_or_default();
        Self {
            known: match kept.version {
                VERSION => kept.counts,
                _ => BTreeMap::new(),
            },
            ..Self::new(repository)
        }
    }

    /// Keeps what was counted. With `all`, what was not asked for this time is forgotten.
    pub(crate) fn keep(mut self, all: bool) -> Result<(), EnvironmentError> {
        let before = self.known.len();
        if all {
            let used = std::mem::take(&mut self.used);
            self.known.retain(|key, _| used.contains(key));
        }
        if !self.news && self.known.len() == before {
            return Ok(());
        }
        let path = file(self.repository);
        let kept = Kept {
            version: VERSION,
            counts: self.known,
        };
        let write = || {
            let folder = path.parent().unwrap_or(&path);
            fs::create_dir_all(folder)?;
            let mut file = tempfile::NamedTempFile::new_in(folder)?;
            serde_json::to_writer(&mut file, &kept)?;
            file.persist(&path).map(drop).map_err(|error| error.error)
        };
        write().map_err(|source| EnvironmentError::Write {
            path: path.clone(),
            source,
        })
    }

    /// How far two trees are apart since a base, in components of the scope. Files that mean the same are no difference.
    pub(crate) fn apart(
        &mut self,
        base: Option<Oid>,
        first: Oid,
        second: Oid,
        managed: Option<&Managed>,
    ) -> Result<Apart, EnvironmentError> {
        if first == second {
            return Ok(Apart::default());
        }
        let name = |oid: Option<Oid>| oid.map_or("-".to_owned(), |oid| oid.to_string());
        let digest = managed.map_or("", |managed| &managed.digest);
        let key = format!("{} {first} {second} {digest}", name(base));
        self.remembered(key, |counts| counts.count(base, first, second, managed))
    }

    /// What is remembered under a key, which has to name everything that the count depends on; else it is counted.
    pub(crate) fn remembered(
        &mut self,
        key: String,
        count: impl FnOnce(&mut Self) -> Result<Apart, EnvironmentError>,
    ) -> Result<Apart, EnvironmentError> {
        if let Some(known) = self.known.get(&key).copied() {
            self.used.insert(key);
            return Ok(known);
        }
        let apart = count(self)?;
        self.known.insert(key.clone(), apart);
        self.used.insert(key);
        self.news = true;
        Ok(apart)
    }

    fn count(
        &mut self,
        base: Option<Oid>,
        first: Oid,
        second: Oid,
        managed: Option<&Managed>,
    ) -> Result<Apart, EnvironmentError> {
        let repository = self.repository;
        let projects = [
            self.projects.read(repository, first)?,
            self.projects.read(repository, second)?,
        ];
        let mut changed: BTreeMap<ComponentId, [bool; 2]> = BTreeMap::new();
        for change in repository.diff_trees(Some(first), Some(second))? {
            let path = change.path.as_str()?;
            let side = usize::from(change.old.is_none());
            let Some(id) = component(&projects[side], path) else {
                continue;
            };
            if managed.is_some_and(|managed| !managed.has(&id)) || self.same(path, change.old, change.new)? {
                continue;
            }
            let agreed = entry(repository, base, &change.path)?;
            let by = match (base.is_some(), change.old == agreed, change.new == agreed) {
                (true, true, _) => [false, true],
                (true, _, true) => [true, false],
                _ => [true, true],
            };
            let known = changed.entry(id).or_default();
            *known = [known[0] || by[0], known[1] || by[1]];
        }
        let mut apart = Apart::default();
        for by in changed.into_values() {
            match by {
                [true, false] => apart.ahead += 1,
                [false, true] => apart.behind += 1,
                _ => apart.both += 1,
            }
        }
        Ok(apart)
    }

    fn same(&self, path: &str, a: Option<Entry>, b: Option<Entry>) -> Result<bool, EnvironmentError> {
        let (Some(a), Some(b)) = (a, b) else {
            return Ok(false);
        };
        if !(a.mode.is_file() && b.mode.is_file()) {
            return Ok(a == b);
        }
        let read = |entry: Entry| self.repository.read_blob_within(entry.oid, MAX_BYTES);
        Ok(a.oid == b.oid || diff::same(path, &read(a)?, &read(b)?))
    }
}

fn entry(repository: &Repository, tree: Option<Oid>, path: &TreePath) -> Result<Option<Entry>, EnvironmentError> {
    match tree {
        Some(tree) => Ok(repository.entry_at(tree, path)?),
        None => Ok(None),
    }
}

fn component(projects: &Projects, path: &str) -> Option<ComponentId> {
    match projects.locate(path) {
        Located::Component(file) => Some(file.id),
        _ => None,
    }
}

fn file(repository: &Repository) -> PathBuf {
    repository.common_dir().join("syncline").join("counts.json")
}
