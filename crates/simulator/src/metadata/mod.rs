//! Metadata of an org: deploy, retrieve, list, describe, and the components themselves.

mod archive;
mod deploy;
mod describe;
mod list;
mod message;
mod multipart;
mod package;
mod prefix;
mod properties;
mod retrieve;
mod rows;
mod standard;
pub mod store;

use crate::http::{EventHandler, Route};
use crate::soap::Operation;

pub(crate) const ROUTES: &[Route] = deploy::rest::ROUTES;

/// Handlers of events.
pub(crate) const EVENTS: &[(&str, EventHandler)] = &[
    ("deploy.finalize", deploy::finalize),
    ("deploy.run", deploy::work),
    ("deploy.start", deploy::start),
    ("retrieve.run", retrieve::work),
    ("retrieve.start", retrieve::start),
];

/// Operations of the Metadata API.
pub(crate) const OPERATIONS: &[Operation] = &[
    Operation::new("cancelDeploy", deploy::soap::cancel),
    Operation::new("checkDeployStatus", deploy::soap::check),
    Operation::new("checkRetrieveStatus", retrieve::check),
    Operation::new("deploy", deploy::soap::deploy),
    Operation::new("deployRecentValidation", deploy::soap::recent_validation),
    Operation::new("describeMetadata", describe::metadata),
    Operation::new("describeValueType", describe::value_type),
    Operation::new("listMetadata", list::list),
    Operation::new("retrieve", retrieve::retrieve),
];

/// Operations of the Apex API.
pub(crate) const APEX_OPERATIONS: &[Operation] = &[];

/// Tables of metadata in an org's database.
pub(crate) fn tables() -> String {
    [store::TABLES, deploy::TABLES, retrieve::TABLES].concat()
}
