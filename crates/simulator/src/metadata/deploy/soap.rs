//! deploy(), checkDeployStatus(), cancelDeploy(), deployRecentValidation().

use super::options::Options;
use super::{job, quick, result, submit};
use crate::error::ApiError;
use crate::http::Call;
use crate::soap::{Answer, xml};
use base64::Engine as _;
use roxmltree::Node;
use serde_json::json;

pub(crate) fn deploy(call: &Call<'_>, request: Node<'_, '_>) -> Result<Answer, ApiError> {
    let encoded: String = xml::either(request, &["ZipFile", "zipFile"])
        .map(xml::content)
        .unwrap_or_default()
        .split_ascii_whitespace()
        .collect();
    let zip = base64::engine::general_purpose::STANDARD
        .decode(encoded)
        .map_err(|error| ApiError::new("UNKNOWN_EXCEPTION", format!("ZipFile is not base64: {error}")))?;
    let options = Options::from_node(xml::either(request, &["DeployOptions", "deployOptions"]));
    let id = submit(call, &zip, &options)?;
    Ok(json!({ "done": false, "id": id, "state": "Queued" }).into())
}

/// The id in a request: `asyncProcessId`, or any first element.
pub(super) fn id_of(request: Node<'_, '_>) -> String {
    xml::either(
        request,
        &["asyncProcessId", "id", "String", "validationId", "validationID"],
    )
    .or_else(|| request.first_element_child())
    .map(xml::content)
    .unwrap_or_default()
    .trim()
    .to_owned()
}

pub(crate) fn check(call: &Call<'_>, request: Node<'_, '_>) -> Result<Answer, ApiError> {
    let job = job::load(call, &id_of(request))?;
    let details = xml::flag(request, "includeDetails").unwrap_or_default();
    Ok(result::result(call, &job, details)?.into())
}

pub(crate) fn cancel(call: &Call<'_>, request: Node<'_, '_>) -> Result<Answer, ApiError> {
    let id = id_of(request);
    let done = job::cancel(call, &id)?;
    let id = crate::ids::long(&id).unwrap_or(id);
    Ok(json!({ "done": done, "id": id }).into())
}

pub(crate) fn recent_validation(call: &Call<'_>, request: Node<'_, '_>) -> Result<Answer, ApiError> {
    Ok(json!(quick::deploy(call, &id_of(request))?).into())
}
