//! `/metadata/deployRequest`: deployments by REST.

use super::options::Options;
use super::{job, quick, result, submit};
use crate::error::ApiError;
use crate::http::{Call, Reply, Route};
use crate::metadata::multipart;
use serde_json::{Value, json};

pub(crate) const ROUTES: &[Route] = &[
    Route::rest("POST", "/services/data/{version}/metadata/deployRequest", create),
    Route::rest("GET", "/services/data/{version}/metadata/deployRequest/{id}", get),
    Route::rest("PATCH", "/services/data/{version}/metadata/deployRequest/{id}", patch),
];

fn create(call: &Call<'_>) -> Result<Reply, ApiError> {
    crate::metadata::allow(call)?;
    let content_type = call.request.header("content-type").unwrap_or_default();
    if !content_type.starts_with("multipart/") {
        return quick_deploy(call);
    }
    let malformed = |text: String| ApiError::new("INVALID_MULTIPART_REQUEST", text);
    let parts = multipart::parse(content_type, &call.request.body).map_err(malformed)?;
    let json = parts
        .iter()
        .find(|part| part.content_type.starts_with("application/json") || part.name == "json")
        .ok_or_else(|| malformed("the request has no JSON part with deployOptions".to_owned()))?;
    let zip = parts
        .iter()
        .find(|part| part.name == "file" || part.content_type == "application/zip")
        .ok_or_else(|| malformed("the request has no part with a zip file".to_owned()))?;
    let body: Value =
        serde_json::from_slice(json.content).map_err(|error| ApiError::new("JSON_PARSER_ERROR", error.to_string()))?;
    let options: Options = serde_json::from_value(body.get("deployOptions").cloned().unwrap_or_else(|| json!({})))
        .map_err(|error| ApiError::new("JSON_PARSER_ERROR", error.to_string()))?;
    let id = submit(call, zip.content, &options)?;
    Ok(Reply::json_status(201, &answer(call, &id, true)?))
}

fn quick_deploy(call: &Call<'_>) -> Result<Reply, ApiError> {
    let body = call.json()?;
    let validation = body["validatedDeployRequestId"]
        .as_str()
        .ok_or_else(|| ApiError::new("MISSING_ARGUMENT", "validatedDeployRequestId is missing"))?;
    let id = quick::deploy(call, validation)?;
    Ok(Reply::json_status(201, &answer(call, &id, true)?))
}

fn found(call: &Call<'_>) -> Result<job::Job, ApiError> {
    crate::metadata::allow(call)?;
    job::load(call, call.request.param("id")).map_err(|error| error.status(404))
}

fn get(call: &Call<'_>) -> Result<Reply, ApiError> {
    let id = found(call)?.id;
    let details = call.request.query("includeDetails") == Some("true");
    Ok(Reply::json(&answer(call, &id, details)?))
}

fn patch(call: &Call<'_>) -> Result<Reply, ApiError> {
    let id = found(call)?.id;
    if call.json()?["deployResult"]["status"] != "Canceling" {
        return Err(ApiError::new(
            "INVALID_OPERATION",
            "only the status Canceling can be set",
        ));
    }
    job::cancel(call, &id)?;
    Ok(Reply::json_status(202, &answer(call, &id, false)?))
}

fn answer(call: &Call<'_>, id: &str, details: bool) -> Result<Value, ApiError> {
    let job = job::load(call, id)?;
    let mut result = result::result(call, &job, details)?;
    offsets(&mut result);
    let path = format!("/services/data/v{}.0/metadata/deployRequest/{id}", call.version);
    let options = serde_json::to_value(&job.options).unwrap_or_default();
    Ok(json!({
        "id": id,
        "validatedDeployRequestId": job.quick_of,
        "url": format!("{}{path}", call.origin()),
        "deployOptions": options,
        "deployResult": result,
    }))
}

/// REST writes moments with an offset instead of `Z`.
fn offsets(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::String(text) if name.ends_with("Date") && text.ends_with('Z') => {
                        text.truncate(text.len() - 1);
                        text.push_str("+0000");
                    }
                    other => offsets(other),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(offsets),
        _ => {}
    }
}
