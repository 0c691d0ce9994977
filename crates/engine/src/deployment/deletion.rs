//! When deletions are done, and which are none.

use std::collections::BTreeSet;

use syncline_metadata::component::ComponentId;

/// Types that share their names: a name has to be free before another type takes it.
const SHARED_NAMES: &[&[&str]] = &[
    &["AuraDefinitionBundle", "LightningComponentBundle"],
    &["PermissionSet", "PermissionSetGroup"],
];

/// Whether a deletion has to come before what is deployed. All others come after it: until then the org refers to them.
pub(super) fn comes_first(id: &ComponentId, deployed: &BTreeSet<ComponentId>) -> bool {
    SHARED_NAMES
        .iter()
        .filter(|types| types.contains(&&*id.type_name))
        .flat_map(|types| types.iter())
        .any(|other| {
            **other != *id.type_name
                && deployed
                    .iter()
                    .any(|new| &*new.type_name == *other && new.full_name.eq_ignore_ascii_case(&id.full_name))
        })
}

/// Whether a component that seems to be gone is deployed in other upper and lower case: the org knows only one of them, so deleting
/// the old name would delete the new component.
pub(super) fn is_renamed(id: &ComponentId, deployed: &BTreeSet<ComponentId>) -> bool {
    deployed
        .iter()
        .any(|new| new.type_name == id.type_name && new.full_name.eq_ignore_ascii_case(&id.full_name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_freed_before_it_is_taken() {
        let deployed: BTreeSet<ComponentId> = [
            ComponentId::new("LightningComponentBundle", "tile"),
            ComponentId::new("ApexClass", "BillRun"),
        ]
        .into();
        assert!(comes_first(
            &ComponentId::new("AuraDefinitionBundle", "Tile"),
            &deployed
        ));
        assert!(!comes_first(&ComponentId::new("ApexClass", "Tile"), &deployed));
        assert!(is_renamed(&ComponentId::new("ApexClass", "Billrun"), &deployed));
        assert!(!is_renamed(&ComponentId::new("ApexPage", "Billrun"), &deployed));
    }
}
