//! Three texts merged by lines: no line is lost, and markers read back give our side.
#![no_main]

mod split;
mod verify;

use std::collections::BTreeSet;

use libfuzzer_sys::fuzz_target;
use syncline_metadata::component::ComponentId;
use syncline_metadata::merge::{Sides, merge};
use syncline_metadata::xml::is_metadata;

fuzz_target!(|bytes: &[u8]| {
    let [base, ours, theirs] = split::split::<3>(bytes);
    if [base, ours, theirs].into_iter().any(is_metadata) {
        // Merged by elements, whatever the file is called.
        return;
    }
    let component = ComponentId::new("ApexClass", "Sample");
    let path = "Sample.cls";
    let sides = Sides {
        base: Some(base),
        ours: Some(ours),
        theirs: Some(theirs),
    };
    verify::verify(&component, path, sides, verify::Doubts::Never);
    verify::verify(&component, path, Sides { base: None, ..sides }, verify::Doubts::Never);
    let Ok(merged) = merge(&component, path, sides) else {
        return;
    };
    let result = merged.bytes().expect("both sides have the file");
    fn lines(text: &[u8]) -> BTreeSet<&[u8]> {
        text.split_inclusive(|b| *b == b'\n').collect()
    }
    let (base, ours, theirs, result) = (lines(base), lines(ours), lines(theirs), lines(&result));
    // A line that both sides have is there; a line that one side added is there or in a conflict.
    let open: BTreeSet<&[u8]> = merged
        .conflicts()
        .iter()
        .flat_map(|c| [&c.base, &c.ours, &c.theirs])
        .flatten()
        .flat_map(|text| lines(text))
        .collect();
    for line in ours.union(&theirs).filter(|line| !base.contains(*line)) {
        assert!(result.contains(line) || open.contains(line), "lost: {line:?}");
    }
    for line in &result {
        assert!(
            base.contains(line) || ours.contains(line) || theirs.contains(line),
            "made up: {line:?}"
        );
    }
});
