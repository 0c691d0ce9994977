//! Signing in: the grants of OAuth 2.0 that Salesforce knows, and logins made by the sf CLI.

mod identity;
mod jwt;
mod pkce;
mod revoke;
mod sf_files;
mod sfdx_url;
mod token;
mod web;

use std::sync::Arc;

pub use identity::{Identity, identity};
pub use jwt::JwtKey;
pub use pkce::Verifier;
pub use revoke::revoke;
pub use sf_files::{SfFiles, SfLogin};
pub use sfdx_url::parse_sfdx_url;
pub use token::{App, Token};
pub use web::{CALLBACK_PATH, DEFAULT_PORT, WebLogin, exchange_code};

use crate::address::Address;
use crate::clock::Clock;
use crate::error::{Error, Result};
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
    /// A user that the app may act for, proved by the app's key (RFC 7523).
    Jwt {
        /// The consumer key.
        app: String,
        /// The user name.
        user: String,
        /// The private key whose certificate the app holds.
        key: Arc<JwtKey>,
        /// The login host or the org's own address.
        host: Address,
        /// Whom the assertion is for; without one, the host.
        audience: Option<String>,
    },
    /// The app itself, as the user that its policy names. Needs the org's own address.
    ClientCredentials {
        /// The app, with its secret.
        app: App,
        /// The org's own address.
        host: Address,
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
        match self {
            Self::AccessToken { instance, token } => Ok(Token::given(instance.clone(), token.clone())),
            Self::RefreshToken { app, host, token } => {
                let form = [("grant_type", "refresh_token"), ("refresh_token", token.expose())];
                token::request(http, host, "sign in with the refresh token", app, &form).await
            }
            Self::Jwt {
                app,
                user,
                key,
                host,
                audience,
            } => {
                let audience = audience.as_deref().unwrap_or(host.as_str());
                let assertion = key.assertion(app, user, audience, clock.now())?;
                let form = [
                    ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
                    ("assertion", assertion.expose()),
                ];
                token::ask(http, host, &format!("sign in {user} with the app's key"), &form).await
            }
            Self::ClientCredentials { app, host } => {
                if [Address::PRODUCTION, Address::SANDBOX].contains(&host.as_str()) {
                    return Err(Error::Configuration {
                        what: format!("client credentials do not work at {}", host.host()),
                        hint: "give the org's own address (My Domain)",
                    });
                }
                let form = [("grant_type", "client_credentials")];
                token::request(http, host, "sign in with client credentials", app, &form).await
            }
        }
    }
}
