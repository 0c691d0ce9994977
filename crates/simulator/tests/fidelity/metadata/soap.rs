//! The SOAP surface: items 18 and 19 of section 12.

use super::client::{Client, fast, unpack, value};
use syncline_simulator::oauth::users::PASSWORD;
use syncline_simulator::org::sessions;

#[tokio::test(flavor = "multi_thread")]
async fn item_18_soap_shapes() {
    let client = Client::new(fast(), "prod").await;
    // Text where JSON would have a number or a boolean; a fault is 500 with `sf:`.
    let described = client.soap("<describeMetadata><asOfVersion>67.0</asOfVersion></describeMetadata>");
    assert_eq!(value(&described, "testRequired"), "true");
    let (code, text) = client.fault(
        "<met:checkDeployStatus><met:asyncProcessId>0Af000000000001</met:asyncProcessId></met:checkDeployStatus>",
    );
    assert_eq!(code, "sf:INVALID_CROSS_REFERENCE_KEY");
    assert_eq!(text, "INVALID_CROSS_REFERENCE_KEY: invalid cross reference id");
    let (code, _) = client.fault("<met:dance/>");
    assert_eq!(code, "sf:UNKNOWN_EXCEPTION");
    // The argument of retrieve has two names, and `types` may lack the namespace.
    for name in ["request", "retrieveRequest"] {
        let started = client.soap(&format!(
            "<met:retrieve><{name}><met:unpackaged><types xmlns=\"\"><members>Admin</members><name>Profile</name></types><met:version>67.0</met:version></met:unpackaged></{name}></met:retrieve>"
        ));
        assert_eq!(value(&started, "state"), "Queued");
        let done = client.soap(&format!(
            "<met:checkRetrieveStatus><met:asyncProcessId>{}</met:asyncProcessId></met:checkRetrieveStatus>",
            value(&started, "id")
        ));
        assert!(
            unpack(&done).contains_key("unpackaged/profiles/Admin.profile"),
            "{name}"
        );
    }
    // Any tail behind the version.
    for tail in ["", "/", "/00D000000000001", "/deployRequest/anything"] {
        let (status, text) = client.soap_as(
            &client.token,
            &format!("/services/Soap/m/62.0{tail}"),
            "<describeMetadata><asOfVersion>62.0</asOfVersion></describeMetadata>",
        );
        assert_eq!(status, 200, "{text}");
    }
    let (status, text) = client.soap_as(&client.token, "/services/Soap/m/30.0", "<describeMetadata/>");
    assert_eq!(
        (status, value(&text, "faultcode").as_str()),
        (500, "sf:UNSUPPORTED_API_VERSION")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn item_19_jwt_tokens_fail_on_metadata_only() {
    let client = Client::new(fast(), "prod").await;
    let token = "aaaa.bbbb.cccc";
    {
        let state = client.org.lock();
        let user: String = state
            .db
            .query_row("SELECT Id FROM User WHERE Alias = 'admin'", [], |row| row.get(0))
            .unwrap();
        sessions::keep_jwt(&state.db, token, &user, "app", 0).unwrap();
    }
    let body = "<describeMetadata/>";
    let (status, text) = client.soap_as(token, "/services/Soap/m/67.0", body);
    assert_eq!(
        (status, value(&text, "faultcode").as_str()),
        (500, "sf:INVALID_SESSION_ID")
    );
    let rest = Client {
        token: token.to_owned(),
        ..Client::of(client.world.clone(), "prod")
    };
    assert_eq!(rest.json("GET", "/", "", "").0, 200);
    let (status, _) = client.soap_as(token, "/services/Soap/u/67.0", "<getUserInfo/>");
    assert_eq!(status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn partner_login_until_v64() {
    let client = Client::new(fast(), "prod").await;
    let login = |version: u16, password: &str| {
        let body = format!("<login><username>admin@prod.example</username><password>{password}</password></login>");
        client.soap_as("", &format!("/services/Soap/u/{version}.0"), &body)
    };
    let (status, text) = login(64, &format!("{PASSWORD}TOKEN"));
    assert_eq!(status, 200, "{text}");
    assert!(value(&text, "metadataServerUrl").contains("/services/Soap/m/64.0/00D"));
    let session = value(&text, "sessionId");
    let (_, info) = client.soap_as(&session, "/services/Soap/u/64.0", "<getUserInfo/>");
    assert_eq!(value(&info, "userName"), "admin@prod.example");
    client.soap_as(&session, "/services/Soap/u/64.0", "<logout/>");
    let (status, _) = client.soap_as(&session, "/services/Soap/u/64.0", "<getUserInfo/>");
    assert_eq!(status, 500);
    let (_, wrong) = login(64, "wrong");
    assert_eq!(value(&wrong, "faultcode"), "sf:INVALID_LOGIN");
    assert_eq!(login(65, PASSWORD).0, 500);
}
