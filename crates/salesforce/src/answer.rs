//! The answer of an org.

use bytes::Bytes;
use reqwest::header::HeaderMap;
use serde::de::DeserializeOwned;

use crate::envelope;
use crate::error::{Error, Result};

/// An answer with its whole body.
#[derive(Debug)]
pub struct Answer {
    pub(crate) what: String,
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl Answer {
    /// The body as JSON.
    ///
    /// # Errors
    /// `unexpected_answer` when it is none, or lacks something.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_slice(&self.body).map_err(|error| Error::unexpected(&self.what, error.to_string()))
    }

    /// The body as text.
    pub fn text(&self) -> Result<&str> {
        std::str::from_utf8(&self.body).map_err(|_| Error::unexpected(&self.what, "it is not UTF-8"))
    }

    /// A header as text; `None` when it is missing or no text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// An answer whose body is still coming.
pub struct Download {
    pub(crate) what: String,
    pub(crate) host: String,
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    pub(crate) response: reqwest::Response,
}

impl Download {
    /// The next piece of the body; `None` at its end.
    ///
    /// # Errors
    /// `no_answer` when the connection is lost.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>> {
        self.response.chunk().await.map_err(|error| Error::Transport {
            attempted: format!("{}: the answer broke off", self.what),
            host: self.host.clone(),
            source: error.without_url(),
        })
    }

    /// A header as text; `None` when it is missing or no text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Fails when the answer is JSON where something else was asked for: some errors come with success.
    pub(crate) async fn not_json(self) -> Result<Self> {
        let content_type = self.header("content-type");
        if !content_type.is_some_and(|text| text.trim_start().starts_with("application/json")) {
            return Ok(self);
        }
        let body = self.response.bytes().await.map_err(|error| Error::Transport {
            attempted: self.what.clone(),
            host: self.host.clone(),
            source: error.without_url(),
        })?;
        let faults = envelope::faults_in_success(&body);
        if faults.is_empty() {
            return Err(Error::unexpected(&self.what, "it is JSON"));
        }
        Err(Error::Answered {
            attempted: self.what,
            status: self.status,
            faults,
        })
    }
}
