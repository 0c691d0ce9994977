//! Records of custom metadata types.

use super::{Subject, Told};
use crate::error::ApiError;
use crate::http::Call;
use crate::metadata::rows::{self, text};
use crate::metadata::store::Component;
use crate::metadata::value;
use crate::schema::Kind;
use rusqlite::types::Value;

/// `Rig` of `Rig.Sloop` is kept in `Rig__mdt`.
pub(crate) fn object_name(full_name: &str) -> String {
    let (kind, _) = full_name.split_once('.').unwrap_or((full_name, ""));
    format!("{}__mdt", kind.strip_suffix("__mdt").unwrap_or(kind))
}

pub(super) fn written(call: &Call<'_>, subject: &Subject<'_>) -> Told {
    let (_, name) = subject.parts();
    let object_name = object_name(subject.name());
    let schema = call.schema();
    let Some(object) = schema.object(&object_name) else {
        return Ok(Some(format!(
            "Entity of type 'CustomObject' named '{object_name}' cannot be found"
        )));
    };
    let label = value::plain(&subject.value, "label").unwrap_or_else(|| name.to_owned());
    let mut values = vec![
        ("DeveloperName", text(name)),
        ("MasterLabel", text(&label)),
        ("Label", text(&label)),
        ("Language", text("en_US")),
        ("QualifiedApiName", text(name)),
    ];
    for item in value::items(&subject.value, "values") {
        let given = value::plain(item, "field").unwrap_or_default();
        let Some(field) = object.field(&given) else {
            return Ok(Some(format!(
                "In field: field - no CustomField named {object_name}.{given} found"
            )));
        };
        let value = value::plain(item, "value").map_or(Value::Null, |text| column(field.kind, text));
        values.push((field.name.as_str(), value));
    }
    rows::put(call, &object.name, &subject.component.record_id, &values)?;
    Ok(None)
}

/// A value as the column of its kind keeps it.
fn column(kind: Kind, text: String) -> Value {
    match kind.column() {
        "INTEGER" if kind == Kind::Boolean => Value::Integer((text == "true").into()),
        "REAL" => text.parse().map_or(Value::Text(text), Value::Real),
        _ => Value::Text(text),
    }
}

pub(super) fn deleted(call: &Call<'_>, component: &Component) -> Result<(), ApiError> {
    let object = object_name(&component.id.full_name);
    match call.schema().object(&object) {
        Some(object) => rows::delete(call, &object.name, &component.record_id),
        None => Ok(()),
    }
}
