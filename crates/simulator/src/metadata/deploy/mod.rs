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

pub(crate) use job::{TABLES, finalize, start, work};
pub(crate) use result::name_of;

use crate::error::ApiError;
use crate::http::Call;
use crate::metadata::archive::MAX_ZIP;
use crate::org::OrgKind;
use options::Options;
use serde_json::{Value, json};

/// Whether the org has production's rules.
pub(crate) fn is_production(call: &Call<'_>) -> bool {
    call.org.kind == OrgKind::Production
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

/// A result without tests.
fn tests_none() -> Value {
    json!({ "numFailures": 0, "numTestsRun": 0, "totalTime": 0.0 })
}
