//! Entries that are only given out for what is in the same retrieval: permissions and translations.

use std::collections::BTreeSet;
use syncline_metadata::component::ComponentId;
use syncline_metadata::xml::{Node, elements, leaf_text};

/// Root, list element, element that names a component, and its type. Other entries are always given out.
const ENTRIES: &[(&str, &str, &str, &str)] = &[
    ("access", "applicationVisibilities", "application", "CustomApplication"),
    ("access", "classAccesses", "apexClass", "ApexClass"),
    ("access", "customMetadataTypeAccesses", "name", "CustomObject"),
    ("access", "customPermissions", "name", "CustomPermission"),
    ("access", "customSettingAccesses", "name", "CustomObject"),
    (
        "access",
        "externalCredentialPrincipalAccesses",
        "externalCredentialPrincipal",
        "ExternalCredential",
    ),
    (
        "access",
        "externalDataSourceAccesses",
        "externalDataSource",
        "ExternalDataSource",
    ),
    ("access", "fieldPermissions", "field", "CustomField"),
    ("access", "flowAccesses", "flow", "Flow"),
    ("access", "layoutAssignments", "layout", "Layout"),
    ("access", "objectPermissions", "object", "CustomObject"),
    ("access", "pageAccesses", "apexPage", "ApexPage"),
    ("access", "recordTypeVisibilities", "recordType", "RecordType"),
    ("access", "tabSettings", "tab", "CustomTab"),
    ("access", "tabVisibilities", "tab", "CustomTab"),
    ("Translations", "customApplications", "name", "CustomApplication"),
    ("Translations", "customLabels", "name", "CustomLabel"),
    ("Translations", "customPageWebLinks", "name", "CustomPageWebLink"),
    ("Translations", "customTabs", "name", "CustomTab"),
    ("Translations", "flowDefinitions", "fullName", "Flow"),
    ("Translations", "quickActions", "name", "QuickAction"),
    ("Translations", "reportTypes", "name", "ReportType"),
];

/// Types that give access; they share the rows named `access`.
const ACCESS: [&str; 3] = ["Profile", "PermissionSet", "MutingPermissionSet"];

/// Children that are given out with their object.
const WITH_OBJECT: [&str; 2] = ["CustomField", "RecordType"];

/// Whether an entry of a file of type `root` is given out beside the components of the retrieval.
pub(crate) fn keeps(root: &str, element: &str, entry: Node<'_, '_>, present: &BTreeSet<ComponentId>) -> bool {
    let group = if ACCESS.contains(&root) { "access" } else { root };
    let Some((_, _, naming, kind)) = ENTRIES
        .iter()
        .find(|(row, list, _, _)| *row == group && *list == element)
    else {
        return true;
    };
    let Some(name) = elements(entry)
        .find(|node| node.tag_name().name() == *naming)
        .map(|node| leaf_text(node).trim().to_owned())
    else {
        return true;
    };
    let has = |kind: &str, name: &str| present.contains(&ComponentId::new(kind, name));
    let with_object = WITH_OBJECT.contains(kind)
        && name
            .split_once('.')
            .is_some_and(|(object, _)| has("CustomObject", object));
    // All labels are one component of a fixed name.
    let with_labels = *kind == "CustomLabel" && has("CustomLabels", "CustomLabels");
    let standard_tab = name
        .strip_prefix("standard-")
        .is_some_and(|object| *kind == "CustomTab" && has("CustomObject", object));
    let credential = *kind == "ExternalCredential"
        && name
            .split_once('-')
            .is_some_and(|(credential, _)| has(kind, credential));
    has(kind, &name) || with_object || with_labels || standard_tab || credential
}

/// Whether files of this type are cut down at all.
pub(crate) fn is_scoped(root: &str) -> bool {
    ACCESS.contains(&root) || ENTRIES.iter().any(|(row, ..)| *row == root)
}
