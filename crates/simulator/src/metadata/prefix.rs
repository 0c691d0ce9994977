//! Key prefixes of the record ids of components.

use super::effects::object_name;
use crate::http::Call;
use syncline_metadata::component::ComponentId;

/// Types whose record ids begin differently from the object of the same name, or that have no object.
const PREFIXES: &[(&str, &str)] = &[
    ("ApexComponent", "099"),
    ("ApexPage", "066"),
    ("AuraDefinitionBundle", "0Ab"),
    ("CustomApplication", "02u"),
    ("CustomLabel", "101"),
    ("CustomPermission", "0CP"),
    ("CustomTab", "01r"),
    ("Dashboard", "01Z"),
    ("Document", "015"),
    ("EmailTemplate", "00X"),
    ("FlexiPage", "0M0"),
    ("Flow", "300"),
    ("GlobalValueSet", "0Nt"),
    ("Layout", "00h"),
    ("LightningComponentBundle", "0Rb"),
    ("ListView", "00B"),
    ("NamedCredential", "0XA"),
    ("PermissionSetGroup", "0PG"),
    ("QuickAction", "09D"),
    ("Queue", "00G"),
    ("RemoteSiteSetting", "0rp"),
    ("Report", "00O"),
    ("Role", "00E"),
    ("WebLink", "00b"),
    ("WorkflowAlert", "01W"),
    ("WorkflowFieldUpdate", "04Y"),
    ("WorkflowOutboundMessage", "04k"),
    ("WorkflowRule", "01Q"),
    ("WorkflowTask", "01T"),
];

/// For types without a known prefix.
const OTHER: &str = "0mC";

/// The key prefix of a type's record ids.
pub(super) fn of(call: &Call<'_>, id: &ComponentId) -> String {
    let type_name = &*id.type_name;
    if type_name == "CustomMetadata"
        && let Some(object) = call.schema().object(&object_name(&id.full_name))
        && let Some(prefix) = &object.key_prefix
    {
        return prefix.clone();
    }
    if let Some((_, prefix)) = PREFIXES.iter().find(|(name, _)| *name == type_name) {
        return (*prefix).to_owned();
    }
    let schema = call.schema();
    let object = schema.object(type_name).and_then(|object| object.key_prefix.clone());
    object.unwrap_or_else(|| OTHER.to_owned())
}
