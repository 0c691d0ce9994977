//! A state: a tree of the repository with its components.

use std::collections::BTreeMap;
use std::sync::Arc;

use syncline_git::{Oid, Repository};
use syncline_metadata::component::ComponentId;

use super::DeploymentError;
use crate::project::{ProjectReader, Projects};
use crate::source::Source;

/// A tree with the files of each component.
pub(super) struct State {
    pub(super) tree: Oid,
    pub(super) projects: Arc<Projects>,
    /// Path and blob of each file.
    pub(super) files: BTreeMap<ComponentId, Vec<(String, Oid)>>,
}

impl State {
    pub(super) fn read(
        repository: &Repository,
        tree: Oid,
        reader: &mut ProjectReader,
    ) -> Result<Self, DeploymentError> {
        let projects = reader.read(repository, tree)?;
        let mut files: BTreeMap<ComponentId, Vec<(String, Oid)>> = BTreeMap::new();
        for (path, entry) in repository.files(tree, "")? {
            let Ok(path) = path.as_str() else { continue };
            if let Some(file) = projects.file(path).filter(|_| entry.mode.is_file()) {
                files.entry(file.id).or_default().push((path.to_owned(), entry.oid));
            }
        }
        Ok(Self { tree, projects, files })
    }

    /// The state by its tree, for comparing.
    pub(super) fn source(&self) -> Source {
        source(self.tree)
    }

    pub(super) fn of(&self, id: &ComponentId) -> &[(String, Oid)] {
        self.files.get(id).map_or(&[], Vec::as_slice)
    }
}

/// A tree as a state to compare.
pub(super) fn source(tree: Oid) -> Source {
    Source::Git {
        revision: tree.to_string(),
        tree,
    }
}
