//! Versions of Apex and flows.

use serde::Deserialize;
use serde_json::json;

use crate::connection::Connection;
use crate::error::Result;
use crate::id::Id;
use crate::rest::Record;
use crate::soql::quote;

/// Objects with Apex code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodeObject {
    /// `ApexClass`
    Class,
    /// `ApexTrigger`
    Trigger,
}

/// A class or trigger without its text. `BodyCrc` tells cheaply whether two orgs have the same.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct CodeRow {
    /// Its id.
    pub id: Id,
    /// Its name.
    pub name: String,
    /// Its namespace.
    pub namespace_prefix: Option<String>,
    /// Its API version.
    pub api_version: f64,
    /// `Active`, `Inactive` or `Deleted`.
    pub status: String,
    /// Whether it compiled since it last changed.
    pub is_valid: bool,
    /// The check sum of the text.
    pub body_crc: Option<f64>,
    /// Its length without comments.
    pub length_without_comments: i64,
    /// When it last changed.
    pub last_modified_date: String,
    /// Who changed it last.
    pub last_modified_by_id: Id,
}

/// A version of a flow.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct FlowVersion {
    /// Its id.
    pub id: Id,
    /// The flow.
    pub definition_id: Id,
    /// Its number.
    pub version_number: u32,
    /// `Active`, `Draft`, `Obsolete`, `InvalidDraft` or `UnderReview`.
    pub status: String,
    /// The kind of flow.
    pub process_type: Option<String>,
    /// The label.
    pub master_label: Option<String>,
    /// When it last changed.
    pub last_modified_date: String,
}

/// A flow over all its versions.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct FlowDefinition {
    /// Its id.
    pub id: Id,
    /// Its name.
    pub developer_name: String,
    /// Its namespace.
    pub namespace_prefix: Option<String>,
    /// The active version, if any.
    pub active_version_id: Option<Id>,
    /// The newest version.
    pub latest_version_id: Option<Id>,
}

impl Connection {
    /// All classes or triggers that are not of a package.
    pub async fn code(&self, object: CodeObject) -> Result<Vec<CodeRow>> {
        let name = match object {
            CodeObject::Class => "ApexClass",
            CodeObject::Trigger => "ApexTrigger",
        };
        let fields = "Id, Name, NamespacePrefix, ApiVersion, Status, IsValid, BodyCrc, LengthWithoutComments, LastModifiedDate, LastModifiedById";
        let soql = format!("SELECT {fields} FROM {name} WHERE NamespacePrefix = null");
        self.tooling_query(&soql).rows().await
    }

    /// All flows.
    pub async fn flow_definitions(&self) -> Result<Vec<FlowDefinition>> {
        let fields = "Id, DeveloperName, NamespacePrefix, ActiveVersionId, LatestVersionId";
        self.tooling_query(&format!("SELECT {fields} FROM FlowDefinition"))
            .rows()
            .await
    }

    /// The versions of a flow.
    pub async fn flow_versions(&self, definition: &Id) -> Result<Vec<FlowVersion>> {
        let fields = "Id, DefinitionId, VersionNumber, Status, ProcessType, MasterLabel, LastModifiedDate";
        let of = quote(definition.as_str());
        let soql = format!("SELECT {fields} FROM Flow WHERE DefinitionId = {of} ORDER BY VersionNumber");
        self.tooling_query(&soql).rows().await
    }

    /// Makes a version of a flow the active one; `None` makes none active.
    pub async fn activate_flow(&self, definition: &Id, version: Option<u32>) -> Result<()> {
        let metadata = json!({"activeVersionNumber": version.unwrap_or(0)});
        let fields = Record::from_iter([("Metadata".to_owned(), metadata)]);
        self.tooling_update("FlowDefinition", definition, &fields).await
    }
}
