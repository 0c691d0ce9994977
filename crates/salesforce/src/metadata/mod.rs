//! The Metadata API: what an org contains, getting it, deploying into it.
//!
//! SOAP where only SOAP exists, REST for deployments (Metadata API Developer Guide, "Metadata API Calls" and "Deploy with
//! REST"). Every call is a method of [`Connection`].

mod archive;
mod crud;
mod deploy;
mod describe;
mod element;
mod list;
mod poll;
mod retrieve;

pub use archive::{ArchiveWriter, ENTRIES, MOST_BYTES, MOST_ZIPPED, ZipReader};
pub use crud::{SaveError, Saved, SoapComponent};
pub use deploy::{
    CodeCoverage, CoverageWarning, DeployDetails, DeployExtension, DeployIntent, DeployMessage, DeployNotification,
    DeployOptions, DeployResult, DeployStatus, FlowCoverageWarning, OnIntent, TestFailure, TestLevel, TestRun,
    TestSuccess,
};
pub use describe::{Description, MetadataObject};
pub use list::{FileProperties, ListQuery, Listing};
pub use poll::polling;
pub use retrieve::{RetrieveMessage, RetrieveRequest, Retrieved};

use serde::de::DeserializeOwned;

use crate::answer::Answer;
use crate::connection::Connection;
use crate::error::{Error, Result};

/// The namespace of metadata files and of the calls.
pub const NAMESPACE: &str = "http://soap.sforce.com/2006/04/metadata";

impl Connection {
    /// Calls the Metadata API and reads what its answer holds.
    async fn metadata_call<T: DeserializeOwned>(&self, operation: &str, arguments: &str) -> Result<T> {
        let answer = self.metadata_answer(operation, "", arguments).await?;
        element::read(operation, answer.text()?)
    }

    /// Calls the Metadata API. `arguments` is the XML inside the element of the operation.
    async fn metadata_answer(&self, operation: &str, headers: &str, arguments: &str) -> Result<Answer> {
        let path = format!("/services/Soap/m/{}", self.api_version());
        let call = format!("<{operation}>{arguments}</{operation}>");
        self.soap(&path, NAMESPACE, operation, headers, &call).await
    }
}

/// `<name>text</name>`, escaped.
fn tag(name: &str, text: impl std::fmt::Display) -> String {
    format!("<{name}>{}</{name}>", crate::soap::escape(&text.to_string()))
}

/// The error of an answer that lacks something.
fn unexpected(attempted: &str, what: impl Into<String>) -> Error {
    Error::unexpected(attempted, what)
}
