//! `/sobjects`: all objects, and one in short.

use crate::error::ApiError;
use crate::http::{Call, Reply, Route};
use crate::schema::{Api, Object};
use serde_json::{Map, Value as Json, json};
use std::sync::Arc;

pub(crate) const ROUTES: &[Route] = &[
    Route::rest("GET", "/services/data/{version}/sobjects", all),
    Route::rest("GET", "/services/data/{version}/sobjects/{object}", one),
    Route::rest("GET", "/services/data/{version}/tooling/sobjects", all),
    Route::rest("GET", "/services/data/{version}/tooling/sobjects/{object}", one),
];

/// Whether the API called answers for an object.
pub(super) fn answers(call: &Call<'_>, object: &Object) -> bool {
    match object.api {
        Api::Both => true,
        Api::Data => !call.tooling,
        Api::Tooling => call.tooling,
    }
}

/// The object of a path; 404 when the API called has none of that name.
pub(super) fn find_object(call: &Call<'_>, name: &str) -> Result<Arc<Object>, ApiError> {
    let schema = call.schema();
    let found = schema.object(name).filter(|object| answers(call, object));
    found.cloned().ok_or_else(ApiError::not_found)
}

fn base(call: &Call<'_>) -> String {
    let tooling = if call.tooling { "tooling/" } else { "" };
    format!("/services/data/v{}.0/{tooling}sobjects", call.version)
}

/// `/services/data/v67.0/sobjects/Account/001…`
pub(super) fn record_url(call: &Call<'_>, object: &str, id: &str) -> String {
    format!("{}/{object}/{id}", base(call))
}

/// An object as the list of all objects has it.
pub(super) fn summary(call: &Call<'_>, object: &Object) -> Map<String, Json> {
    let flag = |name: &str, value: bool| (name.to_owned(), json!(value));
    let deletes = object.field("IsDeleted").is_some();
    let ordinary = object.createable && deletes;
    let url = format!("{}/{}", base(call), object.name);
    let mut map: Map<String, Json> = [
        flag("activateable", false),
        flag("createable", object.createable),
        flag("custom", object.custom),
        flag("customSetting", object.custom_setting.is_some()),
        flag("deepCloneable", false),
        flag("deletable", object.deletable),
        flag("deprecatedAndHidden", false),
        flag("feedEnabled", false),
        flag("hasSubtypes", false),
        flag("idEnabled", object.key_prefix.is_some()),
        flag("isInterface", false),
        flag("isSubtype", false),
        flag("layoutable", ordinary),
        flag(
            "mergeable",
            matches!(object.name.as_str(), "Account" | "Contact" | "Lead" | "Case"),
        ),
        flag("mruEnabled", ordinary),
        flag("queryable", true),
        flag("replicateable", object.field("SystemModstamp").is_some() && deletes),
        flag("retrieveable", true),
        flag("searchable", ordinary),
        flag("triggerable", ordinary),
        flag("undeletable", object.deletable && deletes),
        flag("updateable", object.updateable),
    ]
    .into_iter()
    .collect();
    for (name, value) in [
        ("associateEntityType", Json::Null),
        ("associateParentEntity", Json::Null),
        ("implementedBy", Json::Null),
        ("implementsInterfaces", Json::Null),
        ("extendedBy", Json::Null),
        ("extendsInterfaces", Json::Null),
        ("defaultImplementation", Json::Null),
        ("keyPrefix", json!(object.key_prefix)),
        ("label", json!(object.label)),
        ("labelPlural", json!(object.plural)),
        ("name", json!(object.name)),
    ] {
        map.insert(name.to_owned(), value);
    }
    let mut urls = json!({
        "rowTemplate": format!("{url}/{{ID}}"),
        "describe": format!("{url}/describe"),
        "sobject": url,
    });
    if ordinary && !call.tooling {
        urls["layouts"] = json!(format!("{url}/describe/layouts"));
    }
    map.insert("urls".to_owned(), urls);
    map
}

fn all(call: &Call<'_>) -> Result<Reply, ApiError> {
    let schema = call.schema();
    let mut objects: Vec<&Arc<Object>> = schema.objects().filter(|object| answers(call, object)).collect();
    objects.sort_by(|a, b| a.name.cmp(&b.name));
    let list: Vec<Json> = objects
        .iter()
        .map(|object| Json::Object(summary(call, object)))
        .collect();
    Ok(Reply::json(
        &json!({ "encoding": "UTF-8", "maxBatchSize": 200, "sobjects": list }),
    ))
}

fn one(call: &Call<'_>) -> Result<Reply, ApiError> {
    let object = find_object(call, call.request.param("object"))?;
    Ok(Reply::json(
        &json!({ "objectDescribe": summary(call, &object), "recentItems": [] }),
    ))
}
