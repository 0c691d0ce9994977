//! The project of a commit: sfdx-project.json and .forceignore read from its tree.

use std::collections::HashMap;
use std::sync::Arc;

use syncline_git::{Entry, NotUtf8, ObjectError, Oid, Repository, TreePath};
use syncline_metadata::component::{ComponentFile, ComponentId, Located, NotMetadata, Project, ProjectError};
use syncline_metadata::table::registry::Registry;

/// The projects of one tree: one sfdx-project.json at the root, or several in folders of a larger repository.
#[derive(Debug, Default)]
pub struct Projects {
    /// Folder with a `/` at the end (empty for the root) and its project; the longest folder first.
    list: Vec<(String, Project)>,
}

/// Reads projects and keeps them by the ids of their files, since most commits share them.
#[derive(Default)]
pub struct ProjectReader {
    known: HashMap<Vec<(TreePath, Oid)>, Arc<Projects>>,
}

/// The project of a commit cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadProjectError {
    /// A tree or file cannot be read.
    #[error(transparent)]
    Object(#[from] ObjectError),
    /// The project file is wrong.
    #[error("{path} cannot be used; correct it and commit")]
    Project {
        /// Path of sfdx-project.json.
        path: TreePath,
        /// What is wrong.
        source: ProjectError,
    },
    /// The file is not UTF-8.
    #[error("{path} is not UTF-8; save it as UTF-8 and commit")]
    NotUtf8 {
        /// The file.
        path: TreePath,
    },
    /// Its folder has a name that is not UTF-8.
    #[error(transparent)]
    Path(#[from] NotUtf8),
}

const PROJECT_FILE: &str = "sfdx-project.json";
/// Larger files are not what they are named after.
const MAX_BYTES: usize = 4 * 1024 * 1024;

impl ProjectReader {
    /// The projects of a tree. Without any sfdx-project.json the folders of metadata are found by what lies in them.
    pub fn read(&mut self, repository: &Repository, tree: Oid) -> Result<Arc<Projects>, ReadProjectError> {
        let root = TreePath::from(PROJECT_FILE);
        let found = match repository.entry_at(tree, &root)? {
            Some(entry) => vec![(root, entry)],
            None => nested(repository, tree)?,
        };
        if found.is_empty() {
            return detect(repository, tree).map(Arc::new);
        }
        let mut files = Vec::new();
        for (path, entry) in found {
            let text = path.as_str()?;
            let folder = &text[..text.len() - PROJECT_FILE.len()];
            let ignore = TreePath::from(format!("{folder}.forceignore"));
            let ignore_entry = repository.entry_at(tree, &ignore)?;
            files.push((path, entry.oid));
            files.extend(ignore_entry.map(|entry| (ignore, entry.oid)));
        }
        if let Some(known) = self.known.get(&files) {
            return Ok(known.clone());
        }
        let projects = Arc::new(parse(repository, &files)?);
        self.known.insert(files, projects.clone());
        Ok(projects)
    }
}

impl Projects {
    /// The component's file at a path; `None` for files that are no metadata, ignored or unknown.
    pub fn file(&self, path: &str) -> Option<ComponentFile> {
        let (_, project) = self.list.iter().find(|(folder, _)| path.starts_with(folder.as_str()))?;
        project.locate(path).component().cloned()
    }

    /// One project at the root.
    pub fn single(project: Project) -> Self {
        Self {
            list: vec![(String::new(), project)],
        }
    }

    /// What a file is.
    pub fn locate(&self, path: &str) -> Located {
        match self.at(path) {
            Some(project) => project.locate(path),
            None => Located::NotMetadata(NotMetadata::OutsidePackageDirectories),
        }
    }

    /// The registry that holds at a path, with the presets of its project.
    pub fn registry_for(&self, path: &str) -> Option<&Registry> {
        self.at(path).map(Project::registry)
    }

    /// The project that a path lies in.
    pub fn at(&self, path: &str) -> Option<&Project> {
        let (_, project) = self.list.iter().find(|(folder, _)| path.starts_with(folder.as_str()))?;
        Some(project)
    }

    /// The component that a path's content is named after in conflicts: its own, or `File:PATH`.
    pub fn component(&self, path: &str) -> ComponentId {
        self.file(path)
            .map_or_else(|| ComponentId::new("File", path), |file| file.id)
    }

    /// The single projects, each with its folder.
    pub fn iter(&self) -> impl Iterator<Item = &Project> {
        self.list.iter().map(|(_, project)| project)
    }
}

/// The project files below the root, those nearest to it: deeper ones are copies in folders of tools.
fn nested(repository: &Repository, tree: Oid) -> Result<Vec<(TreePath, Entry)>, ObjectError> {
    let depth = |path: &TreePath| path.as_bytes().iter().filter(|byte| **byte == b'/').count();
    let ends = format!("/{PROJECT_FILE}");
    let mut found: Vec<_> = repository
        .files(tree, "")?
        .into_iter()
        .filter(|(path, _)| path.as_bytes().ends_with(ends.as_bytes()))
        .collect();
    let least = found.iter().map(|(path, _)| depth(path)).min().unwrap_or_default();
    found.retain(|(path, _)| depth(path) == least);
    Ok(found)
}

fn detect(repository: &Repository, tree: Oid) -> Result<Projects, ReadProjectError> {
    let files = repository.files(tree, "")?;
    let paths = files.iter().filter_map(|(path, _)| path.as_str().ok());
    let ignore = TreePath::from(".forceignore");
    let ignore = match repository.entry_at(tree, &ignore)? {
        Some(entry) => Some(text(repository, &ignore, entry.oid)?),
        None => None,
    };
    Ok(Projects {
        list: vec![(String::new(), Project::detect(paths, ignore.as_deref()))],
    })
}

fn parse(repository: &Repository, files: &[(TreePath, Oid)]) -> Result<Projects, ReadProjectError> {
    let mut list = Vec::new();
    for (path, oid) in files {
        let Some(folder) = path.as_str()?.strip_suffix(PROJECT_FILE) else {
            continue;
        };
        let ignore = TreePath::from(format!("{folder}.forceignore"));
        let ignore_oid = files.iter().find(|(path, _)| *path == ignore).map(|(_, oid)| *oid);
        let ignore = match ignore_oid {
            Some(oid) => Some(text(repository, &ignore, oid)?),
            None => None,
        };
        let json = text(repository, path, *oid)?;
        let project = Project::parse(folder.trim_end_matches('/'), &json, ignore.as_deref()).map_err(|source| {
            ReadProjectError::Project {
                path: path.clone(),
                source,
            }
        })?;
        list.push((folder.to_owned(), project));
    }
    list.sort_by_key(|(folder, _)| std::cmp::Reverse(folder.len()));
    Ok(Projects { list })
}

fn text(repository: &Repository, path: &TreePath, oid: Oid) -> Result<String, ReadProjectError> {
    let bytes = repository.read_blob_within(oid, MAX_BYTES)?;
    String::from_utf8(bytes).map_err(|_| ReadProjectError::NotUtf8 { path: path.clone() })
}
