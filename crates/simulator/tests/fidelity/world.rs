//! The world itself: it is found again, its names are unique, and its controls work.

use crate::support::{Client, json, step, text, world};
use axum::http::Method;
use serde_json::json;
use syncline_simulator::config::Config;
use syncline_simulator::http::in_call;
use syncline_simulator::oauth::apps::{self, App};
use syncline_simulator::org::{Org, OrgKind};
use syncline_simulator::server;
use syncline_simulator::world::NameKind;

fn stepped() -> Config {
    Config {
        port: 0,
        clock: "stepped".to_owned(),
        ..Config::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_world_is_found_again_in_its_folder() {
    let folder = tempfile::tempdir().expect("folder");
    let place = Some(folder.path().to_owned());
    let first = server::start(stepped(), place.clone()).await.expect("start");
    let before: Vec<_> = first
        .orgs()
        .iter()
        .map(|org| (org.id.clone(), org.name.clone()))
        .collect();
    let prod = Client::admin(&first, "prod");
    let token = prod.token.clone();
    let late = prod.post("/_simulator/clock", r#"{"step": 86400000}"#);
    assert_eq!(late.status, 200, "{}", text(&late));
    let now = first.clock.now();
    prod.post("/_simulator/switches", r#"{"rename": "refuse"}"#);

    // Nothing is closed here, as after a kill; only the ports differ because these are held.
    let copy = tempfile::tempdir().expect("folder");
    for file in std::fs::read_dir(folder.path()).expect("files") {
        let file = file.expect("file");
        std::fs::copy(file.path(), copy.path().join(file.file_name())).expect("copied");
    }
    let register = rusqlite::Connection::open(copy.path().join("world.sqlite")).expect("register");
    register.execute("UPDATE org SET port = 0", []).expect("ports");
    drop(register);

    let again = server::start(stepped(), Some(copy.path().to_owned()))
        .await
        .expect("again");
    let after: Vec<_> = again
        .orgs()
        .iter()
        .map(|org| (org.id.clone(), org.name.clone()))
        .collect();
    assert_eq!(before, after);
    assert_eq!(again.clock.now(), now);
    assert_eq!(json!(again.switches().rename), "refuse");
    let mut prod = Client::open(&again, "prod");
    prod.token = token;
    assert_eq!(prod.get("/services/data/v67.0").status, 200);
    assert!(again.username_taken("admin@prod.example", "another"));

    let other = Config { seed: 2, ..stepped() };
    let refused = server::start(other, Some(copy.path().to_owned()))
        .await
        .expect_err("another seed");
    assert!(refused.to_string().contains("seed 1"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn item_46_names_are_unique_over_the_world() {
    let world = world("stepped").await;
    let (prod, uat) = (world.org("prod").expect("prod"), world.org("uat").expect("uat"));
    assert!(world.username_taken("ADMIN@prod.example", &uat.id));
    assert!(!world.username_taken("admin@prod.example", &prod.id));
    let again = server::open(&world, "prod", OrgKind::Production).expect_err("My Domain taken");
    assert_eq!(again.code, "DUPLICATE_VALUE");

    let own = App::new("3MVG9own", "Own");
    let register = |org: &std::sync::Arc<Org>| {
        let mut state = org.lock();
        in_call(&world, org, &mut state, None, |call| apps::register(call, &own))
    };
    register(&prod).expect("free");
    assert_eq!(register(&uat).expect_err("taken").code, "DUPLICATE_VALUE");
    register(&prod).expect("changed by its own org");

    let claim = |keep: bool| {
        let mut state = uat.lock();
        in_call(&world, &uat, &mut state, None, |call| {
            assert!(!call.claim_name(NameKind::Username, "admin@prod.example"));
            assert!(call.claim_name(NameKind::Username, "new@prod.example"));
            if keep {
                Ok(())
            } else {
                Err(syncline_simulator::error::ApiError::not_found())
            }
        })
    };
    claim(false).expect_err("rolled back");
    assert!(!world.username_taken("new@prod.example", &prod.id));
    claim(true).expect("kept");
    assert!(world.username_taken("new@prod.example", &prod.id));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_controls_show_and_move_the_world() {
    let world = world("stepped").await;
    let open = Client::open(&world, "prod");
    let shown = json(&open.get("/_simulator/world"));
    let orgs = shown["orgs"].as_array().expect("orgs");
    assert_eq!(orgs.len(), 3);
    assert_eq!(orgs[1]["users"][0]["username"], "admin@prod.example.uat");
    let mut client = Client::open(&world, "prod");
    client.token = orgs[0]["adminToken"].as_str().map(str::to_owned);
    assert_eq!(client.get("/services/data/v67.0").status, 200);
    assert_eq!(
        json(&open.get("/_simulator/world"))["orgs"][0]["adminToken"],
        orgs[0]["adminToken"]
    );

    let before = world.clock.now();
    step(&world, 5);
    open.post("/_simulator/clock", r#"{"step": 1000}"#);
    assert_eq!(world.clock.now(), before + 1005);
    assert_eq!(open.post("/_simulator/clock", r#"{"stop": 1}"#).status, 400);
    assert_eq!(open.post("/_simulator/switches", r#"{"nothing": 1}"#).status, 400);
    let records = json(&open.get("/_simulator/records/user?limit=1"));
    assert_eq!(records["total"], 2);
    assert_eq!(records["records"].as_array().map(Vec::len), Some(1));
    assert_eq!(open.get("/_simulator/records/Nothing").status, 404);
    assert_eq!(json(&open.get("/_simulator/events")), json!({ "events": [] }));

    let log = json(&open.get("/_simulator/log?org=prod"));
    assert_eq!(log["requests"][0]["path"], "/services/data/v67.0");
    assert_eq!(log["requests"][0]["status"], 200);
    assert_eq!(open.send(Method::DELETE, "/_simulator/log", &[], "").status, 204);
    assert!(world.log.entries().is_empty());
    let foreign = open.send(
        Method::GET,
        "/_simulator/world",
        &[("origin", "https://example.com")],
        "",
    );
    assert_eq!(foreign.status, 403);
    assert_eq!(open.post("/_simulator/log", "").status, 405);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_org_is_filled_by_the_seed() {
    let config: Config = toml::from_str(
        "port = 0\nclock = \"stepped\"\norgs = [{ name = \"prod\" }]\n[[generate]]\norg = \"prod\"\ncomponents = 300\nrecords = 5000\n",
    )
    .expect("configuration");
    let mut seen = Vec::new();
    for _ in 0..2 {
        let world = server::start(config.clone(), None).await.expect("start");
        let prod = world.org("prod").expect("prod");
        let state = prod.lock();
        let count = |sql: &str| -> i64 { state.db.query_row(sql, [], |row| row.get(0)).expect("count") };
        let records: i64 = ["Account", "Contact", "Opportunity", "\"Case\"", "Task"]
            .iter()
            .map(|table| count(&format!("SELECT count(*) FROM {table}")))
            .sum();
        assert_eq!(records, 5000);
        assert!(count("SELECT count(*) FROM _component") >= 300);
        assert!(count("SELECT count(*) FROM ApexClass") > 100);
        assert_eq!(
            count("SELECT count(*) FROM Contact WHERE AccountId NOT IN (SELECT Id FROM Account)"),
            0
        );
        let names: String = state
            .db
            .query_row(
                "SELECT group_concat(Name) FROM (SELECT Name FROM Contact ORDER BY Id)",
                [],
                |row| row.get(0),
            )
            .expect("names");
        seen.push(names);
        drop(state);
        let prod = Client::admin(&world, "prod");
        let made = prod.post("/services/data/v67.0/sobjects/Account", r#"{"Name":"One more"}"#);
        assert_eq!(made.status, 201, "{}", text(&made));
    }
    assert_eq!(seen[0], seen[1]);
}
