//! Signing in: the grants of OAuth 2.0 that Salesforce knows, and logins made by the sf CLI.

mod identity;
mod token;

pub use identity::{Identity, identity};
pub use token::{App, Token};

use crate::address::Address;
use crate::clock::Clock;
use crate::error::Result;
use crate::http::Http;
use crate::secret::Secret;

/// How to sign in to an org.
#[derive(Debug, Clone)]
pub enum Login {
    /// An access token that somebody got; it cannot be renewed.
    AccessToken {
        /// The org's own address.
        instance: Address,
        /// The token.
        token: Secret<String>,
    },
    /// A refresh token, from signing in with the browser or from the sf CLI.
    RefreshToken {
        /// The app that it was given to.
        app: App,
        /// The login host or the org's own address.
        host: Address,
        /// The token. Apps with rotation give a new one at each use.
        token: Secret<String>,
    },
}

impl Login {
    /// Whether it can start another session by itself.
    pub fn renews(&self) -> bool {
        !matches!(self, Self::AccessToken { .. })
    }

    /// Starts a session.
    ///
    /// # Errors
    /// `login_refused` when Salesforce says no, `no_answer` without connection.
    pub async fn sign_in(&self, http: &Http, clock: &Clock) -> Result<Token> {
        let _ = clock;
        match self {
            Self::AccessToken { instance, token } => Ok(Token::given(instance.clone(), token.clone())),
            Self::RefreshToken { app, host, token } => {
                let form = [("grant_type", "refresh_token"), ("refresh_token", token.expose())];
                token::request(http, host, "sign in with the refresh token", app, &form).await
            }
        }
    }
}
