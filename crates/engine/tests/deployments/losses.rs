//! What cannot be undone is told, the data of a deleted field is kept, and what would be missing is named.

use syncline_engine::deployment::export::{export, wanted};
use syncline_engine::deployment::{Loss, irreversible, missing};

use crate::support::{
    Bench, Files, TEXT, changed, class, field, flow, is_private, labels, org, picklist, profile, remove,
};

#[tokio::test]
async fn losses_are_listed() {
    let (bench, old) = Bench::with(&org()).await;
    let check = async |change: fn(&mut Files), expect: &[(&str, Loss)]| {
        let package = bench.package(old, bench.tree(&changed(&org(), change))).await;
        let found = irreversible(&package);
        let found: Vec<(&str, Loss)> = found.iter().map(|one| (one.component.as_str(), one.loss)).collect();
        assert_eq!(found, expect);
    };
    check(
        |f| remove(f, "fields/Note__c"),
        &[("CustomField:Invoice__c.Note__c", Loss::Data)],
    )
    .await;
    check(
        |f| picklist(f, &["Open", "Paid", "Void"]),
        &[("CustomField:Invoice__c.Status__c", Loss::Stays)],
    )
    .await;
    check(
        |f| picklist(f, &["Open"]),
        &[("CustomField:Invoice__c.Status__c", Loss::Uncertain)],
    )
    .await;
    check(
        |f| field(f, "Note__c", &TEXT.replace("80", "20")),
        &[("CustomField:Invoice__c.Note__c", Loss::Data)],
    )
    .await;
    check(
        |f| flow(f, "Dunning", "Active", "second"),
        &[("Flow:Dunning", Loss::Stays)],
    )
    .await;
    check(|f| labels(f, &[("Bye", "x"), ("Greeting", "Hello")]), &[]).await;
    check(|f| field(f, "Memo__c", TEXT), &[]).await;
}

#[tokio::test]
async fn a_fields_data_is_kept_before_it_is_deleted() {
    let (bench, old) = Bench::with(&org()).await;
    for at in 0..3 {
        let row = serde_json::json!({"Name": format!("I{at}"), "Note__c": format!("note, \"{at}\"")});
        let row = row.as_object().expect("an object").clone();
        bench.connection.create("Invoice__c", &row).await.expect("a row");
    }
    let package = bench
        .package(old, bench.tree(&changed(&org(), |f| remove(f, "fields/Note__c"))))
        .await;
    let wanted = wanted(&bench.repository, &package, old).expect("wanted");
    assert_eq!(wanted.len(), 1);
    assert_eq!(
        (wanted[0].object.as_str(), wanted[0].fields.as_slice()),
        ("Invoice__c", &["Note__c".to_owned()][..])
    );
    let folder = tempfile::tempdir().expect("a folder");
    let to = folder.path().join("exports");
    let kept = export(&bench.connection, &wanted, &to).await.expect("kept");
    assert_eq!(kept[0].rows, 3);
    let text = std::fs::read_to_string(&kept[0].file).expect("the file");
    for at in 0..3 {
        assert!(text.contains(&format!("note, \"\"{at}\"\"")), "{text}");
    }
    assert!(is_private(&kept[0].file));
    // Once the field is gone, the file is still what was kept.
    bench.send(&package).await;
    assert_eq!(export(&bench.connection, &wanted, &to).await.expect("kept"), kept);
}

#[tokio::test]
async fn what_is_missing_is_named() {
    let (bench, old) = Bench::with(&org()).await;
    let check = |change: fn(&mut Files)| {
        let after = bench.tree(&changed(&org(), change));
        let bench = &bench;
        async move { (after, bench.package(old, after).await) }
    };
    let names = |(after, package): (syncline_git::Oid, syncline_engine::deployment::Package)| {
        let found = missing(&bench.repository, &package, old, after).expect("read");
        let name = |one: &syncline_engine::deployment::Missing| {
            format!(
                "{} needs {}{}",
                one.needed_by,
                one.component,
                if one.deleted { " (deleted)" } else { "" }
            )
        };
        found.iter().map(name).collect::<Vec<_>>()
    };
    let found = names(check(|f| profile(f, &[("A", true), ("Gone", true)])).await);
    assert_eq!(found, ["Profile:Clerk needs ApexClass:Gone"]);
    let found = names(check(|f| field(f, "Link__c", "    <referenceTo>Nowhere__c</referenceTo>\n    <relationshipName>Links</relationshipName>\n    <type>Lookup</type>\n")).await);
    assert_eq!(found, ["CustomField:Invoice__c.Link__c needs CustomObject:Nowhere__c"]);
    let found = names(check(|f| class(f, "D", "")).await);
    assert!(found.is_empty(), "{found:?}");
    let found = names(check(|f| remove(f, "objects/Invoice__c/Invoice__c.object")).await);
    assert!(found.iter().all(|text| text.contains("(deleted)")), "{found:?}");
}
