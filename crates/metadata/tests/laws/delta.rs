//! Laws of delta packages: everything that changed is in one of them, and nothing else.

use std::collections::BTreeSet;

use proptest::prelude::*;
use syncline_metadata::component::ComponentId;
use syncline_metadata::package::{Change, DeltaPackage, NoteReason, PackageManifest};
use syncline_metadata::table::registry::Registry;

use super::config;

/// Types whose components stand on their own.
const SINGLE: [&str; 6] = [
    "ApexClass",
    "Profile",
    "PermissionSet",
    "Layout",
    "CustomTab",
    "FlexiPage",
];

/// Types with an object in front of the name.
const PARTS: [&str; 4] = ["CustomField", "ValidationRule", "WebLink", "ListView"];

fn component() -> impl Strategy<Value = ComponentId> {
    let name = "[A-C]";
    prop_oneof![
        (prop::sample::select(&SINGLE[..]), name).prop_map(|(ty, name)| ComponentId::new(ty, name)),
        (prop::sample::select(&PARTS[..]), name, name)
            .prop_map(|(ty, object, name)| ComponentId::new(ty, format!("{object}__c.{name}__c"))),
        name.prop_map(|name| ComponentId::new("CustomObject", format!("{name}__c"))),
    ]
}

fn members(manifest: &PackageManifest) -> BTreeSet<String> {
    let types = manifest.types.iter();
    types
        .flat_map(|(ty, members)| members.iter().map(move |member| format!("{ty}:{member}")))
        .collect()
}

proptest! {
    #![proptest_config(config(200))]

    #[test]
    fn everything_is_in_one_package(
        changes in prop::collection::btree_map(component(), prop::sample::select(vec![Change::Added, Change::Changed, Change::Deleted]), 0..12),
        first in "[A-C]",
    ) {
        let registry = Registry::standard();
        let build = |changes: Vec<(ComponentId, Change)>| DeltaPackage::new(registry, changes, "67.0", |id| id.full_name.starts_with(&first));
        let delta = build(changes.clone().into_iter().collect());
        let [package, before, after] = [&delta.package, &delta.destructive_pre, &delta.destructive_post].map(members);
        prop_assert!(package.is_disjoint(&before) && package.is_disjoint(&after) && before.is_disjoint(&after));
        let gone: BTreeSet<&String> = before.union(&after).collect();
        let names: BTreeSet<String> = changes.keys().map(ToString::to_string).collect();
        for (id, change) in &changes {
            let name = id.to_string();
            let refused = delta.notes.iter().any(|n| n.id == *id && n.reason != NoteReason::ActiveFlow);
            match change {
                Change::Added | Change::Changed => prop_assert!(package.contains(&name), "{}", name),
                Change::Deleted => prop_assert!(gone.contains(&name) != refused, "{}", name),
            }
            if gone.contains(&name) {
                prop_assert_eq!(before.contains(&name), id.full_name.starts_with(&first), "{}", name);
            }
        }
        for name in package.iter().chain(gone) {
            prop_assert!(names.contains(name), "made up: {}", name);
        }
        // The way back deploys what this way deletes, and deletes what this way adds.
        let reverse = changes.iter().map(|(id, change)| {
            let change = match change {
                Change::Added => Change::Deleted,
                Change::Deleted => Change::Added,
                Change::Changed => Change::Changed,
            };
            (id.clone(), change)
        });
        let back = build(reverse.collect());
        let deployed = members(&back.package);
        for name in before.union(&after) {
            prop_assert!(deployed.contains(name), "{}", name);
        }
        // Package files survive printing, and the order of changes does not count.
        for manifest in [&delta.package, &delta.destructive_pre, &delta.destructive_post] {
            prop_assert_eq!(&PackageManifest::parse(&manifest.to_string()).expect("printed text is valid"), manifest);
        }
        let other_way: Vec<_> = changes.into_iter().rev().collect();
        prop_assert_eq!(build(other_way), delta);
    }
}
