//! Components as Tooling records: item 37 of section 12.

use super::client::{Client, fast, package, xml};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn item_37_metadata_patch_replaces() {
    let client = Client::new(fast(), "dev1").await;
    let site = xml(
        "RemoteSiteSetting",
        "<description>Old</description><isActive>true</isActive><url>https://a.example</url>",
    );
    client.deploy_ok(&package(
        &["RemoteSiteSetting:A"],
        &[("remoteSiteSettings/A.remoteSite", &site)],
    ));
    let read = || {
        client
            .json(
                "GET",
                "/tooling/query",
                "q=SELECT+Id,Description,EndpointUrl,Metadata+FROM+RemoteProxy",
                "",
            )
            .1["records"][0]
            .clone()
    };
    let before = read();
    assert_eq!(before["Metadata"]["description"], "Old");
    let path = format!("/tooling/sobjects/RemoteProxy/{}", before["Id"].as_str().unwrap());
    let (status, body) = client.json(
        "PATCH",
        &path,
        "",
        r#"{"Metadata":{"isActive":true,"url":"https://b.example"}}"#,
    );
    assert_eq!((status, body), (204, json!(null)));
    let after = read();
    assert_eq!(
        (&after["EndpointUrl"], &after["Description"]),
        (&json!("https://b.example"), &json!(null))
    );
    // With two sites, only a query for one of them may select the column.
    client.deploy_ok(&package(
        &["RemoteSiteSetting:B"],
        &[("remoteSiteSettings/B.remoteSite", &site)],
    ));
    let (status, error) = client.json("GET", "/tooling/query", "q=SELECT+Id,Metadata+FROM+RemoteProxy", "");
    assert_eq!((status, &error[0]["errorCode"]), (400, &json!("MALFORMED_QUERY")));
}

#[tokio::test(flavor = "multi_thread")]
async fn classes_by_tooling() {
    let client = Client::new(fast(), "dev1").await;
    let (status, made) = client.json(
        "POST",
        "/tooling/sobjects/ApexClass",
        "",
        r#"{"Body":"public class Boat { }"}"#,
    );
    assert_eq!(status, 201, "{made}");
    assert_eq!((&made["warnings"], &made["infos"]), (&json!([]), &json!([])));
    let path = format!("/tooling/sobjects/ApexClass/{}", made["id"].as_str().unwrap());
    let crc = || {
        client
            .json("GET", "/tooling/query", "q=SELECT+Name,BodyCrc,Body+FROM+ApexClass", "")
            .1["records"][0]
            .clone()
    };
    let before = crc();
    assert_eq!(before["Name"], "Boat");
    assert_eq!(
        client
            .json("PATCH", &path, "", r#"{"Body":"public class Boat { Integer n; }"}"#)
            .0,
        204
    );
    assert_ne!(before["BodyCrc"], crc()["BodyCrc"]);
    assert_eq!(
        client
            .json(
                "POST",
                "/tooling/sobjects/ApexClass",
                "",
                r#"{"Body":"public class Boat { }"}"#
            )
            .0,
        400
    );
    let files = client.retrieve(&["ApexClass:Boat"]);
    assert!(String::from_utf8_lossy(&files["classes/Boat.cls"]).contains("Integer n"));
    assert_eq!(client.json("DELETE", &path, "", "").0, 204);
    assert_eq!(client.json("PATCH", &path, "", r#"{"Body":"x"}"#).0, 404);
}
