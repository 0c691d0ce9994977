//! Which component uses which.

use serde::Deserialize;

use crate::connection::Connection;
use crate::error::{Error, Result};
use crate::soql::quote;

/// The most rows of a query; there are no further pages.
const ROWS: usize = 2000;

/// A component that uses another one.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Dependency {
    /// The id of the user; some are no record ids.
    pub metadata_component_id: String,
    /// The name of the user.
    pub metadata_component_name: Option<String>,
    /// The type of the user.
    pub metadata_component_type: Option<String>,
    /// The id of the used one.
    pub ref_metadata_component_id: String,
    /// The name of the used one.
    pub ref_metadata_component_name: Option<String>,
    /// The type of the used one.
    pub ref_metadata_component_type: Option<String>,
}

impl Connection {
    /// What components of a type use.
    ///
    /// # Errors
    /// `unexpected_answer` when there are 2000 rows: then some are missing, and a bulk query has to be used.
    pub async fn dependencies(&self, component_type: &str) -> Result<Vec<Dependency>> {
        let fields = "MetadataComponentId, MetadataComponentName, MetadataComponentType, \
                      RefMetadataComponentId, RefMetadataComponentName, RefMetadataComponentType";
        let of = quote(component_type);
        let soql = format!("SELECT {fields} FROM MetadataComponentDependency WHERE MetadataComponentType = {of}");
        let rows: Vec<Dependency> = self.tooling_query(&soql).rows().await?;
        if rows.len() >= ROWS {
            let what = format!("{ROWS} rows for {component_type}: more exist, which only a bulk query gives");
            return Err(Error::unexpected("read the dependencies", what));
        }
        Ok(rows)
    }
}
