//! Any text: an error that names a line, or a manifest that survives printing.
#![no_main]

use libfuzzer_sys::fuzz_target;
use syncline_metadata::package::PackageManifest;

fuzz_target!(|text: &str| match PackageManifest::parse(text) {
    Ok(manifest) => {
        let printed = manifest.to_string();
        let again = PackageManifest::parse(&printed).expect("what is printed can be read");
        assert_eq!(again, manifest, "{printed}");
    }
    Err(error) => assert!(error.to_string().starts_with("line "), "{error}"),
});
