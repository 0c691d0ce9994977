//! Setup of a new sandbox: what is cut off, switched off and forgotten.

use super::{Copying, has_table};
use crate::error::ApiError;
use crate::oauth::apps;
use crate::sandbox::license::Data;
use crate::switches::{Certificates, ConnectedApps, Deliverability, ScheduledJobs};
use rusqlite::{Connection, params};

/// Objects whose records belong to the org that made them.
const HISTORY: &[&str] = &[
    "LoginHistory",
    "OauthToken",
    "AsyncApexJob",
    "SetupAuditTrail",
    "EventLogFile",
    "DeployRequest",
    "ApexTestQueueItem",
    "ApexTestResult",
    "ApexTestRunResult",
    "ApexCodeCoverage",
    "ApexCodeCoverageAggregate",
    "ApexOrgWideCoverage",
    "SourceMember",
    "SandboxInfo",
    "SandboxProcess",
    "SandboxProcessStage",
    "PartitionLevelScheme",
];
/// Own tables that come along. All others belong to the org that filled them: sessions, what waits, jobs, sandboxes.
const OWN: &[&str] = &[
    "_sequence",
    "_object",
    "_password",
    "_app",
    "_value",
    "_component",
    "_component_file",
    "_validation",
    "_duplicate_rule",
];
/// Elements of metadata files that hold secrets, by type: none is copied.
const SECRETS: &[(&str, &[&str])] = &[
    (
        "NamedCredential",
        &["password", "oauthToken", "oauthRefreshToken", "awsAccessSecret"],
    ),
    ("ExternalDataSource", &["password", "oauthToken", "oauthRefreshToken"]),
    ("AuthProvider", &["consumerSecret"]),
];

/// Elements that are false afterwards: SAML is disabled, keys of mirrored certificates cannot be exported.
const OFF: &[(&str, &str)] = &[("Settings", "enableSamlLogin"), ("Certificate", "privateKeyExportable")];

pub(super) fn apply(copying: &Copying<'_>, db: &Connection) -> Result<(), ApiError> {
    for name in HISTORY {
        if has_table(db, name)? {
            db.execute_batch(&format!("DELETE FROM \"{name}\""))?;
        }
    }
    let mut read = db.prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND substr(name, 1, 1) = '_'")?;
    let own: Vec<String> = read.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    for name in own.iter().filter(|name| !OWN.contains(&name.as_str())) {
        db.execute_batch(&format!("DELETE FROM {name}"))?;
    }
    db.execute_batch(
        "DELETE FROM _value WHERE name IN ('setup_locked', 'deliverability', 'data_storage_mb', 'revision');
",
    )?;
    organization(copying, db)?;
    jobs(copying, db)?;
    if copying.switches.connected_apps == ConnectedApps::Absent {
        db.execute(
            "DELETE FROM _app WHERE client_id NOT IN (?1, ?2)",
            [apps::CLI, apps::SIMULATOR],
        )?;
    }
    components(copying, db)
}

fn organization(copying: &Copying<'_>, db: &Connection) -> Result<(), ApiError> {
    let instance = 10 + copying.process.pod % 90;
    db.execute(
        "UPDATE Organization SET IsSandbox = 1, TrialExpirationDate = NULL, InstanceName = ?1",
        [format!("CS{instance}")],
    )?;
    let level = match (copying.switches.deliverability, &copying.old_deliverability) {
        (Deliverability::Preserved, Some(level)) => level.clone(),
        _ => super::super::email::SYSTEM_ONLY.to_owned(),
    };
    let more = copying
        .process
        .features
        .as_deref()
        .is_some_and(|features| features.contains("SandboxStorage"));
    let storage = match more {
        true => copying.license.more_storage.or(copying.license.storage),
        false => copying.license.storage,
    };
    let mut set = db.prepare_cached("INSERT OR REPLACE INTO _value (name, value) VALUES (?1, ?2)")?;
    set.execute(["deliverability", &level])?;
    set.execute(["change_sets", "gone"])?;
    if let Some(mb) = storage {
        set.execute(params!["data_storage_mb", mb.to_string()])?;
    }
    Ok(())
}

fn jobs(copying: &Copying<'_>, db: &Connection) -> Result<(), ApiError> {
    let state = match copying.switches.scheduled_jobs {
        ScheduledJobs::ByLicense if copying.license.data == Data::None => None,
        ScheduledJobs::ByLicense | ScheduledJobs::CopiedWaiting => Some("WAITING"),
        ScheduledJobs::CopiedPaused => Some("PAUSED"),
        ScheduledJobs::Absent => None,
    };
    match state {
        Some(state) => db.execute("UPDATE CronTrigger SET State = ?1, TimesTriggered = 0", [state])?,
        None => db.execute("DELETE FROM CronTrigger", [])? + db.execute("DELETE FROM CronJobDetail", [])?,
    };
    Ok(())
}

/// Endpoints stay verbatim; secrets are gone, SAML is off, certificates come along or not.
fn components(copying: &Copying<'_>, db: &Connection) -> Result<(), ApiError> {
    if !has_table(db, "_component")? {
        return Ok(());
    }
    if copying.switches.certificates == Certificates::Absent {
        db.execute_batch(
            "DELETE FROM _component_file WHERE type = 'Certificate'; DELETE FROM _component WHERE type = 'Certificate'",
        )?;
    }
    for (kind, elements) in SECRETS {
        edit(db, kind, |text| {
            elements.iter().fold(text, |text, element| without(&text, element))
        })?;
    }
    for (kind, element) in OFF {
        edit(db, kind, |text| {
            text.replace(&format!("<{element}>true<"), &format!("<{element}>false<"))
        })?;
    }
    Ok(())
}

/// Changes the text of the files of one type.
fn edit(db: &Connection, kind: &str, change: impl Fn(String) -> String) -> Result<(), ApiError> {
    let mut read = db.prepare("SELECT name, path, content FROM _component_file WHERE type = ?1")?;
    let all: Vec<(String, String, Vec<u8>)> = read
        .query_map([kind], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
        .collect::<Result<_, _>>()?;
    for (name, path, content) in all {
        let Ok(text) = String::from_utf8(content) else {
            continue;
        };
        let changed = change(text.clone());
        if changed != text {
            db.execute(
                "UPDATE _component_file SET content = ?4 WHERE type = ?1 AND name = ?2 AND path = ?3",
                params![kind, name, path, changed.into_bytes()],
            )?;
        }
    }
    Ok(())
}

/// A text without the lines of an element.
fn without(text: &str, element: &str) -> String {
    let (open, close) = (format!("<{element}>"), format!("</{element}>"));
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, inside)) = rest.split_once(&open) {
        let Some((_, after)) = inside.split_once(&close) else {
            break;
        };
        out.push_str(before.trim_end_matches([' ', '\t']));
        rest = after
            .strip_prefix("\r\n")
            .or_else(|| after.strip_prefix('\n'))
            .unwrap_or(after);
    }
    out.push_str(rest);
    out
}
