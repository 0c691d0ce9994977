//! Item 45: what goes wrong on the way can be made to go wrong. And TLS, which is on the same way.

use crate::support::{Client, json, text, world, world_of};
use axum::http::{HeaderMap, Method};
use bytes::Bytes;
use serde_json::json;
use std::sync::Arc;
use syncline_simulator::config::Config;
use syncline_simulator::http::deliver;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, pem::PemObject};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

const VERSIONS: &str = "/services/data";

fn fault(client: &Client, fault: &serde_json::Value) {
    let reply = client.post("/_simulator/faults", &fault.to_string());
    assert_eq!(reply.status, 200, "{}", text(&reply));
}

/// Everything a server sends until it closes the connection.
async fn raw(mut stream: impl AsyncRead + AsyncWrite + Unpin, path: &str) -> String {
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut all = Vec::new();
    // A connection that is cut may end in an error; what came before counts.
    let _ = stream.read_to_end(&mut all).await;
    String::from_utf8_lossy(&all).into_owned()
}

async fn connect(client: &Client) -> TcpStream {
    let address = client.org.origin.http.trim_start_matches("http://");
    TcpStream::connect(address).await.expect("connected")
}

#[tokio::test(flavor = "multi_thread")]
async fn item_45_requests_fail_as_they_are_told() {
    let world = world("stepped").await;
    let prod = Client::admin(&world, "prod");
    for (kind, status, found) in [
        ("session_expired", 401, "INVALID_SESSION_ID"),
        ("unavailable", 503, "<h1>Service Unavailable</h1>"),
        ("absent", 404, "NOT_FOUND"),
        ("row_lock", 400, "UNABLE_TO_LOCK_ROW"),
        ("request_limit", 403, "TotalRequests Limit exceeded."),
    ] {
        fault(
            &prod,
            &json!({ "kind": kind, "times": 1, "path": VERSIONS, "method": "GET" }),
        );
        assert_eq!(
            prod.send(Method::POST, "/services/oauth2/token", &[], "").status,
            400,
            "another path"
        );
        let reply = prod.get("/services/data/v67.0");
        assert_eq!(reply.status, status);
        assert!(text(&reply).contains(found), "{}", text(&reply));
        assert_eq!(prod.get("/services/data/v67.0").status, 200, "once only");
    }
    let struck: Vec<_> = world
        .log
        .entries()
        .into_iter()
        .filter(|entry| !entry.faults.is_empty())
        .collect();
    assert_eq!(struck.len(), 5);

    // On the SOAP surface it is a fault.
    fault(
        &prod,
        &json!({ "kind": "row_lock", "times": 1, "path": "/services/Soap" }),
    );
    let soap = prod.post("/services/Soap/m/67.0", "<a/>");
    assert_eq!(soap.status, 500);
    assert!(
        text(&soap).contains("<faultcode>sf:UNABLE_TO_LOCK_ROW</faultcode>"),
        "{}",
        text(&soap)
    );

    fault(&prod, &json!({ "kind": "unavailable", "rate": 1.0, "org": "uat" }));
    assert_eq!(prod.get(VERSIONS).status, 200, "another org");
    assert_eq!(Client::open(&world, "uat").get(VERSIONS).status, 503);
    assert_eq!(
        json(&prod.get("/_simulator/faults"))["faults"].as_array().map(Vec::len),
        Some(1)
    );
    prod.send(Method::DELETE, "/_simulator/faults", &[], "");
    assert_eq!(Client::open(&world, "uat").get(VERSIONS).status, 200);
    assert_eq!(prod.post("/_simulator/faults", r#"{"kind":"earthquake"}"#).status, 400);

    fault(&prod, &json!({ "kind": "partial_bulk", "path": "Account", "times": 2 }));
    let fails: Vec<bool> = (0..3).map(|_| world.faults.fails_row("prod", "Account")).collect();
    assert_eq!(fails, [true, true, false]);
    assert!(!world.faults.fails_row("prod", "Contact"));
}

#[tokio::test(flavor = "multi_thread")]
async fn item_45_answers_are_lost_or_cut_after_the_effect() {
    let world = world("stepped").await;
    let prod = Client::admin(&world, "prod");
    let whole = raw(connect(&prod).await, VERSIONS).await;
    assert!(whole.starts_with("HTTP/1.1 200 OK"), "{whole}");

    fault(&prod, &json!({ "kind": "lost_answer", "times": 1 }));
    let token = prod.token.as_deref().expect("token");
    let revoke = format!("/services/oauth2/revoke?token={token}");
    assert_eq!(raw(connect(&prod).await, &revoke).await, "", "no byte comes back");
    assert_eq!(prod.get("/services/data/v67.0").status, 401, "but it was done");
    assert!(world.log.entries().iter().any(|entry| entry.status == 0));

    fault(&prod, &json!({ "kind": "truncated", "times": 1 }));
    let cut = raw(connect(&prod).await, VERSIONS).await;
    assert!(cut.starts_with("HTTP/1.1 200 OK"), "{cut}");
    let body = |text: &str| text.split_once("\r\n\r\n").map_or(0, |(_, body)| body.len());
    assert_eq!(body(&cut), body(&whole) / 2);

    fault(&prod, &json!({ "kind": "latency", "times": 1, "millis": 20 }));
    let delivery = deliver(
        &world,
        &prod.org,
        Method::GET,
        VERSIONS,
        "",
        HeaderMap::new(),
        Bytes::new(),
    );
    assert_eq!((delivery.reply.status, delivery.delay, delivery.fate), (200, 20, None));
}

#[tokio::test(flavor = "multi_thread")]
async fn tls_shows_the_same_orgs_at_a_second_port() {
    let config = Config {
        tls: true,
        clock: "stepped".to_owned(),
        ..Config::default()
    };
    let world = world_of(config).await;
    let prod = Client::open(&world, "prod");
    let (ca, _) = world.authority().expect("authority");
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(ca.as_bytes()).expect("certificate"))
        .expect("root");
    let client = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let connector = TlsConnector::from(Arc::new(client));
    let origin = prod.org.origin.https.clone().expect("https");
    let address = origin.replace("https://localhost", "127.0.0.1");
    for name in ["localhost", "127.0.0.1", "acme--uat.sandbox.my.salesforce.com"] {
        let stream = TcpStream::connect(&address).await.expect("connected");
        let name = ServerName::try_from(name).expect("name");
        let stream = connector.connect(name, stream).await.expect("TLS");
        assert!(raw(stream, VERSIONS).await.starts_with("HTTP/1.1 200 OK"));
    }
    // The client sees the scheme it came by.
    let body = "grant_type=password&client_id=PlatformCLI&username=admin@prod.example&password=simulator1";
    let secure = prod.send(
        Method::POST,
        "/services/oauth2/token",
        &[("x-simulator-tls", "1")],
        body,
    );
    assert_eq!(json(&secure)["instance_url"], json!(origin));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_authority_stays_the_same_in_its_folder() {
    let folder = tempfile::tempdir().expect("folder");
    let config = || Config {
        tls: true,
        port: 0,
        ..Config::default()
    };
    let open = |config| syncline_simulator::world::World::new(config, Some(folder.path().to_owned())).expect("world");
    let first = open(config()).authority().expect("authority").0.to_owned();
    let second = open(config());
    let (again, file) = second.authority().expect("authority");
    assert_eq!(first, again);
    assert_eq!(std::fs::read_to_string(file.expect("file")).expect("read"), first);
}
