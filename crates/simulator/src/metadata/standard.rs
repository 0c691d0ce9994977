//! What an org has without a deployment: standard objects as components without files.

use super::store::{self, Component, File};
use crate::error::ApiError;
use crate::http::Call;
use crate::schema::Api;
use syncline_metadata::component::ComponentId;

/// The component of that name: kept, or a standard object.
pub(crate) fn find(call: &Call<'_>, id: &ComponentId) -> Result<Option<Component>, ApiError> {
    let kept = store::get(call.db, id)?;
    if kept.is_none() && &*id.type_name == LABELS {
        return Ok(labels(call)?.filter(|labels| labels.id.full_name == id.full_name));
    }
    if kept.is_some() || &*id.type_name != "CustomObject" {
        return Ok(kept);
    }
    Ok(objects(call)
        .into_iter()
        .find(|object| object.id.full_name.eq_ignore_ascii_case(&id.full_name)))
}

/// All labels are one component, which is there as soon as one of them is, though packages name each.
pub(crate) const LABELS: &str = "CustomLabels";

/// The component of all labels, where nobody deployed it by its own name.
pub(crate) fn labels(call: &Call<'_>) -> Result<Option<Component>, ApiError> {
    let id = ComponentId::new(LABELS, LABELS);
    let children = store::children(call.db, &id)?;
    Ok(children.first().map(|first| Component {
        id,
        parent: None,
        record_id: String::new(),
        path: format!("labels/{LABELS}.labels"),
        ..first.clone()
    }))
}

/// The standard objects that can be customized.
pub(crate) fn objects(call: &Call<'_>) -> Vec<Component> {
    let schema = call.schema();
    schema
        .objects()
        .filter(|object| !object.custom && object.api != Api::Tooling && object.createable)
        .map(|object| Component {
            id: ComponentId::new("CustomObject", object.name.as_str()),
            parent: None,
            record_id: String::new(),
            path: format!("objects/{}.object", object.name),
            created: 0,
            created_by: String::new(),
            modified: 0,
            modified_by: String::new(),
            namespace: None,
            state: "unmanaged".to_owned(),
            version: 0,
        })
        .collect()
}

/// The files of a component with these children; a standard object has one even when nothing was deployed to it.
pub(crate) fn whole(call: &Call<'_>, id: &ComponentId, children: &[Component]) -> Result<Vec<File>, ApiError> {
    let files = store::whole(call.db, id, children)?;
    if !files.is_empty() {
        return Ok(files);
    }
    let path = find(call, id)?.map(|component| component.path);
    Ok(path
        .map(|path| File {
            path,
            content: store::empty(&id.type_name).into_bytes(),
        })
        .into_iter()
        .collect())
}
