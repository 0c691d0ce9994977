//! What objects do beyond the rules for all: a table of functions by object.

use super::change::{Change, Op};
use crate::error::ApiError;
use crate::http::Call;
use crate::org::records;
use crate::sandbox::hooks as sandbox;
use rusqlite::params;
use rusqlite::types::Value;

/// Runs before the record is written and may change or refuse it.
pub(super) type Before = fn(&Call<'_>, &mut Change<'_>) -> Result<(), ApiError>;
/// Runs after the record is written; an error takes the record back.
pub(super) type After = fn(&Call<'_>, &Change<'_>) -> Result<(), ApiError>;

/// Hooks before by object; for deletes too.
const BEFORE: &[(&str, Before)] = &[
    ("Attachment", sizes),
    ("Case", closes),
    ("ContentVersion", file),
    ("Document", sizes),
    ("EmailMessage", email),
    ("Event", event),
    ("Opportunity", stage),
    ("SandboxInfo", sandbox::before_info),
    ("SandboxProcess", sandbox::before_process),
    ("StaticResource", sizes),
    ("Task", task),
    ("User", sandbox::before_user),
];
/// Hooks after by object.
const AFTER: &[(&str, After)] = &[
    ("ContentVersion", file_document),
    ("SandboxInfo", sandbox::after_info),
    ("SandboxProcess", sandbox::after_process),
    ("User", login),
];

pub(super) fn before(object: &str) -> impl Iterator<Item = Before> {
    BEFORE
        .iter()
        .filter(move |(name, _)| *name == object)
        .map(|(_, run)| *run)
}

pub(super) fn after(object: &str) -> impl Iterator<Item = After> {
    AFTER
        .iter()
        .filter(move |(name, _)| *name == object)
        .map(|(_, run)| *run)
}

fn writes(change: &Change<'_>) -> bool {
    matches!(change.op, Op::Insert | Op::Update)
}

fn size(value: &Value) -> Value {
    match value {
        Value::Blob(bytes) => Value::Integer(i64::try_from(bytes.len()).unwrap_or(i64::MAX)),
        _ => Value::Integer(0),
    }
}

/// `BodyLength` follows from `Body`.
fn sizes(_: &Call<'_>, change: &mut Change<'_>) -> Result<(), ApiError> {
    if writes(change) {
        change.set("BodyLength", size(change.get("Body")))?;
    }
    Ok(())
}

/// A case is closed by its status.
fn closes(call: &Call<'_>, change: &mut Change<'_>) -> Result<(), ApiError> {
    if writes(change) && change.changed("Status") {
        let closed = change.text("Status") == Some("Closed");
        change.set("IsClosed", Value::Integer(closed.into()))?;
        change.set(
            "ClosedDate",
            if closed { Value::Integer(call.now) } else { Value::Null },
        )?;
    }
    Ok(())
}

/// Probability and forecast category by stage.
const STAGES: &[(&str, f64, &str, &str)] = &[
    ("Prospecting", 10.0, "Pipeline", "Pipeline"),
    ("Qualification", 10.0, "Pipeline", "Pipeline"),
    ("Needs Analysis", 20.0, "Pipeline", "Pipeline"),
    ("Value Proposition", 50.0, "Pipeline", "Pipeline"),
    ("Id. Decision Makers", 60.0, "Pipeline", "Pipeline"),
    ("Perception Analysis", 70.0, "Pipeline", "Pipeline"),
    ("Proposal/Price Quote", 75.0, "Pipeline", "Pipeline"),
    ("Negotiation/Review", 90.0, "Pipeline", "Pipeline"),
    ("Closed Won", 100.0, "Closed", "Closed"),
    ("Closed Lost", 0.0, "Omitted", "Omitted"),
];

fn stage(call: &Call<'_>, change: &mut Change<'_>) -> Result<(), ApiError> {
    if !writes(change) {
        return Ok(());
    }
    if change.changed("StageName") {
        let name = change.text("StageName").unwrap_or_default().to_owned();
        change.set("IsClosed", Value::Integer(name.starts_with("Closed").into()))?;
        change.set("IsWon", Value::Integer((name == "Closed Won").into()))?;
        if let Some((_, probability, category, label)) = STAGES.iter().find(|(stage, ..)| *stage == name) {
            if !change.given("Probability") {
                change.set("Probability", Value::Real(*probability))?;
            }
            change.set("ForecastCategory", Value::Text((*category).to_owned()))?;
            change.set("ForecastCategoryName", Value::Text((*label).to_owned()))?;
        }
        if change.op == Op::Update {
            change.set("LastStageChangeDate", Value::Integer(call.now))?;
        }
    }
    if let (Value::Real(amount), Value::Real(probability)) = (change.get("Amount"), change.get("Probability")) {
        let expected = amount * probability / 100.0;
        change.set("ExpectedRevenue", Value::Real(expected))?;
    }
    if let Some(date) = change.text("CloseDate").map(str::to_owned) {
        let year: i64 = date.get(..4).and_then(|y| y.parse().ok()).unwrap_or_default();
        let month: i64 = date.get(5..7).and_then(|m| m.parse().ok()).unwrap_or(1);
        let quarter = (month - 1) / 3 + 1;
        change.set("FiscalYear", Value::Integer(year))?;
        change.set("FiscalQuarter", Value::Integer(quarter))?;
        change.set("Fiscal", Value::Text(format!("{year} {quarter}")))?;
    }
    Ok(())
}

fn task(call: &Call<'_>, change: &mut Change<'_>) -> Result<(), ApiError> {
    if !writes(change) {
        return Ok(());
    }
    if change.changed("Status") {
        let closed = change.text("Status") == Some("Completed");
        change.set("IsClosed", Value::Integer(closed.into()))?;
        change.set(
            "CompletedDateTime",
            if closed { Value::Integer(call.now) } else { Value::Null },
        )?;
    }
    if change.changed("Priority") {
        let high = change.text("Priority") == Some("High");
        change.set("IsHighPriority", Value::Integer(high.into()))?;
    }
    activity(call, change)
}

fn event(call: &Call<'_>, change: &mut Change<'_>) -> Result<(), ApiError> {
    if !writes(change) {
        return Ok(());
    }
    let start = match (change.get("StartDateTime"), change.get("ActivityDateTime")) {
        (Value::Integer(start), _) | (Value::Null, Value::Integer(start)) => Some(*start),
        _ => None,
    };
    let length = match (change.get("DurationInMinutes"), change.get("EndDateTime"), start) {
        (Value::Integer(minutes), ..) => Some(*minutes),
        (Value::Null, Value::Integer(end), Some(start)) => Some((end - start) / 60_000),
        _ => None,
    };
    let (Some(start), Some(length)) = (start, length) else {
        if change.op == Op::Update || change.truth("IsAllDayEvent") {
            return activity(call, change);
        }
        let missing = if start.is_none() {
            "ActivityDateTime"
        } else {
            "DurationInMinutes"
        };
        return Err(ApiError::new(
            "REQUIRED_FIELD_MISSING",
            format!("Required fields are missing: [{missing}]"),
        )
        .fields([missing]));
    };
    change.set("StartDateTime", Value::Integer(start))?;
    change.set("ActivityDateTime", Value::Integer(start))?;
    change.set("DurationInMinutes", Value::Integer(length))?;
    change.set("EndDateTime", Value::Integer(start + length * 60_000))?;
    change.set(
        "ActivityDate",
        Value::Text(crate::dates::write_day(crate::dates::day_at(start))),
    )?;
    activity(call, change)
}

/// The account of a task or event is that of what it is about.
fn activity(call: &Call<'_>, change: &mut Change<'_>) -> Result<(), ApiError> {
    if !change.given("WhatId") && !change.given("WhoId") {
        return Ok(());
    }
    let account = |id: Option<&str>| -> Result<Option<String>, ApiError> {
        let Some(id) = id else { return Ok(None) };
        if id.starts_with("001") {
            return Ok(Some(id.to_owned()));
        }
        let schema = call.schema();
        let Some(object) = schema
            .by_prefix(id)
            .filter(|object| object.field("AccountId").is_some())
        else {
            return Ok(None);
        };
        let sql = format!("SELECT \"AccountId\" FROM \"{}\" WHERE \"Id\" = ?1", object.name);
        let mut read = call.db.prepare_cached(&sql)?;
        let mut rows = read.query([id])?;
        Ok(rows.next()?.map(|row| row.get(0)).transpose()?.flatten())
    };
    let found = match account(change.text("WhatId"))? {
        Some(found) => Some(found),
        None => account(change.text("WhoId"))?,
    };
    change.set("AccountId", found.map_or(Value::Null, Value::Text))
}

/// Of an e-mail that is no draft, only what concerns its visibility can be changed.
fn email(_: &Call<'_>, change: &mut Change<'_>) -> Result<(), ApiError> {
    const DRAFT: &str = "5";
    if change.op == Op::Update && *change.was("Status") != Value::Text(DRAFT.to_owned()) {
        for (at, field) in change.object.fields.iter().enumerate() {
            if change.is_given(at) && !field.custom && field.name != "IsExternallyVisible" {
                return Err(ApiError::new(
                    "INSUFFICIENT_ACCESS_OR_READONLY",
                    "Email messages can only be updated while they are drafts",
                )
                .status(403)
                .fields([&field.name]));
            }
        }
    }
    Ok(())
}

/// Size, name and number of a file's version.
fn file(call: &Call<'_>, change: &mut Change<'_>) -> Result<(), ApiError> {
    if change.op == Op::Update && change.given("VersionData") {
        return Err(super::checks::read_only("VersionData"));
    }
    if change.op != Op::Insert {
        return Ok(());
    }
    let path = change.text("PathOnClient").unwrap_or_default().to_owned();
    let name = path.rsplit(['/', '\\']).next().unwrap_or_default();
    let (stem, extension) = name.rsplit_once('.').unwrap_or((name, ""));
    if change.text("Title").is_none() {
        change.set("Title", Value::Text(stem.to_owned()))?;
    }
    let kind = if extension.is_empty() { "UNKNOWN" } else { extension };
    change.set("FileExtension", Value::Text(extension.to_owned()))?;
    change.set("FileType", Value::Text(kind.to_uppercase()))?;
    change.set("ContentSize", size(change.get("VersionData")))?;
    change.set("ContentModifiedDate", Value::Integer(call.now))?;
    change.set("ContentModifiedById", Value::Text(call.user.clone()))?;
    let document = change.text("ContentDocumentId").map(str::to_owned);
    let number: i64 = match &document {
        Some(id) => {
            call.db.execute(
                "UPDATE \"ContentVersion\" SET \"IsLatest\" = 0 WHERE \"ContentDocumentId\" = ?1",
                [id],
            )?;
            call.db.query_row(
                "SELECT count(*) + 1 FROM \"ContentVersion\" WHERE \"ContentDocumentId\" = ?1",
                [id],
                |row| row.get(0),
            )?
        }
        None => {
            let title = Value::Text(change.text("Title").unwrap_or_default().to_owned());
            let values = [("Title", title), ("OwnerId", change.get("OwnerId").clone())];
            let object = call.object("ContentDocument")?;
            let id = records::insert(call.org, call.db, &object, &values, &call.user, call.now)?;
            change.set("ContentDocumentId", Value::Text(id))?;
            1
        }
    };
    change.set("VersionNumber", Value::Text(number.to_string()))?;
    change.set("IsLatest", Value::Integer(1))
}

/// The document shows its latest version and is linked to where it was published first.
fn file_document(call: &Call<'_>, change: &Change<'_>) -> Result<(), ApiError> {
    if change.op != Op::Insert {
        return Ok(());
    }
    let get = |name: &str| change.get(name).clone();
    call.db.execute(
        "UPDATE \"ContentDocument\" SET \"LatestPublishedVersionId\" = ?2, \"ContentSize\" = ?3, \"FileType\" = ?4, \
         \"FileExtension\" = ?5, \"Title\" = ?6, \"LastModifiedDate\" = ?7, \"SystemModstamp\" = ?7 WHERE \"Id\" = ?1",
        params![
            get("ContentDocumentId"),
            change.id,
            get("ContentSize"),
            get("FileType"),
            get("FileExtension"),
            get("Title"),
            call.now
        ],
    )?;
    let object = call.object("ContentDocumentLink")?;
    let mut linked = vec![(get("OwnerId"), "I")];
    if get("FirstPublishLocationId") != Value::Null {
        linked.push((get("FirstPublishLocationId"), "V"));
    }
    let new = change.text("VersionNumber") == Some("1");
    for (entity, share) in linked.into_iter().filter(|_| new) {
        let values = [
            ("LinkedEntityId", entity),
            ("ContentDocumentId", get("ContentDocumentId")),
            ("ShareType", Value::Text(share.to_owned())),
            ("Visibility", Value::Text("AllUsers".to_owned())),
        ];
        records::insert(call.org, call.db, &object, &values, &call.user, call.now)?;
    }
    Ok(())
}

/// A new user can be frozen.
fn login(call: &Call<'_>, change: &Change<'_>) -> Result<(), ApiError> {
    if change.op == Op::Insert {
        let values = [
            ("UserId", Value::Text(change.id.clone())),
            ("IsFrozen", Value::Integer(0)),
            ("IsPasswordLocked", Value::Integer(0)),
        ];
        let object = call.object("UserLogin")?;
        records::insert(call.org, call.db, &object, &values, &call.user, call.now)?;
    }
    Ok(())
}
