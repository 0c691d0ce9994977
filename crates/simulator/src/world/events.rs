//! What waits for its time: jobs, copies, late rows. Kept in each org's database, run when a request finds them due.

use super::World;
use crate::clock::{Millis, Pace};
use crate::error::ApiError;
use crate::org::{Org, State};
use rusqlite::{Connection, OptionalExtension, params};
use std::sync::Arc;

/// Something that waits.
#[derive(Debug, Clone)]
pub struct Event {
    /// Which handler runs, see [`crate::http::event_handler`].
    pub kind: String,
    /// JSON for the handler.
    pub payload: serde_json::Value,
    /// When.
    pub due: Millis,
}

/// Puts an event into an org's queue, inside the caller's transaction.
pub fn schedule(db: &Connection, due: Millis, kind: &str, payload: &serde_json::Value) -> Result<(), ApiError> {
    db.execute(
        "INSERT INTO _event (due, kind, payload) VALUES (?1, ?2, ?3)",
        params![due, kind, payload.to_string()],
    )?;
    Ok(())
}

/// Runs what is due in an org, in order; with a fast clock also what is not, moving the clock on.
pub fn settle(world: &Arc<World>, org: &Arc<Org>) -> Result<(), ApiError> {
    let mut state = org.lock();
    while run_next(world, org, &mut state)? {}
    Ok(())
}

fn run_next(world: &Arc<World>, org: &Arc<Org>, state: &mut State) -> Result<bool, ApiError> {
    let next: Option<(i64, Millis, String, String)> = state
        .db
        .prepare_cached("SELECT id, due, kind, payload FROM _event ORDER BY due, id LIMIT 1")?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))
        .optional()?;
    let Some((id, due, kind, payload)) = next else {
        return Ok(false);
    };
    if due > world.clock.now() {
        if world.clock.pace() != Pace::Fast {
            return Ok(false);
        }
        world.clock.reach(due);
        world.keep_clock()?;
    }
    let payload = serde_json::from_str(&payload).unwrap_or_default();
    let event = Event { kind, payload, due };
    let run = crate::http::event_handler(&event.kind).ok_or_else(|| {
        ApiError::new("UNKNOWN_EXCEPTION", format!("no handler for the event {}", event.kind)).status(500)
    })?;
    if let Some(prepare) = crate::http::event_preparation(&event.kind) {
        prepare(world, org, state, &event)?;
    }
    crate::http::in_call(world, org, state, None, |call| {
        call.db.execute("DELETE FROM _event WHERE id = ?1", [id])?;
        // However late the queue is looked at, a thing happens at its time.
        call.now = due;
        // An event that says who set it off acts for that user.
        event.payload["user"]
            .as_str()
            .unwrap_or_default()
            .clone_into(&mut call.user);
        run(call, &event)
    })?;
    Ok(true)
}

/// What waits in an org, in order.
pub fn pending(db: &Connection) -> Result<Vec<Event>, ApiError> {
    let mut read = db.prepare_cached("SELECT due, kind, payload FROM _event ORDER BY due, id")?;
    let rows = read.query_map([], |row| {
        let payload: String = row.get(2)?;
        Ok(Event {
            due: row.get(0)?,
            kind: row.get(1)?,
            payload: serde_json::from_str(&payload).unwrap_or_default(),
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
