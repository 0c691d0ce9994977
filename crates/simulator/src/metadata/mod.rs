//! Metadata of an org: deploy, retrieve, list, describe, and the components themselves.

mod anonymous;
mod apex;
mod archive;
mod cron;
mod crud;
mod dependencies;
mod deploy;
mod describe;
mod effects;
mod list;
mod mentions;
mod message;
mod multipart;
mod package;
mod prefix;
mod properties;
mod retrieve;
mod rows;
mod standard;
pub mod store;
mod tooling;
mod tracking;
mod value;

pub(crate) use dependencies::users_of;
pub(crate) use deploy::put as put_components;
pub(crate) use package::split;
pub(crate) use tracking::tracks_source;

use crate::clock::Millis;
use crate::error::ApiError;
use crate::http::{Call, EventHandler};
use crate::soap::Operation;
use rusqlite::Connection;
use syncline_metadata::component::ComponentId;

pub(crate) use deploy::rest::ROUTES;
pub(crate) use tooling::ROUTES as TOOLING_ROUTES;

/// Handlers of events.
pub(crate) const EVENTS: &[(&str, EventHandler)] = &[
    ("apex.tests", apex::finish),
    ("deploy.finalize", deploy::finalize),
    ("deploy.run", deploy::work),
    ("deploy.start", deploy::start),
    ("retrieve.run", retrieve::work),
    ("retrieve.start", retrieve::start),
    ("source.members", tracking::members),
];

/// Operations of the Metadata API.
pub(crate) const OPERATIONS: &[Operation] = &[
    Operation::new("cancelDeploy", deploy::soap::cancel),
    Operation::new("checkDeployStatus", deploy::soap::check),
    Operation::new("checkRetrieveStatus", retrieve::check),
    Operation::new("checkStatus", crud::check_status),
    Operation::new("createMetadata", crud::create),
    Operation::new("deleteMetadata", crud::delete),
    Operation::new("deploy", deploy::soap::deploy),
    Operation::new("deployRecentValidation", deploy::soap::recent_validation),
    Operation::new("describeMetadata", describe::metadata),
    Operation::new("describeValueType", describe::value_type),
    Operation::new("listMetadata", list::list),
    Operation::new("readMetadata", crud::read),
    Operation::new("renameMetadata", crud::rename),
    Operation::new("retrieve", retrieve::retrieve),
    Operation::new("updateMetadata", crud::update),
    Operation::new("upsertMetadata", crud::upsert),
];

/// Operations of the Apex API.
pub(crate) const APEX_OPERATIONS: &[Operation] = &[Operation::new("executeAnonymous", anonymous::soap)];

/// Refuses users who may not use the Metadata API.
pub(crate) fn allow(call: &Call<'_>) -> Result<(), ApiError> {
    if !crate::dml::checks::reads_only(call)? {
        return Ok(());
    }
    let text = "use of the Metadata API requires a user with the ModifyAllData or ModifyMetadata permissions";
    Err(ApiError::new("INSUFFICIENT_ACCESS", text).status(403))
}

/// The components a new org has: its profiles.
pub(crate) fn seed(db: &Connection, by: &str, now: Millis) -> Result<(), ApiError> {
    let mut profiles = db.prepare("SELECT Id, Name FROM Profile")?;
    let rows: Vec<(String, String)> = profiles
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    for (id, label) in rows {
        let name = effects::profile_name(&label);
        let content = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Profile xmlns=\"http://soap.sforce.com/2006/04/metadata\">\n    \
                       <custom>false</custom>\n    <userLicense>Salesforce</userLicense>\n</Profile>\n";
        store::seed(
            db,
            &ComponentId::new("Profile", name),
            &id,
            &format!("profiles/{name}.profile"),
            content,
            by,
            now,
        )?;
    }
    Ok(())
}

/// Tables of metadata in an org's database.
pub(crate) fn tables() -> String {
    [store::TABLES, deploy::TABLES, retrieve::TABLES].concat()
}
