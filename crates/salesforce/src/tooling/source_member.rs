//! Source tracking: what changed in a sandbox.

use serde::Deserialize;

use crate::connection::Connection;
use crate::error::Result;

/// A changed component.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct SourceMember {
    /// Its type.
    pub member_type: String,
    /// Its name; some are percent-encoded.
    pub member_name: String,
    /// Whether it was deleted.
    pub is_name_obsolete: bool,
    /// Whether it was made since tracking began.
    #[serde(default)]
    pub is_new_member: bool,
    /// Grows with each change in the org. After a refresh it begins anew.
    pub revision_counter: i64,
    /// Who changed it: 15 characters, or a name.
    pub changed_by: Option<String>,
    /// When it changed.
    pub last_modified_date: Option<String>,
}

impl Connection {
    /// What changed after a revision; `None` when the org does not track its source. A change shows up seconds after it.
    pub async fn source_members(&self, after: i64) -> Result<Option<Vec<SourceMember>>> {
        let fields =
            "MemberType, MemberName, IsNameObsolete, IsNewMember, RevisionCounter, ChangedBy, LastModifiedDate";
        let soql = format!("SELECT {fields} FROM SourceMember WHERE RevisionCounter > {after}");
        match self.tooling_query(&soql).rows().await {
            Ok(rows) => Ok(Some(rows)),
            Err(error) if error.has_fault("INVALID_TYPE") => Ok(None),
            Err(error) => Err(error),
        }
    }
}
