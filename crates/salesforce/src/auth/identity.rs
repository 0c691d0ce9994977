//! Who the user of a session is.

use serde::Deserialize;

use super::Token;
use crate::envelope::{self, Envelope};
use crate::error::{Error, Result};
use crate::http::Http;
use crate::id::{Id, OrgId};

/// The answer of `userinfo`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Identity {
    /// The org.
    pub organization_id: OrgId,
    /// The user.
    pub user_id: Id,
    /// The user name, as in `ops@acme.com.uat`.
    pub preferred_username: String,
}

/// Asks who the user of a session is.
///
/// # Errors
/// `salesforce_error` or `session_ended` when the session is not valid.
pub async fn identity(http: &Http, token: &Token) -> Result<Identity> {
    let attempted = format!("read the identity at {}", token.instance.host());
    let url = token.instance.at("/services/oauth2/userinfo");
    let url = url.ok_or_else(|| Error::argument("the instance has no address"))?;
    let transport = |error: reqwest::Error| Error::Transport {
        attempted: attempted.clone(),
        host: token.instance.host(),
        source: error.without_url(),
    };
    let answer = http
        .client()
        .get(url)
        .bearer_auth(token.access.expose())
        .send()
        .await
        .map_err(transport)?;
    let status = answer.status();
    let body = answer.bytes().await.map_err(transport)?;
    if status.is_success() {
        return serde_json::from_slice(&body).map_err(|error| Error::unexpected(&attempted, error.to_string()));
    }
    // `userinfo` tells 403 and the text Bad_OAuth_Token.
    if matches!(status.as_u16(), 401 | 403) {
        return Err(Error::SessionEnded { attempted });
    }
    Err(match envelope::read(&body) {
        Envelope::Login { error, description } => Error::Login {
            attempted,
            error,
            description,
        },
        Envelope::Faults(faults) => Error::Answered {
            attempted,
            status: status.as_u16(),
            faults,
        },
        Envelope::Other { title } => Error::NotApi {
            attempted,
            status: status.as_u16(),
            title,
        },
    })
}

impl crate::Connection {
    /// The user of this connection.
    pub async fn identity(&self) -> Result<Identity> {
        let request = crate::Request::get("read the identity", "/services/oauth2/userinfo");
        self.send(request).await?.json()
    }
}
