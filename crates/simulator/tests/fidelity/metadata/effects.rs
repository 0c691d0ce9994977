//! What deployments do to the org: objects, rows, source members (item 35 of section 12).

use super::client::{Client, fast, package, rows, stepped, value, xml};
use super::deploy::{STRICT, classes};
use super::round_trip::repository;
use serde_json::json;

fn count(client: &Client, path: &str, soql: &str) -> i64 {
    let (status, answer) = client.json(
        "GET",
        path,
        &format!("q={}", soql.replace(' ', "+").replace('=', "%3D").replace('\'', "%27")),
        "",
    );
    assert_eq!(status, 200, "{soql}: {answer}");
    answer["totalSize"]
        .as_i64()
        .or_else(|| answer["size"].as_i64())
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn deployed_objects_are_queryable_at_once() {
    let client = Client::new(fast(), "dev1").await;
    client.deploy_ok(&repository());
    assert_eq!(
        count(
            &client,
            "/query",
            "SELECT Id, Name, Length__c, Rig__c, Owner_Account__r.Name FROM Boat__c"
        ),
        0
    );
    assert_eq!(
        count(
            &client,
            "/query",
            "SELECT Masts__c FROM Rig__mdt WHERE DeveloperName = 'Sloop' AND Masts__c = 1"
        ),
        1
    );
    let schema = client.org.lock().schema.clone();
    let boat = schema.object("Boat__c").unwrap();
    assert_eq!(boat.key_prefix.as_deref(), Some("a00"));
    let rig = boat.field("Rig__c").unwrap();
    assert_eq!(
        rig.picklist
            .iter()
            .map(|value| value.value.as_str())
            .collect::<Vec<_>>(),
        ["Sloop", "Cat"]
    );
    assert_eq!(
        boat.field("Owner_Account__c").unwrap().children.as_deref(),
        Some("Boats__r")
    );
    for (soql, expect) in [
        (
            "SELECT Id FROM ApexClass WHERE Name = 'BoatService' AND IsValid = true",
            1,
        ),
        (
            "SELECT Id FROM StaticResource WHERE Name = 'Chart' AND ContentType = 'text/plain'",
            1,
        ),
        ("SELECT Id FROM PermissionSet WHERE Name = 'Crew' AND Label = 'Crew'", 1),
        ("SELECT Id FROM Profile WHERE Name = 'Skipper'", 1),
        (
            "SELECT Id FROM RecordType WHERE DeveloperName = 'Racer' AND SobjectType = 'Boat__c'",
            1,
        ),
        ("SELECT Id FROM Folder WHERE DeveloperName = 'Fleet'", 1),
        ("SELECT Id FROM SetupAuditTrail WHERE Action = 'createdApexTrigger'", 1),
    ] {
        assert_eq!(count(&client, "/query", soql), expect, "{soql}");
    }
    for (soql, expect) in [
        (
            "SELECT Id FROM RemoteProxy WHERE EndpointUrl = 'https://weather.example'",
            1,
        ),
        ("SELECT Id FROM CustomField WHERE TableEnumOrId = 'Boat__c'", 3),
        ("SELECT Id FROM ValidationRule WHERE Active = true", 1),
        (
            "SELECT Id FROM ApexTrigger WHERE TableEnumOrId = 'Boat__c' AND UsageBeforeInsert = true",
            1,
        ),
        (
            "SELECT Id FROM MetadataComponentDependency WHERE RefMetadataComponentType = 'ApexClass'",
            2,
        ),
    ] {
        assert_eq!(count(&client, "/tooling/query", soql), expect, "{soql}");
    }
    let rules: i64 = client
        .org
        .lock()
        .db
        .query_row(
            "SELECT count(*) FROM _validation WHERE object = 'Boat__c' AND active = 1",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(rules, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_validation_leaves_nothing() {
    let client = Client::new(fast(), "dev1").await;
    let result = client.deploy(&repository(), &format!("{STRICT}<checkOnly>true</checkOnly>"));
    assert_eq!(value(&result, "status"), "Succeeded", "{result}");
    let (status, _) = client.json("GET", "/query", "q=SELECT+Id+FROM+Boat__c", "");
    assert_eq!(status, 400);
    assert_eq!(count(&client, "/query", "SELECT Id FROM ApexClass"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn flows_get_versions() {
    let client = Client::new(fast(), "dev1").await;
    let deploy = |label: &str, status: &str| {
        let flow = xml(
            "Flow",
            &format!("<label>{label}</label><processType>AutoLaunchedFlow</processType><status>{status}</status>"),
        );
        client.deploy_ok(&package(&["Flow:F"], &[("flows/F.flow", &flow)]));
    };
    deploy("One", "Active");
    deploy("Two", "Active");
    deploy("Three", "Draft");
    let (_, versions) = client.json(
        "GET",
        "/tooling/query",
        "q=SELECT+VersionNumber,Status+FROM+Flow+ORDER+BY+VersionNumber",
        "",
    );
    let states: Vec<&str> = versions["records"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["Status"].as_str().unwrap())
        .collect();
    assert_eq!(states, ["Obsolete", "Active", "Draft"]);
    let (_, definition) = client.json(
        "GET",
        "/tooling/query",
        "q=SELECT+Id,ActiveVersion.VersionNumber,LatestVersion.VersionNumber+FROM+FlowDefinition",
        "",
    );
    let row = &definition["records"][0];
    assert_eq!(
        (
            &row["ActiveVersion"]["VersionNumber"],
            &row["LatestVersion"]["VersionNumber"]
        ),
        (&json!(2), &json!(3))
    );
    let path = format!("/tooling/sobjects/FlowDefinition/{}", row["Id"].as_str().unwrap());
    assert_eq!(
        client
            .json("PATCH", &path, "", r#"{"Metadata":{"activeVersionNumber":3}}"#)
            .0,
        204
    );
    assert_eq!(
        count(
            &client,
            "/tooling/query",
            "SELECT Id FROM Flow WHERE Status = 'Active' AND VersionNumber = 3"
        ),
        1
    );
    // The value replaces the old one: what is left out is blank, and a flow without an active version is off.
    assert_eq!(client.json("PATCH", &path, "", r#"{"Metadata":{}}"#).0, 204);
    assert_eq!(
        count(&client, "/tooling/query", "SELECT Id FROM Flow WHERE Status = 'Active'"),
        0
    );
    assert_eq!(
        client
            .json("PATCH", &path, "", r#"{"Metadata":{"activeVersionNumber":9}}"#)
            .0,
        400
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn item_35_source_members_lag_and_are_flagged() {
    let client = Client::new(stepped(), "dev1").await;
    let members = |client: &Client| {
        client.json(
            "GET",
            "/tooling/query",
            "q=SELECT+MemberName,MemberType,RevisionCounter,IsNameObsolete+FROM+SourceMember+ORDER+BY+RevisionCounter",
            "",
        )
    };
    let options = format!("<singlePackage>true</singlePackage>{STRICT}");
    let wait = |ms: i64| {
        for _ in 0..ms / 500 {
            client.world.clock.step(500);
            client.soap("<describeMetadata/>");
        }
    };
    let id = client.deploy_start(&classes(&[("Boat", "class Boat { }")]), &options);
    wait(5_000);
    assert_eq!(value(&client.deploy_status(&id), "status"), "Succeeded");
    assert_eq!(members(&client).1["size"], 0);
    wait(6_000);
    let (_, rows) = members(&client);
    assert_eq!(
        (
            &rows["records"][0]["MemberName"],
            &rows["records"][0]["RevisionCounter"]
        ),
        (&json!("Boat"), &json!(1.0))
    );
    let mut files = package(&[], &[]);
    files.insert(
        "destructiveChanges.xml".to_owned(),
        super::client::manifest(&["ApexClass:Boat"]).into_bytes(),
    );
    client.deploy_start(&files, &options);
    wait(12_000);
    let (_, rows) = members(&client);
    assert_eq!(rows["size"], 1);
    assert_eq!(
        (
            &rows["records"][0]["IsNameObsolete"],
            &rows["records"][0]["RevisionCounter"]
        ),
        (&json!(true), &json!(2.0))
    );
    // Other orgs have no such object.
    for org in ["uat", "prod"] {
        let other = Client::of(client.world.clone(), org);
        let (status, error) = members(&other);
        assert_eq!((status, error[0]["errorCode"].as_str()), (400, Some("INVALID_TYPE")));
        assert_eq!(
            other.json("GET", "/tooling/sobjects/SourceMember/describe", "", "").0,
            404
        );
    }
    assert_eq!(
        client.json("GET", "/tooling/sobjects/SourceMember/describe", "", "").0,
        200
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn names_come_from_the_deployer() {
    let client = Client::new(fast(), "dev1").await;
    client.deploy_ok(&classes(&[("Boat", "class Boat { }")]));
    let text = client.soap("<met:listMetadata><queries><type>ApexClass</type></queries></met:listMetadata>");
    assert_eq!(
        rows(&text, "result", &["createdByName", "type", "manageableState"]),
        ["admin ApexClass unmanaged"]
    );
}
