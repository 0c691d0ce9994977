//! Makes the database of a new sandbox: all of its source, then changed to what a refreshed sandbox looks like.

mod data;
mod rewrite;
mod setup;
mod users;

use super::license::{self, License};
use super::process::{self, Process};
use crate::error::ApiError;
use crate::ids;
use crate::org::{Org, OrgKind, State};
use crate::schema::Schema;
use crate::switches::Switches;
use crate::world::{Entry, Event, World};
use rusqlite::Connection;
use rusqlite::backup::Backup;
use std::sync::Arc;

/// What the changes look at.
struct Copying<'a> {
    world: &'a World,
    schema: &'a Schema,
    process: &'a Process,
    license: &'static License,
    switches: Switches,
    /// Id of the source, 18 characters.
    source: String,
    /// Name of the source sandbox of a clone.
    cloned: Option<String>,
    /// Deliverability of the sandbox that is replaced.
    old_deliverability: Option<String>,
    /// The sandbox that is replaced.
    old: Option<String>,
    /// Objects of the template.
    template: Vec<String>,
    /// Members of the access group; none when no group was given.
    members: Option<Vec<String>>,
}

/// Copies the source of a process. Runs outside of a transaction, and again after a kill.
pub(super) fn take(world: &Arc<World>, org: &Arc<Org>, state: &mut State, event: &Event) -> Result<(), ApiError> {
    let id = event.payload["process"].as_str().unwrap_or_default();
    let Some(process) = process::find(&state.db, id)? else {
        return Ok(());
    };
    let license = license::of(&process.license)
        .ok_or_else(|| ApiError::new("UNKNOWN_EXCEPTION", "a sandbox without a licence").status(500))?;
    let org_of = |info: &str| -> Result<Option<Arc<Org>>, ApiError> {
        let id: Option<String> =
            state
                .db
                .query_row("SELECT org_id FROM _sandbox WHERE info_id = ?1", [info], |row| {
                    row.get(0)
                })?;
        Ok(world.orgs().into_iter().find(|org| Some(&org.id) == id.as_ref()))
    };
    let old = org_of(&process.info_id)?;
    let source = match &process.source {
        Some(info) => {
            Some(org_of(info)?.ok_or_else(|| ApiError::new("UNKNOWN_EXCEPTION", "the source of a clone is gone"))?)
        }
        None => None,
    };
    let old_deliverability = match &old {
        Some(old) => Some(super::email::level(&old.lock().db)?),
        None => None,
    };

    let mut db = world.new_copy(&process.org_id)?;
    let (schema, source_id) = match &source {
        Some(source) => {
            let state = source.lock();
            backup(&state.db, &mut db)?;
            (Arc::clone(&state.schema), source.id.clone())
        }
        None => {
            backup(&state.db, &mut db)?;
            (Arc::clone(&state.schema), org.id.clone())
        }
    };
    let copying = Copying {
        world,
        schema: &schema,
        license,
        switches: world.switches(),
        source: source_id,
        cloned: source
            .as_ref()
            .map(|source| crate::org::sandbox_name(&org.name, &source.name).to_owned()),
        old_deliverability,
        old: old.map(|old| old.id.clone()),
        template: template(&state.db, process.template.as_deref())?,
        members: members(&state.db, &process)?,
        process: &process,
    };
    let tx = db.transaction()?;
    setup::apply(&copying, &tx)?;
    data::apply(&copying, &tx)?;
    users::apply(&copying, &tx)?;
    rewrite::apply(&copying, &tx)?;
    tx.commit()?;
    if license.data != license::Data::All {
        db.execute_batch("VACUUM")?;
    }
    world.keep_copy(
        &Entry {
            id: process.org_id.clone(),
            name: world.sandbox_short_name(&org.name, &process.name),
            kind: OrgKind::Sandbox {
                of: org.name.clone(),
                license: process.license.clone(),
            },
            pod: process.pod,
            port: 0,
            tls_port: None,
            live: false,
        },
        db,
    )
}

fn backup(from: &Connection, to: &mut Connection) -> Result<(), ApiError> {
    Backup::new(from, to)?.run_to_completion(1 << 20, std::time::Duration::ZERO, None)?;
    Ok(())
}

fn template(db: &Connection, id: Option<&str>) -> Result<Vec<String>, ApiError> {
    let mut read = db.prepare("SELECT object FROM _template WHERE id = ?1 ORDER BY object")?;
    let rows = read.query_map([id.and_then(ids::long)], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Users of the access group, by its direct members of the type User, and whoever asked for the copy. A clone takes the
/// access of its source over.
fn members(db: &Connection, process: &Process) -> Result<Option<Vec<String>>, ApiError> {
    let (Some(group), None) = (&process.group, &process.source) else {
        return Ok(None);
    };
    let mut read =
        db.prepare("SELECT UserOrGroupId FROM GroupMember WHERE GroupId = ?1 AND UserOrGroupId LIKE '005%'")?;
    let rows = read.query_map([ids::long(group)], |row| row.get(0))?;
    let mut all: Vec<String> = rows.collect::<Result<_, _>>()?;
    all.push(process.by_user.clone());
    Ok(Some(all))
}

/// Whether the database has a table; the tables of other parts of the simulator are made when they are first needed.
fn has_table(db: &Connection, name: &str) -> Result<bool, ApiError> {
    Ok(db
        .prepare_cached("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?1")?
        .exists([name])?)
}
