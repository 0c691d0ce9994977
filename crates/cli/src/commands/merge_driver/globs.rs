//! The patterns of file names that hold metadata as XML, from the table of types.

use std::collections::{BTreeMap, BTreeSet};

use syncline_metadata::table::registry::{Adapter, Registry};

/// Suffixes that other tools use for files of their own; here they count only in the type's folder.
const SHARED: &[&str] = &[
    "app", "config", "form", "function", "group", "map", "md", "settings", "snapshot", "type", "xml",
];

/// As many suffixes ending in one word are taken together: `*.*Definition` stands for more than fifty.
const GROUP: usize = 3;

/// Patterns of source format and of both formats' manifests.
pub(super) const ALWAYS: [&str; 3] = ["*-meta.xml", "package.xml", "destructiveChanges*.xml"];

/// Patterns of Metadata API format, where a file ends in its type's suffix. Sorted.
pub(super) fn metadata_api() -> Vec<String> {
    let mut patterns = BTreeSet::new();
    let mut words: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for kind in Registry::standard().types() {
        let whole = matches!(
            kind.adapter,
            Adapter::Xml | Adapter::Decomposed | Adapter::PartlyDecomposed
        );
        for suffix in [kind.suffix, kind.legacy_suffix]
            .into_iter()
            .flatten()
            .filter(|_| whole)
        {
            if SHARED.contains(&suffix) {
                patterns.insert(format!("**/{}/*.{suffix}", kind.directory));
            } else {
                words.entry(last_word(suffix)).or_default().insert(suffix);
            }
        }
    }
    for (word, suffixes) in words {
        if suffixes.len() >= GROUP && suffixes.iter().all(|suffix| suffix.len() > word.len()) {
            patterns.insert(format!("*.*{word}"));
        } else {
            patterns.extend(suffixes.iter().map(|suffix| format!("*.{suffix}")));
        }
    }
    patterns.into_iter().collect()
}

/// `Definition` of `aiAgentDefinition`; all of a suffix without capitals.
fn last_word(suffix: &str) -> &str {
    match suffix.rfind(|c: char| c.is_ascii_uppercase()) {
        Some(at) => &suffix[at..],
        None => suffix,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::merge_driver::rivals::overlap;

    #[test]
    fn every_type_in_xml_is_covered() {
        let patterns = metadata_api();
        for kind in Registry::standard().types() {
            if let (Adapter::Xml | Adapter::Decomposed, Some(suffix)) = (kind.adapter, kind.suffix) {
                let file = format!("Name.{suffix}");
                assert!(
                    patterns
                        .iter()
                        .any(|p| overlap(p.rsplit('/').next().expect("a part"), &file)),
                    "{file}"
                );
            }
        }
    }

    #[test]
    fn code_and_plain_xml_are_left_to_git() {
        let patterns = metadata_api();
        for file in [
            "Foo.cls",
            "Foo.trigger",
            "pom.xml",
            "README.md",
            "a.json",
            "x.js",
            "logo.png",
            "Foo.page",
        ] {
            assert!(!patterns.iter().any(|p| !p.contains('/') && overlap(p, file)), "{file}");
        }
        insta::assert_snapshot!(patterns.len(), @r#"
        250
        "#);
        insta::assert_snapshot!(patterns.iter().filter(|p| p.contains('/')).cloned().collect::<Vec<_>>().join(" "), @r#"
        **/ActionableEventOrchDefSettings/*.settings **/ActionableEventTypeDefSettings/*.settings **/IndustriesManufacturingSettings/*.settings **/ObjectHierarchyRelationship/*.settings **/analyticSnapshots/*.snapshot **/applications/*.app **/customMetadata/*.md **/emailservices/*.xml **/forms/*.form **/functions/*.function **/groups/*.group **/integrationHub/*.settings **/integrationHub/*.type **/notificationTypeConfig/*.config **/settings/*.settings
        "#);
    }
}
