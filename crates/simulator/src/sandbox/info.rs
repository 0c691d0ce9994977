//! Changes of `SandboxInfo`: what may be asked for.
//!
//! `dml` calls a `check_` function with the values before it writes them and an `after_` function when it has.

use super::license::{self, DAY, Template};
use super::{process, production_only, refuse, status};
use crate::error::ApiError;
use crate::http::Call;
use crate::ids;
use crate::switches::{ActivationGroup, PostCopyConfig, Rename};
use rusqlite::OptionalExtension;
use serde_json::{Map, Value};

type Values = Map<String, Value>;

/// What rules look at: the sandbox as it will be.
struct Wanted<'a> {
    old: Option<&'a Values>,
    new: &'a Values,
}

impl Wanted<'_> {
    /// The value that a field will have; none for null and empty text.
    fn get(&self, field: &str) -> Option<&Value> {
        find(self.new, field)
            .or_else(|| self.old.and_then(|old| find(old, field)))
            .filter(|value| !value.is_null() && value.as_str() != Some(""))
    }

    fn text(&self, field: &str) -> Option<&str> {
        self.get(field).and_then(Value::as_str)
    }

    fn flag(&self, field: &str) -> bool {
        self.get(field).and_then(Value::as_bool).unwrap_or(false)
    }
}

fn find<'a>(values: &'a Values, field: &str) -> Option<&'a Value> {
    values
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(field))
        .map(|(_, value)| value)
}

/// Checks a new sandbox and completes its values.
pub(crate) fn check_create(call: &Call<'_>, values: &mut Values) -> Result<(), ApiError> {
    production_only(call, "SandboxInfo")?;
    check(call, None, values)?;
    let name = find(values, "SandboxName").and_then(Value::as_str).unwrap_or_default();
    unused(call, name, None)?;
    let license = find(values, "LicenseType").and_then(Value::as_str).unwrap_or_default();
    free_license(call, license)
}

/// Checks a refresh and completes its values.
pub(crate) fn check_refresh(call: &Call<'_>, id: &str, values: &mut Values) -> Result<(), ApiError> {
    production_only(call, "SandboxInfo")?;
    let old = row(call, id)?;
    let text = |field: &str| old.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
    if let Some(name) = find(values, "SandboxName").and_then(Value::as_str)
        && name != text("SandboxName")
    {
        if call.world.switches().rename == Rename::Refuse {
            return Err(refuse(
                call,
                "INVALID_STATUS",
                "A sandbox can't be renamed by a refresh.",
            ));
        }
        unused(call, name, Some(id))?;
    }
    let last = process::latest(call, id)?;
    if let Some(last) = &last
        && (status::is_running(&last.status) || last.status == "Pending Activation")
    {
        return Err(refuse(call, "INVALID_STATUS", "A copy of this sandbox is under way."));
    }
    check(call, Some(&old), values)?;
    let license = license::of(&text("LicenseType"));
    let interval = license.map_or(1, |license| license.interval);
    if let Some(at) = process::last_request(call, id)?
        && call.now < at + interval * DAY
    {
        let rule = format!("This kind of sandbox can be refreshed every {interval} days.");
        return Err(refuse(call, "INVALID_STATUS", &rule));
    }
    let new = find(values, "LicenseType").and_then(Value::as_str);
    match new {
        Some(new) if new != text("LicenseType") => free_license(call, new),
        _ => Ok(()),
    }
}

/// Checks a deletion.
pub(crate) fn check_delete(call: &Call<'_>, id: &str) -> Result<(), ApiError> {
    production_only(call, "SandboxInfo")?;
    row(call, id)?;
    match process::latest(call, id)? {
        Some(last) if status::is_running(&last.status) => {
            Err(refuse(call, "INVALID_STATUS", "A copy of this sandbox is under way."))
        }
        _ => Ok(()),
    }
}

/// The rules that hold for new sandboxes and refreshes alike.
fn check(call: &Call<'_>, old: Option<&Values>, values: &mut Values) -> Result<(), ApiError> {
    let switches = call.world.switches();
    if switches.post_copy_config == PostCopyConfig::Unknown && find(values, "PostCopyConfig").is_some() {
        return Err(ApiError::new(
            "INVALID_FIELD",
            "No such column 'PostCopyConfig' on sobject of type SandboxInfo",
        )
        .fields(["PostCopyConfig"]));
    }
    let wanted = Wanted { old, new: values };
    let name = wanted.text("SandboxName").unwrap_or_default();
    if name.is_empty() || name.len() > 10 || !name.chars().all(|c| c.is_ascii_alphanumeric()) {
        return Err(ApiError::new(
            "FIELD_INTEGRITY_EXCEPTION",
            "Sandbox Name: must be alphanumeric and at most 10 characters",
        )
        .fields(["SandboxName"]));
    }
    let source = wanted.text("SourceId").map(|id| source(call, id)).transpose()?;
    let given = find(values, "LicenseType").and_then(Value::as_str);
    let license = match (given, &source, old) {
        (Some(_), Some(_), None) => {
            return Err(ApiError::new(
                "FIELD_INTEGRITY_EXCEPTION",
                "LicenseType must be null when SourceId is set",
            )
            .fields(["LicenseType"]));
        }
        (Some(text), ..) => license::asked(text, &switches),
        (None, Some(source), _) => license::of(source.get("LicenseType").and_then(Value::as_str).unwrap_or_default()),
        (None, None, _) => wanted.text("LicenseType").and_then(license::of),
    };
    let license = license.ok_or_else(|| {
        ApiError::new(
            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
            format!(
                "License Type: bad value for restricted picklist field: {}",
                given.unwrap_or_default()
            ),
        )
        .fields(["LicenseType"])
    })?;
    let template = wanted.text("TemplateId");
    match license.template {
        Template::Required if template.is_none() && source.is_none() => {
            let rule = "A Partial Copy sandbox needs a sandbox template.";
            return Err(refuse(call, "FIELD_INTEGRITY_EXCEPTION", rule).fields(["TemplateId"]));
        }
        Template::Forbidden if template.is_some() => {
            let rule = "Developer sandboxes take no sandbox template.";
            return Err(refuse(call, "FIELD_INTEGRITY_EXCEPTION", rule).fields(["TemplateId"]));
        }
        _ => {}
    }
    if let Some(id) = template
        && !exists(call, "PartitionLevelScheme", id)?
    {
        return Err(reference("Sandbox Template ID", id, "TemplateId"));
    }
    let full = license.name == "FULL";
    for field in ["CopyChatter", "CopyArchivedActivities"] {
        if wanted.flag(field) && !full {
            let rule = format!("{field} is for Full sandboxes.");
            return Err(refuse(call, "FIELD_INTEGRITY_EXCEPTION", &rule).fields([field]));
        }
    }
    let days = wanted.get("HistoryDays").and_then(Value::as_i64).unwrap_or(0);
    if ![-1, 0, 10, 20, 30, 60, 90, 120, 150, 180].contains(&days) || (days != 0 && !full) {
        let rule = "HistoryDays is one of -1, 0, 10, 20, 30, 60, 90, 120, 150, 180 and for Full sandboxes.";
        return Err(refuse(call, "FIELD_INTEGRITY_EXCEPTION", rule).fields(["HistoryDays"]));
    }
    features(call, &wanted, license.more_storage.is_some(), source.as_ref())?;
    let developer = license.template == Template::Forbidden;
    match wanted.text("ActivationUserGroupId") {
        Some(id) if !exists(call, "Group", id)? => {
            return Err(reference("Activation User Group ID", id, "ActivationUserGroupId"));
        }
        None if developer
            && source.is_none()
            && call.version >= 60
            && switches.activation_group == ActivationGroup::Required =>
        {
            let rule = "A Developer sandbox needs a public group of those who may use it.";
            return Err(refuse(call, "FIELD_INTEGRITY_EXCEPTION", rule).fields(["ActivationUserGroupId"]));
        }
        _ => {}
    }
    if let Some(id) = wanted.text("ApexClassId")
        && !exists(call, "ApexClass", id)?
    {
        return Err(reference("Apex Class ID", id, "ApexClassId"));
    }
    values.retain(|name, _| !name.eq_ignore_ascii_case("LicenseType"));
    values.insert("LicenseType".to_owned(), Value::from(license.name));
    Ok(())
}

/// `["SandboxStorage"]`: more storage, for Developer and Developer Pro; a clone names what its source has.
fn features(call: &Call<'_>, wanted: &Wanted<'_>, allowed: bool, source: Option<&Values>) -> Result<(), ApiError> {
    let text = wanted.text("Features");
    let wrong = || ApiError::new("FIELD_INTEGRITY_EXCEPTION", "Features: bad value").fields(["Features"]);
    if let Some(text) = text {
        let list: Vec<String> = serde_json::from_str(text).map_err(|_| wrong())?;
        if list.iter().any(|feature| feature != "SandboxStorage") || (!list.is_empty() && !allowed) {
            return Err(wrong());
        }
    }
    let of_source = source
        .and_then(|source| find(source, "Features"))
        .and_then(Value::as_str);
    if wanted.old.is_none() && of_source.is_some_and(|features| !features.is_empty()) && text.is_none() {
        return Err(ApiError::new(
            "FIELD_INTEGRITY_EXCEPTION",
            "Invalid Inputs: You must specify the Features that were added to the sandbox being cloned.",
        )
        .fields(["Features"]));
    }
    if text.is_none_or(|text| text == "[]")
        && wanted
            .old
            .and_then(|old| find(old, "Features"))
            .and_then(Value::as_str)
            .is_some_and(|had| had.contains("SandboxStorage"))
    {
        let rule = "The feature SandboxStorage can't be taken away.";
        return Err(refuse(call, "FIELD_INTEGRITY_EXCEPTION", rule).fields(["Features"]));
    }
    Ok(())
}

/// The sandbox that a clone is made from.
fn source(call: &Call<'_>, id: &str) -> Result<Values, ApiError> {
    row(call, id)
}

/// A row of SandboxInfo with the fields that rules look at.
pub(crate) fn row(call: &Call<'_>, id: &str) -> Result<Values, ApiError> {
    let wrong = || {
        ApiError::new(
            "MALFORMED_ID",
            format!("Sandbox Info ID: id value of incorrect type: {id}"),
        )
        .fields(["Id"])
    };
    let id = ids::long(id).filter(|id| id.starts_with("0GQ")).ok_or_else(wrong)?;
    let columns = [
        "Id",
        "SandboxName",
        "LicenseType",
        "TemplateId",
        "SourceId",
        "Features",
        "ActivationUserGroupId",
        "ApexClassId",
        "Description",
        "PostCopyConfig",
    ];
    let flags = ["AutoActivate", "CopyChatter", "CopyArchivedActivities"];
    let found = call
        .db
        .prepare_cached(&format!(
            "SELECT {}, {}, HistoryDays FROM SandboxInfo WHERE Id = ?1 AND IsDeleted = 0",
            columns.join(", "),
            flags.join(", ")
        ))?
        .query_row([&id], |row| {
            let mut values = Values::new();
            for (at, name) in columns.iter().enumerate() {
                values.insert((*name).to_owned(), Value::from(row.get::<_, Option<String>>(at)?));
            }
            for (at, name) in (columns.len()..).zip(flags) {
                values.insert(
                    name.to_owned(),
                    Value::from(row.get::<_, Option<bool>>(at)?.unwrap_or(false)),
                );
            }
            let days = row.get::<_, Option<i64>>(columns.len() + flags.len())?;
            values.insert("HistoryDays".to_owned(), Value::from(days.unwrap_or(0)));
            Ok(values)
        })
        .optional()?;
    found.ok_or_else(|| {
        ApiError::new("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
            .status(404)
            .fields(["Id"])
    })
}

/// No other sandbox has the name.
fn unused(call: &Call<'_>, name: &str, but: Option<&str>) -> Result<(), ApiError> {
    let other: Option<String> = call
        .db
        .prepare_cached(
            "SELECT Id FROM SandboxInfo WHERE lower(SandboxName) = lower(?1) AND IsDeleted = 0 AND Id <> ?2",
        )?
        .query_row([name, but.unwrap_or_default()], |row| row.get(0))
        .optional()?;
    match other {
        None => Ok(()),
        Some(id) => Err(ApiError::new(
            "DUPLICATE_VALUE",
            format!("duplicate value found: SandboxName duplicates value on record with id: {id}"),
        )),
    }
}

/// A licence of the kind is free.
fn free_license(call: &Call<'_>, name: &str) -> Result<(), ApiError> {
    let Some(license) = license::of(name) else {
        return Ok(());
    };
    let edition: String = call
        .db
        .query_row("SELECT OrganizationType FROM Organization", [], |row| row.get(0))?;
    let extra = call.world.config.extra_licenses.get(name).copied().unwrap_or(0);
    let has = license.allotted(&edition, &call.world.switches()) + extra;
    let used: u32 = call
        .db
        .prepare_cached("SELECT count(*) FROM SandboxInfo WHERE LicenseType = ?1 AND IsDeleted = 0")?
        .query_row([name], |row| row.get(0))?;
    if used < has {
        return Ok(());
    }
    let rule = format!("All {has} licenses for {} sandboxes are in use.", license.label);
    Err(refuse(call, "FIELD_INTEGRITY_EXCEPTION", &rule).fields(["LicenseType"]))
}

fn exists(call: &Call<'_>, object: &str, id: &str) -> Result<bool, ApiError> {
    let id = ids::long(id).unwrap_or_default();
    Ok(call
        .db
        .prepare_cached(&format!("SELECT 1 FROM \"{object}\" WHERE Id = ?1"))?
        .exists([id])?)
}

fn reference(label: &str, id: &str, field: &str) -> ApiError {
    ApiError::new(
        "INVALID_CROSS_REFERENCE_KEY",
        format!("{label}: id value of incorrect type: {id}"),
    )
    .fields([field])
}

/// Begins the copy of a new or changed sandbox.
pub(crate) fn after_change(call: &Call<'_>, id: &str) -> Result<(), ApiError> {
    process::begin(call, id).map(|_| ())
}

/// Begins the deletion of a sandbox.
pub(crate) fn after_delete(call: &Call<'_>, id: &str) -> Result<(), ApiError> {
    super::run::delete(call, id)
}
