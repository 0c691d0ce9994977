//! What can be asked for: whole branches, commits, components, elements.

use syncline_engine::back_promote::{Base, Outcome};
use syncline_engine::conflicts::Which;
use syncline_engine::resolution::Choice;

use crate::sandbox::{ROOT, Sandbox, class, conflict_id, profile, profile_path, told};

#[test]
fn a_whole_branch_onto_two() {
    let sandbox = Sandbox::new();
    let class_path = format!("{ROOT}/classes/Hello.cls");
    sandbox.on("main", |s| {
        s.write(
            &profile_path("Admin"),
            &profile(&[("A", "false"), ("B", "true"), ("C", "true"), ("N", "true")]),
        );
        s.write(&class_path, &class(&["one", "two", "three", "four", "FIVE"]));
        s.write(&profile_path("New"), &profile(&[]));
    });
    sandbox.on("uat", |s| {
        s.write(
            &profile_path("Admin"),
            &profile(&[("A", "true"), ("B", "true"), ("C", "false")]),
        );
        s.write(&class_path, &class(&["ONE", "two", "three", "four", "five"]));
    });
    let before = [sandbox.rev("uat"), sandbox.rev("dev"), sandbox.rev("main")];
    let report = sandbox.promote("main", &["uat", "dev"]);
    assert_eq!(told(&report), "uat done; dev done");
    let merged = profile(&[("A", "false"), ("B", "true"), ("C", "false"), ("N", "true")]);
    assert_eq!(sandbox.read("uat", &profile_path("Admin")), Some(merged));
    assert_eq!(
        sandbox.read("uat", &class_path),
        Some(class(&["ONE", "two", "three", "four", "FIVE"]))
    );
    assert_eq!(sandbox.rev("uat^1"), before[0]);
    assert_eq!(sandbox.rev("uat^2"), before[2]);
    assert_eq!(sandbox.rev("dev^{tree}"), sandbox.rev("main^{tree}"));
    let message = sandbox.git(&["log", "-1", "--format=%B", "uat"]);
    assert!(
        message.contains(&format!("Syncline-From: main@{}", before[2])),
        "{message}"
    );
    assert!(message.contains(&format!(
        "Syncline-Base: {} common ancestor in git",
        sandbox.rev("main~1")
    )));
    assert_eq!(
        told(&sandbox.promote("main", &["uat", "dev"])),
        "uat nothing; dev nothing"
    );
    assert!(sandbox.git(&["fsck", "--strict", "--no-dangling"]).is_empty());
}

#[test]
fn the_base_is_remembered() {
    let sandbox = Sandbox::new();
    sandbox.on("main", |s| s.write(&profile_path("New"), &profile(&[("A", "true")])));
    sandbox.promote("main", &["uat"]);
    let shared = sandbox.rev("main");
    assert_eq!(sandbox.rev("refs/syncline/base/main/uat^1"), shared);
    sandbox.on("main", |s| s.write(&profile_path("New"), &profile(&[("A", "false")])));
    let report = sandbox.promote("main", &["uat"]);
    let expect = Base::Recorded {
        commit: shared.parse().unwrap(),
    };
    assert_eq!(report.targets[0].base, Some(expect));
    assert_eq!(told(&report), "uat done");
    assert_eq!(sandbox.rev("uat^{tree}"), sandbox.rev("main^{tree}"));
}

#[test]
fn a_conflict_is_kept_resolved_and_replayed() {
    let sandbox = Sandbox::new();
    sandbox.on("main", |s| {
        s.write(
            &profile_path("Admin"),
            &profile(&[("A", "false"), ("B", "true"), ("C", "true"), ("N", "true")]),
        );
    });
    for branch in ["uat", "dev"] {
        sandbox.on(branch, |s| {
            s.write(&profile_path("Admin"), &profile(&[("B", "true"), ("C", "true")]));
        });
    }
    let before = sandbox.rev("uat");
    let report = sandbox.promote("main", &["uat"]);
    assert_eq!(told(&report), "uat conflicts 1");
    assert_eq!(sandbox.rev("uat"), before);
    let id = conflict_id(&report);
    let again = sandbox.promote("main", &["uat"]);
    assert_eq!(conflict_id(&again), id);
    let resolved = sandbox.resolve(&id[..4], Which::All, Choice::Theirs, None);
    assert!(matches!(resolved.result.unwrap().outcome, Outcome::Done { .. }));
    let merged = profile(&[("A", "false"), ("B", "true"), ("C", "true"), ("N", "true")]);
    assert_eq!(sandbox.read("uat", &profile_path("Admin")), Some(merged.clone()));
    assert_eq!(sandbox.git(&["for-each-ref", "refs/syncline/conflicts"]), "");
    // The same conflict in the next environment.
    let report = sandbox.promote("main", &["dev"]);
    assert_eq!(told(&report), "dev done");
    let Outcome::Done { replayed, .. } = &report.targets[0].outcome else {
        panic!()
    };
    assert_eq!(replayed.len(), 1);
    assert_eq!(replayed[0].decided.by, "Ada <ada@example.com>");
    assert_eq!(sandbox.read("dev", &profile_path("Admin")), Some(merged));
    assert!(
        sandbox
            .git(&["log", "-1", "--format=%B", "dev"])
            .contains("Syncline-Replayed: 1 ")
    );
    assert!(sandbox.git(&["fsck", "--strict", "--no-dangling"]).is_empty());
}
