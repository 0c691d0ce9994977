//! SOQL queries, page by page.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::composite::Part;
use crate::connection::Connection;
use crate::envelope::{self, Envelope};
use crate::error::{Error, Result};
use crate::request::{Request, segment};

/// The longest query, encoded, that goes into an address; longer ones travel in the body of a composite request. Salesforce
/// takes addresses of 16,384 bytes.
const IN_ADDRESS: usize = 12_000;

/// A page of a query's result.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[serde(bound(deserialize = "T: Deserialize<'de>"))]
pub struct Page<T> {
    /// Rows of the whole result.
    pub total_size: u64,
    /// Whether it is the last page.
    pub done: bool,
    /// Where the next page is.
    pub next_records_url: Option<String>,
    /// The rows of this page.
    pub records: Vec<T>,
}

/// A query that runs: pages are read when asked for.
///
/// When the cursor is gone (`INVALID_QUERY_LOCATOR`), reading fails. Rows may have come and gone since: only the caller knows
/// whether starting anew is right.
#[derive(Debug)]
pub struct Pages {
    connection: Connection,
    next: Option<Request>,
    total: Option<u64>,
}

impl Pages {
    pub(crate) fn starting(connection: &Connection, path: &str, soql: &str) -> Self {
        Self {
            connection: connection.clone(),
            next: Some(Request::get("query", path).with("q", soql)),
            total: None,
        }
    }

    /// Rows of the whole result, known after the first page.
    pub fn total(&self) -> Option<u64> {
        self.total
    }

    /// Marks work that can wait.
    #[must_use]
    pub fn background(mut self) -> Self {
        self.next = self.next.map(Request::background);
        self
    }

    /// Asks for pages of this many rows, 200 to 2000. Salesforce may give fewer.
    pub fn batch_size(mut self, rows: u16) -> Result<Self> {
        if !(200..=2000).contains(&rows) {
            return Err(Error::argument(format!("a page has 200 to 2000 rows, not {rows}")));
        }
        let hint = format!("batchSize={rows}");
        self.next = self
            .next
            .map(|request| request.header("sforce-query-options", &hint))
            .transpose()?;
        Ok(self)
    }

    /// The rows of the next page; `None` behind the last.
    pub async fn next<T: DeserializeOwned>(&mut self) -> Result<Option<Vec<T>>> {
        let Some(request) = self.next.take() else {
            return Ok(None);
        };
        let following = request.clone();
        let page: Page<T> = match request
            .query
            .iter()
            .find(|(name, _)| *name == "q")
            .map(|(_, soql)| segment(soql))
        {
            Some(soql) if soql.len() > IN_ADDRESS => self.long_query(&request.path, &soql).await?,
            _ => self.connection.send(request).await?.json()?,
        };
        self.total = Some(page.total_size);
        match (page.done, page.next_records_url) {
            (true, _) => {}
            (false, Some(path)) if path.starts_with('/') => {
                let mut request = following;
                request.path = path;
                request.query.clear();
                self.next = Some(request);
            }
            (false, path) => {
                let path = path.unwrap_or_default();
                return Err(Error::unexpected("query", format!("the next page is at `{path}`")));
            }
        }
        Ok(Some(page.records))
    }

    /// The first page of a query that is too long for an address.
    async fn long_query<T: DeserializeOwned>(&self, path: &str, soql: &str) -> Result<Page<T>> {
        let part = Part {
            name: "query".to_owned(),
            method: reqwest::Method::GET,
            path: format!("{path}?q={soql}"),
            body: None,
        };
        let results = self.connection.composite(&[part], false).await?;
        let result = results.into_iter().next();
        let result = result.ok_or_else(|| Error::unexpected("query", "the composite has no answer"))?;
        if result.is_success() {
            return serde_json::from_value(result.body).map_err(|error| Error::unexpected("query", error.to_string()));
        }
        match envelope::read(result.body.to_string().as_bytes()) {
            Envelope::Faults(faults) => Err(Error::Answered {
                attempted: format!("query in {}", self.connection.name()),
                status: result.status,
                faults,
            }),
            _ => Err(Error::unexpected(
                "query",
                format!("status {} without an error", result.status),
            )),
        }
    }

    /// All rows that are left, in memory.
    pub async fn rows<T: DeserializeOwned>(mut self) -> Result<Vec<T>> {
        let mut rows = Vec::new();
        while let Some(page) = self.next().await? {
            rows.extend(page);
        }
        Ok(rows)
    }
}

impl Connection {
    /// Runs a query.
    pub fn query(&self, soql: &str) -> Pages {
        Pages::starting(self, "query", soql)
    }

    /// Runs a query over deleted and archived rows, too.
    pub fn query_all(&self, soql: &str) -> Pages {
        Pages::starting(self, "queryAll", soql)
    }
}
