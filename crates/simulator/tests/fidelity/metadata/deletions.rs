//! Deletions: item 22 of section 12.

use super::client::{Client, Files, fast, manifest, package, rows, value, xml};
use super::deploy::STRICT;

#[tokio::test(flavor = "multi_thread")]
async fn item_22_deletions() {
    let client = Client::new(fast(), "dev1").await;
    let mut files = package(&[], &[]);
    let delete = |files: &mut Files, file: &str, members: &[&str]| {
        files.insert(file.to_owned(), manifest(members).into_bytes());
    };
    delete(&mut files, "destructiveChanges.xml", &["ApexClass:Gone"]);
    let result = client.deploy(
        &files,
        "<ignoreWarnings>true</ignoreWarnings><rollbackOnError>true</rollbackOnError>",
    );
    assert_eq!(value(&result, "status"), "Succeeded");
    let told = rows(&result, "componentSuccesses", &["fullName", "problemType", "problem"]);
    assert!(
        told.contains(&"destructiveChanges.xml Warning No ApexClass named: Gone found".to_owned()),
        "{told:?}"
    );
    // A warning fails a deployment that does not ignore warnings.
    assert_eq!(value(&client.deploy(&files, STRICT), "status"), "Failed");
    delete(&mut files, "destructiveChanges.xml", &["ApexClass:*"]);
    let result = client.deploy(&files, STRICT);
    assert_eq!(value(&result, "status"), "Failed");
    assert!(value(&result, "problem").starts_with("Wildcards"), "{result}");
}

#[tokio::test(flavor = "multi_thread")]
async fn deletion_of_what_others_need() {
    let client = Client::new(fast(), "dev1").await;
    let object = xml(
        "CustomObject",
        "<label>Boat</label><pluralLabel>Boats</pluralLabel><nameField><label>N</label><type>Text</type></nameField><fields><fullName>Mast__c</fullName><label>M</label><type>Checkbox</type></fields><fields><fullName>Both__c</fullName><label>B</label><formula>Mast__c</formula><type>Checkbox</type></fields>",
    );
    client.deploy_ok(&package(
        &["CustomObject:Boat__c"],
        &[("objects/Boat__c.object", &object)],
    ));
    let delete = |file: &str, members: &[&str]| {
        let mut files = package(&[], &[]);
        files.insert(file.to_owned(), manifest(members).into_bytes());
        client.deploy(&files, STRICT)
    };
    let refused = delete("destructiveChanges.xml", &["CustomField:Boat__c.Mast__c"]);
    assert_eq!(
        value(&refused, "problem"),
        "This custom field is referenced elsewhere in salesforce.com : Boat__c.Both__c."
    );
    assert_eq!(
        value(&delete("destructiveChanges.xml", &["CustomObject:Account"]), "status"),
        "Failed"
    );
    let done = delete(
        "destructiveChangesPost.xml",
        &["CustomField:Boat__c.Mast__c", "CustomField:Boat__c.Both__c"],
    );
    assert_eq!(value(&done, "status"), "Succeeded", "{done}");
    let (status, _) = client.json("GET", "/query", "q=SELECT+Mast__c+FROM+Boat__c", "");
    assert_eq!(status, 400);
    let done = delete("destructiveChanges.xml", &["CustomObject:Boat__c"]);
    assert_eq!(value(&done, "status"), "Succeeded", "{done}");
    let (status, error) = client.json("GET", "/query", "q=SELECT+Id+FROM+Boat__c", "");
    assert_eq!((status, error[0]["errorCode"].as_str()), (400, Some("INVALID_TYPE")));
}

#[tokio::test(flavor = "multi_thread")]
async fn layouts_lose_deleted_fields() {
    let client = Client::new(fast(), "dev1").await;
    let field = xml(
        "CustomObject",
        "<fields><fullName>Mast__c</fullName><label>M</label><type>Checkbox</type></fields>",
    );
    let layout = xml(
        "Layout",
        "<layoutSections><layoutColumns><layoutItems><field>Name</field></layoutItems><layoutItems><field>Mast__c</field></layoutItems></layoutColumns></layoutSections>",
    );
    client.deploy_ok(&package(
        &["CustomField:Account.Mast__c", "Layout:Account-L"],
        &[
            ("objects/Account.object", &field),
            ("layouts/Account-L.layout", &layout),
        ],
    ));
    let mut files = package(&[], &[]);
    files.insert(
        "destructiveChanges.xml".to_owned(),
        manifest(&["CustomField:Account.Mast__c"]).into_bytes(),
    );
    let result = client.deploy(&files, STRICT);
    assert_eq!(value(&result, "status"), "Succeeded", "{result}");
    let retrieved = client.retrieve(&["Layout:Account-L"]);
    let text = String::from_utf8_lossy(&retrieved["layouts/Account-L.layout"]).into_owned();
    assert!(text.contains("Name") && !text.contains("Mast__c"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn active_flow_cannot_be_deleted() {
    let client = Client::new(fast(), "dev1").await;
    let flow = |status: &str| {
        xml(
            "Flow",
            &format!("<label>F</label><processType>AutoLaunchedFlow</processType><status>{status}</status>"),
        )
    };
    client.deploy_ok(&package(&["Flow:F"], &[("flows/F.flow", &flow("Active"))]));
    client.deploy_ok(&package(&["Flow:F"], &[("flows/F.flow", &flow("Draft"))]));
    let delete = |member: &str| {
        let mut files = package(&[], &[]);
        files.insert("destructiveChanges.xml".to_owned(), manifest(&[member]).into_bytes());
        value(&client.deploy(&files, STRICT), "status")
    };
    assert_eq!(delete("Flow:F"), "Failed");
    assert_eq!(delete("Flow:F-1"), "Failed");
    assert_eq!(delete("Flow:F-2"), "Succeeded");
}
