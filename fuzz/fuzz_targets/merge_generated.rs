//! Three versions of a document of a real type, made and edited as the bytes say: no merge fails.
#![no_main]

#[path = "../../crates/metadata/tests/laws/generator/mod.rs"]
mod generator;
mod verify;

use generator::{Choices, Model, Tokens};
use libfuzzer_sys::fuzz_target;
use syncline_metadata::component::ComponentId;
use syncline_metadata::merge::Sides;

fuzz_target!(|bytes: &[u8]| {
    let (base, edits) = bytes.split_at(bytes.len() / 2);
    let (ours, theirs) = edits.split_at(edits.len() / 2);
    let base = Model::new(&mut Choices::new(base), &mut Tokens::new('b'));
    let edit = |bytes, tag| {
        base.edited(&mut Choices::new(bytes), &mut Tokens::new(tag), true)
            .print()
    };
    let (ours, theirs) = (edit(ours, 'o'), edit(theirs, 't'));
    let component = ComponentId::new(base.type_name(), "Sample");
    let base = base.print();
    if std::env::var_os("SYNCLINE_FUZZ_PRINT").is_some() {
        for (name, text) in [("base", &base), ("ours", &ours), ("theirs", &theirs)] {
            eprintln!("--- {name}\n{}", String::from_utf8_lossy(text));
        }
    }
    let sides = Sides {
        base: Some(&base),
        ours: Some(&ours),
        theirs: Some(&theirs),
    };
    verify::verify(&component, "Sample-meta.xml", sides, verify::Doubts::Never);
});
