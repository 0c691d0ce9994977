//! A small org to write to. Ids are written `001#1` in requests and answers.

use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};
use bytes::Bytes;
use std::sync::Arc;
use syncline_simulator::config::Config;
use syncline_simulator::http::{Reply, answer};
use syncline_simulator::ids;
use syncline_simulator::org::{Org, OrgKind, Origin, save_object, sessions};
use syncline_simulator::schema::{Field, Kind, Object, OnDelete, PicklistValue, Schema, history_object};
use syncline_simulator::world::World;

/// An org at 2026-03-02T10:00:00Z, and sessions of its administrator and of one who only reads.
pub struct Rig {
    pub world: Arc<World>,
    pub org: Arc<Org>,
    token: String,
    reader: String,
}

impl Rig {
    pub fn new() -> Self {
        Self::of("")
    }

    /// With settings in TOML.
    pub fn of(settings: &str) -> Self {
        let config: Config = toml::from_str(&format!("clock = \"stepped\"\norgs = []\n{settings}")).expect("settings");
        let world = Arc::new(World::new(config, None).expect("world"));
        let org = world.add_org("prod", OrgKind::Production, origin(1)).expect("org");
        let grant = |alias: &str| {
            let state = org.lock();
            let sql = "SELECT \"Id\" FROM \"User\" WHERE \"Alias\" = ?1";
            let user: String = state.db.query_row(sql, [alias], |row| row.get(0)).expect("user");
            sessions::grant_access(&org, &state.db, 1, &user, None, world.clock.now()).expect("token")
        };
        let (token, reader) = (grant("admin"), grant("reader"));
        let rig = Self {
            world,
            org,
            token,
            reader,
        };
        for name in ["Account", "Contact"] {
            let field = Field {
                length: 20,
                external_id: true,
                unique: name == "Contact",
                ..Field::new("Ext__c", Kind::String)
            };
            rig.add_field(name, field);
        }
        let widget = widget();
        let history = history_object(&widget, "Widget__History", "ParentId");
        rig.put_object(widget);
        rig.put_object(history);
        rig
    }

    pub fn put_object(&self, object: Object) {
        let mut state = self.org.lock();
        save_object(&state.db, &object).expect("table");
        let mut schema: Schema = (*state.schema).clone();
        schema.put(object);
        state.schema = Arc::new(schema);
    }

    pub fn add_field(&self, object: &str, field: Field) {
        let mut object = (**self.org.lock().schema.object(object).expect("object")).clone();
        object.fields.push(field);
        self.put_object(object);
    }

    pub fn sql(&self, sql: &str) {
        self.org.lock().db.execute_batch(sql).expect("sql");
    }

    /// Sends `POST sobjects/Account {…}`; gives the whole answer.
    pub fn reply(&self, request: &str, headers: &[(&str, &str)]) -> Reply {
        self.send(request, headers, &self.token)
    }

    fn send(&self, request: &str, headers: &[(&str, &str)], token: &str) -> Reply {
        let request = long(request);
        let mut words = request.splitn(3, ' ');
        let method = Method::from_bytes(words.next().unwrap_or_default().as_bytes()).expect("method");
        let path = words.next().unwrap_or_default();
        let body = words.next().unwrap_or_default();
        let mut map = HeaderMap::new();
        map.insert("authorization", format!("Bearer {token}").parse().expect("token"));
        for (name, value) in headers {
            map.insert(
                name.parse::<HeaderName>().expect("name"),
                value.parse::<HeaderValue>().expect("value"),
            );
        }
        let path = if path.starts_with('/') {
            path.to_owned()
        } else {
            format!("/services/data/v67.0/{path}")
        };
        let (path, query) = path.split_once('?').unwrap_or((&path, ""));
        let body = Bytes::from(body.to_owned());
        answer(&self.world, &self.org, method, path, query, map, body)
    }

    /// Status and body.
    pub fn ask(&self, request: &str) -> String {
        shown(&self.reply(request, &[]))
    }

    /// The same with headers.
    pub fn ask_with(&self, request: &str, headers: &[(&str, &str)]) -> String {
        shown(&self.reply(request, headers))
    }

    /// As the one who only reads.
    pub fn ask_as_reader(&self, request: &str) -> String {
        shown(&self.send(request, &[], &self.reader))
    }

    /// Records of a query: values only.
    pub fn rows(&self, soql: &str) -> String {
        let reply = self.reply(&format!("GET query?q={}", long(soql).replace(' ', "+")), &[]);
        let body: serde_json::Value = serde_json::from_slice(&reply.body).expect("JSON");
        let Some(records) = body["records"].as_array() else {
            return shown(&reply);
        };
        let rows: Vec<serde_json::Value> = records
            .iter()
            .map(|record| {
                let values = record.as_object().expect("record").iter();
                let values = values.filter(|(name, _)| *name != "attributes");
                serde_json::Value::Array(values.map(|(_, value)| value.clone()).collect())
            })
            .collect();
        short(&serde_json::Value::Array(rows).to_string())
    }
}

pub fn origin(port: u16) -> Origin {
    Origin {
        http: format!("http://127.0.0.1:{port}"),
        https: None,
    }
}

pub fn shown(reply: &Reply) -> String {
    let body = String::from_utf8_lossy(&reply.body);
    short(format!("{} {body}", reply.status).trim_end())
}

/// Sends a request and looks for what the answer must be; `…` stands for anything.
pub fn check(rig: &Rig, request: &str, expect: &str) {
    let got = rig.ask(request);
    assert!(fits(&got, expect), "{request}\n got {got}\nwant {expect}");
}

pub fn fits(got: &str, expect: &str) -> bool {
    let mut parts = expect.split('…');
    let Some(mut rest) = got.strip_prefix(parts.next().unwrap_or_default()) else {
        return false;
    };
    if !expect.contains('…') {
        return rest.is_empty();
    }
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    expect.ends_with('…') || rest.is_empty()
}

/// `001#1` → the id.
pub fn long(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('#') {
        let digits: String = rest[at + 1..].chars().take_while(char::is_ascii_digit).collect();
        let prefix = at.checked_sub(3).map_or("", |from| &rest[from..at]);
        if digits.is_empty() || !prefix.chars().all(|c| c.is_ascii_alphanumeric()) || prefix.len() != 3 {
            out.push_str(&rest[..=at]);
            rest = &rest[at + 1..];
            continue;
        }
        out.push_str(&rest[..at - 3]);
        out.push_str(&ids::make(prefix, 1, digits.parse().expect("number")));
        rest = &rest[at + 1 + digits.len()..];
    }
    out + rest
}

/// Ids of 15 and 18 characters → `001#1`.
pub fn short(text: &str) -> String {
    let mut out = String::new();
    let mut word = String::new();
    for c in text.chars().chain([' ']) {
        if c.is_ascii_alphanumeric() {
            word.push(c);
            continue;
        }
        let id = (word.len() == 15 || word.len() == 18) && word.get(3..6) == Some("001") && ids::long(&word).is_some();
        if id {
            let n = word[6..15].bytes().fold(0_u64, |n, b| {
                let digit = match b {
                    b'0'..=b'9' => b - b'0',
                    b'A'..=b'Z' => b - b'A' + 10,
                    b => b - b'a' + 36,
                };
                n * 62 + u64::from(digit)
            });
            out.push_str(&format!("{}#{n}", &word[..3]));
        } else {
            out.push_str(&word);
        }
        word.clear();
        out.push(c);
    }
    out.pop();
    out
}

/// A detail of accounts with fields of several types, and a formula over its master.
fn widget() -> Object {
    let mut fields = syncline_simulator::schema::system_fields();
    let value = |text: &str| PicklistValue {
        value: text.to_owned(),
        label: text.to_owned(),
        active: true,
        default: text == "Small",
    };
    fields.extend([
        Field {
            auto_number: Some("W-{0000}".to_owned()),
            name_field: true,
            createable: false,
            updateable: false,
            ..Field::new("Name", Kind::String)
        },
        Field {
            reference_to: vec!["Account".to_owned()],
            children: Some("Widgets".to_owned()),
            required: true,
            on_delete: OnDelete::Cascade,
            ..Field::new("Account__c", Kind::Reference)
        },
        Field {
            picklist: vec![value("Small"), value("Big")],
            restricted: true,
            history: true,
            ..Field::new("Size__c", Kind::Picklist)
        },
        Field {
            precision: 5,
            scale: 1,
            ..Field::new("Count__c", Kind::Double)
        },
        Field {
            formula: Some("Account__r.Name & ': ' & TEXT(Count__c * 2)".to_owned()),
            createable: false,
            updateable: false,
            ..Field::new("Summary__c", Kind::String)
        },
    ]);
    Object {
        name: "Widget__c".to_owned(),
        label: "Widget".to_owned(),
        plural: "Widgets".to_owned(),
        key_prefix: Some("a00".to_owned()),
        api: syncline_simulator::schema::Api::Data,
        custom: true,
        custom_setting: None,
        createable: true,
        updateable: true,
        deletable: true,
        fields,
    }
}
