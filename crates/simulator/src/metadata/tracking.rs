//! What a deployment leaves in the org's books: the audit trail, and SourceMember in sandboxes that track source.

use super::message::Message;
use super::rows::{flag, text};
use crate::clock::Millis;
use crate::error::ApiError;
use crate::http::Call;
use crate::org::{OrgKind, records};
use crate::world::{Event, schedule};
use rusqlite::types::Value;
use rusqlite::{OptionalExtension, params};
use serde_json::json;

/// How late source members appear: at least, and for each component more.
const LAG: Millis = 5_000;
const LAG_EACH: Millis = 50;

/// Types that source tracking knows by another name.
const TRACKED_AS: &[(&str, &str)] = &[("QuickAction", "QuickActionDefinition")];

/// Types that source tracking knows by their parts only.
const TRACKED_BY_PARTS: &[&str] = &["CustomLabels"];

/// Writes down what a deployment changed.
pub(crate) fn deployed(call: &Call<'_>, messages: &[Message]) -> Result<(), ApiError> {
    let changed: Vec<&Message> = messages
        .iter()
        .filter(|message| message.changed && !message.kind.is_empty() && !message.is_failure())
        .collect();
    let object = call.object("SetupAuditTrail")?;
    for message in &changed {
        let verb = if message.deleted {
            "deleted"
        } else if message.created {
            "created"
        } else {
            "changed"
        };
        let mut first = verb.chars();
        let capital: String = first
            .next()
            .map(|c| c.to_ascii_uppercase())
            .into_iter()
            .chain(first)
            .collect();
        let values = [
            ("Action", text(&format!("{verb}{}", message.kind))),
            ("Section", text(&message.kind)),
            (
                "Display",
                text(&format!("{capital} {} {}", message.kind, message.full_name)),
            ),
        ];
        records::insert(call.org, call.db, &object, &values, &call.user, call.now)?;
    }
    if !tracks_source(&call.org.kind) || changed.is_empty() {
        return Ok(());
    }
    let members: Vec<_> = changed
        .iter()
        .filter(|message| !TRACKED_BY_PARTS.contains(&message.kind.as_str()))
        .map(|message| json!([message.kind, message.full_name, message.deleted, message.created]))
        .collect();
    let lag = LAG + LAG_EACH * Millis::try_from(members.len()).unwrap_or(0);
    schedule(
        call.db,
        call.now + lag,
        "source.members",
        &json!({ "user": call.user, "members": members }),
    )
}

/// Whether an org has SourceMember: Developer and Developer Pro sandboxes.
pub(crate) fn tracks_source(kind: &OrgKind) -> bool {
    matches!(kind, OrgKind::Sandbox { license, .. } if license.starts_with("DEVELOPER"))
}

/// Event: the source members of a deployment appear. Rows of deleted components stay, flagged.
pub(crate) fn members(call: &Call<'_>, event: &Event) -> Result<(), ApiError> {
    let user = event.payload["user"].as_str().unwrap_or_default();
    let object = call.object("SourceMember")?;
    for member in event.payload["members"].as_array().into_iter().flatten() {
        let kind = member[0].as_str().unwrap_or_default();
        let kind = TRACKED_AS
            .iter()
            .find(|(name, _)| *name == kind)
            .map_or(kind, |(_, known)| known);
        let name = member[1].as_str().unwrap_or_default();
        let deleted = member[2].as_bool().unwrap_or_default();
        let next: i64 = call.db.query_row(
            "SELECT coalesce(max(CAST(RevisionCounter AS INTEGER)), 0) + 1 FROM SourceMember",
            [],
            |row| row.get(0),
        )?;
        let known: Option<String> = call
            .db
            .query_row(
                "SELECT Id FROM SourceMember WHERE MemberType = ?1 AND MemberName = ?2",
                [kind, name],
                |row| row.get(0),
            )
            .optional()?;
        if let Some(id) = known {
            call.db.execute(
                "UPDATE SourceMember SET RevisionCounter = ?2, RevisionNum = ?2, IsNameObsolete = ?3, IsNewMember = 0,
                 ChangedBy = ?4, LastModifiedById = ?5, LastModifiedDate = ?6, SystemModstamp = ?6 WHERE Id = ?1",
                params![id, next, deleted, crate::ids::short(user), user, call.now],
            )?;
            continue;
        }
        #[allow(clippy::cast_precision_loss)]
        let revision = Value::Real(next as f64);
        let values = [
            ("MemberType", text(kind)),
            ("MemberName", text(name)),
            ("MemberIdOrName", text(name)),
            ("IsNameObsolete", flag(deleted)),
            ("IsNewMember", flag(member[3].as_bool().unwrap_or_default())),
            ("RevisionCounter", revision.clone()),
            ("RevisionNum", revision),
            // The one id here that has 15 characters.
            ("ChangedBy", text(crate::ids::short(user))),
        ];
        records::insert(call.org, call.db, &object, &values, user, call.now)?;
    }
    Ok(())
}
