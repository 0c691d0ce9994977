//! Refusals as values: what goes wrong in a call, before it is dressed for REST, OAuth or SOAP.

/// A refused call.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct ApiError {
    /// HTTP status on the REST surfaces. SOAP answers 500 whatever stands here.
    pub status: u16,
    /// Salesforce's error code, `INVALID_FIELD`; on the OAuth surface the `error` word.
    pub code: String,
    /// The text.
    pub message: String,
    /// Fields the error is about.
    pub fields: Vec<String>,
}

impl ApiError {
    /// An error with HTTP status 400.
    pub fn new(code: &str, message: impl Into<String>) -> Self {
        Self {
            status: 400,
            code: code.to_owned(),
            message: message.into(),
            fields: Vec::new(),
        }
    }

    /// The same with another HTTP status.
    #[must_use]
    pub fn status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// The same about these fields.
    #[must_use]
    pub fn fields<S: Into<String>>(mut self, fields: impl IntoIterator<Item = S>) -> Self {
        self.fields = fields.into_iter().map(Into::into).collect();
        self
    }

    /// 404 `NOT_FOUND`, as for an unknown path.
    pub fn not_found() -> Self {
        Self::new("NOT_FOUND", "The requested resource does not exist").status(404)
    }

    /// 401, the session is over.
    pub fn session() -> Self {
        Self::new("INVALID_SESSION_ID", "Session expired or invalid").status(401)
    }
}

impl From<rusqlite::Error> for ApiError {
    /// A failure of the simulator itself, told as such.
    fn from(error: rusqlite::Error) -> Self {
        Self::new("UNKNOWN_EXCEPTION", format!("simulator database: {error}")).status(500)
    }
}
