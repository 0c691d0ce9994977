//! The world, its clock and its switches.

use super::Control;
use crate::clock::{Pace, iso};
use crate::error::ApiError;
use crate::http::{Reply, in_call};
use crate::oauth::{apps, users};
use crate::org::{Org, OrgKind, sessions};
use rusqlite::OptionalExtension;
use serde_json::{Value, json};
use std::sync::Arc;

/// Marks the sessions made for controls.
const CLIENT: &str = "_simulator";

pub(super) fn show(control: &Control<'_>) -> Result<Reply, ApiError> {
    let orgs: Vec<Value> = control
        .world
        .orgs()
        .iter()
        .map(|org| describe(control, org))
        .collect::<Result<_, _>>()?;
    Ok(Reply::json(&json!({
        "seed": control.world.config.seed,
        "apiVersion": control.world.config.api_version,
        "clock": clock_json(control),
        "app": { "clientId": apps::SIMULATOR, "clientSecret": apps::SIMULATOR_SECRET },
        "orgs": orgs,
    })))
}

fn describe(control: &Control<'_>, org: &Arc<Org>) -> Result<Value, ApiError> {
    let (kind, of) = match &org.kind {
        OrgKind::Production => ("production".to_owned(), None),
        OrgKind::DeveloperEdition => ("developer-edition".to_owned(), None),
        OrgKind::Sandbox { of, license } => (license.clone(), Some(of.clone())),
    };
    let state = org.lock();
    let mut read = state.db.prepare_cached(&format!(
        "SELECT Id, Username, Email, IsActive, NOT ({}) FROM User u ORDER BY Id LIMIT 100",
        users::MAY_LOG_IN
    ))?;
    let people: Vec<Value> = read
        .query_map([], |r| {
            Ok(json!({
                "id": r.get::<_, String>(0)?,
                "username": r.get::<_, String>(1)?,
                "email": r.get::<_, Option<String>>(2)?,
                "active": r.get::<_, bool>(3)?,
                "lockedOut": r.get::<_, bool>(4)?,
            }))
        })?
        .collect::<Result<_, _>>()?;
    drop(read);
    let admin = users::first_admin(&state.db)?;
    drop(state);
    let token = admin.map(|admin| session(control, org, &admin.id)).transpose()?;
    Ok(json!({
        "name": org.name,
        "id": org.id,
        "kind": kind,
        "of": of,
        "origin": org.origin.http,
        "secureOrigin": org.origin.https,
        "users": people,
        "adminToken": token,
    }))
}

/// A living session of a user that was made here, or a new one.
fn session(control: &Control<'_>, org: &Arc<Org>, user_id: &str) -> Result<String, ApiError> {
    let mut state = org.lock();
    let kept: Option<String> = state
        .db
        .prepare_cached("SELECT token FROM _session WHERE client_id = ?1 AND user_id = ?2 AND revoked IS NULL LIMIT 1")?
        .query_row([CLIENT, user_id], |row| row.get(0))
        .optional()?;
    match kept {
        Some(token) => Ok(token),
        None => in_call(control.world, org, &mut state, None, |call| {
            let seed = call.world.config.seed;
            sessions::grant_access(org, call.db, seed, user_id, Some(CLIENT), call.now)
        }),
    }
}

pub(super) fn token(control: &Control<'_>) -> Result<Reply, ApiError> {
    let body = control.json()?;
    let username = body["username"].as_str().unwrap_or_default();
    let user = users::by_name(&control.org.lock().db, username)?
        .ok_or_else(|| ApiError::new("NOT_FOUND", format!("no user {username} of this org may log in")).status(404))?;
    let token = session(control, control.org, &user.id)?;
    Ok(Reply::json(&json!({ "token": token, "userId": user.id })))
}

fn clock_json(control: &Control<'_>) -> Value {
    let clock = &control.world.clock;
    let now = clock.now();
    json!({ "now": now, "text": iso(now), "pace": clock.pace().to_string() })
}

pub(super) fn clock(control: &Control<'_>) -> Result<Reply, ApiError> {
    Ok(Reply::json(&clock_json(control)))
}

pub(super) fn set_clock(control: &Control<'_>) -> Result<Reply, ApiError> {
    let body = control.json()?;
    let wrong = |text: String| ApiError::new("INVALID_INPUT", text);
    let all = body
        .as_object()
        .ok_or_else(|| wrong("give an object with set, step or pace".to_owned()))?;
    if let Some(name) = all
        .keys()
        .find(|name| !["set", "step", "pace"].contains(&name.as_str()))
    {
        return Err(wrong(format!("`{name}` is neither set, step nor pace")));
    }
    let number = |name: &str| match all.get(name) {
        None => Ok(None),
        Some(value) => value
            .as_i64()
            .map(Some)
            .ok_or_else(|| wrong(format!("{name} is a number of milliseconds"))),
    };
    let (set, step) = (number("set")?, number("step")?);
    let clock = &control.world.clock;
    if let Some(pace) = all.get("pace") {
        let pace: Pace = pace.as_str().unwrap_or_default().parse().map_err(wrong)?;
        clock.set_pace(pace);
    }
    if let Some(to) = set {
        clock.set(to);
    }
    if let Some(by) = step {
        clock.step(by);
    }
    control.world.keep_clock()?;
    Ok(Reply::json(&clock_json(control)))
}

pub(super) fn switches(control: &Control<'_>) -> Result<Reply, ApiError> {
    Ok(Reply::json(&json!(control.world.switches())))
}

pub(super) fn set_switches(control: &Control<'_>) -> Result<Reply, ApiError> {
    let changed = control
        .world
        .switches()
        .with(&control.json()?)
        .map_err(|problem| ApiError::new("INVALID_INPUT", problem))?;
    control.world.set_switches(changed)?;
    switches(control)
}
