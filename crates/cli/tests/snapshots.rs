//! What changed in an org since the last snapshot is seen, also where no date of the component itself tells of it.

mod support;

use serde_json::Value;
use support::outside::Files;
use support::world::{World, base, changed, class, invoice, news, permission_set, profile, remote_site};

/// What an incremental snapshot finds after a change by somebody else.
fn found(change: impl FnOnce(&mut Files)) -> Vec<String> {
    let world = World::of(&["production"]);
    let mut site = Files::new();
    remote_site(&mut site, "Erp");
    class(&mut site, "Other", &[]);
    world.admin("production").change(&site, &[]);
    world.ok("snapshot production");
    world.ok("drift production --adopt --all");
    world
        .admin("production")
        .change(&news(&base(), &changed(&base(), change)), &[]);
    let taken = world.json("snapshot production");
    let unchanged = &taken["snapshots"][0]["unchanged"];
    assert!(
        unchanged.as_u64() > Some(0),
        "not everything is retrieved anew: {taken}"
    );
    let found = world.json("drift production");
    let path = |one: &Value| format!("{} {}", one["path"].as_str().unwrap_or_default(), one["kind"]);
    let lines = found["differences"]
        .as_array()
        .expect("a list")
        .iter()
        .map(path)
        .collect();
    // The same as if everything were looked at.
    let full = world.json("snapshot production --full");
    assert_eq!(full["snapshots"][0]["changed"], false, "{full}");
    lines
}

#[test]
fn an_entry_of_a_profile_about_a_class_that_did_not_change() {
    let lines = found(|files| profile(files, &[("Fee", false), ("Tax", true)]));
    assert_eq!(
        lines,
        ["Profile:Clerk/classAccesses[apexClass=Fee]/enabled \"changed\""]
    );
    let lines = found(|files| profile(files, &[("Fee", true), ("Other", true), ("Tax", true)]));
    assert_eq!(lines, ["Profile:Clerk/classAccesses[apexClass=Other] \"added\""]);
}

#[test]
fn an_entry_of_a_permission_set() {
    let lines = found(|files| permission_set(files, &[("Fee", true)]));
    assert_eq!(
        lines,
        ["PermissionSet:Billing/classAccesses[apexClass=Tax] \"removed\""]
    );
}

#[test]
fn a_field_of_an_object() {
    let lines = found(|files| invoice(files, &[("More__c", 20), ("Note__c", 80), ("Text__c", 80)]));
    assert_eq!(lines, ["CustomField:Invoice__c.More__c \"added\""]);
    let lines = found(|files| invoice(files, &[("Note__c", 90), ("Text__c", 80)]));
    assert_eq!(lines, ["CustomField:Invoice__c.Note__c/length \"changed\""]);
}
