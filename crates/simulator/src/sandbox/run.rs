//! The events of a copy, in the order of the statuses.
//!
//! - create: `Pending → Processing → [Sampling → Processing] → Activating → Completed`
//! - refresh: the same, but it stops at `Pending Activation` unless `AutoActivate` is set
//! - discard: `Discarding → Deleted`; delete: `Deleting → Deleted`
//!
//! `EndDate` is set when the sandbox is `Completed`; `sandboxAuth` answers some minutes later.

use super::license::{self, MINUTE};
use super::process::{self, Process, payload};
use super::{copy, effects, status};
use crate::clock::Millis;
use crate::error::ApiError;
use crate::http::{Call, EventHandler, EventPreparation};
use crate::ids;
use crate::org::{Org, State};
use crate::server::Door;
use crate::world::{Event, World, schedule};
use rusqlite::params;
use rusqlite::types::Value as Sql;
use serde_json::json;
use std::sync::Arc;

/// Events of sandboxes.
pub(crate) const EVENTS: &[(&str, EventHandler)] = &[
    ("sandbox.start", start),
    ("sandbox.snapshot", snapshot),
    ("sandbox.progress", progress),
    ("sandbox.copied", copied),
    ("sandbox.activating", activating),
    ("sandbox.finish", finish),
    ("sandbox.ready", ready),
    ("sandbox.deleted", deleted),
];

/// What is done before some of them.
pub(crate) const PREPARATIONS: &[(&str, EventPreparation)] =
    &[("sandbox.snapshot", copy::take), ("sandbox.finish", put_in_place)];

/// Share of the time passed and percent shown: fast, then stuck in the middle, then slow.
const CURVE: &[(i64, i64)] = &[(12, 4), (20, 23), (28, 49), (60, 51), (75, 52), (82, 84), (95, 97)];
/// How long the source's setup is locked while a copy begins.
const SNAPSHOT: Millis = 2 * MINUTE;
/// A step of an activation.
const STEP: Millis = 3 * MINUTE;
/// From `EndDate` until `sandboxAuth` answers.
const NOT_READY: Millis = 4 * MINUTE;
/// From the beginning of a deletion to its end.
const DELETION: Millis = 20 * MINUTE;

fn of(call: &Call<'_>, event: &Event) -> Result<Process, ApiError> {
    let id = event.payload["process"].as_str().unwrap_or_default();
    process::find(call.db, id)?
        .ok_or_else(|| ApiError::new("UNKNOWN_EXCEPTION", format!("no sandbox process {id}")).status(500))
}

fn next(call: &Call<'_>, event: &Event, after: Millis, kind: &str, process: &Process) -> Result<(), ApiError> {
    schedule(call.db, event.due + after, kind, &payload(&process.id))
}

/// Sets a stage's status: `In Progress` with its start, `Completed` with its end.
fn stage(call: &Call<'_>, process: &str, number: i64, status: &str) -> Result<(), ApiError> {
    let column = if status == "Completed" { "EndTime" } else { "StartTime" };
    let done = if status == "Completed" { 100 } else { 0 };
    call.db.execute(
        &format!(
            "UPDATE SandboxProcessStage SET Status = ?3, {column} = ?4, InfoLastUpdated = ?4, CompletedWork = max(CompletedWork, ?5),
             ActualTotalWork = coalesce(ActualTotalWork, 100), IsActualWorkFinal = ?6 WHERE SandboxProcess = ?1 AND StageNumber = ?2"
        ),
        params![process, number, status, call.now, done, done == 100],
    )?;
    Ok(())
}

/// Puts a new process into the queue. The work ahead of it is what other sandboxes still have to copy.
pub(super) fn queue(call: &Call<'_>, id: &str) -> Result<(), ApiError> {
    let ahead: i64 = call.db.query_row(
        "SELECT count(*) FROM SandboxProcess WHERE Id <> ?1 AND Status IN ('Pending', 'Processing', 'Sampling')",
        [id],
        |row| row.get(0),
    )?;
    stage(call, id, 0, "In Progress")?;
    call.db.execute(
        "UPDATE SandboxProcessStage SET EstimatedTotalWork = ?2 WHERE SandboxProcess = ?1 AND StageNumber = 0",
        params![id, ahead],
    )?;
    schedule(
        call.db,
        call.now + (5 + 15 * ahead) * MINUTE,
        "sandbox.start",
        &payload(id),
    )
}

fn start(call: &Call<'_>, event: &Event) -> Result<(), ApiError> {
    let process = of(call, event)?;
    stage(call, &process.id, 0, "Completed")?;
    stage(call, &process.id, 1, "In Progress")?;
    process::set(
        call,
        &process.id,
        &[
            ("Status", Sql::Text("Processing".to_owned())),
            ("StartDate", Sql::Integer(call.now)),
        ],
    )?;
    if call.world.faults.takes_copy(&process.name) {
        return Ok(());
    }
    lock_setup(call, true)?;
    next(call, event, SNAPSHOT, "sandbox.snapshot", &process)
}

/// While a copy begins, deployments to its source are refused.
fn lock_setup(call: &Call<'_>, locked: bool) -> Result<(), ApiError> {
    if locked {
        call.db.execute(
            "INSERT OR REPLACE INTO _value (name, value) VALUES ('setup_locked', '1')",
            [],
        )?;
    } else {
        call.db.execute("DELETE FROM _value WHERE name = 'setup_locked'", [])?;
    }
    Ok(())
}

/// The copy is there (see [`copy::take`]); what follows is the time it takes in reality.
fn snapshot(call: &Call<'_>, event: &Event) -> Result<(), ApiError> {
    let process = of(call, event)?;
    lock_setup(call, false)?;
    let sampled = process.template.is_some();
    process::set(
        call,
        &process.id,
        &[
            ("SandboxOrganization", Sql::Text(ids::short(&process.org_id).to_owned())),
            (
                "Status",
                Sql::Text(if sampled { "Sampling" } else { "Processing" }.to_owned()),
            ),
        ],
    )?;
    let whole = license::of(&process.license).map_or(30, |license| license.minutes) * MINUTE;
    for (time, shown) in CURVE {
        schedule(
            call.db,
            event.due + whole * time / 100,
            "sandbox.progress",
            &json!({ "process": process.id, "shown": shown }),
        )?;
    }
    next(call, event, whole, "sandbox.copied", &process)
}

fn progress(call: &Call<'_>, event: &Event) -> Result<(), ApiError> {
    let process = of(call, event)?;
    let shown = event.payload["shown"].as_i64().unwrap_or(0);
    call.db.execute(
        "UPDATE SandboxProcessStage SET CompletedWork = ?2, ActualTotalWork = 100, InfoLastUpdated = ?3
         WHERE SandboxProcess = ?1 AND StageNumber = 1",
        params![process.id, shown, call.now],
    )?;
    // Copies by a template show no progress, but change their status.
    match process.template {
        Some(_) => process::set_status(call, &process.id, if shown < 50 { "Sampling" } else { "Processing" }),
        None => process::set(call, &process.id, &[("CopyProgress", Sql::Integer(shown))]),
    }
}

fn copied(call: &Call<'_>, event: &Event) -> Result<(), ApiError> {
    let process = of(call, event)?;
    stage(call, &process.id, 1, "Completed")?;
    if process.template.is_none() {
        process::set(call, &process.id, &[("CopyProgress", Sql::Integer(100))])?;
    }
    stage(call, &process.id, 2, "In Progress")?;
    if process.refresh && !process.auto_activate {
        return process::set_status(call, &process.id, "Pending Activation");
    }
    process::set(call, &process.id, &[("ActivatedDate", Sql::Integer(call.now))])?;
    begin_activation(call, &process.id)
}

/// From here a copy cannot be stopped.
pub(super) fn begin_activation(call: &Call<'_>, id: &str) -> Result<(), ApiError> {
    stage(call, id, 2, "Completed")?;
    stage(call, id, 3, "In Progress")?;
    process::set_status(call, id, process::activating(call, 0))?;
    for step in 1..4 {
        schedule(
            call.db,
            call.now + STEP * step,
            "sandbox.activating",
            &json!({ "process": id, "step": step }),
        )?;
    }
    schedule(call.db, call.now + STEP * 4, "sandbox.finish", &payload(id))
}

fn activating(call: &Call<'_>, event: &Event) -> Result<(), ApiError> {
    let process = of(call, event)?;
    let step = usize::try_from(event.payload["step"].as_i64().unwrap_or(0)).unwrap_or(0);
    process::set_status(call, &process.id, process::activating(call, step))
}

/// Puts the copy in the place of the old sandbox, or at an address of its own. Does nothing if that has been done.
fn put_in_place(world: &Arc<World>, _: &Arc<Org>, state: &mut State, event: &Event) -> Result<(), ApiError> {
    let id = event.payload["process"].as_str().unwrap_or_default();
    let Some(process) = process::find(&state.db, id)? else {
        return Ok(());
    };
    let Some(entry) = world.copy(&process.org_id)? else {
        return Ok(());
    };
    let old_id: Option<String> = state.db.query_row(
        "SELECT org_id FROM _sandbox WHERE info_id = ?1",
        [&process.info_id],
        |row| row.get(0),
    )?;
    let old = world.orgs().into_iter().find(|each| Some(&each.id) == old_id.as_ref());
    let new = match &old {
        Some(old) => world.activate(&entry, old.origin.clone(), Some(old))?,
        None => {
            let door = Door::free(world)?;
            let new = world.activate(&entry, door.origin.clone(), None)?;
            door.open(world);
            new
        }
    };
    effects::post_copy(world, &state.db, &new, &process)
}

fn finish(call: &Call<'_>, event: &Event) -> Result<(), ApiError> {
    let process = of(call, event)?;
    stage(call, &process.id, 3, "Completed")?;
    process::set(
        call,
        &process.id,
        &[
            ("Status", Sql::Text("Completed".to_owned())),
            ("EndDate", Sql::Integer(call.now)),
        ],
    )?;
    call.db.execute(
        "UPDATE _sandbox SET org_id = ?2 WHERE info_id = ?1",
        [&process.info_id, &process.org_id],
    )?;
    // The processes of the copies before are over: their org is gone.
    call.db.execute(
        "UPDATE SandboxProcess SET Status = 'Deleting', LastModifiedDate = ?3 WHERE SandboxInfoId = ?1 AND Id <> ?2 AND Status = 'Completed'",
        params![process.info_id, process.id, call.now],
    )?;
    next(call, event, NOT_READY, "sandbox.ready", &process)
}

fn ready(call: &Call<'_>, event: &Event) -> Result<(), ApiError> {
    let process = of(call, event)?;
    call.db.execute(
        "UPDATE _copy SET ready = ?2 WHERE process_id = ?1",
        params![process.id, call.now],
    )?;
    call.db.execute(
        "UPDATE SandboxProcess SET Status = 'Deleted', LastModifiedDate = ?2 WHERE SandboxInfoId = ?1 AND Id <> ?3 AND Status = 'Deleting'",
        params![process.info_id, call.now, process.id],
    )?;
    Ok(())
}

/// Throws a copy away that waits for its activation. The sandbox stays as it is.
pub(super) fn discard(call: &Call<'_>, id: &str) -> Result<(), ApiError> {
    process::set(
        call,
        id,
        &[
            ("RefreshAction", Sql::Text("DISCARD".to_owned())),
            ("Status", Sql::Text("Discarding".to_owned())),
        ],
    )?;
    schedule(call.db, call.now + DELETION, "sandbox.deleted", &payload(id))
}

/// Begins the deletion of a sandbox.
pub(super) fn delete(call: &Call<'_>, info_id: &str) -> Result<(), ApiError> {
    let Some(last) = process::latest(call, info_id)? else {
        return Ok(());
    };
    // The deletion of a record clears the references to it; a process keeps its.
    call.db.execute(
        "UPDATE SandboxProcess SET SandboxInfoId = ?1 WHERE Id IN (SELECT process_id FROM _copy WHERE info_id = ?1)",
        [&last.info_id],
    )?;
    let mut read = call
        .db
        .prepare("SELECT Id, Status FROM SandboxProcess WHERE SandboxInfoId = ?1")?;
    let all: Vec<(String, String)> = read
        .query_map([&last.info_id], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    for (id, label) in all {
        if !status::is_deleted(&label) {
            process::set_status(call, &id, "Deleting")?;
            schedule(call.db, call.now + DELETION, "sandbox.deleted", &payload(&id))?;
        }
    }
    Ok(())
}

/// The end of a deletion: of a copy that was discarded, or of a sandbox with its org.
fn deleted(call: &Call<'_>, event: &Event) -> Result<(), ApiError> {
    let process = of(call, event)?;
    if process.status == "Discarding" || call.world.copy(&process.org_id)?.is_some() {
        call.world.drop_copy(&process.org_id)?;
    } else {
        call.world.remove_org(&process.org_id)?;
        call.db.execute(
            "UPDATE _sandbox SET org_id = NULL WHERE info_id = ?1",
            [&process.info_id],
        )?;
    }
    process::set_status(call, &process.id, "Deleted")
}
