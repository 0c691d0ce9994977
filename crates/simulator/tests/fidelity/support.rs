//! Worlds and requests for the tests.

use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};
use bytes::Bytes;
use serde_json::Value;
use std::sync::Arc;
use syncline_simulator::config::Config;
use syncline_simulator::http::{Reply, answer};
use syncline_simulator::org::{Org, sessions};
use syncline_simulator::server;
use syncline_simulator::world::World;

/// A world on free ports with the orgs prod, uat (Partial) and dev1 (Developer).
pub async fn world(clock: &str) -> Arc<World> {
    world_of(Config {
        clock: clock.to_owned(),
        ..Config::default()
    })
    .await
}

/// A world of a configuration, on free ports.
pub async fn world_of(config: Config) -> Arc<World> {
    server::start(Config { port: 0, ..config }, None).await.expect("start")
}

/// A client of one org.
pub struct Client {
    pub world: Arc<World>,
    pub org: Arc<Org>,
    pub token: Option<String>,
}

impl Client {
    /// Without a session.
    pub fn open(world: &Arc<World>, org: &str) -> Self {
        Self {
            world: Arc::clone(world),
            org: world.org(org).expect("org"),
            token: None,
        }
    }

    /// With a session of the org's administrator.
    pub fn admin(world: &Arc<World>, org: &str) -> Self {
        let mut client = Self::open(world, org);
        let token = {
            let state = client.org.lock();
            let admin: String = state
                .db
                .query_row("SELECT Id FROM User WHERE Alias = 'admin'", [], |row| row.get(0))
                .expect("admin");
            sessions::grant_access(&client.org, &state.db, 1, &admin, None, world.clock.now()).expect("token")
        };
        client.token = Some(token);
        client
    }

    pub fn send(&self, method: Method, path: &str, headers: &[(&str, &str)], body: &str) -> Reply {
        let mut map = HeaderMap::new();
        if let Some(token) = &self.token {
            map.insert("authorization", format!("Bearer {token}").parse().expect("header"));
        }
        for (name, value) in headers {
            map.insert(
                name.parse::<HeaderName>().expect("name"),
                value.parse::<HeaderValue>().expect("value"),
            );
        }
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        answer(
            &self.world,
            &self.org,
            method,
            path,
            query,
            map,
            Bytes::from(body.to_owned()),
        )
    }

    pub fn get(&self, path: &str) -> Reply {
        self.send(Method::GET, path, &[], "")
    }

    pub fn post(&self, path: &str, body: &str) -> Reply {
        self.send(Method::POST, path, &[], body)
    }
}

/// Moves the clock of a stepped world on.
pub fn step(world: &World, millis: i64) {
    world.clock.step(millis);
}

/// All rows of an object as they are stored.
pub fn rows(client: &Client, object: &str) -> Vec<Value> {
    let reply = client.get(&format!("/_simulator/records/{object}"));
    json(&reply)["records"].as_array().expect("rows").clone()
}

/// The row with that value.
pub fn row(client: &Client, object: &str, field: &str, value: &str) -> Value {
    rows(client, object)
        .into_iter()
        .find(|row| row[field] == value)
        .expect("row")
}

/// The body as text.
pub fn text(reply: &Reply) -> String {
    String::from_utf8_lossy(&reply.body).into_owned()
}

/// The body as JSON.
pub fn json(reply: &Reply) -> Value {
    serde_json::from_slice(&reply.body).expect("JSON")
}

/// A header of an answer.
pub fn header<'a>(reply: &'a Reply, name: &str) -> &'a str {
    reply
        .headers
        .iter()
        .find(|(n, _)| n.eq_ignore_ascii_case(name))
        .map_or("", |(_, value)| value)
}
