//! Queries and records of the Tooling API.

use serde::de::DeserializeOwned;

use crate::connection::Connection;
use crate::error::Result;
use crate::id::Id;
use crate::request::{Request, segment};
use crate::rest::{Pages, Record, SavedRecord, writable};

impl Connection {
    /// Runs a query over objects of the Tooling API. `FullName` and `Metadata` may be selected for one row only.
    pub fn tooling_query(&self, soql: &str) -> Pages {
        Pages::starting(self, "tooling/query", soql)
    }

    /// Reads a record of the Tooling API.
    pub async fn tooling_record<T: DeserializeOwned>(&self, object: &str, id: &Id) -> Result<T> {
        let request = Request::get(format!("read a {object}"), path(object, id));
        self.send(request).await?.json()
    }

    /// Creates a record of the Tooling API.
    pub async fn tooling_create(&self, object: &str, fields: &Record) -> Result<Id> {
        let what = format!("create a {object}");
        let request = Request::post(what.clone(), format!("tooling/sobjects/{}", segment(object)));
        let saved: SavedRecord = self.send(request.json(&writable(fields))?).await?.json()?;
        saved.into_id(&what)
    }

    /// Changes fields of a record of the Tooling API. The field `Metadata` is replaced as a whole: what is left away is emptied,
    /// so read it, change it, and write all of it.
    pub async fn tooling_update(&self, object: &str, id: &Id, fields: &Record) -> Result<()> {
        let request = Request::patch(format!("change a {object}"), path(object, id));
        self.send(request.json(&writable(fields))?).await?;
        Ok(())
    }

    /// Deletes a record of the Tooling API.
    pub async fn tooling_delete(&self, object: &str, id: &Id) -> Result<()> {
        self.send(Request::delete(format!("delete a {object}"), path(object, id)))
            .await?;
        Ok(())
    }
}

fn path(object: &str, id: &Id) -> String {
    format!("tooling/sobjects/{}/{id}", segment(object))
}
