//! Laws of conflicts, their fingerprints and their resolution.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use syncline_metadata::check::check;
use syncline_metadata::component::ComponentId;
use syncline_metadata::conflict::{Conflict, Resolution};
use syncline_metadata::merge::{MergeError, Sides, merge};
use syncline_metadata::path::ElementPath;
use syncline_metadata::xml::Document;

use super::generator::Choices;
use super::{PATH, config, text, versions};

proptest! {
    #![proptest_config(config(100))]

    /// Paths of conflicts survive printing and parsing, name the component, and no two conflicts are one.
    #[test]
    fn conflicts_have_a_place_each(v in versions(false)) {
        let (b, o, t) = (v.base.print(), v.ours.print(), v.theirs.print());
        let merged = v.merge(&b, &o, &t)?;
        let mut seen = BTreeSet::new();
        for conflict in merged.conflicts() {
            let path = conflict.path.to_string();
            prop_assert_eq!(path.parse::<ElementPath>(), Ok(conflict.path.clone()));
            prop_assert!(seen.insert(path.clone()), "twice: {}", path);
            prop_assert_ne!(&conflict.ours, &conflict.theirs, "{}", path);
        }
    }

    /// A fingerprint does not depend on the layout, but on the component.
    #[test]
    fn fingerprints_are_stable(v in versions(true)) {
        let models = [&v.base, &v.ours, &v.theirs];
        prop_assume!(models.iter().all(|m| !m.is_mixed()));
        let [b, o, t] = models.map(super::generator::Model::print);
        let choices = &mut Choices::new(&v.rest);
        let [b2, o2, t2] = models.map(|m| m.reformatted(choices).print());
        let prints = |merged: &super::Merged| -> BTreeMap<String, String> {
            let one = |c: &Conflict| (c.path.to_string(), c.fingerprint().to_string());
            merged.conflicts().iter().map(one).collect()
        };
        let merged = v.merge(&b, &o, &t)?;
        let again = v.merge(&b2, &o2, &t2)?;
        prop_assert_eq!(prints(&merged), prints(&again), "{}\n{}\n{}", text(&b2), text(&o2), text(&t2));
        let other = ComponentId::new(v.base.type_name(), "Other");
        let sides = Sides { base: Some(&b), ours: Some(&o), theirs: Some(&t) };
        let other = merge(&other, PATH, sides).expect("mergeable");
        prop_assert_eq!(other.conflicts().len(), merged.conflicts().len());
        for (one, two) in merged.conflicts().iter().zip(other.conflicts()) {
            prop_assert_ne!(one.fingerprint(), two.fingerprint());
        }
    }

    /// Every conflict resolved in one way: well-formed, and right outside of the conflicts.
    #[test]
    fn resolutions_hold(v in versions(true)) {
        let (b, o, t) = (v.base.print(), v.ours.print(), v.theirs.print());
        let merged = v.merge(&b, &o, &t)?;
        let component = v.component();
        let open: Vec<ElementPath> = merged.conflicts().iter().map(|c| c.path.clone()).collect();
        for way in [Resolution::Ours, Resolution::Theirs, Resolution::Base] {
            let mut resolved = merged.clone();
            match resolved.resolve(&component, &|_| Some(way.clone())) {
                Ok(settled) => {
                    prop_assert_eq!(settled.len(), open.len());
                    prop_assert!(resolved.is_clean());
                    let bytes = resolved.bytes().expect("there");
                    prop_assert!(Document::parse(&bytes).is_ok(), "{:?}\n{}", way, text(&bytes));
                    if way == Resolution::Ours {
                        prop_assert_eq!(text(&bytes), text(merged.bytes().expect("there")));
                    }
                    let found = check(&component, Some(&text(&b)), Some(&text(&o)), Some(&text(&t)), &text(&bytes), &open);
                    prop_assert!(found.is_ok(), "{:?}: {:?}\n{}", way, found, text(&bytes));
                }
                // A reference would be left without its element: refused, and nothing changed.
                Err(MergeError::Breaks { .. }) => prop_assert_eq!(resolved.conflicts(), merged.conflicts()),
                Err(other) => prop_assert!(false, "{other}"),
            }
        }
    }

    /// Resolved one after the other or all at once: the same file.
    #[test]
    fn resolving_step_by_step(v in versions(false)) {
        let (b, o, t) = (v.base.print(), v.ours.print(), v.theirs.print());
        let merged = v.merge(&b, &o, &t)?;
        let component = v.component();
        let ways = |c: &Conflict| match c.fingerprint().to_string().as_bytes()[0] % 2 {
            0 => Resolution::Ours,
            _ => Resolution::Theirs,
        };
        let mut at_once = merged.clone();
        if at_once.resolve(&component, &|c| Some(ways(c))).is_err() {
            return Ok(());
        }
        let mut step_by_step = merged.clone();
        while let Some(first) = step_by_step.conflicts().last().cloned() {
            let settled = step_by_step.resolve(&component, &|c| (*c == first).then(|| ways(c)));
            prop_assert_eq!(settled.map_err(|e| TestCaseError::fail(e.to_string()))?.len(), 1);
        }
        prop_assert_eq!(text(at_once.bytes().expect("there")), text(step_by_step.bytes().expect("there")));
    }
}
