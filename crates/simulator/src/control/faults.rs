//! The faults in force.

use super::Control;
use crate::error::ApiError;
use crate::faults::Fault;
use crate::http::Reply;
use serde_json::json;

pub(super) fn show(control: &Control<'_>) -> Result<Reply, ApiError> {
    Ok(Reply::json(&json!({ "faults": control.world.faults.all() })))
}

pub(super) fn add(control: &Control<'_>) -> Result<Reply, ApiError> {
    let fault: Fault =
        serde_json::from_value(control.json()?).map_err(|error| ApiError::new("INVALID_INPUT", error.to_string()))?;
    control.world.faults.add(fault);
    show(control)
}

pub(super) fn clear(control: &Control<'_>) -> Result<Reply, ApiError> {
    control.world.faults.clear();
    Ok(Reply::empty())
}
