//! Deletions by destructiveChanges.xml.

use super::select::{is_type, unknown_types};
use crate::error::ApiError;
use crate::http::Call;
use crate::metadata::message::Message;
use crate::metadata::store;
use syncline_metadata::component::ComponentId;
use syncline_metadata::package::PackageManifest;

/// Deletes what a manifest names. What does not exist is a success with a warning.
pub(super) fn delete(call: &Call<'_>, file: &str, manifest: &PackageManifest) -> Result<Vec<Message>, ApiError> {
    let mut messages = Vec::new();
    unknown_types(manifest, file, &mut messages);
    for (kind, members) in manifest.types.iter().filter(|(kind, _)| is_type(kind)) {
        for member in members {
            if &**member == "*" {
                let problem = format!("Wildcards are not supported in {file}");
                messages.push(Message::failure("", file, file, &problem));
                continue;
            }
            let id = ComponentId::new(kind.clone(), member.clone());
            let Some(component) = store::get(call.db, &id)? else {
                let problem = format!("No {kind} named: {member} found");
                messages.push(Message::warning("", file, file, &problem));
                continue;
            };
            store::delete(call.db, &id)?;
            messages.push(Message {
                record_id: Some(component.record_id),
                deleted: true,
                changed: true,
                ..Message::success(kind, member, file)
            });
        }
    }
    Ok(messages)
}
