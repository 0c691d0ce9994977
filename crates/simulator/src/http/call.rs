//! What an endpoint works with: the world, its org inside a transaction, the user, the request.

use super::Request;
use crate::clock::Millis;
use crate::error::ApiError;
use crate::ids;
use crate::org::{Org, State};
use crate::schema::{Object, Schema};
use crate::world::World;
use rusqlite::Connection;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
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
    depth: Rc<Cell<u8>>,
    usernames: Rc<Cell<bool>>,
    filled: Rc<RefCell<HashMap<String, bool>>>,
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

    /// The org's id, 15 characters.
    pub fn org_id_short(&self) -> &str {
        ids::short(&self.org.id)
    }

    /// A call within this one, in the same transaction and for the same user, with another request.
    pub(super) fn within(&self, request: Request) -> Call<'_> {
        Call {
            world: self.world,
            org: self.org,
            db: self.db,
            user: self.user.clone(),
            now: self.now,
            version: self.version,
            tooling: self.tooling,
            request,
            schema: RefCell::new(self.schema()),
            depth: Rc::clone(&self.depth),
            usernames: Rc::clone(&self.usernames),
            filled: Rc::clone(&self.filled),
        }
    }

    /// Takes over the schema a call within this one put in force.
    pub(super) fn adopt(&self, schema: Arc<Schema>) {
        *self.schema.borrow_mut() = schema;
    }

    /// Counts how deep writes set off each other; more than `most` levels are refused.
    pub(crate) fn deeper(&self, most: u8) -> Result<Deeper, ApiError> {
        if self.depth.get() >= most {
            return Err(ApiError::new(
                "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
                "Maximum trigger depth exceeded",
            ));
        }
        self.depth.set(self.depth.get() + 1);
        Ok(Deeper(Rc::clone(&self.depth)))
    }

    /// Takes a username for this org; false when another org has it. What is written in the end counts, not the claim.
    pub(crate) fn claim_username(&self, name: &str) -> bool {
        self.usernames.set(true);
        self.world.usernames.claim(&self.org.id, name)
    }

    /// Whether an object has had records at the beginning of the call or when first asked.
    pub(crate) fn has_rows(&self, object: &str) -> Result<bool, ApiError> {
        if let Some(known) = self.filled.borrow().get(object).filter(|known| **known) {
            return Ok(*known);
        }
        let sql = format!("SELECT EXISTS (SELECT 1 FROM \"{object}\")");
        let filled = self.db.prepare_cached(&sql)?.query_row([], |row| row.get(0))?;
        self.filled.borrow_mut().insert(object.to_owned(), filled);
        Ok(filled)
    }

    /// The body as JSON.
    pub fn json(&self) -> Result<serde_json::Value, ApiError> {
        serde_json::from_slice(&self.request.body)
            .map_err(|error| ApiError::new("JSON_PARSER_ERROR", error.to_string()))
    }
}

/// One level of writes that set off each other; ends when dropped.
pub(crate) struct Deeper(Rc<Cell<u8>>);

impl Drop for Deeper {
    fn drop(&mut self) {
        self.0.set(self.0.get().saturating_sub(1));
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
        depth: Rc::default(),
        usernames: Rc::default(),
        filled: Rc::default(),
    };
    let done = work(&mut call);
    let (schema, usernames) = (call.schema(), call.usernames.get());
    let done = match done {
        Ok(done) => tx.commit().map_err(ApiError::from).map(|()| done),
        Err(error) => tx.rollback().map_err(ApiError::from).and(Err(error)),
    };
    if usernames {
        world.usernames.refresh(&org.id, &state.db)?;
    }
    if done.is_ok() {
        state.schema = schema;
    }
    done
}
