//! The packages that carry an org from one state to another: what to deploy and what to delete.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::manifest::PackageManifest;
use crate::component::ComponentId;
use crate::table::registry::{Adapter, Registry};

/// What happened to a component between two states.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Change {
    /// Only in the later state.
    Added,
    /// In both and different.
    Changed,
    /// Only in the earlier state.
    Deleted,
}

/// package.xml and the destructive changes between two states.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeltaPackage {
    /// What to deploy.
    pub package: PackageManifest,
    /// What to delete before the deployment (`destructiveChangesPre.xml`).
    pub destructive_pre: PackageManifest,
    /// What to delete after the deployment (`destructiveChangesPost.xml`).
    pub destructive_post: PackageManifest,
    /// What a person must know; a deletion that cannot be done is here and in no package.
    pub notes: Vec<Note>,
}

/// A remark on a deletion.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Note {
    /// The deleted component.
    pub id: ComponentId,
    /// What is to be known.
    pub reason: NoteReason,
}

/// Why a deletion needs a person. The first group is left out of the packages, the second is in them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NoteReason {
    /// Not done: the platform owns it (standard objects and fields, settings, standard value sets).
    Standard,
    /// Not done: it belongs to a managed package.
    Managed,
    /// Not done: only its parts can be deleted, and none was named.
    Container,
    /// Not done: the API refuses to delete components of this type.
    NotThroughApi,
    /// Done: fails while the flow is active.
    ActiveFlow,
}

/// Types whose components exist in every org and cannot be deleted.
/// Source: Metadata API Developer Guide, "Settings" and "StandardValueSet".
const PERMANENT: [&str; 2] = ["Settings", "StandardValueSet"];

/// Types whose components only people can delete: "Cannot delete record type through API".
const BY_HAND: [&str; 1] = ["RecordType"];

impl DeltaPackage {
    /// Builds the packages from changes of components, children named by themselves.
    ///
    /// `registry` is the project's: presets decide which children have files of their own. `version` is the API
    /// version, `67.0`. `delete_first` says which deletions must come before the deployment; the others come
    /// after it. A component that is both deleted and added (its file moved) is deployed, not deleted.
    pub fn new(
        registry: &Registry,
        changes: impl IntoIterator<Item = (ComponentId, Change)>,
        version: &str,
        delete_first: impl Fn(&ComponentId) -> bool,
    ) -> Self {
        let mut deployed = BTreeSet::new();
        let mut deleted = BTreeSet::new();
        let mut touched = BTreeSet::new();
        for (id, change) in changes {
            match (nameable(registry, &id), change) {
                // The loss of a part that cannot be named is a change of the whole, if that is still there.
                (Some(whole), _) => touched.insert(whole),
                (None, Change::Added | Change::Changed) => deployed.insert(id),
                (None, Change::Deleted) => deleted.insert(id),
            };
        }
        deleted.retain(|id| !deployed.contains(id));
        deployed.extend(touched.into_iter().filter(|id| !deleted.contains(id)));

        let mut delta = Self {
            package: with_version(version),
            destructive_pre: with_version(version),
            destructive_post: with_version(version),
            notes: Vec::new(),
        };
        delta.add_deployed(registry, &deployed);
        let parts = parts_by_parent(registry, &deleted);
        for id in &deleted {
            match obstacle(registry, id, &parts) {
                Some(Obstacle::Covered) => continue,
                Some(Obstacle::Refused(reason)) => {
                    delta.note(id, reason);
                    continue;
                }
                None => {}
            }
            if &*id.type_name == "Flow" {
                delta.note(id, NoteReason::ActiveFlow);
            }
            let package = if delete_first(id) {
                &mut delta.destructive_pre
            } else {
                &mut delta.destructive_post
            };
            package.insert(listed_type(registry, &id.type_name), &id.full_name);
        }
        delta
    }

    fn add_deployed(&mut self, registry: &Registry, deployed: &BTreeSet<ComponentId>) {
        let parts = parts_by_parent(registry, deployed);
        for id in deployed {
            // Labels are named one by one; the file that holds them all is no component of a package.
            let named_by_parts =
                (registry.by_name(&id.type_name)).is_some_and(|kind| kind.fixed_name) && parts.contains_key(id);
            if !named_by_parts {
                self.package.insert(listed_type(registry, &id.type_name), &id.full_name);
            }
        }
        // A part inside its parent's file is only deployed when the parent is named too.
        for parent in parts.keys() {
            let needed = registry
                .by_name(&parent.type_name)
                .is_some_and(|kind| (kind.adapter == Adapter::Xml && !kind.fixed_name) || kind.name == "Bot");
            if needed {
                self.package.insert(&parent.type_name, &parent.full_name);
            }
        }
    }

    fn note(&mut self, id: &ComponentId, reason: NoteReason) {
        self.notes.push(Note { id: id.clone(), reason });
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self.reason {
            NoteReason::Standard => "is not deleted: it is part of the platform; remove its parts one by one",
            NoteReason::Managed => "is not deleted: it belongs to a managed package; uninstall or upgrade the package",
            NoteReason::Container => "is not deleted: only its parts can be; name them, or empty the file",
            NoteReason::ActiveFlow => "is deleted only when no version is active: deactivate it first",
            NoteReason::NotThroughApi => "is not deleted: the API refuses it; delete it in the org's setup",
        };
        write!(f, "{} {text}", self.id)
    }
}

/// For a part that package.xml cannot name, the component it is part of.
fn nameable(registry: &Registry, id: &ComponentId) -> Option<ComponentId> {
    let standard = Registry::standard().child(&id.type_name);
    let (parent, _) = standard
        .or_else(|| registry.child(&id.type_name))
        .filter(|(_, child)| !child.addressable)?;
    let name = id.full_name.split_once('.').map_or(&*id.full_name, |(name, _)| name);
    Some(ComponentId::new(parent.name, name))
}

/// The type that package.xml lists a component under: folders go with what they hold.
fn listed_type<'a>(registry: &'a Registry, type_name: &'a str) -> &'a str {
    (registry.by_name(type_name))
        .and_then(|kind| kind.folder_content)
        .unwrap_or(type_name)
}

/// Parents of the child components among `ids`.
fn parts_by_parent<'a>(
    registry: &Registry,
    ids: &'a BTreeSet<ComponentId>,
) -> BTreeMap<ComponentId, Vec<&'a ComponentId>> {
    let mut parts: BTreeMap<ComponentId, Vec<&ComponentId>> = BTreeMap::new();
    for id in ids {
        let Some((parent, child)) = registry.child(&id.type_name) else {
            continue;
        };
        let name = if child.no_parent_name
            || Registry::standard()
                .child(child.name)
                .is_some_and(|(_, c)| c.no_parent_name)
        {
            Some(parent.name)
        } else {
            id.full_name.split_once('.').map(|(name, _)| name)
        };
        if let Some(name) = name {
            parts.entry(ComponentId::new(parent.name, name)).or_default().push(id);
        }
    }
    parts
}

enum Obstacle {
    /// Its parts are deleted one by one.
    Covered,
    Refused(NoteReason),
}

fn obstacle(
    registry: &Registry,
    id: &ComponentId,
    parts: &BTreeMap<ComponentId, Vec<&ComponentId>>,
) -> Option<Obstacle> {
    if PERMANENT.contains(&&*id.type_name) {
        return Some(Obstacle::Refused(NoteReason::Standard));
    }
    if BY_HAND.contains(&&*id.type_name) {
        return Some(Obstacle::Refused(NoteReason::NotThroughApi));
    }
    let standard = match &*id.type_name {
        "CustomObject" => !id.full_name.contains("__"),
        "CustomField" => id
            .full_name
            .rsplit('.')
            .next()
            .is_some_and(|field| !field.contains("__")),
        _ => false,
    };
    if standard {
        return Some(Obstacle::Refused(NoteReason::Standard));
    }
    let own_name = id.full_name.rsplit(['.', '/', '-']).next().unwrap_or_default();
    if is_managed(own_name) {
        return Some(Obstacle::Refused(NoteReason::Managed));
    }
    // Parts inside one file: the file is no component that can be deleted (CustomLabels, Workflow, SharingRules…).
    let container = (Registry::standard().by_name(&id.type_name))
        .is_some_and(|kind| kind.adapter == Adapter::Xml && kind.children.iter().any(|child| child.addressable));
    match container {
        true if parts.contains_key(id) => Some(Obstacle::Covered),
        true if registry.by_name(&id.type_name).is_some() => Some(Obstacle::Refused(NoteReason::Container)),
        _ => None,
    }
}

/// `ns__Name__c`: a namespace in front. Names of one's own have no double underscore before the suffix.
fn is_managed(name: &str) -> bool {
    let parts: Vec<&str> = name.split("__").collect();
    matches!(parts[..], [_, _, suffix] if matches!(suffix.len(), 1..=3) && suffix.bytes().all(|b| b.is_ascii_lowercase()))
}

fn with_version(version: &str) -> PackageManifest {
    PackageManifest {
        version: Some(version.into()),
        ..PackageManifest::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::registry::Preset;

    /// `+` deploys, `<` is deleted first, `-` is deleted afterwards, `!` is noted.
    fn check_with(presets: &[Preset], changes: &str, expect: &[&str]) {
        let registry = Registry::with_presets(presets);
        let changes = changes.split_whitespace().map(|word| {
            let change = match &word[..1] {
                "+" => Change::Added,
                "~" => Change::Changed,
                _ => Change::Deleted,
            };
            (word[1..].parse::<ComponentId>().expect("component"), change)
        });
        let delta = DeltaPackage::new(&registry, changes, "67.0", |id| id.full_name.starts_with("First"));
        let mut found = Vec::new();
        for (sign, manifest) in [
            ("+", &delta.package),
            ("<", &delta.destructive_pre),
            ("-", &delta.destructive_post),
        ] {
            for (name, members) in &manifest.types {
                found.extend(members.iter().map(|member| format!("{sign}{name}:{member}")));
            }
        }
        found.extend(delta.notes.iter().map(|note| format!("!{} {:?}", note.id, note.reason)));
        assert_eq!(found, expect);
    }

    fn check(changes: &str, expect: &[&str]) {
        check_with(&[], changes, expect);
    }

    #[test]
    fn deploys() {
        check("+CustomField:A.X__c", &["+CustomField:A.X__c"]);
        check(
            "+CustomObject:A__c +CustomField:A__c.X__c",
            &["+CustomField:A__c.X__c", "+CustomObject:A__c"],
        );
        check("~WorkflowAlert:A.M", &["+Workflow:A", "+WorkflowAlert:A.M"]);
        check("+CustomLabels:CustomLabels +CustomLabel:L", &["+CustomLabel:L"]);
        check("+CustomLabels:CustomLabels", &["+CustomLabels:CustomLabels"]);
        check("+BotVersion:B.v1", &["+Bot:B", "+BotVersion:B.v1"]);
        check("+ReportFolder:F +Report:F/R", &["+Report:F", "+Report:F/R"]);
        check("+EmailFolder:F", &["+EmailTemplate:F"]);
        check(
            "~CustomFieldTranslation:A__c-de.X__c",
            &["+CustomObjectTranslation:A__c-de"],
        );
        check(
            "-CustomFieldTranslation:A__c-de.X__c",
            &["+CustomObjectTranslation:A__c-de"],
        );
        check(
            "-CustomFieldTranslation:A__c-de.X__c -CustomObjectTranslation:A__c-de",
            &["-CustomObjectTranslation:A__c-de"],
        );
    }

    #[test]
    fn deletes() {
        check("-ApexClass:A -ApexClass:First", &["<ApexClass:First", "-ApexClass:A"]);
        check("-ApexClass:A +ApexClass:A", &["+ApexClass:A"]);
        check(
            "+CustomObjectTranslation:A-de -CustomObjectTranslation:A-de",
            &["+CustomObjectTranslation:A-de"],
        );
        check(
            "-CustomObject:A__c -CustomField:A__c.X__c",
            &["-CustomField:A__c.X__c", "-CustomObject:A__c"],
        );
        check("-WorkflowAlert:A.M", &["-WorkflowAlert:A.M"]);
        check("-Workflow:A -WorkflowAlert:A.M", &["-WorkflowAlert:A.M"]);
        check("-CustomLabels:CustomLabels -CustomLabel:L", &["-CustomLabel:L"]);
        check("-Report:F/R -ReportFolder:F", &["-Report:F", "-Report:F/R"]);
        check("-Flow:F", &["-Flow:F", "!Flow:F ActiveFlow"]);
        check("-RecordType:A.R", &["!RecordType:A.R NotThroughApi"]);
    }

    #[test]
    fn refuses_to_delete() {
        check("-CustomObject:Account", &["!CustomObject:Account Standard"]);
        check("-CustomField:Account.Name", &["!CustomField:Account.Name Standard"]);
        check("-Settings:Account", &["!Settings:Account Standard"]);
        check(
            "-CustomField:Account.ns__X__c",
            &["!CustomField:Account.ns__X__c Managed"],
        );
        check(
            "-Workflow:A -WorkflowAlert:B.M",
            &["-WorkflowAlert:B.M", "!Workflow:A Container"],
        );
    }

    #[test]
    fn presets_give_children_files_of_their_own() {
        let preset = |name| Preset::by_name(name).expect("known");
        check_with(
            &[preset("decomposeWorkflowBeta")],
            "+WorkflowAlert:A.M",
            &["+WorkflowAlert:A.M"],
        );
        check_with(
            &[preset("decomposeCustomLabelsBeta2")],
            "+CustomLabel:L -CustomLabel:M",
            &["+CustomLabel:L", "-CustomLabel:M"],
        );
        check_with(
            &[preset("decomposePermissionSetBeta2")],
            "-ClassAccess:P.C",
            &["+PermissionSet:P"],
        );
    }
}
