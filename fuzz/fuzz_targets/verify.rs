//! What must hold for the merge of any three files.

use syncline_metadata::component::ComponentId;
use syncline_metadata::conflict::{Reason, Resolution};
use syncline_metadata::merge::{MergeError, Merged, Sides, merge};
use syncline_metadata::xml::Document;

/// Whether a merge may leave to a person what its self-check did not accept.
#[derive(Clone, Copy, PartialEq, Eq)]
#[allow(dead_code)] // Each target uses one.
pub enum Doubts {
    /// Never: the documents are such as people have.
    Never,
    /// Yes: the documents are anything.
    Allowed,
}

/// Merges both ways round and judges the results.
pub fn verify(component: &ComponentId, path: &str, sides: Sides<'_>, doubts: Doubts) {
    let Sides { base, ours, theirs } = sides;
    let one_way = |ours, theirs| match merge(component, path, Sides { base, ours, theirs }) {
        Ok(merged) => Some(merged),
        Err(MergeError::Unreadable { .. }) => None,
        Err(error @ MergeError::Breaks { .. }) => panic!("{error}"),
    };
    let there = one_way(ours, theirs);
    let back = one_way(theirs, ours);
    assert_eq!(there.is_some(), back.is_some(), "readable one way round only");
    let (Some(there), Some(back)) = (there, back) else {
        return;
    };
    // A doubt may show one way round only.
    if doubts == Doubts::Never {
        let unproven = [&there, &back].map(|merged| {
            let mut conflicts = merged.conflicts().iter();
            conflicts
                .find(|c| c.reason == Reason::Unproven)
                .map(|c| c.path.to_string())
        });
        assert_eq!(unproven, [None, None]);
        let places = |merged: &Merged| -> Vec<String> {
            let conflicts = merged.conflicts().iter();
            conflicts.map(|c| format!("{}: {}", c.path, c.reason)).collect()
        };
        assert_eq!(
            there.is_clean(),
            back.is_clean(),
            "{:?}\n{:?}",
            places(&there),
            places(&back)
        );
    }
    let readable = |side: Option<&[u8]>| side.is_none_or(|bytes| Document::parse(bytes).is_ok());
    let is_xml = path.ends_with(".xml") && [base, ours, theirs].into_iter().all(readable);
    for merged in [there, back] {
        judge(component, merged, is_xml);
    }
}

fn judge(component: &ComponentId, merged: Merged, is_xml: bool) {
    let well_formed = |bytes: Option<Vec<u8>>| {
        if let Some(bytes) = bytes.filter(|_| is_xml) {
            assert!(Document::parse(&bytes).is_ok(), "{}", String::from_utf8_lossy(&bytes));
        }
    };
    well_formed(merged.bytes());
    merged.with_markers(&Default::default());
    for conflict in merged.conflicts() {
        assert_eq!(conflict.path.to_string().parse(), Ok(conflict.path.clone()));
        assert_ne!(conflict.ours, conflict.theirs, "{}", conflict.path);
        conflict.fingerprint();
    }
    for way in [Resolution::Ours, Resolution::Theirs, Resolution::Base] {
        let mut resolved = merged.clone();
        match resolved.resolve(component, &|_| Some(way.clone())) {
            Ok(_) => {
                assert!(resolved.is_clean());
                well_formed(resolved.bytes());
            }
            Err(MergeError::Breaks { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    }
}
