//! The simulator answers on a port of its own per org.

use axum::http::{HeaderMap, Method};
use bytes::Bytes;
use syncline_simulator::config::Config;
use syncline_simulator::http::answer;
use syncline_simulator::server;

#[tokio::test(flavor = "multi_thread")]
async fn versions_need_no_session_and_resources_do() {
    let config = Config {
        port: 0,
        ..Config::default()
    };
    let world = server::start(config, None).await.expect("start");
    let org = world.org("prod").expect("prod");
    let get = |path: &str| answer(&world, &org, Method::GET, path, "", HeaderMap::new(), Bytes::new());

    let versions = get("/services/data");
    assert_eq!(versions.status, 200);
    assert!(String::from_utf8_lossy(&versions.body).contains("\"version\":\"67.0\""));

    let refused = get("//services/data/v67.0/");
    assert_eq!(refused.status, 401);
    assert_eq!(
        String::from_utf8_lossy(&refused.body),
        r#"[{"message":"Session expired or invalid","errorCode":"INVALID_SESSION_ID"}]"#
    );
    assert_eq!(get("/services/data/v67.0/nothing").status, 404);
    assert_eq!(world.orgs().len(), 3);
}
