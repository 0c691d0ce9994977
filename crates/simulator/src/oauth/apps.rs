//! Connected apps: the clients an org knows by a consumer key.

use super::{Fields, jwt, refuse};
use crate::error::ApiError;
use crate::http::Call;
use crate::world::NameKind;
use base64::Engine as _;
use rusqlite::{Connection, OptionalExtension, Row, params};

/// Consumer key of the app that the Salesforce CLI uses; every org knows it, it has no secret.
pub const CLI: &str = "PlatformCLI";
/// Consumer key of the app that every world begins with.
pub const SIMULATOR: &str = "syncline-simulator";
/// The secret of [`SIMULATOR`].
pub const SIMULATOR_SECRET: &str = "simulator-secret";

/// A connected app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct App {
    /// Consumer key: unique over the world, but a sandbox keeps the keys of its production.
    pub client_id: String,
    /// Name that people see.
    pub name: String,
    /// Consumer secret.
    pub secret: Option<String>,
    /// PEM text with the RSA key that signs JWT assertions.
    pub certificate: Option<String>,
    /// Where authorization codes may be sent; empty: any address on this machine.
    pub callbacks: Vec<String>,
    /// Scopes, parted by blanks.
    pub scopes: String,
    /// Administrators have approved all users: JWT needs no earlier consent.
    pub pre_authorized: bool,
    /// Each refresh gives a new refresh token and ends the old one.
    pub rotates: bool,
    /// Access tokens are JWTs. REST takes them, SOAP does not.
    pub jwt_tokens: bool,
    /// User behind the client-credentials flow.
    pub run_as: Option<String>,
}

impl App {
    /// An app with the scopes `refresh_token api web`, approved for all users.
    pub fn new(client_id: &str, name: &str) -> Self {
        Self {
            client_id: client_id.to_owned(),
            name: name.to_owned(),
            secret: None,
            certificate: None,
            callbacks: Vec::new(),
            scopes: "refresh_token api web openid".to_owned(),
            pre_authorized: true,
            rotates: false,
            jwt_tokens: false,
            run_as: None,
        }
    }

    /// Whether a code may be sent there.
    pub fn accepts_callback(&self, uri: &str) -> bool {
        if self.callbacks.is_empty() {
            let host = uri.strip_prefix("http://").or_else(|| uri.strip_prefix("https://"));
            return host.is_some_and(|rest| {
                ["localhost", "127.0.0.1"].iter().any(|here| {
                    rest.strip_prefix(here)
                        .is_some_and(|tail| tail.is_empty() || tail.starts_with([':', '/', '?']))
                })
            });
        }
        self.callbacks.iter().any(|callback| callback == uri)
    }

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let callbacks: String = row.get("callbacks")?;
        Ok(Self {
            client_id: row.get("client_id")?,
            name: row.get("name")?,
            secret: row.get("secret")?,
            certificate: row.get("certificate")?,
            callbacks: callbacks.lines().map(str::to_owned).collect(),
            scopes: row.get("scopes")?,
            pre_authorized: row.get("pre_authorized")?,
            rotates: row.get("rotates")?,
            jwt_tokens: row.get("jwt_tokens")?,
            run_as: row.get("run_as")?,
        })
    }
}

/// The app of a consumer key.
pub fn find(db: &Connection, client_id: &str) -> Result<Option<App>, ApiError> {
    Ok(db
        .prepare_cached("SELECT * FROM _app WHERE client_id = ?1")?
        .query_row([client_id], App::read)
        .optional()?)
}

/// Keeps an app, or changes the one of its consumer key.
pub fn put(db: &Connection, app: &App) -> Result<(), ApiError> {
    db.prepare_cached(
        "INSERT OR REPLACE INTO _app (client_id, name, secret, certificate, callbacks, scopes, pre_authorized, rotates, jwt_tokens, run_as)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    )?
    .execute(params![
        app.client_id,
        app.name,
        app.secret,
        app.certificate,
        app.callbacks.join("\n"),
        app.scopes,
        app.pre_authorized,
        app.rotates,
        app.jwt_tokens,
        app.run_as
    ])?;
    Ok(())
}

/// Registers an app of this org. Its consumer key must be free in all orgs of the world; what production handed down to its
/// sandboxes is taken too.
pub fn register(call: &Call<'_>, app: &App) -> Result<(), ApiError> {
    let known = find(call.db, &app.client_id)?.is_some();
    if !known && !call.claim_name(NameKind::ConsumerKey, &app.client_id) {
        return Err(ApiError::new(
            "DUPLICATE_VALUE",
            format!("the consumer key {} is in use in this or another org", app.client_id),
        ));
    }
    put(call.db, app)
}

/// Forgets an app and ends its tokens.
pub fn remove(db: &Connection, client_id: &str, now: crate::clock::Millis) -> Result<(), ApiError> {
    db.execute("DELETE FROM _app WHERE client_id = ?1", [client_id])?;
    db.execute(
        "UPDATE _session SET revoked = ?2 WHERE client_id = ?1 AND revoked IS NULL",
        params![client_id, now],
    )?;
    Ok(())
}

/// The apps every new org knows. `run_as` is its first administrator.
pub(crate) fn seed(db: &Connection, run_as: &str) -> Result<(), ApiError> {
    put(db, &App::new(CLI, "Salesforce CLI"))?;
    put(
        db,
        &App {
            secret: Some(SIMULATOR_SECRET.to_owned()),
            certificate: Some(jwt::TEST_CERTIFICATE.to_owned()),
            run_as: Some(run_as.to_owned()),
            ..App::new(SIMULATOR, "Syncline simulator")
        },
    )
}

/// The app a token request comes from, by `client_id` and `client_secret` in the body or by HTTP Basic.
/// With `secret`, an app that has a secret must show it.
pub(super) fn authenticate(call: &Call<'_>, fields: &Fields, secret: bool) -> Result<App, ApiError> {
    let basic = basic(call);
    let (id, shown) = match &basic {
        Some((id, shown)) => (id.as_str(), Some(shown.as_str())),
        None => (fields.need("client_id")?, fields.get("client_secret")),
    };
    let app = find(call.db, id)?.ok_or_else(|| refuse("invalid_client_id", "client identifier invalid"))?;
    match &app.secret {
        Some(expected) if shown.is_some_and(|shown| shown != expected) || (secret && shown.is_none()) => {
            Err(refuse("invalid_client", "invalid client credentials"))
        }
        _ => Ok(app),
    }
}

fn basic(call: &Call<'_>) -> Option<(String, String)> {
    let (scheme, text) = call.request.header("authorization")?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = base64::engine::general_purpose::STANDARD.decode(text.trim()).ok()?;
    let text = String::from_utf8(text).ok()?;
    let (id, secret) = text.split_once(':')?;
    Some((id.to_owned(), secret.to_owned()))
}
