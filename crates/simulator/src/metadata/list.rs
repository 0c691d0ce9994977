//! listMetadata(): up to three types at once, in no order.

use super::properties::Properties;
use super::standard;
use super::store::{self, Component};
use crate::error::ApiError;
use crate::http::Call;
use crate::soap::{Answer, xml};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use ring::digest::{SHA256, digest};
use roxmltree::Node;
use serde_json::Value;
use syncline_metadata::table::registry::Registry;

/// Most queries of a call.
const MAX_QUERIES: usize = 3;

/// Types that list nothing whatever there is.
const EMPTY: [&str; 2] = ["BotVersion", "StandardValueSet"];

/// Types whose full names come escaped.
const ENCODED: [&str; 1] = ["Layout"];

/// What stays plain in an escaped name.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~')
    .remove(b'$')
    .remove(b' ');

pub(crate) fn list(call: &Call<'_>, request: Node<'_, '_>) -> Result<Answer, ApiError> {
    let queries: Vec<(String, Option<String>)> = xml::all(request, "queries")
        .map(|query| (xml::text(query, "type").unwrap_or_default(), xml::text(query, "folder")))
        .collect();
    if queries.len() > MAX_QUERIES {
        return Err(ApiError::new(
            "EXCEEDED_ID_LIMIT",
            format!("number of queries exceeds the limit of {MAX_QUERIES}"),
        ));
    }
    for (kind, _) in &queries {
        if !is_listable(call, kind) {
            return Err(ApiError::new("INVALID_TYPE", format!("Unknown type:{kind}")));
        }
    }
    let mut rows: Vec<(Vec<u8>, Value)> = Vec::new();
    for (kind, folder) in &queries {
        for component in components(call, kind, folder.as_deref())? {
            let mut properties = Properties::of(call, &component, &component.path)?;
            if ENCODED.contains(&kind.as_str()) {
                properties = properties.named(utf8_percent_encode(&component.id.full_name, PLAIN).to_string());
            }
            rows.push((place(call, &component), properties.json()));
        }
    }
    rows.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(Value::Array(rows.into_iter().map(|(_, row)| row).collect()).into())
}

/// A place in the answer that depends on the seed and the name only.
fn place(call: &Call<'_>, component: &Component) -> Vec<u8> {
    let text = format!("{} {}", call.world.config.seed, component.id);
    digest(&SHA256, text.as_bytes()).as_ref().to_vec()
}

/// Whether the org knows a type at this version.
fn is_listable(call: &Call<'_>, kind: &str) -> bool {
    let registry = Registry::standard();
    let known = registry.by_name(kind).is_some() || registry.child(kind).is_some_and(|(_, child)| child.addressable);
    known && super::describe::since(kind) <= call.version
}

fn components(call: &Call<'_>, kind: &str, folder: Option<&str>) -> Result<Vec<Component>, ApiError> {
    if EMPTY.contains(&kind) {
        return Ok(Vec::new());
    }
    let registry = Registry::standard();
    let in_folder = registry.by_name(kind).is_some_and(|kind| kind.in_folder);
    let mut found = store::list(call.db, kind)?;
    if in_folder {
        // Without a folder only folders can be listed, by their own type.
        found.retain(|component| {
            folder.is_some_and(|folder| {
                component
                    .id
                    .full_name
                    .rsplit_once('/')
                    .is_some_and(|(parent, _)| parent.eq_ignore_ascii_case(folder))
            })
        });
    }
    if kind == standard::LABELS && found.is_empty() {
        found.extend(standard::labels(call)?);
    }
    if kind == "CustomObject" {
        let kept: Vec<String> = found.iter().map(|c| c.id.full_name.to_lowercase()).collect();
        found.extend(
            standard::objects(call)
                .into_iter()
                .filter(|object| !kept.contains(&object.id.full_name.to_lowercase())),
        );
    }
    Ok(found)
}
