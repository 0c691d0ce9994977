//! OAuth 2: how clients get tokens, and who a token stands for.
//!
//! Source of shapes and texts: Salesforce API reference, "Authentication". Errors are JSON objects with `error` and
//! `error_description` (HTTP 400). Sessions do not end by time: there is no `expires_in`, and a client must be ready for a 401.

pub mod apps;
pub(crate) mod authorize;
mod der;
pub(crate) mod identity;
pub mod jwt;
pub(crate) mod sso;
pub(crate) mod token;
pub mod users;

use crate::error::ApiError;
use crate::http::Call;

/// A refusal of the token endpoint: HTTP 400 with this `error` word.
fn refuse(error: &str, description: &str) -> ApiError {
    ApiError::new(error, description)
}

/// The fields of a request: its query and its form body together.
struct Fields(Vec<(String, String)>);

impl Fields {
    fn of(call: &Call<'_>) -> Self {
        let mut all = call.request.form();
        all.extend(call.request.query.iter().cloned());
        Self(all)
    }

    /// The value of a field; none when absent or empty.
    fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(key, value)| key == name && !value.is_empty())
            .map(|(_, value)| value.as_str())
    }

    fn need(&self, name: &str) -> Result<&str, ApiError> {
        self.get(name)
            .ok_or_else(|| refuse("invalid_request", &format!("missing required parameter: {name}")))
    }
}
