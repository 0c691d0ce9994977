//! Writes the components of a package.

use crate::error::ApiError;
use crate::http::Call;
use crate::metadata::message::Message;
use crate::metadata::store::{self, Item, Written};
use crate::metadata::{crud, dependencies, effects, package, standard};
use syncline_metadata::component::ComponentId;

/// Types that others need in force first.
const FIRST: &[&str] = &[
    "GlobalValueSet",
    "CustomObject",
    "CustomField",
    "RecordType",
    "MatchingRule",
];

/// The type that is merged with what is there. Permission sets replace it from API version 40 on.
const MERGED: &str = "Profile";

fn rank(type_name: &str) -> usize {
    FIRST
        .iter()
        .position(|first| *first == type_name)
        .unwrap_or(FIRST.len())
}

/// Writes one component. A container's file without anything of its own leaves what is there.
fn write(call: &Call<'_>, item: &Item) -> Result<Written, ApiError> {
    if let Some(old) = standard::find(call, &item.id)?
        && store::is_container(&item.id.type_name)
        && package::is_bare(item)
    {
        return Ok(Written {
            record_id: old.record_id,
            created: false,
            changed: false,
        });
    }
    if &*item.id.type_name == MERGED && store::get(call.db, &item.id)?.is_some() {
        return store::put(call, &merged(call, item)?);
    }
    store::put(call, item)
}

/// The item with the entries that the org has and it does not name.
fn merged(call: &Call<'_>, item: &Item) -> Result<Item, ApiError> {
    let mut item = item.clone();
    for file in &mut item.files {
        let text = String::from_utf8_lossy(&file.content);
        file.content = crud::merged_file(call, &item.id, &text)?.into_bytes();
    }
    Ok(item)
}

/// Writes the items with their effects; one message for each, in the order of the package.
pub(super) fn apply(call: &Call<'_>, items: &[Item]) -> Result<Vec<Message>, ApiError> {
    let mut order: Vec<usize> = (0..items.len()).collect();
    order.sort_by_key(|at| rank(&items[*at].id.type_name));
    let mut messages = vec![Message::default(); items.len()];
    for at in order {
        let item = &items[at];
        let (kind, name) = (&item.id.type_name, &item.id.full_name);
        call.db.execute_batch("SAVEPOINT component")?;
        let written = write(call, item)?;
        // Which version of a flow is active has changed without a change of the definition's file.
        if (written.changed || &**kind == "FlowDefinition")
            && let Some(component) = store::get(call.db, &item.id)?
            && let Some(problem) = effects::written(call, &component)?
        {
            call.db.execute_batch("ROLLBACK TO component; RELEASE component")?;
            messages[at] = Message::failure(kind, name, &item.path, &problem);
            continue;
        }
        call.db.execute_batch("RELEASE component")?;
        messages[at] = Message {
            record_id: Some(written.record_id),
            created: written.created,
            changed: written.changed,
            ..Message::success(kind, name, &item.path)
        };
    }
    let changed: Vec<ComponentId> = items
        .iter()
        .zip(&messages)
        .filter(|(_, message)| message.changed)
        .map(|(item, _)| item.id.clone())
        .collect();
    dependencies::record(call, &changed)?;
    Ok(messages)
}
