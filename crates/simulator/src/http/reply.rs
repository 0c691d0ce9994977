//! An answer as endpoints give it.

use bytes::Bytes;

/// Status, headers and body.
#[derive(Debug, Clone)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// Headers beside those every answer has.
    pub headers: Vec<(&'static str, String)>,
    /// Body.
    pub body: Bytes,
}

impl Reply {
    /// 200 with JSON.
    pub fn json(value: &serde_json::Value) -> Self {
        Self::json_status(200, value)
    }

    /// JSON with a status.
    pub fn json_status(status: u16, value: &serde_json::Value) -> Self {
        Self::text(status, "application/json;charset=UTF-8", value.to_string())
    }

    /// 204 without a body.
    pub fn empty() -> Self {
        Self {
            status: 204,
            headers: Vec::new(),
            body: Bytes::new(),
        }
    }

    /// What the address of a deleted org answers.
    pub fn gone() -> Self {
        Self::text(
            404,
            "text/html;charset=UTF-8",
            "<!DOCTYPE html><html lang=\"en\"><title>Data Not Available</title><h1>Data Not Available</h1>\
             <p>The data you were trying to access could not be found.</p></html>",
        )
    }

    /// A body of any kind.
    pub fn text(status: u16, content_type: &str, body: impl Into<Bytes>) -> Self {
        Self {
            status,
            headers: vec![("Content-Type", content_type.to_owned())],
            body: body.into(),
        }
    }

    /// The same with one more header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}
