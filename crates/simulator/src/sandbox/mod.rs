//! The life of sandboxes: they are asked for, copied, activated, refreshed, deleted — as events on the clock of the world.
//!
//! A request is a change of `SandboxInfo` in a production org: an insert makes a sandbox, **any** update refreshes it, a
//! delete deletes it. Each makes a `SandboxProcess`, which the events move on. A copy is a new org with a new id; the old
//! one serves until the copy is activated. Source: Salesforce API reference, "Tooling API and sandbox lifecycle" and "What a
//! refreshed sandbox looks like".

pub(crate) mod auth;
pub(crate) mod connect;
mod copy;
mod effects;
pub(crate) mod email;
pub(crate) mod hooks;
pub(crate) mod info;
pub(crate) mod license;
pub(crate) mod process;
pub(crate) mod run;
pub(crate) mod seed;
pub(crate) mod status;

use crate::error::ApiError;
use crate::http::Call;
use crate::org::OrgKind;
use crate::switches::Refusals;

/// Tables of a production org that say which orgs its sandboxes are.
///
/// `_sandbox`: a sandbox, its id in the Connect API and its org now. `_copy`: what a SandboxProcess copies; `ready` is when
/// `sandboxAuth` begins to answer. `_template`: the objects of a template, which no API shows.
pub(crate) const TABLES: &str = "
CREATE TABLE IF NOT EXISTS _sandbox (info_id TEXT PRIMARY KEY, connect_id TEXT NOT NULL, org_id TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS _copy (
    process_id TEXT PRIMARY KEY, info_id TEXT NOT NULL, org_id TEXT NOT NULL, pod INTEGER NOT NULL, refresh INTEGER NOT NULL,
    by_user TEXT NOT NULL, requested INTEGER NOT NULL, ready INTEGER
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS _template (id TEXT NOT NULL, object TEXT NOT NULL, PRIMARY KEY (id, object)) WITHOUT ROWID;
";

/// A rule of the sandbox life was broken. The text tells which one if the switch says so.
fn refuse(call: &Call<'_>, code: &str, rule: &str) -> ApiError {
    ApiError::new(
        code,
        match call.world.switches().refusals {
            Refusals::Generic => "The sandbox request can't be completed.",
            Refusals::Explained => rule,
        },
    )
}

/// Sandbox objects exist in production orgs only.
fn production_only(call: &Call<'_>, object: &str) -> Result<(), ApiError> {
    match call.org.kind {
        OrgKind::Production => Ok(()),
        _ => Err(ApiError::new(
            "INVALID_TYPE",
            format!(
                "sObject type '{object}' is not supported. If you are attempting to use a custom object, be sure to append the '__c' \
                 after the entity name. Please reference your WSDL or the describe call for the appropriate names."
            ),
        )),
    }
}
