//! Which components of the org name which.

use super::rows::text;
use super::store::{self, Component};
use crate::error::ApiError;
use crate::http::Call;
use crate::org::records;
use std::collections::BTreeSet;
use syncline_metadata::component::ComponentId;
use syncline_metadata::references::{Context, KnownNames, ReferenceKind, references_in};

/// The components that need this one.
pub(crate) fn users_of(call: &Call<'_>, id: &ComponentId) -> Result<BTreeSet<ComponentId>, ApiError> {
    // A name that does not occur in a file is not named there; the last part is what all ways to write it share.
    let last = id.full_name.rsplit(['.', '/', '-']).next().unwrap_or_default();
    let stem = last.strip_suffix("__c").unwrap_or(last).to_lowercase();
    let mut query = call.db.prepare_cached(
        "SELECT DISTINCT type, name FROM _component_file WHERE instr(lower(CAST(content AS TEXT)), ?1) > 0",
    )?;
    let candidates: Vec<ComponentId> = query
        .query_map([&stem], |row| {
            Ok(ComponentId::new(row.get::<_, String>(0)?, row.get::<_, String>(1)?))
        })?
        .collect::<Result<_, _>>()?;
    let known = known(call)?;
    let mut users = BTreeSet::new();
    for candidate in candidates.into_iter().filter(|candidate| candidate != id) {
        let names = needs(call, &candidate, &known)?;
        if names
            .iter()
            .any(|name| name.type_name == id.type_name && name.full_name.eq_ignore_ascii_case(&id.full_name))
        {
            users.insert(candidate);
        }
    }
    Ok(users)
}

/// Writes the rows of MetadataComponentDependency of these components anew.
pub(crate) fn record(call: &Call<'_>, changed: &[ComponentId]) -> Result<(), ApiError> {
    let known = known(call)?;
    let object = call.object("MetadataComponentDependency")?;
    for id in changed {
        let Some(user) = store::get(call.db, id)? else {
            continue;
        };
        forget(call, &user.record_id, "MetadataComponentId")?;
        for name in needs(call, id, &known)? {
            let Some(used) = store::get(call.db, &name)? else {
                continue;
            };
            let values = [
                ("MetadataComponentId", text(&user.record_id)),
                ("MetadataComponentName", text(own_name(&user))),
                ("MetadataComponentType", text(&user.id.type_name)),
                ("RefMetadataComponentId", text(&used.record_id)),
                ("RefMetadataComponentName", text(own_name(&used))),
                ("RefMetadataComponentType", text(&used.id.type_name)),
            ];
            records::insert(call.org, call.db, &object, &values, &call.user, call.now)?;
        }
    }
    Ok(())
}

/// Removes the rows of a component that is deleted.
pub(crate) fn deleted(call: &Call<'_>, component: &Component) -> Result<(), ApiError> {
    forget(call, &component.record_id, "MetadataComponentId")?;
    forget(call, &component.record_id, "RefMetadataComponentId")
}

fn forget(call: &Call<'_>, id: &str, field: &str) -> Result<(), ApiError> {
    call.db.execute(
        &format!("DELETE FROM MetadataComponentDependency WHERE \"{field}\" = ?1"),
        [id],
    )?;
    Ok(())
}

/// Names here have no parent in front.
fn own_name(component: &Component) -> &str {
    let name = &component.id.full_name;
    match &component.parent {
        Some(parent) => name
            .strip_prefix(&*parent.full_name)
            .and_then(|rest| rest.strip_prefix('.'))
            .unwrap_or(name),
        None => name,
    }
}

fn known(call: &Call<'_>) -> Result<KnownNames, ApiError> {
    let all: Vec<ComponentId> = store::all(call.db)?.into_iter().map(|component| component.id).collect();
    Ok(KnownNames::build(&all))
}

/// What a component needs.
fn needs(call: &Call<'_>, id: &ComponentId, known: &KnownNames) -> Result<BTreeSet<ComponentId>, ApiError> {
    let context = Context {
        schema: None,
        known: Some(known),
    };
    let mut found = BTreeSet::new();
    for file in store::files(call.db, id)? {
        let Ok(text) = std::str::from_utf8(&file.content) else {
            continue;
        };
        // A child is kept as the element of its container; rules go by the type.
        let text = if file.path.is_empty() {
            as_file(&id.type_name, text)
        } else {
            text.to_owned()
        };
        let names = references_in(id, &file.path, &text, &context).unwrap_or_default();
        found.extend(
            names
                .into_iter()
                .filter(|name| name.kind != ReferenceKind::Optional)
                .map(|name| name.to),
        );
    }
    Ok(found)
}

/// `<fields>…</fields>` as `<CustomField>…</CustomField>`.
pub(crate) fn as_file(type_name: &str, element: &str) -> String {
    let (Some(start), Some(end)) = (element.find(['>', ' ', '/']), element.rfind("</")) else {
        return format!("<{type_name}/>");
    };
    format!("<{type_name}{}</{type_name}>", &element[start..end])
}
