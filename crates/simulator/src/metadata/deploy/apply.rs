//! Writes the components of a package.

use crate::error::ApiError;
use crate::http::Call;
use crate::metadata::message::Message;
use crate::metadata::store::{self, Item};

/// Types that others need in force first.
const FIRST: &[&str] = &["GlobalValueSet", "CustomObject", "CustomField", "RecordType"];

fn rank(type_name: &str) -> usize {
    FIRST
        .iter()
        .position(|first| *first == type_name)
        .unwrap_or(FIRST.len())
}

/// Writes the items with their effects; one message for each, in the order of the package.
pub(super) fn apply(call: &Call<'_>, items: &[Item]) -> Result<Vec<Message>, ApiError> {
    let mut order: Vec<usize> = (0..items.len()).collect();
    order.sort_by_key(|at| rank(&items[*at].id.type_name));
    let mut messages = vec![Message::default(); items.len()];
    for at in order {
        let item = &items[at];
        let written = store::put(call, item)?;
        messages[at] = Message {
            record_id: Some(written.record_id),
            created: written.created,
            changed: written.changed,
            ..Message::success(&item.id.type_name, &item.id.full_name, &item.path)
        };
    }
    Ok(messages)
}
