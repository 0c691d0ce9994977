//! The commands in the guide do what the guide shows.

mod support;

use support::{TestEnv, profile};

/// Runs the `$ syncline …` lines of a page's console blocks; what a block shows below a command has to be said.
fn check(page: &str, env: &TestEnv) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../docs/guide")
        .join(page);
    let text = std::fs::read_to_string(path).expect("a page");
    let blocks = text
        .split("```console\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next());
    let mut commands = 0;
    for block in blocks {
        let mut said = String::new();
        for line in block.lines() {
            match line.strip_prefix("$ syncline ") {
                Some(arguments) => {
                    let ran = env.syncline(arguments);
                    assert!(ran.code <= 1, "{line}: {ran}");
                    said = ran.stdout + &ran.stderr;
                    commands += 1;
                }
                None => assert!(said.contains(line), "{page} shows `{line}`, the program says: {said}"),
            }
        }
    }
    assert!(commands > 0, "{page} shows no command");
}

#[test]
fn merge_file() {
    let env = TestEnv::new();
    let side = |enabled| profile(&[("Invoices", enabled)]);
    env.write("base.xml", profile(&[]))
        .write("ours.xml", side(true))
        .write("theirs.xml", side(false));
    check("merge-file.md", &env);
    let page = include_str!("../../../docs/guide/merge-file.md");
    let markers: String = env
        .read("merged.xml")
        .lines()
        .skip(2)
        .take(9)
        .map(|line| format!("{line}\n"))
        .collect();
    assert!(page.contains(&markers), "{markers}");
}

#[test]
fn merge_driver() {
    check("merge-driver.md", &TestEnv::repository());
}
