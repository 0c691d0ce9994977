//! A request to an org: what, where, and whether it changes something.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use reqwest::Method;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::multipart::Form;
use serde::Serialize;

use crate::error::{Error, Result};

/// A request. Build it with a method's name, send it with [`Connection`](crate::Connection).
///
/// `what` says in plain words what is attempted, as in "query records": it stands in errors and logs, so it holds no
/// values of records. A path without `/` in front is taken below `/services/data/vXX.0/`.
#[derive(Debug, Clone)]
pub struct Request {
    pub(crate) what: Cow<'static, str>,
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) query: Vec<(&'static str, String)>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Body,
    pub(crate) background: bool,
    pub(crate) accepted: &'static [u16],
    /// Method and path of the requests inside a composite one; the guard judges it by them.
    pub(crate) parts: Vec<(Method, String)>,
}

/// What is sent. Each can be sent again.
#[derive(Clone, Default)]
pub(crate) enum Body {
    #[default]
    None,
    Bytes {
        content_type: &'static str,
        data: Bytes,
    },
    Multipart(Arc<dyn Fn() -> Form + Send + Sync>),
    /// The call inside a SOAP body; the envelope with the session is written around it when it is sent.
    Soap {
        namespace: &'static str,
        operation: String,
        headers: String,
        call: String,
    },
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("None"),
            Self::Bytes { content_type, data } => write!(f, "{content_type} of {} bytes", data.len()),
            Self::Multipart(_) => f.write_str("multipart"),
            Self::Soap { operation, .. } => write!(f, "SOAP {operation}"),
        }
    }
}

impl Request {
    /// A request with any method.
    pub fn new(what: impl Into<Cow<'static, str>>, method: Method, path: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            method,
            path: path.into(),
            query: Vec::new(),
            headers: HeaderMap::new(),
            body: Body::None,
            background: false,
            accepted: &[],
            parts: Vec::new(),
        }
    }

    /// A GET.
    pub fn get(what: impl Into<Cow<'static, str>>, path: impl Into<String>) -> Self {
        Self::new(what, Method::GET, path)
    }

    /// A POST.
    pub fn post(what: impl Into<Cow<'static, str>>, path: impl Into<String>) -> Self {
        Self::new(what, Method::POST, path)
    }

    /// A PATCH.
    pub fn patch(what: impl Into<Cow<'static, str>>, path: impl Into<String>) -> Self {
        Self::new(what, Method::PATCH, path)
    }

    /// A PUT.
    pub fn put(what: impl Into<Cow<'static, str>>, path: impl Into<String>) -> Self {
        Self::new(what, Method::PUT, path)
    }

    /// A DELETE.
    pub fn delete(what: impl Into<Cow<'static, str>>, path: impl Into<String>) -> Self {
        Self::new(what, Method::DELETE, path)
    }

    /// Adds a query parameter; it is encoded here.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.query.push((name, value.into()));
        self
    }

    /// Adds a header. Fails on a value with control characters.
    pub fn header(mut self, name: &'static str, value: &str) -> Result<Self> {
        let wrong = || Error::argument(format!("{}: the header {name} cannot hold this value", self.what));
        let value = HeaderValue::from_str(value).map_err(|_| wrong())?;
        self.headers.insert(HeaderName::from_static(name), value);
        Ok(self)
    }

    /// Sends a value as JSON.
    pub fn json(self, value: &impl Serialize) -> Result<Self> {
        let data = serde_json::to_vec(value).map_err(|error| Error::Internal {
            what: format!("{}: the request cannot be written as JSON: {error}", self.what),
        })?;
        Ok(self.bytes("application/json; charset=UTF-8", data))
    }

    /// Sends bytes of this content type.
    #[must_use]
    pub fn bytes(mut self, content_type: &'static str, data: impl Into<Bytes>) -> Self {
        let data = data.into();
        self.body = Body::Bytes { content_type, data };
        self
    }

    /// Sends a form with parts; it is built anew for each attempt.
    #[must_use]
    pub fn multipart(mut self, form: impl Fn() -> Form + Send + Sync + 'static) -> Self {
        self.body = Body::Multipart(Arc::new(form));
        self
    }

    /// Marks work that can wait: it is refused when few of the org's API requests are left.
    #[must_use]
    pub fn background(mut self) -> Self {
        self.background = true;
        self
    }

    /// Takes these statuses as answers beside 200 to 299 and 304.
    #[must_use]
    pub fn accepting(mut self, statuses: &'static [u16]) -> Self {
        self.accepted = statuses;
        self
    }

    pub(crate) fn containing(mut self, parts: Vec<(Method, String)>) -> Self {
        self.parts = parts;
        self
    }

    pub(crate) fn soap_operation(&self) -> Option<&str> {
        match &self.body {
            Body::Soap { operation, .. } => Some(operation),
            _ => None,
        }
    }
}

/// A value as one segment of a path.
pub fn segment(value: &str) -> String {
    use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
    const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'~');
    utf8_percent_encode(value, SEGMENT).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_stays_one_segment() {
        assert_eq!(segment("a/b?c#d ..%é"), "a%2Fb%3Fc%23d%20%2E%2E%25%C3%A9");
        assert_eq!(segment("Ext_1-x"), "Ext_1-x");
    }

    #[test]
    fn a_header_with_a_line_end_is_refused() {
        assert!(Request::get("look", "x").header("x-a", "a\r\nb: c").is_err());
    }
}
