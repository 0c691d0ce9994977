//! Files that moved, went away, or are no text.

use std::os::unix::fs::symlink;

use syncline_engine::conflicts::Which;
use syncline_engine::resolution::Choice;

use crate::sandbox::{ROOT, Sandbox, conflict_id, profile, profile_path, told};

const MOVED: &str = "extra/main/default/profiles/Admin.profile-meta.xml";
const FURTHER: &str = "extra/other/profiles/Admin.profile-meta.xml";

fn start(s: &[(&str, &str)]) -> String {
    profile(s)
}

/// Runs both sides' changes, back-promotes `main` onto `uat` and tells the outcome with the profile at its places.
fn check(source: impl Fn(&Sandbox), target: impl Fn(&Sandbox), expect: &str) {
    let sandbox = Sandbox::new();
    sandbox.on("main", |s| source(s));
    sandbox.on("uat", |s| target(s));
    let report = sandbox.promote("main", &["uat"]);
    let mut found = told(&report);
    for (place, path) in [
        ("old", profile_path("Admin")),
        ("moved", MOVED.to_owned()),
        ("further", FURTHER.to_owned()),
    ] {
        if let Some(text) = sandbox.read("uat", &path) {
            let fields: String = text
                .split("<fieldPermissions>")
                .skip(1)
                .map(|part| {
                    let name = part.split("Account.").nth(1).unwrap().chars().next().unwrap();
                    if part.contains("<editable>true") {
                        name
                    } else {
                        name.to_ascii_lowercase()
                    }
                })
                .collect();
            found.push_str(&format!(", {place} {fields}"));
        }
    }
    assert_eq!(found, expect);
}

fn mv(to: &'static str) -> impl Fn(&Sandbox) {
    move |s| {
        s.write(to, "");
        s.git(&["mv", "-f", &profile_path("Admin"), to]);
    }
}

fn edit(path: String, fields: &'static [(&'static str, &'static str)]) -> impl Fn(&Sandbox) {
    move |s| s.write(&path, &start(fields))
}

const FIRST: &[(&str, &str)] = &[("A", "false"), ("B", "true"), ("C", "true")];
const LAST: &[(&str, &str)] = &[("A", "true"), ("B", "true"), ("C", "false")];

#[test]
fn a_file_moved_between_package_directories() {
    let old = || profile_path("Admin");
    // One side moves, the other changes.
    check(mv(MOVED), edit(old(), LAST), "uat done, moved ABc");
    check(edit(old(), FIRST), mv(MOVED), "uat done, moved aBC");
    // A side moves and changes.
    check(
        |s| {
            mv(MOVED)(s);
            edit(MOVED.to_owned(), FIRST)(s);
        },
        edit(old(), LAST),
        "uat done, moved aBc",
    );
    check(
        edit(old(), FIRST),
        |s| {
            mv(MOVED)(s);
            edit(MOVED.to_owned(), LAST)(s);
        },
        "uat done, moved aBc",
    );
    // Both move to the same place.
    check(
        |s| {
            mv(MOVED)(s);
            edit(MOVED.to_owned(), FIRST)(s);
        },
        |s| {
            mv(MOVED)(s);
            edit(MOVED.to_owned(), LAST)(s);
        },
        "uat done, moved aBc",
    );
    check(mv(MOVED), |s| s.write("x.txt", "x"), "uat done, moved ABC");
    // To different places.
    check(mv(MOVED), mv(FURTHER), "uat conflicts 1, further ABC");
}

#[test]
fn moved_or_changed_here_and_deleted_there() {
    let old = || profile_path("Admin");
    let delete = |s: &Sandbox| drop(s.git(&["rm", "--quiet", &profile_path("Admin")]));
    check(delete, mv(MOVED), "uat done");
    check(mv(MOVED), delete, "uat nothing");
    check(delete, edit(old(), LAST), "uat conflicts 1, old ABc");
    check(edit(old(), LAST), delete, "uat conflicts 1");
    check(
        delete,
        |s| {
            mv(MOVED)(s);
            edit(MOVED.to_owned(), LAST)(s);
        },
        "uat conflicts 1, moved ABc",
    );
    check(delete, delete, "uat nothing");
}

#[test]
fn one_component_added_at_two_places() {
    let new = format!("{ROOT}/profiles/New.profile-meta.xml");
    let other = "extra/main/default/profiles/New.profile-meta.xml";
    let run = |theirs: &[(&str, &str)]| {
        let sandbox = Sandbox::new();
        sandbox.on("main", |s| s.write(&new, &profile(theirs)));
        sandbox.on("uat", |s| s.write(other, &profile(FIRST)));
        let report = sandbox.promote("main", &["uat"]);
        assert_eq!(sandbox.read("uat", &new), None);
        (told(&report), sandbox)
    };
    let (report, _) = run(FIRST);
    assert_eq!(report, "uat nothing");
    let (report, sandbox) = run(&[("A", "false"), ("B", "true"), ("C", "true"), ("D", "true")]);
    assert_eq!(report, "uat done");
    assert!(sandbox.read("uat", other).unwrap().contains("Account.D__c"));
    let (report, _) = run(LAST);
    assert_eq!(report, "uat conflicts 2");
}

#[test]
fn what_is_merged_only_as_a_whole() {
    let binary = format!("{ROOT}/staticresources/Logo.png");
    let check = |source: &dyn Fn(&Sandbox), target: &dyn Fn(&Sandbox), choice, expect: Option<&str>| {
        let sandbox = Sandbox::new();
        sandbox.on("main", |s| s.write(&binary, "\0base"));
        sandbox.promote("main", &["uat"]);
        sandbox.on("main", |s| source(s));
        sandbox.on("uat", |s| target(s));
        let report = sandbox.promote("main", &["uat"]);
        assert_eq!(told(&report), "uat conflicts 1");
        let resolved = sandbox.resolve(&conflict_id(&report), Which::All, choice, None);
        assert!(resolved.result.is_some());
        assert_eq!(sandbox.read("uat", &binary).as_deref(), expect);
        assert_eq!(told(&sandbox.promote("main", &["uat"])), "uat nothing");
        sandbox
    };
    let write = |text: &'static str| {
        let binary = binary.clone();
        move |s: &Sandbox| s.write(&binary, text)
    };
    let delete = |s: &Sandbox| drop(s.git(&["rm", "--quiet", &binary]));
    check(&write("\0theirs"), &write("\0ours"), Choice::Theirs, Some("\0theirs"));
    check(&write("\0theirs"), &write("\0ours"), Choice::Ours, Some("\0ours"));
    check(&write("\0theirs"), &write("\0ours"), Choice::Base, Some("\0base"));
    check(&write("\0theirs"), &write("\0ours"), Choice::Delete, None);
    check(&write("\0theirs"), &delete, Choice::Theirs, Some("\0theirs"));
    check(&delete, &write("\0ours"), Choice::Theirs, None);
    let link = |s: &Sandbox| {
        std::fs::remove_file(s.path.join(&binary)).unwrap();
        symlink("elsewhere", s.path.join(&binary)).unwrap();
    };
    let sandbox = check(&link, &write("\0ours"), Choice::Theirs, Some("elsewhere"));
    assert!(sandbox.git(&["ls-tree", "uat", &binary]).starts_with("120000 "));
    // A folder where the other has a file.
    let inner = format!("{binary}/inner.txt");
    let folder = |s: &Sandbox| {
        std::fs::remove_file(s.path.join(&binary)).unwrap();
        s.write(&inner, "inner");
    };
    let sandbox = check(&folder, &write("\0ours"), Choice::Ours, Some("\0ours"));
    assert_eq!(sandbox.read("uat", &inner), None);
    let sandbox = check(
        &folder,
        &write("\0ours"),
        Choice::Theirs,
        Some(&format!("tree uat:{binary}\n\ninner.txt\n")),
    );
    assert_eq!(sandbox.read("uat", &inner).as_deref(), Some("inner"));
}

#[test]
fn modes_settle_like_content() {
    let script = "scripts/run.sh";
    let sandbox = Sandbox::new();
    sandbox.on("main", |s| s.write(script, "a\nb\nc\n"));
    sandbox.promote("main", &["uat"]);
    sandbox.on("main", |s| {
        s.write(script, "A\nb\nc\n");
        s.git(&["add", script]);
        s.git(&["update-index", "--chmod=+x", script]);
        s.git(&["config", "core.fileMode", "false"]);
    });
    sandbox.on("uat", |s| s.write(script, "a\nb\nC\n"));
    assert_eq!(told(&sandbox.promote("main", &["uat"])), "uat done");
    assert_eq!(sandbox.read("uat", script).as_deref(), Some("A\nb\nC\n"));
    assert!(sandbox.git(&["ls-tree", "uat", script]).starts_with("100755 "));
}
