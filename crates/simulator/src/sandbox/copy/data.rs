//! Which records come along. Source: Salesforce API reference, "Sandbox types" and "What a refreshed sandbox looks like".

use super::Copying;
use crate::error::ApiError;
use crate::sandbox::license::Data;
use crate::schema::{Api, Object, OnDelete};
use crate::switches::CustomSettings;
use rusqlite::Connection;
use std::sync::Arc;

/// Records that are part of the setup and come along into every sandbox.
const SETUP: &[&str] = &[
    "Organization",
    "User",
    "UserLogin",
    "UserRole",
    "UserLicense",
    "Profile",
    "SourceTrackingSettings",
    "PermissionSet",
    "PermissionSetAssignment",
    "Group",
    "GroupMember",
    "QueueSobject",
    "RecordType",
    "BusinessHours",
    "OrgWideEmailAddress",
    "ApexClass",
    "ApexTrigger",
    "StaticResource",
    "CronTrigger",
    "CronJobDetail",
    "EmailTemplate",
    "Folder",
];
/// What a Partial sandbox has beside the objects of its template.
const PARTIAL: &[&str] = &[
    "Report",
    "Dashboard",
    "Pricebook2",
    "PricebookEntry",
    "Product2",
    "Document",
];
/// Chatter, which a Full sandbox has if asked for.
const CHATTER: &[&str] = &["FeedItem", "FeedComment"];
/// Records of an object in a Partial sandbox.
const SAMPLE: u32 = 10_000;
/// Lookups that a sample keeps although records may lack them: without an account these are skipped.
const NEEDED: &[(&str, &str)] = &[("Contact", "AccountId"), ("Opportunity", "AccountId")];

pub(super) fn apply(copying: &Copying<'_>, db: &Connection) -> Result<(), ApiError> {
    if copying.cloned.is_some() {
        return Ok(());
    }
    if copying.license.data == Data::All && copying.process.template.is_none() {
        if !copying.process.copy_chatter {
            for name in CHATTER {
                empty(copying, db, name)?;
            }
        }
        return Ok(());
    }
    external_users(db)?;
    let selected = selection(copying);
    let mut kept: Vec<String> = Vec::new();
    for object in copying.schema.objects().filter(|object| is_data(object)) {
        let settings = object.custom_setting.is_some();
        let keep = match settings {
            true => {
                copying.switches.custom_settings == CustomSettings::Copied || named(&copying.template, &object.name)
            }
            false => copying.license.data != Data::None && named(PARTIAL, &object.name),
        };
        if keep {
            kept.push(object.name.clone());
        } else if !named(&selected, &object.name) {
            empty(copying, db, &object.name)?;
        }
    }
    sample(copying, db, &selected, &kept)
}

fn named<S: AsRef<str>>(list: &[S], name: &str) -> bool {
    list.iter().any(|each| each.as_ref().eq_ignore_ascii_case(name))
}

/// Records that people and programs make, as opposed to the setup and to custom metadata.
fn is_data(object: &Object) -> bool {
    object.api != Api::Tooling && !named(SETUP, &object.name) && !object.name.ends_with("__mdt")
}

fn empty(copying: &Copying<'_>, db: &Connection, name: &str) -> Result<(), ApiError> {
    if copying.schema.object(name).is_some() {
        db.execute_batch(&format!("DELETE FROM \"{name}\""))?;
    }
    Ok(())
}

/// Users of portals and communities do not come along.
fn external_users(db: &Connection) -> Result<(), ApiError> {
    let external = "SELECT u.Id FROM User u JOIN Profile p ON p.Id = u.ProfileId WHERE p.UserType <> 'Standard'";
    db.execute_batch(&format!(
        "DELETE FROM UserLogin WHERE UserId IN ({external}); DELETE FROM User WHERE Id IN ({external})"
    ))?;
    Ok(())
}

/// The objects of the template and the parents they cannot be without, parents first.
fn selection(copying: &Copying<'_>) -> Vec<String> {
    let mut order = Vec::new();
    for name in &copying.template {
        visit(copying, name, &mut order, 0);
    }
    order
}

fn visit(copying: &Copying<'_>, name: &str, order: &mut Vec<String>, depth: usize) {
    let Some(object) = copying.schema.object(name) else {
        return;
    };
    if !is_data(object) || object.custom_setting.is_some() || named(order, &object.name) || depth > 20 {
        return;
    }
    for (_, parent) in needed(copying, object) {
        visit(copying, &parent, order, depth + 1);
    }
    if !named(order, &object.name) {
        order.push(object.name.clone());
    }
}

/// The references of an object that a sample keeps whole, with the object they point to: master-detail and required
/// lookups to one object of data.
fn needed(copying: &Copying<'_>, object: &Arc<Object>) -> Vec<(String, String)> {
    object
        .fields
        .iter()
        .filter(|field| {
            field.on_delete == OnDelete::Cascade
                || field.required
                || NEEDED.iter().any(|(o, f)| *o == object.name && *f == field.name)
        })
        .filter_map(|field| match field.reference_to.as_slice() {
            [to] if !to.eq_ignore_ascii_case(&object.name) => Some((field.name.clone(), to.clone())),
            _ => None,
        })
        .filter(|(_, to)| copying.schema.object(to).is_some_and(|object| is_data(object)))
        .collect()
}

/// Keeps up to so many records of each object whose needed parents are kept. Other lookups stay as they are and may dangle.
fn sample(copying: &Copying<'_>, db: &Connection, selected: &[String], kept: &[String]) -> Result<(), ApiError> {
    db.execute_batch("CREATE TEMP TABLE IF NOT EXISTS kept (id TEXT PRIMARY KEY) WITHOUT ROWID")?;
    for name in selected.iter().filter(|name| !named(kept, name)) {
        let Some(object) = copying.schema.object(name) else {
            continue;
        };
        let mut conditions = vec!["1".to_owned()];
        for (field, parent) in needed(copying, object) {
            conditions.push(format!("\"{field}\" IN (SELECT Id FROM \"{parent}\")"));
        }
        db.execute_batch(&format!(
            "DELETE FROM kept;
             INSERT INTO kept SELECT Id FROM \"{name}\" WHERE {} ORDER BY Id LIMIT {SAMPLE};
             DELETE FROM \"{name}\" WHERE Id NOT IN (SELECT id FROM kept);",
            conditions.join(" AND ")
        ))?;
    }
    db.execute_batch("DROP TABLE kept")?;
    Ok(())
}
