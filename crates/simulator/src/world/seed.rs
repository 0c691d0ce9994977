//! What every org has from the beginning: its Organization row, profiles and users.

use super::World;
use crate::error::ApiError;
use crate::oauth::apps;
use crate::org::{Org, OrgKind, records};
use rusqlite::types::Value;

/// Suffix of the usernames in an org: none in production, `.uat` in the sandbox uat.
pub(crate) fn username(org: &Org, name: &str) -> String {
    match &org.kind {
        OrgKind::Sandbox { of, .. } => format!("{name}@{of}.example.{}", org.name.to_lowercase()),
        _ => format!("{name}@{}.example", org.name),
    }
}

/// Fills a new org. Does nothing for one that has been filled.
pub(super) fn fill(world: &World, org: &Org) -> Result<(), ApiError> {
    let state = org.lock();
    let done: i64 = state
        .db
        .query_row("SELECT count(*) FROM Organization", [], |row| row.get(0))?;
    if done > 0 {
        return Ok(());
    }
    let now = world.clock.now();
    let tx = state.db.unchecked_transaction()?;
    let text = |text: &str| Value::Text(text.to_owned());
    let object = |name: &str| {
        state
            .schema
            .object(name)
            .ok_or_else(|| ApiError::new("UNKNOWN_EXCEPTION", format!("the model has no {name}")).status(500))
    };
    let admin_id = org.next_id(&tx, "005")?;
    let edition = if org.kind == OrgKind::DeveloperEdition {
        "Developer Edition"
    } else {
        "Enterprise Edition"
    };
    records::insert(
        org,
        &tx,
        object("Organization")?,
        &[
            ("Id", text(&org.id)),
            ("Name", text(&org.name)),
            ("OrganizationType", text(edition)),
            (
                "InstanceName",
                text(if org.kind.is_sandbox() { "CS99" } else { "NA99" }),
            ),
            ("IsSandbox", Value::Integer(org.kind.is_sandbox().into())),
            ("IsReadOnly", Value::Integer(0)),
            ("LanguageLocaleKey", text("en_US")),
            ("TimeZoneSidKey", text("GMT")),
        ],
        &admin_id,
        now,
    )?;
    for (first, profile) in [("admin", "System Administrator"), ("reader", "Read Only")] {
        let profile_id = records::insert(
            org,
            &tx,
            object("Profile")?,
            &[("Name", text(profile)), ("UserType", text("Standard"))],
            &admin_id,
            now,
        )?;
        let mut values = vec![
            ("Username", text(&username(org, first))),
            ("LastName", text(first)),
            ("Name", text(first)),
            ("Email", text(&format!("{first}@acme.example"))),
            ("Alias", text(first)),
            ("ProfileId", text(&profile_id)),
            ("IsActive", Value::Integer(1)),
            ("TimeZoneSidKey", text("GMT")),
            ("LocaleSidKey", text("en_US")),
            ("EmailEncodingKey", text("UTF-8")),
            ("LanguageLocaleKey", text("en_US")),
        ];
        if first == "admin" {
            values.push(("Id", text(&admin_id)));
        }
        let user_id = records::insert(org, &tx, object("User")?, &values, &admin_id, now)?;
        records::insert(
            org,
            &tx,
            object("UserLogin")?,
            &[
                ("UserId", text(&user_id)),
                ("IsFrozen", Value::Integer(0)),
                ("IsPasswordLocked", Value::Integer(0)),
            ],
            &admin_id,
            now,
        )?;
    }
    let tracked = [
        ("DurableId", text("SourceTracking")),
        ("IsSourceTrackingSandboxesEnabled", Value::Integer(1)),
    ];
    records::insert(org, &tx, object("SourceTrackingSettings")?, &tracked, &admin_id, now)?;
    apps::seed(&tx, &admin_id)?;
    crate::metadata::seed(&tx, &admin_id, now)?;
    tx.commit()?;
    Ok(())
}
