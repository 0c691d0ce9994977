//! The token endpoint: what is asked for, and what comes back.

use std::time::Duration;

use reqwest::Url;
use reqwest::header::CONTENT_TYPE;
use serde::Deserialize;

use crate::address::Address;
use crate::envelope::{self, Envelope};
use crate::error::{Error, Result};
use crate::http::Http;
use crate::id::OrgId;
use crate::secret::Secret;

/// The app that signs in (a connected app or an external client app).
#[derive(Debug, Clone)]
pub struct App {
    /// The consumer key.
    pub id: String,
    /// The consumer secret; apps on users' machines have none.
    pub secret: Option<Secret<String>>,
}

impl App {
    /// The app of the sf CLI, which every org knows. It has no secret.
    pub fn platform_cli() -> Self {
        Self {
            id: "PlatformCLI".to_owned(),
            secret: None,
        }
    }
}

/// A started session.
#[derive(Debug, Clone)]
pub struct Token {
    /// What requests carry.
    pub access: Secret<String>,
    /// What renews it, when the app and the grant allow.
    pub refresh: Option<Secret<String>>,
    /// The org's own address.
    pub instance: Address,
    /// The org, when the answer or the token's form tells.
    pub org: Option<OrgId>,
    /// The user's id, when the answer tells.
    pub user: Option<String>,
    /// The scopes, divided by blanks; may be empty.
    pub scope: String,
}

#[derive(Deserialize)]
struct Answer {
    access_token: Secret<String>,
    refresh_token: Option<Secret<String>>,
    instance_url: String,
    id: Option<String>,
    #[serde(default)]
    scope: String,
}

impl Token {
    /// A token that somebody gave us.
    pub(crate) fn given(instance: Address, access: Secret<String>) -> Self {
        Self {
            org: org_of_token(access.expose()),
            access,
            refresh: None,
            instance,
            user: None,
            scope: String::new(),
        }
    }

    /// Reads the answer of the token endpoint. The org of the `id` URL and that of the token have to be one.
    pub(crate) fn read(attempted: &str, body: &[u8]) -> Result<Self> {
        // The parser's message could quote a token.
        let answer: Answer = serde_json::from_slice(body).map_err(|error| {
            Error::unexpected(attempted, format!("it is no token answer (column {})", error.column()))
        })?;
        let instance: Address = answer.instance_url.parse()?;
        let by_token = org_of_token(answer.access_token.expose());
        let identity = answer.id.as_deref().and_then(identity);
        if let (Some(token), Some((org, _))) = (&by_token, &identity)
            && token != org
        {
            return Err(Error::unexpected(
                attempted,
                format!("the token is for the org {token}, the identity for {org}"),
            ));
        }
        let (org, user) = match identity {
            Some((org, user)) => (Some(org), Some(user)),
            None => (by_token, None),
        };
        Ok(Self {
            access: answer.access_token,
            refresh: answer.refresh_token.filter(|token| !token.is_empty()),
            instance,
            org,
            user,
            scope: answer.scope,
        })
    }
}

/// The org id in front of `!`; tokens in JWT form have none.
fn org_of_token(token: &str) -> Option<OrgId> {
    token.split_once('!')?.0.parse().ok()
}

/// Org and user of an `id` URL, as in `https://login.salesforce.com/id/00D…/005…`.
fn identity(url: &str) -> Option<(OrgId, String)> {
    let url = Url::parse(url).ok()?;
    let mut segments = url.path_segments()?;
    if segments.next() != Some("id") {
        return None;
    }
    let org = segments.next()?.parse().ok()?;
    Some((org, segments.next()?.to_owned()))
}

/// Asks the token endpoint for a session of an app.
pub(crate) async fn request(
    http: &Http,
    host: &Address,
    attempted: &str,
    app: &App,
    form: &[(&str, &str)],
) -> Result<Token> {
    let mut pairs = form.to_vec();
    pairs.push(("client_id", &app.id));
    if let Some(secret) = app.secret.as_ref().filter(|secret| !secret.is_empty()) {
        pairs.push(("client_secret", secret.expose()));
    }
    ask(http, host, attempted, &pairs).await
}

/// Asks the token endpoint for a session.
pub(crate) async fn ask(http: &Http, host: &Address, attempted: &str, form: &[(&str, &str)]) -> Result<Token> {
    let body = post(http, host, attempted, "/services/oauth2/token", form).await?;
    Token::read(attempted, &body)
}

/// Posts a form to an endpoint of the sign-in and gives the body of a success.
pub(crate) async fn post(
    http: &Http,
    host: &Address,
    attempted: &str,
    path: &str,
    form: &[(&str, &str)],
) -> Result<Vec<u8>> {
    let attempted = format!("{attempted} at {}", host.host());
    let url = host
        .at(path)
        .ok_or_else(|| Error::argument(format!("`{path}` is no path")))?;
    // The body is written as a query of a URL that is never used.
    let mut encoded = Url::parse("form:").map_err(|error| Error::Internal {
        what: error.to_string(),
    })?;
    encoded.query_pairs_mut().extend_pairs(form);
    let answer = http
        .client()
        .post(url)
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header("accept", "application/json")
        .body(encoded.query().unwrap_or_default().to_owned())
        .timeout(Duration::from_secs(60))
        .send()
        .await;
    let transport = |error: reqwest::Error| Error::Transport {
        attempted: attempted.clone(),
        host: host.host(),
        source: error.without_url(),
    };
    let answer = answer.map_err(transport)?;
    let status = answer.status();
    let body = answer.bytes().await.map_err(transport)?;
    tracing::debug!(status = status.as_u16(), "{attempted}");
    if status.is_success() {
        return Ok(body.to_vec());
    }
    Err(refused(attempted, status.as_u16(), &body))
}

/// The error that an answer of the sign-in tells.
fn refused(attempted: String, status: u16, body: &[u8]) -> Error {
    match envelope::read(body) {
        Envelope::Login { error, description } => Error::Login {
            attempted,
            error,
            description,
        },
        Envelope::Faults(faults) => Error::Answered {
            attempted,
            status,
            faults,
        },
        // What hosts of deleted or refreshed orgs say.
        Envelope::Other { .. } if memchr::memmem::find(body, b"Data Not Available").is_some() => Error::Login {
            attempted,
            error: "inactive_org".to_owned(),
            description: "Data Not Available".to_owned(),
        },
        Envelope::Other { title } => Error::NotApi {
            attempted,
            status,
            title,
        },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn answer(change: impl FnOnce(&mut Value)) -> Result<Token> {
        let mut answer = json!({
            "access_token": "00DD000000IRt53!AQ4.CANARY", "refresh_token": "5AepCANARY", "signature": "x",
            "scope": "refresh_token web api", "instance_url": "https://acme--uat.sandbox.my.salesforce.com",
            "id": "https://test.salesforce.com/id/00DD000000IRt53MAD/005D000000IRt53IAD",
            "token_type": "Bearer", "issued_at": "1772446530123",
        });
        change(&mut answer);
        Token::read("sign in", answer.to_string().as_bytes())
    }

    #[test]
    fn the_org_is_told_by_the_token_and_the_identity() {
        let check = |change: fn(&mut Value), expect: Option<&str>| {
            let org = answer(change).unwrap().org.map(|org| org.as_str()[..15].to_owned());
            assert_eq!(org.as_deref(), expect);
        };
        check(|_| {}, Some("00DD000000IRt53"));
        check(|answer| answer["id"] = Value::Null, Some("00DD000000IRt53"));
        check(
            |answer| answer["access_token"] = "eyJhbGciOi.J9.x".into(),
            Some("00DD000000IRt53"),
        );
        check(
            |answer| {
                answer["access_token"] = "eyJhbGciOi.J9.x".into();
                answer["id"] = Value::Null;
            },
            None,
        );
        let other = answer(|answer| answer["access_token"] = "00DD000000IRt54!CANARY".into()).unwrap_err();
        assert!(other.to_string().contains("00DD000000IRt54"), "{other}");
    }

    #[test]
    fn errors_hold_no_secret() {
        let broken = answer(|answer| answer["instance_url"] = 7.into()).unwrap_err();
        let mut told = format!("{broken} {broken:?} {:?}", answer(|_| {}).unwrap());
        let body = br#"{"access_token":"CANARY","#;
        told.push_str(&format!("{:?}", Token::read("sign in", body).unwrap_err()));
        assert!(!told.contains("CANARY"), "{told}");
    }

    #[test]
    fn refusals() {
        let check = |body: &str, code: &str, text: &str| {
            let error = refused("sign in at x".to_owned(), 400, body.as_bytes());
            assert_eq!((error.code(), error.to_string().as_str()), (code, text));
        };
        check(
            r#"{"error":"invalid_grant","error_description":"audience is invalid"}"#,
            "login_refused",
            "sign in at x: invalid_grant: audience is invalid",
        );
        check(
            "<html><title>Gone</title><body>Data Not Available</body></html>",
            "login_refused",
            "sign in at x: inactive_org: Data Not Available",
        );
        check(
            "<html><title>Down</title></html>",
            "no_api_answer",
            "sign in at x: the answer is no answer of the API, but HTTP 400 with \"Down\"",
        );
    }
}
