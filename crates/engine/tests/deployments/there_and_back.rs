//! Every kind of change arrives in the org, and the reverse package brings back what was.

use syncline_engine::deployment::reverse;
use syncline_engine::deployment::{Limits, Options, flows::flows, flows_between};

use crate::support::{
    Bench, Files, TEXT, changed, class, field, flow, labels, org, permission_set, picklist, profile, remove, told, xml,
};

type Case = (&'static str, fn(&mut Files));

/// What changes, and how.
const CASES: &[Case] = &[
    ("a class changed", |files| class(files, "A", "Integer size;")),
    ("a class added", |files| class(files, "D", "")),
    ("a class deleted, and who used it let go", |files| {
        remove(files, "classes/B.cls");
        profile(files, &[("A", true)]);
        permission_set(files, &[("A", true)]);
    }),
    ("a field added", |files| field(files, "Memo__c", TEXT)),
    ("a field deleted", |files| remove(files, "fields/Note__c")),
    ("a value added", |files| picklist(files, &["Open", "Paid", "Void"])),
    ("a label changed", |files| {
        labels(files, &[("Bye", "So long"), ("Greeting", "Hello")]);
    }),
    ("a label added", |files| {
        labels(files, &[("Bye", "Bye"), ("Greeting", "Hello"), ("Thanks", "Thanks")]);
    }),
    ("a label deleted", |files| labels(files, &[("Greeting", "Hello")])),
    ("an entry of a profile turned off", |files| {
        profile(files, &[("A", true), ("B", false)]);
    }),
    ("an entry of a profile removed", |files| profile(files, &[("A", true)])),
    ("an entry of a profile added", |files| {
        profile(files, &[("A", true), ("B", true), ("C", true)]);
    }),
    ("an entry of a permission set removed", |files| {
        permission_set(files, &[("A", true)]);
    }),
    ("an entry of a permission set added", |files| {
        permission_set(files, &[("A", true), ("B", true), ("C", true)]);
    }),
    ("a flow changed", |files| flow(files, "Dunning", "Active", "second")),
    ("a flow turned off", |files| flow(files, "Dunning", "Draft", "first")),
    ("a flow added", |files| flow(files, "Reminder", "Active", "new")),
    ("a flow deleted", |files| remove(files, "flows/Dunning")),
    ("an object added", |files| {
        let object = "    <deploymentStatus>Deployed</deploymentStatus>\n    <label>Line</label>\n    <nameField>\n        <label>Name</label>\n        \
                      <type>Text</type>\n    </nameField>\n    <pluralLabel>Lines</pluralLabel>\n    <sharingModel>ReadWrite</sharingModel>\n";
        files.insert(
            "objects/Line__c/Line__c.object-meta.xml".to_owned(),
            xml("CustomObject", object),
        );
        let text = format!("    <fullName>Text__c</fullName>\n    <label>Text</label>\n{TEXT}");
        files.insert(
            "objects/Line__c/fields/Text__c.field-meta.xml".to_owned(),
            xml("CustomField", &text),
        );
    }),
    ("an object deleted", |files| remove(files, "objects/Invoice__c")),
];

#[tokio::test]
async fn each_change_arrives_and_goes_back() {
    let before = org();
    let (bench, old) = Bench::with(&before).await;
    for (what, change) in CASES {
        let after = changed(&before, change);
        let new = bench.tree(&after);
        let forward = bench.package(old, new).await;
        assert_eq!(forward.chunks.len(), 1, "{what}");
        assert_eq!(
            told(&bench.seen(&forward, old).await),
            "",
            "{what}: nobody changed anything"
        );
        bench.send(&forward).await;
        assert_eq!(told(&bench.seen(&forward, new).await), "", "{what}: it arrived");
        assert_ne!(told(&bench.seen(&forward, old).await), "", "{what}: the look sees it");
        let options = Options {
            version: bench.connection.api_version(),
            limits: Limits::default(),
            flows: flows(&bench.connection, &flows_between(&bench.repository, old, new).unwrap())
                .await
                .unwrap(),
            sealer: None,
        };
        let back = reverse(&bench.repository, old, new, &forward, &options).expect("a way back");
        bench.send(&back.package).await;
        assert_eq!(told(&bench.seen(&forward, old).await), "", "{what}: it went back");
        let everything = bench.package(bench.tree(&Files::new()), old).await;
        assert_eq!(
            told(&bench.seen(&everything, old).await),
            "",
            "{what}: nothing else moved"
        );
    }
}

#[tokio::test]
async fn one_package_for_all_changes() {
    let before = org();
    let (bench, old) = Bench::with(&before).await;
    // Those of the cases that do not undo each other.
    let after = changed(&before, |files| {
        for at in [0, 1, 3, 4, 5, 8, 10, 13, 14, 16, 18] {
            CASES[at].1(files);
        }
    });
    let new = bench.tree(&after);
    let forward = bench.package(old, new).await;
    bench.send(&forward).await;
    let everything = bench.package(bench.tree(&Files::new()), new).await;
    assert_eq!(told(&bench.seen(&everything, new).await), "");
    let back = bench.package(new, old).await;
    bench.send(&back).await;
    let everything = bench.package(bench.tree(&Files::new()), old).await;
    assert_eq!(told(&bench.seen(&everything, old).await), "");
}

#[tokio::test]
async fn a_name_is_freed_for_another_type() {
    let aura = |files: &mut Files| {
        files.insert(
            "aura/tile/tile.cmp".to_owned(),
            "<aura:component></aura:component>\n".to_owned(),
        );
        let meta = xml(
            "AuraDefinitionBundle",
            "    <apiVersion>66.0</apiVersion>\n    <description>Tile</description>\n",
        );
        files.insert("aura/tile/tile.cmp-meta.xml".to_owned(), meta);
    };
    let lwc = |files: &mut Files| {
        let js = "import { LightningElement } from 'lwc';\nexport default class Tile extends LightningElement {}\n";
        files.insert("lwc/tile/tile.js".to_owned(), js.to_owned());
        let meta = xml(
            "LightningComponentBundle",
            "    <apiVersion>66.0</apiVersion>\n    <isExposed>false</isExposed>\n",
        );
        files.insert("lwc/tile/tile.js-meta.xml".to_owned(), meta);
    };
    let bench = Bench::start().await;
    let (old, new) = (
        bench.tree(&changed(&Files::new(), aura)),
        bench.tree(&changed(&Files::new(), lwc)),
    );
    let package = bench.package(old, new).await;
    assert!(package.chunks[0].files.contains_key("destructiveChangesPre.xml"));
    assert!(!package.chunks[0].files.contains_key("destructiveChangesPost.xml"));
}

#[tokio::test]
async fn another_case_is_no_deletion() {
    let bench = Bench::start().await;
    let mut before = Files::new();
    class(&mut before, "Billrun", "");
    let mut after = Files::new();
    class(&mut after, "BillRun", "");
    let package = bench.package(bench.tree(&before), bench.tree(&after)).await;
    assert!(package.deletions.is_empty());
    assert_eq!(package.notes.len(), 1, "{:?}", package.notes);
    assert!(package.components.iter().any(|id| &*id.full_name == "BillRun"));
}
