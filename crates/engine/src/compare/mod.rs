//! Compares two states by component and by element.

mod files;
mod package;
mod report;

use std::collections::BTreeMap;
use std::sync::Arc;

use syncline_git::{NotUtf8, ObjectError, Repository};
use syncline_metadata::component::{ComponentId, Located, ProjectError};
use syncline_metadata::diff::{ChangeKind, DiffError, ElementChange};

use crate::project::{Projects, ReadProjectError};
use crate::source::{Source, SourceError};
use files::{Pair, Reader};

pub use package::Deletion;
pub use report::Stat;

/// What is different between two states.
#[derive(Clone, Debug, Default)]
pub struct Comparison {
    /// Components that differ, by type and name.
    pub components: Vec<ComponentChange>,
    /// Changed files that lie where metadata lies and that no rule explains: path and reason.
    pub unknown: Vec<(String, String)>,
    /// Changed files that are no metadata or are ignored.
    pub other: Vec<String>,
    /// The projects of the second state.
    projects: Arc<Projects>,
}

/// A component that differs.
#[derive(Clone, Debug)]
pub struct ComponentChange {
    /// The component.
    pub id: ComponentId,
    /// Whether it is new, gone, different, or only lies elsewhere.
    pub kind: ChangeKind,
    /// Its files that differ.
    pub files: Vec<FileChange>,
    /// What differs inside it.
    pub elements: Vec<ElementChange>,
    /// Children that package.xml can name and that live in this component's file: which, and what happened to them.
    pub children: Vec<(ComponentId, ChangeKind)>,
}

/// A file that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileChange {
    /// Path before.
    pub from: Option<String>,
    /// Path after.
    pub to: Option<String>,
}

/// Which components to compare; empty lists mean all.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Metadata types.
    pub types: Vec<String>,
    /// Components; the full name may be `*`.
    pub components: Vec<ComponentId>,
}

/// States cannot be compared.
#[derive(Debug, thiserror::Error)]
pub enum CompareError {
    /// A state cannot be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// An object of the repository cannot be read.
    #[error("cannot read the repository")]
    Object(#[from] ObjectError),
    /// A project file of a revision is wrong.
    #[error(transparent)]
    Project(#[from] ReadProjectError),
    /// sfdx-project.json of a folder is wrong.
    #[error("sfdx-project.json of {folder} cannot be used")]
    FolderProject {
        /// The folder.
        folder: String,
        /// What is wrong.
        #[source]
        source: ProjectError,
    },
    /// A path is not UTF-8.
    #[error(transparent)]
    Path(#[from] NotUtf8),
    /// A file cannot be understood.
    #[error("cannot compare {state}")]
    Diff {
        /// Both states.
        state: String,
        /// The file and why.
        #[source]
        source: DiffError,
    },
    /// A worker thread could not open the repository.
    #[error(transparent)]
    Open(#[from] syncline_git::OpenError),
}

impl Filter {
    fn takes(&self, id: &ComponentId) -> bool {
        let by_type = self.types.is_empty() || self.types.iter().any(|t| t.eq_ignore_ascii_case(&id.type_name));
        let by_name = self.components.is_empty()
            || self.components.iter().any(|c| {
                c.type_name.eq_ignore_ascii_case(&id.type_name) && (&*c.full_name == "*" || c.full_name == id.full_name)
            });
        by_type && by_name
    }
}

/// Compares two states. `progress` hears how many of how many components are done.
pub fn compare(
    repository: Option<&Repository>,
    from: &Source,
    to: &Source,
    filter: &Filter,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<Comparison, CompareError> {
    let reader = Reader::new(repository, from, to)?;
    let mut comparison = Comparison {
        projects: reader.projects_to(),
        ..Comparison::default()
    };
    let mut groups: BTreeMap<ComponentId, Vec<Pair>> = BTreeMap::new();
    for pair in reader.changed()? {
        match reader.locate(&pair) {
            Located::Component(file) => {
                if filter.takes(&file.id) || file.parent.as_ref().is_some_and(|p| filter.takes(p)) {
                    groups.entry(file.id).or_default().push(pair);
                }
            }
            Located::Unknown(unknown) => comparison.unknown.push((pair.path().to_owned(), unknown.to_string())),
            Located::NotMetadata(_) | Located::Ignored(_) => comparison.other.push(pair.path().to_owned()),
        }
    }
    let groups: Vec<(ComponentId, Vec<Pair>)> = groups.into_iter().collect();
    let changes = reader.compare_all(&groups, progress)?;
    comparison.components = changes.into_iter().flatten().collect();
    Ok(comparison)
}
