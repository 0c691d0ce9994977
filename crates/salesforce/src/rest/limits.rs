//! The org's limits, and how many records objects have.

use serde::Deserialize;

use crate::connection::Connection;
use crate::error::Result;
use crate::limits::Limits;
use crate::request::Request;

/// Records of an object, roughly.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct RecordCount {
    /// The object.
    pub name: String,
    /// Its records; Salesforce counts them from time to time only.
    pub count: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Counts {
    s_objects: Vec<RecordCount>,
}

impl Connection {
    /// All limits by name.
    ///
    /// # Errors
    /// `salesforce_error` when the user lacks "View Setup and Configuration".
    pub async fn limits(&self) -> Result<Limits> {
        self.send(Request::get("read the limits", "limits")).await?.json()
    }

    /// How many records these objects have, roughly; of all objects when none are named.
    pub async fn record_counts(&self, objects: &[&str]) -> Result<Vec<RecordCount>> {
        let mut request = Request::get("count records", "limits/recordCount");
        if !objects.is_empty() {
            request = request.with("sObjects", objects.join(","));
        }
        let counts: Counts = self.send(request).await?.json()?;
        Ok(counts.s_objects)
    }
}
