//! Outbound change sets: retrieved by name, listed nowhere, gone after a refresh.

use super::client::{Client, fast, unpack, value};
use super::deploy::classes;
use syncline_simulator::config::ChangeSet;

#[tokio::test(flavor = "multi_thread")]
async fn item_43_change_sets_are_listed_nowhere_and_die_with_a_refresh() {
    let mut config = fast();
    config.change_sets = vec![ChangeSet {
        org: "dev1".to_owned(),
        name: "My Set".to_owned(),
        members: vec!["ApexClass:Boat".to_owned()],
    }];
    let before = Client::new(config, "dev1").await;
    before.deploy_ok(&classes(&[("Boat", "class Boat { }")]));
    let set = "<packageNames>My Set</packageNames>";
    assert!(unpack(&before.retrieve_result(set)).contains_key("My Set/classes/Boat.cls"));

    for object in ["OutboundChangeSet", "ChangeSet", "Package"] {
        let (status, body) = before.json("GET", "/tooling/query", &format!("q=SELECT+Id+FROM+{object}"), "");
        assert_eq!(
            (status, body[0]["errorCode"].as_str()),
            (400, Some("INVALID_TYPE")),
            "{object}"
        );
    }
    let listed = "<met:listMetadata><met:queries><met:type>ChangeSet</met:type></met:queries></met:listMetadata>";
    assert_eq!(before.fault(listed).0, "sf:INVALID_TYPE");

    let prod = Client::of(before.world.clone(), "prod");
    let (_, found) = prod.json(
        "GET",
        "/tooling/query",
        "q=SELECT+Id+FROM+SandboxInfo+WHERE+SandboxName='dev1'",
        "",
    );
    let info = found["records"][0]["Id"].as_str().unwrap();
    let (status, body) = prod.json(
        "PATCH",
        &format!("/tooling/sobjects/SandboxInfo/{info}"),
        "",
        r#"{"AutoActivate":true}"#,
    );
    assert_eq!(status, 204, "{body}");
    prod.json("GET", "/tooling/query", "q=SELECT+Id+FROM+SandboxProcess", "");

    let after = Client::of(before.world.clone(), "dev1");
    assert_ne!(after.org.id, before.org.id);
    assert_eq!(
        value(&after.retrieve_result(set), "errorMessage"),
        "INVALID_CROSS_REFERENCE_KEY: No package named 'My Set' found."
    );
}
