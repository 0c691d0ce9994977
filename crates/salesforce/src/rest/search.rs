//! SOSL searches.

use serde::Deserialize;

use super::record::Record;
use crate::connection::Connection;
use crate::error::Result;
use crate::request::Request;

/// The answer to a search.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SearchResult {
    /// The records, each with `attributes.type`.
    pub search_records: Vec<Record>,
}

impl Connection {
    /// Runs a SOSL search, as in `FIND {Acme} IN NAME FIELDS RETURNING Account(Id)`.
    pub async fn search(&self, sosl: &str) -> Result<SearchResult> {
        self.send(Request::get("search", "search").with("q", sosl))
            .await?
            .json()
    }
}
