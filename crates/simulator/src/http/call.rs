//! What an endpoint works with: the world, its org inside a transaction, the user, the request.

use super::Request;
use crate::clock::Millis;
use crate::error::ApiError;
use crate::ids;
use crate::org::{Org, State};
use crate::schema::{Object, Schema};
use crate::world::{NameKind, World};
use rusqlite::Connection;
use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::rc::Rc;
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
    shared: Rc<Shared>,
}

/// What a call shares with the calls within it.
#[derive(Debug, Default)]
struct Shared {
    claimed: RefCell<Vec<(NameKind, String)>>,
    released: RefCell<Vec<(NameKind, String)>>,
    /// How deep writes have set off each other.
    depth: Cell<u8>,
    /// Objects that are known to have records.
    filled: RefCell<HashSet<String>>,
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
            self.shared.claimed.borrow_mut().push((kind, name.to_owned()));
        }
        has
    }

    /// Gives a name back to the world once the call is committed.
    pub fn release_name(&self, kind: NameKind, name: &str) {
        self.shared.released.borrow_mut().push((kind, name.to_owned()));
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

    /// A call within this one: in the same transaction, for the same user, with another request.
    pub(super) fn within(&self, request: Request) -> Call<'_> {
        Call {
            world: self.world,
            org: self.org,
            db: self.db,
            user: self.user.clone(),
            now: self.now,
            version: self.version,
            tooling: false,
            request,
            schema: RefCell::new(self.schema()),
            shared: Rc::clone(&self.shared),
        }
    }

    /// Takes over the schema that a call within this one put in force.
    pub(super) fn adopt(&self, schema: Arc<Schema>) {
        *self.schema.borrow_mut() = schema;
    }

    /// Goes one level down in writes that set off each other; more than `most` levels are refused.
    pub(crate) fn deeper(&self, most: u8) -> Result<Deeper, ApiError> {
        let depth = self.shared.depth.get();
        if depth >= most {
            return Err(ApiError::new(
                "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
                "Maximum trigger depth exceeded",
            ));
        }
        self.shared.depth.set(depth + 1);
        Ok(Deeper(Rc::clone(&self.shared)))
    }

    /// Whether an object has any record.
    pub(crate) fn has_rows(&self, object: &str) -> Result<bool, ApiError> {
        if self.shared.filled.borrow().contains(object) {
            return Ok(true);
        }
        let sql = format!("SELECT EXISTS (SELECT 1 FROM \"{object}\")");
        let filled = self.db.prepare_cached(&sql)?.query_row([], |row| row.get(0))?;
        if filled {
            self.shared.filled.borrow_mut().insert(object.to_owned());
        }
        Ok(filled)
    }

    /// The body as JSON.
    pub fn json(&self) -> Result<serde_json::Value, ApiError> {
        serde_json::from_slice(&self.request.body)
            .map_err(|error| ApiError::new("JSON_PARSER_ERROR", error.to_string()))
    }
}

/// One level of writes that set off each other; it ends when dropped.
#[derive(Debug)]
pub(crate) struct Deeper(Rc<Shared>);

impl Drop for Deeper {
    fn drop(&mut self) {
        self.0.depth.set(self.0.depth.get().saturating_sub(1));
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
    let request = request.unwrap_or_else(Request::none);
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
        shared: Rc::default(),
    };
    let done = work(&mut call);
    let (schema, claimed, released) = (call.schema(), call.shared.claimed.take(), call.shared.released.take());
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
