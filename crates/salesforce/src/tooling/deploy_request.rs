//! Deployments into the org, change sets included: who deployed what.

use serde::Deserialize;

use crate::connection::Connection;
use crate::error::Result;
use crate::id::Id;

/// A deployment.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DeployRequest {
    /// Its id.
    pub id: Id,
    /// `Api` or `Changeset`.
    #[serde(rename = "Type")]
    pub kind: Option<String>,
    /// The change set.
    pub change_set_name: Option<String>,
    /// Where it stands, as in `Succeeded`.
    pub status: String,
    /// Whether it only validates.
    pub check_only: bool,
    /// When it began.
    pub start_date: Option<String>,
    /// When it ended.
    pub completed_date: Option<String>,
    /// Who deployed.
    pub created_by_id: Id,
    /// Why it failed.
    pub error_message: Option<String>,
}

impl Connection {
    /// The newest deployments, newest first.
    pub async fn deploy_requests(&self, most: u32) -> Result<Vec<DeployRequest>> {
        let fields = "Id, Type, ChangeSetName, Status, CheckOnly, StartDate, CompletedDate, CreatedById, ErrorMessage";
        let soql = format!("SELECT {fields} FROM DeployRequest ORDER BY CreatedDate DESC LIMIT {most}");
        self.tooling_query(&soql).rows().await
    }
}
