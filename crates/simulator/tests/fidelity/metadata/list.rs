//! Listing and describing: items 28 and 29 of section 12.

use super::client::{Client, fast, package, rows, value, xml};
use super::deploy::classes;

fn query(kind: &str) -> String {
    format!("<queries><type>{kind}</type></queries>")
}

#[tokio::test(flavor = "multi_thread")]
async fn item_28_list_metadata_traps() {
    let client = Client::new(fast(), "dev1").await;
    let many: Vec<String> = (0..9).map(|n| format!("Boat{n}")).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|name| (name.as_str(), "class X { }")).collect();
    client.deploy_ok(&classes(&many));
    let layout = ("layouts/Account-Big %28x%29.layout", xml("Layout", ""));
    client.deploy_ok(&package(
        &["Layout:Account-Big %28x%29", "Settings:Account"],
        &[
            (layout.0, &layout.1),
            ("settings/Account.settings", &xml("AccountSettings", "")),
        ],
    ));
    let list = |queries: &str| client.soap(&format!("<met:listMetadata>{queries}</met:listMetadata>"));
    let names = rows(&list(&query("ApexClass")), "result", &["fullName"]);
    let mut sorted = names.clone();
    sorted.sort();
    assert_eq!(names.len(), 9);
    assert_ne!(names, sorted, "the order must not be that of the names");
    assert_eq!(names, rows(&list(&query("ApexClass")), "result", &["fullName"]));
    assert_eq!(
        rows(&list(&query("Layout")), "result", &["fullName"]),
        ["Account-Big %28x%29"]
    );
    assert_eq!(
        rows(
            &list(&query("Settings")),
            "result",
            &["fullName", "id", "lastModifiedDate"]
        ),
        ["Account - 1970-01-01T00:00:00.000Z"]
    );
    let set = xml(
        "StandardValueSet",
        "<sorted>false</sorted><standardValue><fullName>Fair</fullName><default>false</default><label>Fair</label></standardValue>",
    );
    client.deploy_ok(&package(
        &["StandardValueSet:LeadSource"],
        &[("standardValueSets/LeadSource.standardValueSet", &set)],
    ));
    assert!(
        client
            .retrieve(&["StandardValueSet:LeadSource"])
            .contains_key("standardValueSets/LeadSource.standardValueSet")
    );
    assert_eq!(
        rows(&list(&query("StandardValueSet")), "result", &["fullName"]).len(),
        0
    );
    let objects = rows(&list(&query("CustomObject")), "result", &["fullName", "createdDate"]);
    assert!(objects.contains(&"Account 1970-01-01T00:00:00.000Z".to_owned()));
    let call = |queries: &str| format!("<met:listMetadata>{queries}</met:listMetadata>");
    assert_eq!(
        client.fault(&call(&(query("ApexClass") + &query("Nonsense")))).0,
        "sf:INVALID_TYPE"
    );
    assert_eq!(
        client.fault(&call(&query("ApexClass").repeat(4))).0,
        "sf:EXCEEDED_ID_LIMIT"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn folders_are_listed_first() {
    let client = Client::new(fast(), "dev1").await;
    client.deploy_ok(&package(
        &["ReportFolder:Fleet", "Report:Fleet/Boats"],
        &[
            ("reports/Fleet-meta.xml", &xml("ReportFolder", "<name>Fleet</name>")),
            ("reports/Fleet/Boats.report", &xml("Report", "<name>Boats</name>")),
        ],
    ));
    let list = |query: &str| {
        let text = client.soap(&format!(
            "<met:listMetadata><queries>{query}</queries></met:listMetadata>"
        ));
        rows(&text, "result", &["fullName"])
    };
    assert_eq!(list("<type>ReportFolder</type>"), ["Fleet"]);
    assert_eq!(list("<folder>Fleet</folder><type>Report</type>"), ["Fleet/Boats"]);
    assert_eq!(list("<type>Report</type>").len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn item_29_describe_depends_on_version_and_org() {
    let client = Client::new(fast(), "prod").await;
    let describe = |client: &Client, version: &str| {
        client.soap(&format!(
            "<describeMetadata><asOfVersion>{version}</asOfVersion></describeMetadata>"
        ))
    };
    let types = |text: &str| rows(text, "metadataObjects", &["xmlName"]);
    let (old, new) = (describe(&client, "50.0"), describe(&client, "67.0"));
    assert!(types(&new).contains(&"GenAiFunction".to_owned()));
    assert!(!types(&old).contains(&"GenAiFunction".to_owned()));
    assert!(types(&old).contains(&"ApexClass".to_owned()));
    assert!(!types(&new).contains(&"ReportFolder".to_owned()));
    assert_eq!(
        (value(&new, "testRequired"), value(&new, "partialSaveAllowed")),
        ("true".into(), "false".into())
    );
    let sandbox = describe(&Client::of(client.world.clone(), "dev1"), "67.0");
    assert_eq!(
        (value(&sandbox, "testRequired"), value(&sandbox, "partialSaveAllowed")),
        ("false".into(), "true".into())
    );
    let bundle = rows(
        &new,
        "metadataObjects",
        &["xmlName", "directoryName", "suffix", "metaFile"],
    );
    assert!(bundle.contains(&"LightningComponentBundle lwc - false".to_owned()));
    assert!(bundle.contains(&"ApexClass classes cls true".to_owned()));
    let fields = client
        .soap("<describeValueType><type>{http://soap.sforce.com/2006/04/metadata}Profile</type></describeValueType>");
    assert!(
        rows(&fields, "valueTypeFields", &["name", "soapType"])
            .contains(&"fieldPermissions ProfileFieldLevelSecurity".to_owned())
    );
}
