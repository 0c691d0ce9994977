//! Deletions by destructiveChanges.xml.

use super::select::{is_type, unknown_types};
use crate::error::ApiError;
use crate::http::Call;
use crate::metadata::message::Message;
use crate::metadata::store::{self, Component};
use crate::metadata::{effects, mentions, package, standard, tracking, users_of};
use rusqlite::OptionalExtension;
use std::collections::BTreeSet;
use syncline_metadata::component::ComponentId;
use syncline_metadata::package::PackageManifest;

/// Types whose mention of a component does not keep it from being deleted: the platform drops the mention.
const LENIENT: &[&str] = &[
    "CustomApplication",
    "CustomObjectTranslation",
    "FieldSet",
    "Layout",
    "ListView",
    "MutingPermissionSet",
    "PermissionSet",
    "Profile",
    "RecordType",
    "Report",
    "Translations",
];

/// Deletes what a manifest names. What does not exist is a success with a warning.
pub(super) fn delete(call: &Call<'_>, file: &str, manifest: &PackageManifest) -> Result<Vec<Message>, ApiError> {
    let mut messages = Vec::new();
    unknown_types(manifest, file, &mut messages);
    let mut doomed = Vec::new();
    for (kind, members) in manifest.types.iter().filter(|(kind, _)| is_type(kind)) {
        for member in members {
            if &**member == "*" {
                let problem = format!("Wildcards are not supported in {file}");
                messages.push(Message::failure("", file, file, &problem));
                continue;
            }
            let mut found = None;
            for id in package::meant(kind, member) {
                found = found.or(find(call, &id)?);
            }
            match found {
                Some(component) => doomed.push(component),
                None => {
                    let problem = format!("No {kind} named: {member} found");
                    messages.push(Message::warning("", file, file, &problem));
                }
            }
        }
    }
    let names: Vec<ComponentId> = doomed.iter().map(|component| component.id.clone()).collect();
    for component in doomed {
        let id = &component.id;
        // In a folder, the name comes back without it.
        let told = id.full_name.rsplit('/').next().unwrap_or_default();
        let users = users_of(call, id)?;
        if let Some(problem) = refusal(call, &component, &users, &names)? {
            messages.push(Message::failure(&id.type_name, told, file, &problem));
            continue;
        }
        take_out(call, &component, &users)?;
        messages.push(Message {
            record_id: Some(component.record_id.clone()),
            deleted: true,
            changed: true,
            ..Message::success(&id.type_name, told, file)
        });
    }
    Ok(messages)
}

/// Deletes one component without a manifest; a text says why it cannot be.
pub(crate) fn remove(call: &Call<'_>, component: &Component) -> Result<Option<String>, ApiError> {
    let users = users_of(call, &component.id)?;
    let problem = refusal(call, component, &users, &[])?;
    if problem.is_none() {
        take_out(call, component, &users)?;
        let id = &component.id;
        let message = Message {
            deleted: true,
            changed: true,
            ..Message::success(&id.type_name, &id.full_name, &component.path)
        };
        tracking::deployed(call, &[message])?;
    }
    Ok(problem)
}

fn take_out(call: &Call<'_>, component: &Component, users: &BTreeSet<ComponentId>) -> Result<(), ApiError> {
    for user in users.iter().filter(|user| LENIENT.contains(&&*user.type_name)) {
        mentions::drop(call, user, &component.id)?;
    }
    effects::deleted(call, component)?;
    store::delete(call.db, &component.id)
}

/// The component; `Flow-3` is a version of a flow.
fn find(call: &Call<'_>, id: &ComponentId) -> Result<Option<Component>, ApiError> {
    let found = standard::find(call, id)?;
    if found.is_some() || &*id.type_name != "Flow" {
        return Ok(found);
    }
    effects::flow_version(call, &id.full_name)
}

/// Why a component cannot be deleted, if it cannot.
fn refusal(
    call: &Call<'_>,
    component: &Component,
    users: &BTreeSet<ComponentId>,
    doomed: &[ComponentId],
) -> Result<Option<String>, ApiError> {
    let id = &component.id;
    let (kind, name) = (&*id.type_name, &*id.full_name);
    if component.namespace.is_some() {
        return Ok(Some(format!("Cannot delete a component of a managed package: {name}")));
    }
    if kind == "CustomObject" && component.record_id.is_empty() {
        return Ok(Some(format!("Cannot delete standard object: {name}")));
    }
    if kind == "Flow" && effects::is_active_flow(call, component)? {
        return Ok(Some(format!(
            "This flow is active and can't be deleted. Deactivate it first: {name}"
        )));
    }
    if kind == "RecordType" && record_type_in_use(call, component)? {
        return Ok(Some("This record type is in use and cannot be deleted.".to_owned()));
    }
    let users: Vec<String> = users
        .iter()
        .filter(|user| !LENIENT.contains(&&*user.type_name) && !doomed.contains(*user))
        .filter(|user| !user.full_name.starts_with(&format!("{name}.")))
        .map(|user| user.full_name.to_string())
        .collect();
    if users.is_empty() {
        return Ok(None);
    }
    Ok(Some(format!(
        "This {} is referenced elsewhere in salesforce.com : {}.",
        words(kind),
        users.join(", ")
    )))
}

/// `CustomField` → `custom field`.
fn words(kind: &str) -> String {
    let mut out = String::new();
    for letter in kind.chars() {
        if letter.is_uppercase() && !out.is_empty() {
            out.push(' ');
        }
        out.extend(letter.to_lowercase());
    }
    out
}

fn record_type_in_use(call: &Call<'_>, component: &Component) -> Result<bool, ApiError> {
    let Some((object, _)) = component.id.full_name.split_once('.') else {
        return Ok(false);
    };
    let schema = call.schema();
    let Some(object) = schema
        .object(object)
        .filter(|object| object.field("RecordTypeId").is_some())
    else {
        return Ok(false);
    };
    Ok(call
        .db
        .query_row(
            &format!("SELECT 1 FROM \"{}\" WHERE RecordTypeId = ?1 LIMIT 1", object.name),
            [&component.record_id],
            |_| Ok(()),
        )
        .optional()?
        .is_some())
}
