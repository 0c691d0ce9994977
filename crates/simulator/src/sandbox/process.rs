//! `SandboxProcess`: one copy of a sandbox, its stages, and what may be done with it.

use super::license::{self, Template};
use super::{info, production_only, refuse, run, status};
use crate::clock::Millis;
use crate::error::ApiError;
use crate::http::Call;
use crate::ids;
use crate::org::records;
use crate::switches::{ActivatingLabel, ContextId, Switches};
use rusqlite::types::Value as Sql;
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde_json::{Map, Value, json};

/// A SandboxProcess with what only the simulator knows of it.
#[derive(Debug, Clone)]
pub(crate) struct Process {
    pub(crate) id: String,
    pub(crate) info_id: String,
    pub(crate) name: String,
    pub(crate) license: String,
    pub(crate) status: String,
    pub(crate) template: Option<String>,
    pub(crate) source: Option<String>,
    pub(crate) features: Option<String>,
    pub(crate) group: Option<String>,
    pub(crate) class: Option<String>,
    pub(crate) auto_activate: bool,
    pub(crate) copy_chatter: bool,
    /// Id of the new org, 18 characters.
    pub(crate) org_id: String,
    pub(crate) pod: u32,
    pub(crate) refresh: bool,
    pub(crate) by_user: String,
    pub(crate) ready: Option<Millis>,
}

const COLUMNS: &str = "p.Id, c.info_id, p.SandboxName, p.LicenseType, p.Status, p.TemplateId, p.SourceId, p.Features, p.ActivationUserGroupId, \
     p.ApexClassId, p.AutoActivate, p.CopyChatter, c.org_id, c.pod, c.refresh, c.by_user, c.ready";

fn read(r: &Row<'_>) -> rusqlite::Result<Process> {
    Ok(Process {
        id: r.get(0)?,
        info_id: r.get(1)?,
        name: r.get(2)?,
        license: r.get(3)?,
        status: r.get(4)?,
        template: r.get(5)?,
        source: r.get(6)?,
        features: r.get(7)?,
        group: r.get(8)?,
        class: r.get(9)?,
        auto_activate: r.get(10)?,
        copy_chatter: r.get(11)?,
        org_id: r.get(12)?,
        pod: r.get(13)?,
        refresh: r.get(14)?,
        by_user: r.get(15)?,
        ready: r.get(16)?,
    })
}

/// The process of that id.
pub(crate) fn find(db: &Connection, id: &str) -> Result<Option<Process>, ApiError> {
    Ok(db
        .prepare_cached(&format!(
            "SELECT {COLUMNS} FROM SandboxProcess p JOIN _copy c ON c.process_id = p.Id WHERE p.Id = ?1"
        ))?
        .query_row([id], read)
        .optional()?)
}

/// The newest process of a sandbox.
pub(crate) fn latest(call: &Call<'_>, info_id: &str) -> Result<Option<Process>, ApiError> {
    Ok(call
        .db
        .prepare_cached(&format!(
            "SELECT {COLUMNS} FROM SandboxProcess p JOIN _copy c ON c.process_id = p.Id WHERE c.info_id = ?1
             ORDER BY c.requested DESC, p.Id DESC LIMIT 1"
        ))?
        .query_row([ids::long(info_id).unwrap_or_default()], read)
        .optional()?)
}

/// When the sandbox was last asked for: the refresh interval counts from then.
pub(crate) fn last_request(call: &Call<'_>, info_id: &str) -> Result<Option<Millis>, ApiError> {
    let discarded = call.world.switches().discard_counts;
    Ok(call.db.query_row(
        "SELECT max(c.requested) FROM _copy c JOIN SandboxProcess p ON p.Id = c.process_id
         WHERE c.info_id = ?1 AND (?2 OR p.RefreshAction IS NULL OR p.RefreshAction <> 'DISCARD')",
        params![ids::long(info_id), discarded],
        |row| row.get(0),
    )?)
}

/// Begins a copy: the row is there at once, the rest comes by events.
pub(crate) fn begin(call: &Call<'_>, info_id: &str) -> Result<String, ApiError> {
    let info = info::row(call, info_id)?;
    let info_id = ids::long(info_id).unwrap_or_default();
    let before = latest(call, &info_id)?;
    let refresh = before.is_some();
    let (org_id, pod) = call.world.new_org_id()?;
    let id = insert(call, &info, call.now)?;
    call.db.execute(
        "INSERT INTO _copy (process_id, info_id, org_id, pod, refresh, by_user, requested) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![id, info_id, org_id, pod, refresh, call.user, call.now],
    )?;
    if !refresh {
        let connect = call.next_id("07E")?;
        call.db.execute(
            "INSERT OR IGNORE INTO _sandbox (info_id, connect_id) VALUES (?1, ?2)",
            [&info_id, &connect],
        )?;
    }
    run::queue(call, &id)?;
    Ok(id)
}

/// Inserts the row of a process and those of its stages.
pub(crate) fn insert(call: &Call<'_>, info: &Map<String, Value>, at: Millis) -> Result<String, ApiError> {
    let text = |field: &str| match info.get(field).and_then(Value::as_str) {
        Some(text) => Sql::Text(text.to_owned()),
        None => Sql::Null,
    };
    let number = |field: &str| {
        Sql::Integer(match info.get(field) {
            Some(Value::Bool(flag)) => i64::from(*flag),
            Some(other) => other.as_i64().unwrap_or(0),
            None => 0,
        })
    };
    let template = info.get("TemplateId").is_some_and(Value::is_string);
    let mut values = vec![
        ("SandboxInfoId", text("Id")),
        ("Status", Sql::Text("Pending".to_owned())),
        ("CreatedDate", Sql::Integer(at)),
        ("CopyProgress", if template { Sql::Null } else { Sql::Integer(0) }),
    ];
    for field in [
        "SandboxName",
        "LicenseType",
        "Description",
        "TemplateId",
        "ApexClassId",
        "ActivationUserGroupId",
        "SourceId",
        "Features",
        "PostCopyConfig",
    ] {
        values.push((field, text(field)));
    }
    for field in ["HistoryDays", "CopyChatter", "CopyArchivedActivities", "AutoActivate"] {
        values.push((field, number(field)));
    }
    if let Some(license) = info.get("LicenseType").and_then(Value::as_str).and_then(license::of) {
        let hours = (license.minutes / 60).max(1).to_string();
        values.push(("PredictedStaticCopyHours", Sql::Text(hours.clone())));
        if license.template != Template::Forbidden {
            values.push(("PredictedDynamicCopyHours", Sql::Text(hours)));
        }
    }
    let object = call.object("SandboxProcess")?;
    let id = records::insert(call.org, call.db, &object, &values, &call.user, at)?;
    for (number, kind) in (0..).zip(["In Queue", "Data Copy", "Pending Activation", "Activation"]) {
        call.db.execute(
            "INSERT INTO SandboxProcessStage (Id, SandboxProcess, StageNumber, StageType, Status, InfoLastUpdated, CompletedWork,
             IsActualWorkFinal) VALUES (?1, ?2, ?3, ?4, 'Pending', ?5, 0, 0)",
            params![call.next_id("000")?, id, number, kind, at],
        )?;
    }
    Ok(id)
}

/// Sets fields of a process.
pub(crate) fn set(call: &Call<'_>, id: &str, values: &[(&str, Sql)]) -> Result<(), ApiError> {
    let names: Vec<String> = values.iter().map(|(name, _)| format!("{name} = ?")).collect();
    let mut all: Vec<Sql> = values.iter().map(|(_, value)| value.clone()).collect();
    all.extend([Sql::Integer(call.now), Sql::Integer(call.now), Sql::Text(id.to_owned())]);
    call.db.execute(
        &format!(
            "UPDATE SandboxProcess SET {}, LastModifiedDate = ?, SystemModstamp = ? WHERE Id = ?",
            names.join(", ")
        ),
        rusqlite::params_from_iter(all),
    )?;
    Ok(())
}

/// Sets the status of a process.
pub(crate) fn set_status(call: &Call<'_>, id: &str, label: &str) -> Result<(), ApiError> {
    set(call, id, &[("Status", Sql::Text(label.to_owned()))])
}

/// The label of step 0 to 3 of an activation.
pub(crate) fn activating(call: &Call<'_>, step: usize) -> &'static str {
    match call.world.switches().activating_label {
        ActivatingLabel::Activating => "Activating",
        ActivatingLabel::SubLabels => status::ACTIVATING[step.min(3)],
    }
}

/// Checks a change of a process: only `RefreshAction` moves it, and only when it may.
pub(crate) fn check_change(call: &Call<'_>, id: &str, values: &Map<String, Value>) -> Result<(), ApiError> {
    production_only(call, "SandboxProcess")?;
    let Some(action) = action(values) else {
        return Ok(());
    };
    let id = ids::long(id).unwrap_or_default();
    let process = find(call.db, &id)?.ok_or_else(|| {
        ApiError::new(
            "MALFORMED_ID",
            format!("Sandbox Process ID: id value of incorrect type: {id}"),
        )
    })?;
    let newest = latest(call, &process.info_id)?.is_some_and(|last| last.id == process.id);
    if !newest || !process.refresh || process.status != "Pending Activation" {
        let rule = format!("{action} is for the latest refresh of a sandbox, while it is pending activation.");
        return Err(refuse(call, "INVALID_STATUS", &rule));
    }
    Ok(())
}

/// Does what a change asks for.
pub(crate) fn after_change(call: &Call<'_>, id: &str, values: &Map<String, Value>) -> Result<(), ApiError> {
    let id = ids::long(id).unwrap_or_default();
    match action(values) {
        Some("ACTIVATE") => activate(call, &id),
        Some("DISCARD") => run::discard(call, &id),
        _ => Ok(()),
    }
}

/// Begins the activation of a copy.
pub(crate) fn activate(call: &Call<'_>, id: &str) -> Result<(), ApiError> {
    set(
        call,
        id,
        &[
            ("RefreshAction", Sql::Text("ACTIVATE".to_owned())),
            ("ActivatedById", Sql::Text(call.user.clone())),
            ("ActivatedDate", Sql::Integer(call.now)),
        ],
    )?;
    run::begin_activation(call, id)
}

fn action(values: &Map<String, Value>) -> Option<&str> {
    values
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("RefreshAction"))
        .and_then(|(_, value)| value.as_str())
}

/// The id by which a post-copy class knows its sandbox.
pub(super) fn context_id(switches: &Switches, db: &Connection, process: &Process) -> Result<String, ApiError> {
    match switches.context_id {
        ContextId::SandboxInfo => Ok(process.info_id.clone()),
        ContextId::Connect => Ok(db
            .prepare_cached("SELECT connect_id FROM _sandbox WHERE info_id = ?1")?
            .query_row([&process.info_id], |row| row.get(0))?),
    }
}

/// What an event of a process carries.
pub(super) fn payload(id: &str) -> Value {
    json!({ "process": id })
}
