//! Deployments: the queue, the work, what clients are told.

mod apply;
mod destructive;
mod job;
mod options;
mod quick;
mod request;
pub(crate) mod rest;
mod result;
mod run;
mod select;
pub(crate) mod soap;
mod tests;
mod uses;
mod validate;

pub(crate) use destructive::remove;
pub(crate) use job::{TABLES, finalize, start, work};
pub(crate) use result::name_of;
pub(crate) use select::is_type;

use crate::error::ApiError;
use crate::http::Call;
use crate::metadata::archive::MAX_ZIP;
use crate::metadata::message::Message;
use crate::metadata::package::Source;
use crate::metadata::store::Item;
use crate::metadata::tracking;
use crate::org::OrgKind;
use options::Options;

/// Whether the org has production's rules.
pub(crate) fn is_production(call: &Call<'_>) -> bool {
    call.org.kind == OrgKind::Production
}

/// Checks and writes components without a package; one message for each, more for what is wrong.
pub(crate) fn put(call: &Call<'_>, items: &[Item]) -> Result<Vec<Message>, ApiError> {
    let sources: Vec<Source> = items.iter().flat_map(Source::of).collect();
    let refused = validate::validate(call, items, &sources)?;
    let valid: Vec<Item> = items
        .iter()
        .filter(|item| !refused.owners.contains(&item.id))
        .cloned()
        .collect();
    let mut messages = refused.messages;
    messages.extend(apply::apply(call, &valid)?);
    if !messages.iter().any(Message::is_failure) {
        tracking::deployed(call, &messages)?;
    }
    Ok(messages)
}

/// Takes a package into the queue; gives the id of the deployment.
fn submit(call: &Call<'_>, zip: &[u8], options: &Options) -> Result<String, ApiError> {
    if zip.len() > MAX_ZIP {
        return Err(ApiError::new(
            "LIMIT_EXCEEDED",
            format!("Maximum size of zip file exceeded, limit is: {MAX_ZIP}"),
        ));
    }
    options.check(call.version, is_production(call))?;
    job::enqueue(call, zip, options, None)
}
