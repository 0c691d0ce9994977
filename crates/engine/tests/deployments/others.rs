//! What somebody else changes in the org is seen before anything is sent.

use crate::support::{Bench, Files, TEXT, changed, class, field, labels, org, permission_set, profile, remove, told};

/// Our change, theirs, and what is told of theirs.
type Case = (&'static str, fn(&mut Files), fn(&mut Files), &'static str);

const CASES: &[Case] = &[
    (
        "the same class",
        |f| class(f, "A", "Integer a;"),
        |f| class(f, "A", "Integer b;"),
        "ApexClass A changed",
    ),
    (
        "the class that we delete",
        |f| remove(f, "classes/C.cls"),
        |f| class(f, "C", "Integer b;"),
        "ApexClass C changed",
    ),
    (
        "the class that we add",
        |f| class(f, "D", ""),
        |f| class(f, "D", "Integer b;"),
        "ApexClass D added",
    ),
    (
        "the class that we change, deleted",
        |f| class(f, "C", "Integer a;"),
        |f| remove(f, "classes/C.cls"),
        "ApexClass C removed",
    ),
    (
        "the field that we delete",
        |f| remove(f, "fields/Note__c"),
        |f| field(f, "Note__c", &TEXT.replace("80", "90")),
        "CustomField Invoice__c.Note__c › length changed",
    ),
    (
        "a field of the object that we delete",
        |f| remove(f, "objects/Invoice__c"),
        |f| field(f, "Memo__c", TEXT),
        "CustomField Invoice__c.Memo__c added",
    ),
    (
        "the same label",
        |f| labels(f, &[("Bye", "Bye"), ("Greeting", "Hi")]),
        |f| labels(f, &[("Bye", "Bye"), ("Greeting", "Hey")]),
        "CustomLabels CustomLabels › labels Greeting › value changed",
    ),
    (
        "the same entry of a profile",
        |f| profile(f, &[("A", true), ("B", false)]),
        |f| profile(f, &[("A", true)]),
        "Profile Clerk › classAccesses B › enabled changed",
    ),
    (
        "an entry of a profile that we send",
        |f| profile(f, &[("A", true), ("B", true), ("C", true)]),
        |f| profile(f, &[("A", true), ("B", true), ("C", true)]),
        "Profile Clerk › classAccesses C added",
    ),
    (
        "any entry of a permission set",
        |f| permission_set(f, &[("A", true), ("B", false)]),
        |f| permission_set(f, &[("A", true), ("B", true), ("C", true)]),
        "PermissionSet Billing › classAccesses C added",
    ),
    (
        "another label",
        |f| labels(f, &[("Bye", "Bye"), ("Greeting", "Hi")]),
        |f| labels(f, &[("Bye", "Ciao"), ("Greeting", "Hello")]),
        "",
    ),
    (
        "another class",
        |f| class(f, "A", "Integer a;"),
        |f| class(f, "B", "Integer b;"),
        "",
    ),
    (
        "another entry of a profile",
        |f| profile(f, &[("A", true), ("B", false)]),
        |f| profile(f, &[("A", true), ("B", true), ("C", true)]),
        "",
    ),
];

#[tokio::test]
async fn a_change_of_somebody_else_is_seen() {
    let before = org();
    let (bench, old) = Bench::with(&before).await;
    for (what, ours, theirs, expect) in CASES {
        let package = bench.package(old, bench.tree(&changed(&before, ours))).await;
        assert_eq!(told(&bench.seen(&package, old).await), "", "{what}");
        let now = changed(&before, theirs);
        bench.others_change(&before, &now).await;
        let seen = told(&bench.seen(&package, old).await);
        // A class is told line by line.
        let first = seen.lines().next().unwrap_or_default();
        assert!(
            if expect.is_empty() {
                seen.is_empty()
            } else {
                first.starts_with(expect.rsplit_once(' ').unwrap().0)
            },
            "{what}: {seen}"
        );
        bench.others_change(&now, &before).await;
    }
}

/// A profile's entries that we do not send stay as somebody else made them meanwhile.
#[tokio::test]
async fn entries_that_are_not_sent_stay() {
    let before = org();
    let (bench, old) = Bench::with(&before).await;
    let ours = changed(&before, |files| profile(files, &[("A", false), ("B", true)]));
    let theirs = changed(&before, |files| {
        profile(files, &[("A", true), ("B", true), ("C", true)]);
    });
    let package = bench.package(old, bench.tree(&ours)).await;
    bench.others_change(&before, &theirs).await;
    bench.send(&package).await;
    let both = changed(&before, |files| {
        profile(files, &[("A", false), ("B", true), ("C", true)]);
    });
    let everything = bench.package(bench.tree(&Files::new()), bench.tree(&both)).await;
    assert_eq!(told(&bench.seen(&everything, bench.tree(&both)).await), "");
}
