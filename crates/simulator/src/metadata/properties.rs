//! `FileProperties`: what list and retrieve tell of a component.

use super::deploy::name_of;
use super::store::Component;
use crate::clock::Millis;
use crate::error::ApiError;
use crate::http::Call;
use crate::soap::date::iso;
use serde_json::{Map, Value, json};

/// A `FileProperties`. Source: Metadata API Developer Guide, FileProperties.
#[derive(Debug, Clone)]
pub(crate) struct Properties {
    kind: String,
    full_name: String,
    path: String,
    id: String,
    created: (Millis, String, String),
    modified: (Millis, String, String),
    namespace: Option<String>,
    state: Option<String>,
}

/// Types whose ids are blank and whose dates are the beginning of time.
const TIMELESS: [&str; 3] = ["InstalledPackage", "Settings", "StandardValueSet"];

impl Properties {
    /// The properties of a component with this path.
    pub(crate) fn of(call: &Call<'_>, component: &Component, path: &str) -> Result<Self, ApiError> {
        let timeless = component.record_id.is_empty() || TIMELESS.contains(&&*component.id.type_name);
        let stamp = |at: Millis, by: &str| -> Result<(Millis, String, String), ApiError> {
            let at = if timeless { 0 } else { at };
            Ok((at, by.to_owned(), name_of(call, by)?))
        };
        Ok(Self {
            kind: component.id.type_name.to_string(),
            full_name: component.id.full_name.to_string(),
            path: path.to_owned(),
            id: if timeless {
                String::new()
            } else {
                component.record_id.clone()
            },
            created: stamp(component.created, &component.created_by)?,
            modified: stamp(component.modified, &component.modified_by)?,
            namespace: component.namespace.clone(),
            state: (!timeless).then(|| component.state.clone()),
        })
    }

    /// The same with its full name escaped, as listMetadata does for some types.
    pub(crate) fn named(mut self, full_name: String) -> Self {
        self.full_name = full_name;
        self
    }

    /// As in a result.
    pub(crate) fn json(&self) -> Value {
        let mut out = Map::new();
        let mut set = |name: &str, value: Value| {
            out.insert(name.to_owned(), value);
        };
        set("createdById", json!(self.created.1));
        set("createdByName", json!(self.created.2));
        set("createdDate", json!(iso(self.created.0)));
        set("fileName", json!(self.path));
        set("fullName", json!(self.full_name));
        set("id", json!(self.id));
        set("lastModifiedById", json!(self.modified.1));
        set("lastModifiedByName", json!(self.modified.2));
        set("lastModifiedDate", json!(iso(self.modified.0)));
        if let Some(state) = &self.state {
            set("manageableState", json!(state));
        }
        if let Some(namespace) = &self.namespace {
            set("namespacePrefix", json!(namespace));
        }
        set("type", json!(self.kind));
        Value::Object(out)
    }
}

/// The properties of a retrieval's package.xml.
pub(crate) fn manifest(call: &Call<'_>, path: &str) -> Value {
    json!({
        "createdById": call.user,
        "createdByName": "",
        "createdDate": iso(0),
        "fileName": path,
        "fullName": path,
        "id": "",
        "lastModifiedById": call.user,
        "lastModifiedByName": "",
        "lastModifiedDate": iso(0),
        "manageableState": "unmanaged",
        "type": "Package",
    })
}

/// The paths a component is told with: each file of a bundle, else its main file.
pub(crate) fn files_of<'p>(component: &'p Component, paths: &[&'p str]) -> Vec<&'p str> {
    let is_bundle = paths
        .iter()
        .any(|path| path.starts_with(&format!("{}/", component.path)));
    if is_bundle && component.parent.is_none() {
        paths.to_vec()
    } else {
        vec![&component.path]
    }
}
