//! What an endpoint works with: the world, its org inside a transaction, the user, the request.

use super::Request;
use crate::clock::Millis;
use crate::error::ApiError;
use crate::ids;
use crate::org::{Org, State};
use crate::schema::{Object, Schema};
use crate::world::{NameKind, World};
use rusqlite::Connection;
use std::cell::RefCell;
use std::sync::Arc;

/// One call on an org. The transaction is committed when the endpoint answers without an error.
#[derive(Debug)]
pub struct Call<'a> {
    /// All orgs.
    pub world: &'a Arc<World>,
    /// The org called.
    pub org: &'a Arc<Org>,
    /// Its database, inside a transaction.
    pub db: &'a Connection,
    /// The user behind the session, 18 characters; empty in events and on open routes.
    pub user: String,
    /// The time of the call.
    pub now: Millis,
    /// API version in the path, 67 for `v67.0`; the newest where the path has none.
    pub version: u16,
    /// The path goes through `/tooling/`.
    pub tooling: bool,
    /// The request; an empty one in events.
    pub request: Request,
    schema: RefCell<Arc<Schema>>,
    claimed: RefCell<Vec<(NameKind, String)>>,
    released: RefCell<Vec<(NameKind, String)>>,
}

impl Call<'_> {
    /// Objects and fields as this call sees them.
    pub fn schema(&self) -> Arc<Schema> {
        Arc::clone(&self.schema.borrow())
    }

    /// Puts another schema in force, for the org too once the call is committed. The tables are the caller's business.
    pub fn set_schema(&self, schema: Schema) {
        *self.schema.borrow_mut() = Arc::new(schema);
    }

    /// Gives the org a name that is unique over the world; false when another org has it. A rollback of the call takes it back.
    pub fn claim_name(&self, kind: NameKind, name: &str) -> bool {
        let had = self.world.holds_name(kind, name, &self.org.id);
        let has = had || self.world.claim_name(kind, name, &self.org.id);
        if has && !had {
            self.claimed.borrow_mut().push((kind, name.to_owned()));
        }
        has
    }

    /// Gives a name back to the world once the call is committed.
    pub fn release_name(&self, kind: NameKind, name: &str) {
        self.released.borrow_mut().push((kind, name.to_owned()));
    }

    /// An object of the model; its absence is an error of the simulator.
    pub fn object(&self, name: &str) -> Result<Arc<Object>, ApiError> {
        self.schema()
            .object(name)
            .cloned()
            .ok_or_else(|| ApiError::new("UNKNOWN_EXCEPTION", format!("the model has no {name}")).status(500))
    }

    /// The next id of a key prefix.
    pub fn next_id(&self, prefix: &str) -> Result<String, ApiError> {
        self.org.next_id(self.db, prefix)
    }

    /// Where the org is reached, as this client writes it: scheme and host without a slash.
    pub fn origin(&self) -> String {
        let origin = &self.org.origin;
        let own = match &origin.https {
            Some(https) if self.request.secure => https,
            _ => &origin.http,
        };
        let scheme = own.split("://").next().unwrap_or("http");
        match self.request.header("host") {
            Some(host) if !host.ends_with(".salesforce.com") => format!("{scheme}://{host}"),
            _ => own.clone(),
        }
    }

    /// The org's id, 15 characters.
    pub fn org_id_short(&self) -> &str {
        ids::short(&self.org.id)
    }

    /// The body as JSON.
    pub fn json(&self) -> Result<serde_json::Value, ApiError> {
        serde_json::from_slice(&self.request.body)
            .map_err(|error| ApiError::new("JSON_PARSER_ERROR", error.to_string()))
    }
}

/// Runs `work` in a transaction of the org; rolled back when it gives an error.
pub fn in_call<T>(
    world: &Arc<World>,
    org: &Arc<Org>,
    state: &mut State,
    request: Option<Request>,
    work: impl FnOnce(&mut Call<'_>) -> Result<T, ApiError>,
) -> Result<T, ApiError> {
    let tx = state.db.transaction()?;
    let request = request.unwrap_or_else(|| Request {
        method: axum::http::Method::GET,
        path: String::new(),
        query: Vec::new(),
        headers: axum::http::HeaderMap::new(),
        body: bytes::Bytes::new(),
        secure: false,
        params: std::collections::HashMap::new(),
    });
    let mut call = Call {
        world,
        org,
        db: &tx,
        user: String::new(),
        now: world.clock.now(),
        version: world.config.api_version,
        tooling: false,
        request,
        schema: RefCell::new(Arc::clone(&state.schema)),
        claimed: RefCell::default(),
        released: RefCell::default(),
    };
    let done = work(&mut call);
    let (schema, claimed, released) = (call.schema(), call.claimed.take(), call.released.take());
    let done = done.and_then(|done| tx.commit().map(|()| done).map_err(ApiError::from));
    let free = if done.is_ok() { released } else { claimed };
    for (kind, name) in free {
        world.release_name(kind, &name, &org.id);
    }
    if done.is_ok() {
        state.schema = schema;
    }
    done
}
