//! docs/reference/cli.md is the help of every verb, and docs/reference/json.md names every field.
//!
//! `SYNCLINE_WRITE_DOCS=1 cargo test -p syncline --test reference` writes cli.md anew.

mod support;

use std::collections::BTreeSet;
use std::path::Path;

use clap::CommandFactory;
use support::TestEnv;
use syncline::cli::Cli;

const HEAD: &str = "\
# Command line

The help of every command, as `syncline … --help` shows it. Written by the test `reference`; do not edit it by hand.
";

fn page(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../docs/reference")
        .join(name)
}

#[test]
fn command_line() {
    let env = TestEnv::new();
    let mut text = HEAD.to_owned();
    let mut add = |words: &[&str]| {
        let line = [&["syncline"], words].concat().join(" ");
        let help = env.run(&[words, &["--help"]].concat());
        assert_eq!(help.code, 0, "{help}");
        let lines: Vec<&str> = help.stdout.lines().map(str::trim_end).collect();
        text.push_str(&format!(
            "\n## {line}\n\n```text\n{}\n```\n",
            lines.join("\n").trim_end()
        ));
    };
    add(&[]);
    let cli = Cli::command();
    for verb in cli.get_subcommands() {
        add(&[verb.get_name()]);
        for action in verb.get_subcommands().filter(|action| action.get_name() != "help") {
            add(&[verb.get_name(), action.get_name()]);
        }
    }
    if std::env::var_os("SYNCLINE_WRITE_DOCS").is_some() {
        std::fs::write(page("cli.md"), &text).expect("written");
    }
    let written = std::fs::read_to_string(page("cli.md")).unwrap_or_default();
    assert!(
        written == text,
        "docs/reference/cli.md is out of date: SYNCLINE_WRITE_DOCS=1 cargo test -p syncline --test reference"
    );
}

#[test]
fn fields_of_json() {
    let env = TestEnv::new();
    env.syncline("demo --setup sample");
    let mut found = BTreeSet::new();
    for line in [
        "init --dry-run",
        "diff production uat",
        "diff production uat --stat --package-xml delta",
        "back-promote --from production --onto uat,developer,nowhere --dry-run",
        "back-promote --from production --onto developer",
        "conflicts list",
        "conflicts show c7944e3a",
        "conflicts resolve c7944e3a 1 --theirs",
        "back-promote --from production --onto developer-2",
        "back-promote --from production --onto developer --component Profile:Sales",
        "demo",
    ] {
        let mut command = env.program(env!("CARGO_BIN_EXE_syncline"));
        command
            .current_dir(env.work().join("sample"))
            .args(line.split(' '))
            .arg("--json");
        let ran = env.finish(&mut command);
        for text in [&ran.stdout, &ran.stderr]
            .into_iter()
            .filter(|text| text.starts_with(['{', '[']))
        {
            let value: serde_json::Value = serde_json::from_str(text).expect("JSON");
            fields(&value, &mut found);
        }
    }
    let text = std::fs::read_to_string(page("json.md")).expect("the page");
    let missing: Vec<&String> = found
        .iter()
        .filter(|field| !text.contains(&format!("`{field}`")))
        .collect();
    assert!(missing.is_empty(), "docs/reference/json.md does not name {missing:?}");
    assert!(found.len() > 50, "{found:?}");
}

fn fields(value: &serde_json::Value, found: &mut BTreeSet<String>) {
    match value {
        serde_json::Value::Object(map) => {
            for (name, value) in map {
                found.insert(name.clone());
                fields(value, found);
            }
        }
        serde_json::Value::Array(list) => list.iter().for_each(|value| fields(value, found)),
        _ => {}
    }
}

#[test]
fn codes_of_errors() {
    let text = std::fs::read_to_string(page("exit-codes.md")).expect("the page");
    let mut missing = BTreeSet::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let source = std::fs::read_to_string(&path).expect("UTF-8");
                let quoted = source.split('"').skip(1).step_by(2);
                missing.extend(
                    quoted
                        .filter(|word| is_code(word) && !text.contains(&format!("`{word}`")))
                        .map(str::to_owned),
                );
            }
        }
    }
    // Never shown: the reader is gone.
    missing.remove("output.closed");
    assert!(
        missing.is_empty(),
        "docs/reference/exit-codes.md does not name {missing:?}"
    );
}

/// Two words of small letters with a dot between, the first one the place where it went wrong.
fn is_code(word: &str) -> bool {
    const PLACES: &[&str] = &[
        "worker",
        "operation",
        "audit",
        "admin",
        "back-promote",
        "config",
        "conflicts",
        "demo",
        "diff",
        "file",
        "git",
        "init",
        "merge",
        "merge-driver",
        "org",
        "output",
        "resolution",
        "simulator",
        "state",
    ];
    let lower = |part: &str| part.chars().all(|c| c.is_ascii_lowercase() || c == '-');
    matches!(word.split_once('.'), Some((place, rest)) if PLACES.contains(&place) && lower(rest) && rest != "toml")
}
