//! Calls on single components.

use super::client::{Client, fast, rows, value};

fn metadata(kind: &str, inner: &str) -> String {
    format!(
        "<metadata xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"met:{kind}\">{inner}</metadata>"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn create_read_update_rename_delete() {
    let client = Client::new(fast(), "dev1").await;
    let site = |name: &str, url: &str| {
        metadata(
            "RemoteSiteSetting",
            &format!("<fullName>{name}</fullName><isActive>true</isActive><url>{url}</url>"),
        )
    };
    let results = |text: &str| rows(text, "result", &["fullName", "success"]);
    let created = client.soap(&format!(
        "<createMetadata>{}</createMetadata>",
        site("A", "https://a.example")
    ));
    assert_eq!(results(&created), ["A true"]);
    let again = client.soap(&format!(
        "<createMetadata>{}</createMetadata>",
        site("A", "https://a.example")
    ));
    assert_eq!(
        (results(&again), value(&again, "statusCode")),
        (vec!["A false".to_owned()], "DUPLICATE_DEVELOPER_NAME".to_owned())
    );
    let read = client.soap(
        "<readMetadata><type>RemoteSiteSetting</type><fullNames>A</fullNames><fullNames>B</fullNames></readMetadata>",
    );
    assert_eq!(
        rows(&read, "records", &["fullName", "url"]),
        ["A https://a.example", "- -"]
    );
    assert!(read.contains("<records xsi:nil=\"true\"/>"));
    let updated = client.soap(&format!(
        "<updateMetadata>{}</updateMetadata>",
        site("B", "https://b.example")
    ));
    assert_eq!(value(&updated, "statusCode"), "INVALID_CROSS_REFERENCE_KEY");
    let upserted = client.soap(&format!(
        "<upsertMetadata>{}{}</upsertMetadata>",
        site("A", "https://a2.example"),
        site("B", "https://b.example")
    ));
    assert_eq!(
        rows(&upserted, "result", &["fullName", "created"]),
        ["A false", "B true"]
    );
    let renamed = client.soap("<renameMetadata><type>RemoteSiteSetting</type><oldFullName>B</oldFullName><newFullName>C</newFullName></renameMetadata>");
    assert_eq!(results(&renamed), ["C true"]);
    let deleted = client.soap("<deleteMetadata><type>RemoteSiteSetting</type><fullNames>C</fullNames><fullNames>D</fullNames></deleteMetadata>");
    assert_eq!(results(&deleted), ["C true", "D false"]);
    let (_, left) = client.json(
        "GET",
        "/tooling/query",
        "q=SELECT+SiteName,EndpointUrl+FROM+RemoteProxy",
        "",
    );
    assert_eq!(
        (&left["size"], &left["records"][0]["EndpointUrl"]),
        (&1.into(), &"https://a2.example".into())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn children_and_limits() {
    let client = Client::new(fast(), "dev1").await;
    let field = |name: &str| {
        metadata(
            "CustomField",
            &format!("<fullName>Account.{name}</fullName><label>X</label><type>Checkbox</type>"),
        )
    };
    let made = client.soap(&format!("<createMetadata>{}</createMetadata>", field("Happy__c")));
    assert_eq!(value(&made, "success"), "true", "{made}");
    assert_eq!(
        client.json("GET", "/query", "q=SELECT+Happy__c+FROM+Account", "").0,
        200
    );
    let read =
        client.soap("<readMetadata><type>CustomField</type><fullNames>Account.Happy__c</fullNames></readMetadata>");
    assert_eq!(
        rows(&read, "records", &["fullName", "type"]),
        ["Account.Happy__c Checkbox"]
    );
    let eleven: String = (0..11).map(|n| field(&format!("F{n}__c"))).collect();
    assert_eq!(
        client.fault(&format!("<createMetadata>{eleven}</createMetadata>")).0,
        "sf:EXCEEDED_ID_LIMIT"
    );
    let wrong = client.soap(&format!(
        "<createMetadata>{}</createMetadata>",
        metadata(
            "CustomField",
            "<fullName>Nope__c.F__c</fullName><label>X</label><type>Checkbox</type>"
        )
    ));
    assert_eq!(value(&wrong, "success"), "false");
}

#[tokio::test(flavor = "multi_thread")]
async fn profiles_are_updated_in_part() {
    let client = Client::new(fast(), "dev1").await;
    let grant = |name: &str| {
        format!(
            "<updateMetadata>{}</updateMetadata>",
            metadata(
                "Profile",
                &format!(
                    "<fullName>Admin</fullName><userPermissions><enabled>true</enabled><name>{name}</name></userPermissions>"
                )
            )
        )
    };
    for name in ["ViewSetup", "ApiEnabled", "ViewSetup"] {
        assert_eq!(value(&client.soap(&grant(name)), "success"), "true");
    }
    let read = client.soap("<readMetadata><type>Profile</type><fullNames>Admin</fullNames></readMetadata>");
    assert_eq!(rows(&read, "userPermissions", &["name"]), ["ApiEnabled", "ViewSetup"]);
    assert_eq!(value(&read, "userLicense"), "Salesforce");
}
