//! Kept conflicts: decided one by one, by several people, refused, given up.

use syncline_engine::back_promote::Outcome;
use syncline_engine::conflicts::{ConflictsError, Resolve, Which, abort, list, resolve, show};
use syncline_engine::resolution::Choice;

use crate::sandbox::{NOW, Sandbox, conflict_id, owner, profile, profile_path, told};

const THEIRS: &[(&str, &str)] = &[("A", "false"), ("B", "false"), ("C", "true"), ("N", "true")];
const OURS: &[(&str, &str)] = &[("C", "true")];

/// Two conflicts: both deleted in `uat` and changed in `main`.
fn two(profiles: &[&str]) -> (Sandbox, String) {
    let sandbox = Sandbox::new();
    let base = sandbox.read("main", &profile_path("Admin")).unwrap();
    for branch in ["main", "uat", "dev"] {
        sandbox.on(branch, |s| {
            profiles.iter().for_each(|name| s.write(&profile_path(name), &base));
        });
    }
    let write = |fields: &'static [(&'static str, &'static str)]| {
        move |s: &Sandbox| {
            profiles
                .iter()
                .for_each(|name| s.write(&profile_path(name), &profile(fields)));
        }
    };
    sandbox.promote("main", &["uat", "dev"]);
    sandbox.on("main", write(THEIRS));
    sandbox.on("uat", write(OURS));
    sandbox.on("dev", write(OURS));
    let report = sandbox.promote("main", &["uat"]);
    let id = conflict_id(&report);
    (sandbox, id)
}

fn named(name: &str) -> Which {
    Which::Named(vec![name.to_owned()])
}

#[test]
fn one_after_the_other() {
    let (sandbox, id) = two(&["Admin"]);
    let record = show(&sandbox.open(), &id).unwrap();
    assert_eq!(record.conflicts.len(), 2);
    assert_eq!(
        record.conflicts[0].path.to_string(),
        "Profile:Admin/fieldPermissions[field=Account.A__c]"
    );
    assert_eq!(record.conflicts[0].reason, "deleted by ours, changed by theirs");
    let first = sandbox.resolve(&id, named("1"), Choice::Theirs, None);
    assert!(matches!(first.result.unwrap().outcome, Outcome::Conflicts { conflicts, .. } if conflicts.len() == 1));
    let record = show(&sandbox.open(), &id).unwrap();
    assert_eq!(record.conflicts[0].decided.as_ref().unwrap().choice, Choice::Theirs);
    assert_eq!(record.open().map(|item| item.number).collect::<Vec<_>>(), [2]);
    // The target moves meanwhile; the decision holds for what did not change.
    sandbox.on("uat", |s| s.write("notes.txt", "more"));
    let path = record.conflicts[1].path.to_string();
    let value = "<fieldPermissions>\n        <editable>false</editable>\n        <field>Account.B__c</field>\n        <readable>false</readable>\n    </fieldPermissions>";
    let last = sandbox.resolve(&id, named(&path), Choice::Value, Some(value));
    assert!(matches!(last.result.unwrap().outcome, Outcome::Done { .. }));
    let text = sandbox.read("uat", &profile_path("Admin")).unwrap();
    assert!(
        text.contains("Account.A__c") && text.contains("<readable>false"),
        "{text}"
    );
    assert_eq!(sandbox.read("uat", "notes.txt").as_deref(), Some("more"));
    assert!(matches!(
        show(&sandbox.open(), &id),
        Err(ConflictsError::Unknown { .. })
    ));
    // Both decisions are replayed in the next environment.
    assert_eq!(told(&sandbox.promote("main", &["dev"])), "dev done");
    assert_eq!(sandbox.read("dev", &profile_path("Admin")), Some(text));
}

#[test]
fn a_decision_never_applies_to_another_profile() {
    let (sandbox, id) = two(&["Admin", "Standard"]);
    let record = show(&sandbox.open(), &id).unwrap();
    assert_eq!(record.conflicts.len(), 4);
    let decided = sandbox.resolve(&id, named("Profile:Admin"), Choice::Theirs, None);
    assert_eq!(decided.decided.len(), 2);
    let report = sandbox.promote("main", &["dev"]);
    assert_eq!(told(&report), "dev conflicts 2");
    let Outcome::Conflicts {
        conflicts, replayed, ..
    } = &report.targets[0].outcome
    else {
        panic!()
    };
    assert!(
        conflicts
            .iter()
            .all(|item| item.path.to_string().starts_with("Profile:Standard/"))
    );
    assert!(replayed.iter().all(|one| one.path.starts_with("Profile:Admin/")));
}

#[test]
fn resolutions_of_the_source_tree_are_replayed() {
    let (sandbox, id) = two(&["Admin"]);
    sandbox.resolve(&id, Which::All, Choice::Ours, None);
    let kept = sandbox.git(&["ls-tree", "-r", "--name-only", "refs/syncline/resolutions"]);
    assert_eq!(kept.lines().count(), 2);
    sandbox.on("main", |s| {
        drop(s.git(&["restore", "--source", "refs/syncline/resolutions", "syncline"]));
    });
    sandbox.git(&["update-ref", "-d", "refs/syncline/resolutions"]);
    assert_eq!(told(&sandbox.promote("main", &["dev"])), "dev done");
}

#[test]
fn what_cannot_be_decided() {
    let (sandbox, id) = two(&["Admin"]);
    let check = |id: &str, which: Which, choice: Choice, value: Option<&str>, expect: &str| {
        let before = sandbox.git(&["for-each-ref"]);
        let ask = Resolve {
            id: id.to_owned(),
            which,
            choice,
            value: value.map(|text| text.as_bytes().to_vec()),
        };
        let error = resolve(&sandbox.open(), &ask, &owner(), NOW).unwrap_err().to_string();
        assert!(error.contains(expect), "{error}");
        assert_eq!(sandbox.git(&["for-each-ref"]), before);
    };
    check(
        "ffffffffff",
        Which::All,
        Choice::Ours,
        None,
        "no conflicts are kept as `ffffffffff`",
    );
    check("", Which::All, Choice::Ours, None, "no conflicts are kept as ``");
    check(&id, named("7"), Choice::Ours, None, "`7` is no conflict of");
    check(&id, named("Profile:Other"), Choice::Ours, None, "is no conflict of");
    check(
        &id,
        Which::All,
        Choice::Value,
        Some("<x/>"),
        "only stand for one conflict",
    );
    check(&id, named("1"), Choice::Value, Some("<broken"), "");
    sandbox.git(&["update-ref", "refs/heads/gone", "uat"]);
    sandbox.git(&["update-ref", "-d", "refs/heads/uat"]);
    check(&id, Which::All, Choice::Ours, None, "it was deleted");
}

#[test]
fn given_up() {
    let (sandbox, id) = two(&["Admin"]);
    let uat = sandbox.rev("uat");
    assert_eq!(list(&sandbox.open()).unwrap().len(), 1);
    assert_eq!(abort(&sandbox.open(), &id[..5], &owner()).unwrap(), id);
    assert!(list(&sandbox.open()).unwrap().is_empty());
    assert_eq!(sandbox.rev("uat"), uat);
    // A damaged record is listed and can be removed.
    sandbox.git(&["update-ref", "refs/syncline/conflicts/abcd", "main"]);
    let listed = list(&sandbox.open()).unwrap();
    assert!(listed[0].record.is_none() && listed[0].error.is_some());
    abort(&sandbox.open(), "abcd", &owner()).unwrap();
}

#[test]
fn two_people_at_once() {
    for _ in 0..10 {
        let (sandbox, id) = two(&["Admin"]);
        let outcomes: Vec<bool> = std::thread::scope(|scope| {
            let people: Vec<_> = [("1", Choice::Theirs), ("2", Choice::Ours)]
                .into_iter()
                .map(|(number, choice)| {
                    let (sandbox, id) = (&sandbox, &id);
                    scope.spawn(move || {
                        let resolved = sandbox.resolve(id, named(number), choice, None);
                        matches!(resolved.result.map(|report| report.outcome), Some(Outcome::Done { .. }))
                    })
                })
                .collect();
            people.into_iter().map(|person| person.join().unwrap()).collect()
        });
        assert_eq!(outcomes.iter().filter(|done| **done).count(), 1, "{outcomes:?}");
        let text = sandbox.read("uat", &profile_path("Admin")).unwrap();
        assert!(
            text.contains("Account.A__c") && !text.contains("Account.B__c"),
            "{text}"
        );
        assert_eq!(sandbox.git(&["for-each-ref", "refs/syncline/conflicts"]), "");
    }
}
