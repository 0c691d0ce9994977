//! package.xml and destructive changes between two states.

use syncline_metadata::component::{ComponentId, Project};
use syncline_metadata::diff::ChangeKind;
use syncline_metadata::package::{Change, DeltaPackage};
use syncline_metadata::table::registry::Registry;

use super::Comparison;

/// The API version of a package whose project names none.
const API_VERSION: &str = "67.0";

/// When deletions are done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deletion {
    /// Before the deployment.
    Before,
    /// After it.
    After,
}

impl Comparison {
    /// The packages that turn the first state into the second.
    pub fn packages(&self, deletion: Deletion) -> DeltaPackage {
        let project = self.projects.iter().next();
        let registry: &Registry = match project {
            Some(project) => project.registry(),
            None => Registry::standard(),
        };
        let version = project.and_then(Project::api_version).unwrap_or(API_VERSION);
        let mut changes: Vec<(ComponentId, Change)> = Vec::new();
        for component in &self.components {
            let whole = matches!(component.kind, ChangeKind::Added | ChangeKind::Removed);
            let is_child = |element: &str| {
                let child = registry.child_by_element(&component.id.type_name, element);
                child.is_some_and(|child| child.addressable)
            };
            // Where only children changed, the component itself is not named.
            let only_children = !whole
                && !component.children.is_empty()
                && component
                    .elements
                    .iter()
                    .all(|e| e.path.steps.first().is_some_and(|step| is_child(&step.name)));
            if !only_children {
                changes.push((component.id.clone(), change(component.kind)));
            }
            changes.extend(component.children.iter().map(|(id, kind)| (id.clone(), change(*kind))));
        }
        DeltaPackage::new(registry, changes, version, |_| deletion == Deletion::Before)
    }
}

fn change(kind: ChangeKind) -> Change {
    match kind {
        ChangeKind::Added => Change::Added,
        ChangeKind::Removed => Change::Deleted,
        ChangeKind::Changed | ChangeKind::Moved => Change::Changed,
    }
}
