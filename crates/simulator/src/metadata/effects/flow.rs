//! Flows: a definition with a version for each deployment that changed it.

use super::{Subject, Told};
use crate::error::ApiError;
use crate::http::Call;
use crate::metadata::rows::{self, flag, text};
use crate::metadata::store::{self, Component};
use crate::metadata::value;
use rusqlite::types::Value;
use rusqlite::{OptionalExtension, params};
use serde_json::json;
use syncline_metadata::component::ComponentId;

pub(super) fn written(call: &Call<'_>, subject: &Subject<'_>) -> Told {
    let definition = &subject.component.record_id;
    let last: i64 = call.db.query_row(
        "SELECT coalesce(max(VersionNumber), 0) FROM Flow WHERE DefinitionId = ?1",
        [definition],
        |row| row.get(0),
    )?;
    let version = call.next_id("301")?;
    let own = |path: &str| value::plain(&subject.value, path).map_or(Value::Null, Value::Text);
    let number = |path: &str| {
        value::plain(&subject.value, path)
            .and_then(|text| text.parse().ok())
            .map_or(Value::Null, Value::Real)
    };
    let status = value::text(&subject.value, "status").unwrap_or("Draft");
    let active = status == "Active";
    rows::put(
        call,
        "Flow",
        &version,
        &[
            ("DefinitionId", text(definition)),
            ("VersionNumber", Value::Integer(last + 1)),
            ("Status", text(if active { "Draft" } else { status })),
            ("MasterLabel", own("label")),
            ("Description", own("description")),
            ("ProcessType", own("processType")),
            ("RunInMode", own("runInMode")),
            ("ApiVersion", number("apiVersion")),
            ("TriggerOrder", number("triggerOrder")),
            (
                "IsTemplate",
                flag(value::flag(&subject.value, "isTemplate").unwrap_or_default()),
            ),
            ("ManageableState", text("unmanaged")),
            ("FullName", text(&format!("{}-{}", subject.name(), last + 1))),
            ("Metadata", text(&subject.value.to_string())),
        ],
    )?;
    rows::put(
        call,
        "FlowDefinition",
        definition,
        &[
            ("DeveloperName", text(subject.name())),
            ("MasterLabel", own("label")),
            ("Description", own("description")),
            ("LatestVersionId", text(&version)),
            ("ManageableState", text("unmanaged")),
            ("FullName", text(subject.name())),
        ],
    )?;
    if active {
        activate(call, definition, last + 1)?;
    } else if last == 0 {
        activate(call, definition, 0)?;
    }
    Ok(None)
}

/// Makes a version the active one; 0: none is. False when there is no such version.
pub(crate) fn activate(call: &Call<'_>, definition: &str, number: i64) -> Result<bool, ApiError> {
    let version: Option<String> = call
        .db
        .query_row(
            "SELECT Id FROM Flow WHERE DefinitionId = ?1 AND VersionNumber = ?2",
            params![definition, number],
            |row| row.get(0),
        )
        .optional()?;
    if version.is_none() && number != 0 {
        return Ok(false);
    }
    call.db.execute(
        "UPDATE Flow SET Status = 'Obsolete' WHERE DefinitionId = ?1 AND Status = 'Active'",
        [definition],
    )?;
    if let Some(version) = &version {
        call.db
            .execute("UPDATE Flow SET Status = 'Active' WHERE Id = ?1", [version])?;
    }
    let metadata = json!({ "activeVersionNumber": number });
    rows::put(
        call,
        "FlowDefinition",
        definition,
        &[
            ("ActiveVersionId", version.map_or(Value::Null, Value::Text)),
            ("Metadata", text(&metadata.to_string())),
        ],
    )?;
    Ok(true)
}

/// The metadata type FlowDefinition only says which version is active.
pub(super) fn definition(call: &Call<'_>, subject: &Subject<'_>) -> Told {
    let Some(flow) = store::get(call.db, &ComponentId::new("Flow", subject.name()))? else {
        return Ok(Some(format!("no Flow named {} found", subject.name())));
    };
    let number = value::number(&subject.value, "activeVersionNumber").unwrap_or_default();
    if activate(call, &flow.record_id, number.into())? {
        Ok(None)
    } else {
        Ok(Some(format!("The flow {} has no version {number}", subject.name())))
    }
}

/// Whether a flow, or the version that `Name-3` names, is active.
pub(crate) fn is_active(call: &Call<'_>, component: &Component) -> Result<bool, ApiError> {
    let id = &component.record_id;
    Ok(call.db.query_row(
        "SELECT EXISTS (SELECT 1 FROM Flow WHERE Status = 'Active' AND (Id = ?1 OR DefinitionId = ?1))",
        [id],
        |row| row.get(0),
    )?)
}

/// The version that `Name-3` names, as a component to be deleted.
pub(crate) fn version(call: &Call<'_>, full_name: &str) -> Result<Option<Component>, ApiError> {
    let Some((name, number)) = full_name.rsplit_once('-') else {
        return Ok(None);
    };
    let Some(flow) = store::get(call.db, &ComponentId::new("Flow", name))? else {
        return Ok(None);
    };
    let id: Option<String> = call
        .db
        .query_row(
            "SELECT Id FROM Flow WHERE DefinitionId = ?1 AND VersionNumber = ?2",
            [&flow.record_id, number],
            |row| row.get(0),
        )
        .optional()?;
    Ok(id.map(|record_id| Component {
        id: ComponentId::new("Flow", full_name),
        record_id,
        ..flow
    }))
}

/// Removes a version, or a definition with all its versions. With its last version a flow is gone.
pub(super) fn deleted(call: &Call<'_>, component: &Component) -> Result<(), ApiError> {
    let id = &component.record_id;
    let definition: Option<String> = call
        .db
        .query_row("SELECT DefinitionId FROM Flow WHERE Id = ?1", [id], |row| row.get(0))
        .optional()?;
    let definition = definition.unwrap_or_else(|| id.clone());
    call.db
        .execute("DELETE FROM Flow WHERE Id = ?1 OR DefinitionId = ?1", [id])?;
    let latest: Option<String> = call
        .db
        .query_row(
            "SELECT Id FROM Flow WHERE DefinitionId = ?1 ORDER BY VersionNumber DESC LIMIT 1",
            [&definition],
            |row| row.get(0),
        )
        .optional()?;
    if let Some(latest) = latest {
        call.db.execute(
            "UPDATE FlowDefinition SET LatestVersionId = ?2 WHERE Id = ?1",
            [&definition, &latest],
        )?;
        return Ok(());
    }
    call.db
        .execute("DELETE FROM FlowDefinition WHERE Id = ?1", [&definition])?;
    let name = component
        .id
        .full_name
        .rsplit_once('-')
        .map_or(&*component.id.full_name, |(name, _)| name);
    for kind in ["Flow", "FlowDefinition"] {
        store::delete(call.db, &ComponentId::new(kind, name))?;
    }
    Ok(())
}
