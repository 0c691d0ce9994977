//! Two files: the comparison is empty exactly when both mean the same, and its paths survive printing.
#![no_main]

mod split;

use libfuzzer_sys::fuzz_target;
use syncline_metadata::component::ComponentId;
use syncline_metadata::diff::{diff, same};
use syncline_metadata::xml::{Document, digest};

fuzz_target!(|bytes: &[u8]| {
    let [path, a, b] = split::split::<3>(bytes);
    let path = if path.len() % 4 == 3 {
        "Sample.cls"
    } else {
        "Sample-meta.xml"
    };
    let component = ComponentId::new("Profile", "Sample");
    assert_eq!(diff(&component, path, Some(a), Some(a)).expect("equal bytes"), []);
    let Ok(changes) = diff(&component, path, Some(a), Some(b)) else {
        return;
    };
    for change in &changes {
        assert_eq!(
            change.path.to_string().parse(),
            Ok(change.path.clone()),
            "{}",
            change.path
        );
        assert!(!change.to_string().contains(['\n', '\r', '\u{1b}']), "{change}");
    }
    if path.ends_with(".xml")
        && let (Ok(a), Ok(b)) = (Document::parse(a), Document::parse(b))
    {
        let equal = digest(a.root(), a.root_type()) == digest(b.root(), b.root_type());
        assert_eq!(changes.is_empty(), equal, "{changes:?}");
    }
    assert_eq!(changes.is_empty(), same(path, a, b), "{changes:?}");
});
