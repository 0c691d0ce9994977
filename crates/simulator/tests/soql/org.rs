//! A small org to ask: accounts, contacts, widgets.

use axum::http::{HeaderMap, HeaderValue, Method};
use bytes::Bytes;
use rusqlite::types::Value;
use std::sync::Arc;
use syncline_simulator::config::Config;
use syncline_simulator::http::{answer, in_call};
use syncline_simulator::org::{Org, OrgKind, Origin, records, save_object, sessions};
use syncline_simulator::schema::{Field, Kind, Object, PicklistValue, Schema};
use syncline_simulator::world::World;

/// An org, its world and a session of its administrator.
pub struct Asked {
    pub world: Arc<World>,
    pub org: Arc<Org>,
    pub user: String,
    token: String,
}

pub fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

impl Asked {
    /// An org whose clock stands at 2026-03-02T10:00:00Z.
    pub fn new() -> Self {
        let config = Config {
            clock: "stepped".to_owned(),
            orgs: Vec::new(),
            ..Config::default()
        };
        let world = Arc::new(World::new(config, None).expect("world"));
        let origin = Origin {
            http: "http://127.0.0.1:1".to_owned(),
            https: None,
        };
        let org = world.add_org("prod", OrgKind::Production, origin).expect("org");
        let (user, token) = {
            let state = org.lock();
            let user: String = state
                .db
                .query_row("SELECT \"Id\" FROM \"User\" WHERE \"Alias\" = 'admin'", [], |row| {
                    row.get(0)
                })
                .expect("admin");
            let token = sessions::grant_access(&org, &state.db, 1, &user, None, world.clock.now()).expect("token");
            (user, token)
        };
        let asked = Self {
            world,
            org,
            user,
            token,
        };
        asked.put_object(widget());
        asked
    }

    pub fn put_object(&self, object: Object) {
        let mut state = self.org.lock();
        save_object(&state.db, &object).expect("table");
        let mut schema: Schema = (*state.schema).clone();
        schema.put(object);
        state.schema = Arc::new(schema);
    }

    pub fn insert(&self, object: &str, values: &[(&str, Value)]) -> String {
        let state = self.org.lock();
        let object = Arc::clone(state.schema.object(object).expect("object"));
        records::insert(
            &self.org,
            &state.db,
            &object,
            values,
            &self.user,
            self.world.clock.now(),
        )
        .expect("insert")
    }

    pub fn sql(&self, sql: &str) {
        self.org.lock().db.execute_batch(sql).expect("sql");
    }

    /// Runs `work` in a call of the org.
    pub fn call<T>(
        &self,
        work: impl FnOnce(&syncline_simulator::http::Call<'_>) -> Result<T, syncline_simulator::error::ApiError>,
    ) -> Result<T, syncline_simulator::error::ApiError> {
        in_call(&self.world, &self.org, &mut self.org.lock(), None, |call| work(call))
    }

    /// `GET /services/data/v67.0/…`
    pub fn get(
        &self,
        path: &str,
        query: &[(&str, &str)],
        headers: &[(&'static str, &str)],
    ) -> (u16, serde_json::Value) {
        let encoded: Vec<String> = query
            .iter()
            .map(|(name, value)| {
                let value = percent_encoding::utf8_percent_encode(value, percent_encoding::NON_ALPHANUMERIC);
                format!("{name}={value}")
            })
            .collect();
        let mut all = HeaderMap::new();
        all.insert(
            "authorization",
            HeaderValue::from_str(&format!("Bearer {}", self.token)).expect("token"),
        );
        for (name, value) in headers {
            all.insert(*name, HeaderValue::from_str(value).expect("header"));
        }
        let path = if path.starts_with('/') {
            path.to_owned()
        } else {
            format!("/services/data/v67.0/{path}")
        };
        let reply = answer(
            &self.world,
            &self.org,
            Method::GET,
            &path,
            &encoded.join("&"),
            all,
            Bytes::new(),
        );
        let body = if reply.body.is_empty() {
            serde_json::Value::Null
        } else {
            serde_json::from_slice(&reply.body).expect("JSON")
        };
        (reply.status, body)
    }

    pub fn query(&self, soql: &str) -> serde_json::Value {
        let (status, body) = self.get("query", &[("q", soql)], &[]);
        assert_eq!(status, 200, "{soql}: {body}");
        body
    }

    /// The values of the records in their order, in brief: `[["x",1],…]`, parents as their values.
    pub fn rows(&self, soql: &str) -> String {
        let body = self.query(soql);
        serde_json::Value::Array(body["records"].as_array().expect("records").iter().map(brief).collect()).to_string()
    }

    /// Code and message of a refused query.
    pub fn refusal(&self, path: &str, soql: &str) -> String {
        let (status, body) = self.get(path, &[("q", soql)], &[]);
        assert_eq!(status, 400, "{soql}: {body}");
        format!(
            "{}: {}",
            body[0]["errorCode"].as_str().expect("code"),
            body[0]["message"].as_str().expect("message")
        )
    }
}

fn brief(value: &serde_json::Value) -> serde_json::Value {
    match value {
        serde_json::Value::Object(record) => match record.get("records") {
            Some(records) => brief(records),
            None => record
                .iter()
                .filter(|(key, _)| *key != "attributes")
                .map(|(_, value)| brief(value))
                .collect(),
        },
        serde_json::Value::Array(all) => all.iter().map(brief).collect(),
        other => other.clone(),
    }
}

fn widget() -> Object {
    let reference = |name: &str, to: &[&str], children: &str| Field {
        reference_to: to.iter().map(|to| (*to).to_owned()).collect(),
        children: Some(children.to_owned()),
        ..Field::new(name, Kind::Reference)
    };
    let mut fields = vec![
        Field::new("Id", Kind::Id),
        Field::new("IsDeleted", Kind::Boolean),
        Field::new("CreatedDate", Kind::Datetime),
        Field {
            length: 80,
            name_field: true,
            ..Field::new("Name", Kind::String)
        },
        Field {
            case_sensitive: true,
            external_id: true,
            ..Field::new("Code__c", Kind::String)
        },
        Field {
            length: 32_000,
            ..Field::new("Notes__c", Kind::Textarea)
        },
        Field::new("Count__c", Kind::Int),
        Field {
            scale: 2,
            ..Field::new("Price__c", Kind::Currency)
        },
        Field::new("Active__c", Kind::Boolean),
        Field::new("Due__c", Kind::Date),
        Field::new("Seen__c", Kind::Datetime),
        Field::new("Opens__c", Kind::Time),
        Field::new("Colours__c", Kind::Multipicklist),
        Field::new("Picture__c", Kind::Base64),
        Field::new("Place__c", Kind::Location),
        Field::new("Place__Latitude__s", Kind::Double),
        Field::new("Place__Longitude__s", Kind::Double),
        reference("Account__c", &["Account"], "Widgets"),
        reference("About__c", &["Account", "Contact"], "Abouts"),
    ];
    fields.push(Field {
        picklist: [("N", "New"), ("U", "Used")]
            .iter()
            .map(|(value, label)| PicklistValue {
                value: (*value).to_owned(),
                label: (*label).to_owned(),
                active: true,
                default: false,
            })
            .collect(),
        ..Field::new("State__c", Kind::Picklist)
    });
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
