//! Sandboxes: items 1 to 10, 40 to 42 and 44.

mod copy;
mod life;

use crate::support::{Client, json, row, rows, step, text, world, world_of};
use axum::http::Method;
use serde_json::{Value, json};
use std::sync::Arc;
use syncline_simulator::config::Config;
use syncline_simulator::org::Org;
use syncline_simulator::world::World;

pub const INFO: &str = "/services/data/v67.0/tooling/sobjects/SandboxInfo";
pub const PROCESS: &str = "/services/data/v67.0/tooling/sobjects/SandboxProcess";
pub const AUTH: &str = "/services/data/v67.0/tooling/sandboxAuth";
pub const MINUTE: i64 = 60_000;
pub const DAY: i64 = 24 * 60 * MINUTE;

/// The id of the sandbox of that name.
pub fn info(prod: &Client, name: &str) -> String {
    let row = row(prod, "SandboxInfo", "SandboxName", name);
    row["Id"].as_str().expect("id").to_owned()
}

/// The newest process of a sandbox.
pub fn process(prod: &Client, name: &str) -> Value {
    let mut all: Vec<Value> = rows(prod, "SandboxProcess")
        .into_iter()
        .filter(|row| row["SandboxName"] == name)
        .collect();
    all.sort_by_key(|row| (row["CreatedDate"].as_i64(), row["Id"].as_str().map(str::to_owned)));
    all.pop().expect("process")
}

pub fn status(prod: &Client, name: &str) -> String {
    process(prod, name)["Status"].as_str().expect("status").to_owned()
}

pub fn refresh(prod: &Client, name: &str, body: &Value) -> u16 {
    let path = format!("{INFO}/{}", info(prod, name));
    prod.send(Method::PATCH, &path, &[], &body.to_string()).status
}

pub fn act(prod: &Client, process: &Value, action: &str) -> (u16, String) {
    let path = format!("{PROCESS}/{}", process["Id"].as_str().expect("id"));
    let body = json!({ "RefreshAction": action }).to_string();
    let reply = prod.send(Method::PATCH, &path, &[], &body);
    (reply.status, text(&reply))
}

/// Lets time pass until the newest process has that status; so many minutes at most.
pub fn wait(prod: &Client, name: &str, wanted: &str) {
    for _ in 0..2000 {
        if status(prod, name) == wanted {
            return;
        }
        step(&prod.world, MINUTE);
        prod.get("/services/data/v67.0");
    }
    panic_with(prod, name, wanted);
}

#[allow(clippy::panic)]
fn panic_with(prod: &Client, name: &str, wanted: &str) {
    panic!("{name} is {} and not {wanted}", status(prod, name));
}

/// A whole refresh with activation.
pub fn refreshed(prod: &Client, name: &str, body: &Value) -> Arc<Org> {
    let mut all = body.clone();
    all["AutoActivate"] = json!(true);
    assert_eq!(refresh(prod, name, &all), 204);
    wait(prod, name, "Completed");
    step(&prod.world, 10 * MINUTE);
    prod.get("/services/data/v67.0");
    prod.world.org(name).expect("sandbox")
}

pub fn auth(prod: &Client, name: &str) -> (u16, Value) {
    let body =
        json!({ "sandboxName": name, "clientId": "PlatformCLI", "callbackUrl": "http://localhost:1717/OauthRedirect" });
    let reply = prod.post(AUTH, &body.to_string());
    (reply.status, json(&reply))
}

pub fn sql(org: &Org, text: &str) {
    org.lock().db.execute_batch(text).expect("SQL");
}

pub fn count(org: &Org, sql: &str) -> i64 {
    org.lock().db.query_row(sql, [], |row| row.get(0)).expect("count")
}

pub fn word(org: &Org, sql: &str) -> String {
    org.lock().db.query_row(sql, [], |row| row.get(0)).expect("word")
}

/// Rows of an object, past the API.
pub fn insert(org: &Org, object: &str, values: &[(&str, String)]) -> String {
    use rusqlite::types::Value as Sql;
    use syncline_simulator::org::records;
    let state = org.lock();
    let object = state.schema.object(object).expect("object").clone();
    let values: Vec<(&str, Sql)> = values.iter().map(|(n, v)| (*n, Sql::Text(v.clone()))).collect();
    records::insert(org, &state.db, &object, &values, "", 0).expect("inserted")
}

pub async fn stepped() -> (Arc<World>, Client) {
    let world = world("stepped").await;
    let prod = Client::admin(&world, "prod");
    (world, prod)
}

/// A metadata component, past the API.
pub fn component(org: &Org, kind: &str, name: &str, text: &str) {
    let state = org.lock();
    state
        .db
        .execute(
            "INSERT INTO _component (type, name, id, path, created, created_by, modified, modified_by, state, version)
             VALUES (?1, ?2, '', '', 0, '', 0, '', 'unmanaged', 1)",
            [kind, name],
        )
        .expect("component");
    state
        .db
        .execute(
            "INSERT INTO _component_file (type, name, path, content) VALUES (?1, ?2, 'a', ?3)",
            rusqlite::params![kind, name, text.as_bytes()],
        )
        .expect("file");
}

/// The text of a component; none when there is none.
pub fn component_text(org: &Org, kind: &str) -> Option<String> {
    use rusqlite::OptionalExtension;
    let state = org.lock();
    state
        .db
        .query_row(
            "SELECT CAST(content AS TEXT) FROM _component_file WHERE type = ?1",
            [kind],
            |row| row.get(0),
        )
        .optional()
        .expect("read")
}
