//! Any text: an error, or an element path that survives printing.
#![no_main]

use libfuzzer_sys::fuzz_target;
use syncline_metadata::path::ElementPath;

fuzz_target!(|text: &str| {
    if let Ok(path) = text.parse::<ElementPath>() {
        let printed = path.to_string();
        assert_eq!(printed.parse(), Ok(path), "{printed}");
        assert!(!printed.contains(['\n', '\r', '\0']), "{printed:?}");
    }
});
