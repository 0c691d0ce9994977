//! docs/reference/configuration.md names every key, and its examples are right.

use std::collections::BTreeSet;

use syncline_domain::config::{Code, Config};
use syncline_domain::overlay::Overlays;
use syncline_domain::scope::Scope;

const PAGE: &str = include_str!("../../../docs/reference/configuration.md");

fn example(heading: &str) -> &'static str {
    let (_, section) = PAGE.split_once(&format!("\n## {heading}\n")).expect(heading);
    let (_, block) = section.split_once("```toml\n").expect("an example");
    block.split_once("```").expect("its end").0
}

#[test]
fn examples_are_right() {
    let config = Config::check(example("syncline.toml")).expect("syncline.toml");
    assert_eq!(config.ways().len(), 5);
    Scope::check(example("syncline/scope.toml")).expect("scope.toml");
    let overlays = Overlays::check("uat", example("syncline/overlays/ENVIRONMENT.toml")).expect("overlays");
    assert_eq!(overlays.list.len(), 3);
}

/// The keys that a table knows, as the error about another key tells them.
fn keys(text: &str) -> BTreeSet<String> {
    let text = format!("{text}\nno-such-key = 1\n");
    let error = Config::parse(&text).expect_err("an unknown key").problem;
    let (_, known) = error.split_once("expected ").expect(&error);
    known.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn every_key_is_named() {
    let environment = "[environments.a]\nbranch = \"a\"\nkind = \"developer\"";
    let tables = [
        "",
        environment,
        "[naming]",
        "[gates]",
        "[gates.analysis]",
        "[[gates.functional]]",
        "[[edges]]\nfrom = \"a\"\nto = \"b\"",
        "[[freeze]]\nname = \"a\"",
        "[[system]]\nname = \"a\"",
        "[[system]]\nname = \"a\"\n[system.environments.a]",
        "[[steps]]\nid = \"a\"\nwhen = \"pre\"",
    ];
    for table in tables {
        for key in keys(table) {
            let named = [
                format!("`{key}`"),
                format!("[{key}]"),
                format!("[{key}."),
                format!("[[{key}]]"),
            ];
            assert!(
                named.iter().any(|form| PAGE.contains(form.as_str())),
                "{key} of {table:?}"
            );
        }
    }
    for code in Code::ALL {
        assert!(PAGE.contains(&format!("`{}`", code.name())), "{}", code.name());
    }
}
