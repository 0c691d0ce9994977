//! Values sealed by hand: the value is read from standard input and shown nowhere.

mod support;

use support::TestEnv;

const CANARY: &str = "CANARY-5d21";
const PLACE: &str = "CustomMetadata:Setting.Erp/values[field=Token__c]/value";

#[test]
fn a_value_is_sealed_and_never_shown() {
    let env = TestEnv::repository();
    let seal = |more: &[&str], place: &str, input: &str| {
        let line = [&["admin", "seal", place], more].concat();
        let ran = env.run_with(&line, &[], input);
        assert!(!ran.to_string().contains(CANARY), "{ran}");
        ran
    };
    let first = seal(&[], PLACE, &format!("{CANARY}\n"));
    assert_eq!(first.code, 0, "{first}");
    let sealed = first.stdout.trim();
    assert!(
        sealed.starts_with("sealed:") && !sealed.contains(char::is_whitespace),
        "{first}"
    );
    let again = seal(&["--json"], PLACE, CANARY);
    let told: serde_json::Value = serde_json::from_str(&again.stdout).expect("JSON");
    assert_eq!(
        (&told["path"], &told["secret"]),
        (&PLACE.into(), &sealed.into()),
        "the same again"
    );
    let other = seal(&[], "CustomMetadata:Setting.Other/values[field=Token__c]/value", CANARY);
    assert_ne!(other.stdout.trim(), sealed, "good for its place only");
    for (place, input) in [(PLACE, " \n"), ("Nonsense", CANARY)] {
        let refused = seal(&[], place, input);
        assert_eq!(refused.code, 2, "{refused}");
    }
    // An overlay takes it.
    env.write(
        "syncline.toml",
        "[environments.uat]\nbranch = \"main\"\nkind = \"uat\"\n",
    );
    env.write(
        "syncline/overlays/uat.toml",
        format!("[[overlay]]\npath = \"{PLACE}\"\nsecret = \"{sealed}\"\n"),
    );
    let checked = env.syncline("env check --offline");
    assert!(!checked.stdout.contains("overlay"), "{checked}");
    for entry in walk(&env.work()) {
        let bytes = std::fs::read(&entry).expect("read");
        assert!(!String::from_utf8_lossy(&bytes).contains(CANARY), "{}", entry.display());
    }
}

fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("read") {
        let path = entry.expect("an entry").path();
        match path.is_dir() {
            true => found.extend(walk(&path)),
            false => found.push(path),
        }
    }
    found
}
