//! The package that would undo another, and what it cannot undo.

use serde::{Deserialize, Serialize};
use syncline_git::{Oid, Repository};
use syncline_metadata::diff::ChangeKind;

use super::{DeploymentError, Options, Package, package};
use crate::compare::ComponentChange;

/// The way back.
#[derive(Clone, Debug, Default)]
pub struct Reverse {
    /// What would be sent.
    pub package: Package,
    /// What it would not bring back.
    pub irreversible: Vec<Irreversible>,
}

/// Something that a deployment does and no deployment undoes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Irreversible {
    /// The component, `Type:FullName`.
    pub component: String,
    /// The element's path, where it is one.
    pub path: Option<String>,
    /// What happens.
    pub loss: Loss,
    /// It in words.
    pub words: String,
}

/// What cannot be undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Loss {
    /// Values in records are gone.
    Data,
    /// Who was assigned is gone.
    Assignments,
    /// What was added stays in the org.
    Stays,
    /// The platform may refuse to go back.
    Uncertain,
}

/// What changes of which types do: type, what happens to the component, first step of an element's path and what happens to it.
struct Row(
    &'static str,
    ChangeKind,
    Option<(&'static str, Option<ChangeKind>)>,
    Loss,
    &'static str,
);

use ChangeKind::{Added, Changed, Removed};
use Loss::{Assignments, Data, Stays, Uncertain};

/// Facts of the Metadata API Developer Guide ("Deleting Components from an Organization", "CustomField", "Flow", "RecordType",
/// "GlobalValueSet", "StandardValueSet", "Settings") and of Salesforce Help ("Notes on Changing Custom Field Types").
const TABLE: &[Row] = &[
    Row(
        "CustomField",
        Removed,
        None,
        Data,
        "the field's values in all records are deleted; deployed again it is empty",
    ),
    Row(
        "CustomObject",
        Removed,
        None,
        Data,
        "all records of the object are deleted; deployed again it is empty",
    ),
    Row(
        "CustomField",
        Changed,
        Some(("type", None)),
        Data,
        "values that do not fit the new type are lost",
    ),
    Row(
        "CustomField",
        Changed,
        Some(("length", None)),
        Data,
        "values that are too long for the new length are cut",
    ),
    Row(
        "CustomField",
        Changed,
        Some(("scale", None)),
        Data,
        "decimals that the new number of places has no room for are lost",
    ),
    Row(
        "CustomField",
        Changed,
        Some(("precision", None)),
        Data,
        "numbers that the new number of digits has no room for are lost",
    ),
    Row(
        "CustomField",
        Changed,
        Some(("valueSet", Some(Removed))),
        Uncertain,
        "records may still hold the value, which is inactive then",
    ),
    Row(
        "CustomField",
        Changed,
        Some(("valueSet", Some(Added))),
        Stays,
        "a value that was added stays, inactive",
    ),
    Row(
        "GlobalValueSet",
        Changed,
        Some(("customValue", Some(Added))),
        Stays,
        "a value that was added stays, inactive",
    ),
    Row(
        "StandardValueSet",
        Changed,
        Some(("standardValue", Some(Added))),
        Stays,
        "a value that was added stays, inactive",
    ),
    Row(
        "RecordType",
        Added,
        None,
        Stays,
        "the API deletes no record type; it has to be deactivated and deleted by hand",
    ),
    Row(
        "Flow",
        Added,
        None,
        Stays,
        "a flow that has run keeps its interviews; its versions can be deleted only when they are not active",
    ),
    Row(
        "Flow",
        Changed,
        None,
        Stays,
        "the way back is one more version; paused interviews go on with the version they began with",
    ),
    Row(
        "Settings",
        Changed,
        None,
        Uncertain,
        "some features cannot be turned off again",
    ),
    Row(
        "Settings",
        Added,
        None,
        Uncertain,
        "some features cannot be turned off again",
    ),
    Row(
        "PermissionSet",
        Removed,
        None,
        Assignments,
        "its assignments to users are deleted",
    ),
    Row(
        "PermissionSetGroup",
        Removed,
        None,
        Assignments,
        "its assignments to users are deleted",
    ),
    Row(
        "Profile",
        Removed,
        None,
        Assignments,
        "a profile that is deployed again has no users",
    ),
    Row("Group", Removed, None, Assignments, "its members are deleted"),
    Row("Queue", Removed, None, Assignments, "its members are deleted"),
    Row(
        "Role",
        Removed,
        None,
        Assignments,
        "a role that is deployed again has no users",
    ),
    Row(
        "ApexClass",
        Removed,
        None,
        Assignments,
        "scheduled runs of the class are deleted",
    ),
    Row("Report", Removed, None, Assignments, "its subscriptions are deleted"),
    Row("Dashboard", Removed, None, Assignments, "its subscriptions are deleted"),
];

/// What a package does that the way back does not undo.
pub fn irreversible(package: &Package) -> Vec<Irreversible> {
    package.changes.iter().flat_map(of_change).collect()
}

fn of_change(change: &ComponentChange) -> Vec<Irreversible> {
    let mut found = Vec::new();
    let own = |id: &syncline_metadata::component::ComponentId, kind: ChangeKind, row: &Row| {
        (row.0 == &*id.type_name && row.1 == kind && row.2.is_none()).then(|| Irreversible {
            component: id.to_string(),
            path: None,
            loss: row.3,
            words: row.4.to_owned(),
        })
    };
    for row in TABLE {
        found.extend(own(&change.id, change.kind, row));
        found.extend(change.children.iter().filter_map(|(id, kind)| own(id, *kind, row)));
        let Row(kind, happens, Some((first, how)), loss, words) = row else {
            continue;
        };
        if *kind != &*change.id.type_name || *happens != change.kind {
            continue;
        }
        let fits = |element: &&syncline_metadata::diff::ElementChange| {
            element.path.steps.first().is_some_and(|step| &*step.name == *first)
                && how.is_none_or(|how| how == element.kind)
        };
        found.extend(change.elements.iter().filter(fits).map(|element| Irreversible {
            component: change.id.to_string(),
            path: Some(element.path.to_string()),
            loss: *loss,
            words: (*words).to_owned(),
        }));
    }
    found
}

/// Makes the package that brings an org back from the result of a deployment to the snapshot before it, for what `forward` touches.
pub fn reverse(
    repository: &Repository,
    snapshot: Oid,
    result: Oid,
    forward: &Package,
    options: &Options<'_>,
) -> Result<Reverse, DeploymentError> {
    Ok(Reverse {
        package: package(repository, result, snapshot, options)?,
        irreversible: irreversible(forward),
    })
}
