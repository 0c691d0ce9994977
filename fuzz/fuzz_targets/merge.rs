//! Three files from raw bytes: an error that names the side, or a proven merge, or a conflict.
#![no_main]

mod split;
mod verify;

use libfuzzer_sys::fuzz_target;
use syncline_metadata::component::ComponentId;
use syncline_metadata::merge::Sides;

fuzz_target!(|bytes: &[u8]| {
    let [base, ours, theirs] = split::split::<3>(bytes);
    // A single `-` stands for no file.
    let side = |bytes| (bytes != b"-").then_some(bytes);
    let component = ComponentId::new("Profile", "Sample");
    let sides = Sides {
        base: side(base),
        ours: side(ours),
        theirs: side(theirs),
    };
    verify::verify(&component, "Sample-meta.xml", sides, verify::Doubts::Allowed);
});
