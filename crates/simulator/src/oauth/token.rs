//! `POST /services/oauth2/token`: one function a grant.

use super::apps::{self, App};
use super::users::{self, User};
use super::{Fields, authorize, jwt, refuse};
use crate::error::ApiError;
use crate::http::{Call, Reply, Route, Surface};
use crate::org::{records, sessions};
use crate::switches::{ClientCredentials, ExpiresIn, Rotation};
use base64::Engine as _;
use ring::hmac;
use rusqlite::{OptionalExtension, params};
use serde_json::{Value, json};

pub(crate) const ROUTES: &[Route] = &[Route::on(Surface::OAuth, "POST", "/services/oauth2/token", token)];

/// Hosts that stand for all orgs; tokens for an app by itself are not given there.
const LOGIN_HOSTS: [&str; 2] = ["login.salesforce.com", "test.salesforce.com"];
/// How long ago an assertion may have expired, milliseconds.
const SKEW: i64 = 3 * 60 * 1000;

/// What a grant gives.
struct Grant {
    app: App,
    user: User,
    scopes: String,
    refresh: Refresh,
}

/// The refresh token of an answer.
enum Refresh {
    /// None, as for JWT and client credentials.
    Never,
    /// A new one if the scopes ask for it.
    ByScope,
    /// This one, which was shown; a new one if the app rotates them.
    Shown(String),
}

fn token(call: &Call<'_>) -> Result<Reply, ApiError> {
    let fields = Fields::of(call);
    let grant = match fields.need("grant_type")? {
        "urn:ietf:params:oauth:grant-type:jwt-bearer" => bearer(call, &fields)?,
        "authorization_code" => code(call, &fields)?,
        "refresh_token" => refresh(call, &fields)?,
        "client_credentials" => client_credentials(call, &fields)?,
        "password" => password(call, &fields)?,
        _ => return Err(refuse("unsupported_grant_type", "grant type not supported")),
    };
    answer(call, &grant)
}

fn bearer(call: &Call<'_>, fields: &Fields) -> Result<Grant, ApiError> {
    let invalid = || refuse("invalid_grant", "invalid assertion");
    let assertion = fields.need("assertion")?;
    let claims = jwt::claims(assertion).ok_or_else(invalid)?;
    let text = |name: &str| claims.get(name).and_then(Value::as_str).unwrap_or_default();
    let app =
        apps::find(call.db, text("iss"))?.ok_or_else(|| refuse("invalid_client_id", "client identifier invalid"))?;
    if !app
        .certificate
        .as_deref()
        .is_some_and(|pem| jwt::verify(assertion, pem))
    {
        return Err(invalid());
    }
    let audiences = match claims.get("aud") {
        Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).collect(),
        Some(Value::String(one)) => vec![one.as_str()],
        _ => Vec::new(),
    };
    if !audiences.iter().any(|audience| is_audience(call, audience)) {
        return Err(refuse("invalid_grant", "audience is invalid"));
    }
    // Seconds, but clients send milliseconds too: a time far ahead, which is taken.
    let expires = claims.get("exp").and_then(Value::as_f64).ok_or_else(invalid)?;
    #[allow(clippy::cast_precision_loss)]
    if expires * 1000.0 + (SKEW as f64) < call.now as f64 {
        return Err(refuse("invalid_grant", "expired authorization code"));
    }
    let user = users::by_name(call.db, text("sub"))?.ok_or_else(invalid)?;
    if !app.pre_authorized && !has_consented(call, &app, &user)? {
        return Err(refuse("invalid_grant", "user hasn't approved this consumer"));
    }
    Ok(Grant {
        scopes: app.scopes.clone(),
        app,
        user,
        refresh: Refresh::Never,
    })
}

fn is_audience(call: &Call<'_>, audience: &str) -> bool {
    let audience = audience.trim_end_matches('/');
    let origin = &call.org.origin;
    audience == origin.http
        || origin.https.as_deref() == Some(audience)
        || audience == call.origin()
        || LOGIN_HOSTS
            .iter()
            .any(|host| audience.strip_prefix("https://") == Some(host))
}

/// An earlier grant to the app that lasts: one with a refresh token.
fn has_consented(call: &Call<'_>, app: &App, user: &User) -> Result<bool, ApiError> {
    Ok(call
        .db
        .prepare_cached(
            "SELECT 1 FROM _session WHERE client_id = ?1 AND user_id = ?2 AND kind = 'refresh' AND revoked IS NULL",
        )?
        .exists([&app.client_id, &user.id])?)
}

fn code(call: &Call<'_>, fields: &Fields) -> Result<Grant, ApiError> {
    let app = apps::authenticate(call, fields, true)?;
    let granted = authorize::redeem(call, fields.need("code")?, &app, fields)?;
    let user = users::by_id(call.db, &granted.user_id)?.ok_or_else(inactive)?;
    Ok(Grant {
        app,
        user,
        scopes: granted.scopes,
        refresh: Refresh::ByScope,
    })
}

fn refresh(call: &Call<'_>, fields: &Fields) -> Result<Grant, ApiError> {
    let expired = || refuse("invalid_grant", "expired access/refresh token");
    let app = apps::authenticate(call, fields, true)?;
    let shown = fields.need("refresh_token")?;
    let row: Option<(String, Option<String>, Option<String>)> = call
        .db
        .prepare_cached(
            "SELECT user_id, client_id, scope FROM _session WHERE token = ?1 AND kind = 'refresh' AND revoked IS NULL",
        )?
        .query_row([shown], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    let (user_id, client_id, scope) = row.ok_or_else(expired)?;
    if client_id.is_some_and(|of| of != app.client_id) {
        return Err(expired());
    }
    let user = users::by_id(call.db, &user_id)?.ok_or_else(inactive)?;
    Ok(Grant {
        scopes: scope.unwrap_or_else(|| app.scopes.clone()),
        app,
        user,
        refresh: Refresh::Shown(shown.to_owned()),
    })
}

fn client_credentials(call: &Call<'_>, fields: &Fields) -> Result<Grant, ApiError> {
    let app = apps::authenticate(call, fields, true)?;
    let host = call.request.header("host").unwrap_or_default();
    let own_only = call.world.switches().client_credentials == ClientCredentials::OwnHost;
    if own_only && LOGIN_HOSTS.contains(&host.split(':').next().unwrap_or_default()) {
        return Err(refuse("invalid_grant", "request not supported on this domain"));
    }
    let user = match (&app.secret, &app.run_as) {
        (Some(_), Some(id)) => users::by_id(call.db, id)?.ok_or_else(inactive)?,
        _ => return Err(refuse("invalid_grant", "no client credentials user enabled")),
    };
    Ok(Grant {
        scopes: app.scopes.clone(),
        app,
        user,
        refresh: Refresh::Never,
    })
}

fn password(call: &Call<'_>, fields: &Fields) -> Result<Grant, ApiError> {
    let app = apps::authenticate(call, fields, true)?;
    let user = users::by_password(call, fields.need("username")?, fields.need("password")?)?
        .ok_or_else(|| refuse("invalid_grant", "authentication failure"))?;
    Ok(Grant {
        scopes: fields.get("scope").unwrap_or("api web").to_owned(),
        app,
        user,
        refresh: Refresh::ByScope,
    })
}

fn inactive() -> ApiError {
    refuse("inactive_user", "user is inactive")
}

/// Makes the tokens of a grant and the answer with them.
fn answer(call: &Call<'_>, grant: &Grant) -> Result<Reply, ApiError> {
    let (app, user) = (&grant.app, &grant.user);
    let switches = call.world.switches();
    let scopes: Vec<&str> = grant.scopes.split_whitespace().collect();
    let lasting = scopes.iter().any(|s| ["refresh_token", "offline_access"].contains(s));
    let (kept, shown) = match &grant.refresh {
        Refresh::ByScope if lasting => {
            let new = new_refresh(call, grant)?;
            (Some(new.clone()), Some(new))
        }
        Refresh::Shown(old) if app.rotates || switches.rotation == Rotation::Always => {
            sessions::revoke(call.db, old, call.now)?;
            let new = new_refresh(call, grant)?;
            (Some(new.clone()), Some(new))
        }
        Refresh::Shown(old) => (Some(old.clone()), None),
        Refresh::ByScope | Refresh::Never => (None, None),
    };
    let access = if app.jwt_tokens {
        access_jwt(call, grant)?
    } else {
        let seed = call.world.config.seed;
        sessions::grant_access(call.org, call.db, seed, &user.id, Some(&app.client_id), call.now)?
    };
    call.db.execute(
        "UPDATE _session SET scope = ?2, parent = ?3 WHERE token = ?1",
        params![access, grant.scopes, kept],
    )?;

    note(call, grant)?;

    let issued = call.now.to_string();
    let id = format!("{}/id/{}/{}", call.origin(), call.org.id, user.id);
    let key = hmac::Key::new(hmac::HMAC_SHA256, app.secret.as_deref().unwrap_or_default().as_bytes());
    let signature =
        base64::engine::general_purpose::STANDARD.encode(hmac::sign(&key, format!("{id}{issued}").as_bytes()));
    let mut body = json!({ "access_token": access });
    if let Some(token) = shown {
        body["refresh_token"] = json!(token);
    }
    body["signature"] = json!(signature);
    body["scope"] = json!(grant.scopes);
    if scopes.contains(&"openid") {
        body["id_token"] = json!(signed(&json!({
            "iss": call.origin(), "sub": id, "aud": app.client_id, "iat": call.now / 1000, "exp": call.now / 1000 + 120,
        }))?);
    }
    body["instance_url"] = json!(call.origin());
    body["id"] = json!(id);
    body["token_type"] = json!("Bearer");
    body["issued_at"] = json!(issued);
    if switches.expires_in == ExpiresIn::Present {
        body["expires_in"] = json!(7200);
    }
    Ok(Reply::json(&body).header("Cache-Control", "no-cache, no-store"))
}

/// Writes the login down.
fn note(call: &Call<'_>, grant: &Grant) -> Result<(), ApiError> {
    let text = |text: &str| rusqlite::types::Value::Text(text.to_owned());
    let host = call.request.header("host").unwrap_or("localhost");
    records::insert(
        call.org,
        call.db,
        &*call.object("LoginHistory")?,
        &[
            ("UserId", text(&grant.user.id)),
            ("LoginTime", rusqlite::types::Value::Integer(call.now)),
            ("LoginType", text("Remote Access 2.0")),
            ("Status", text("Success")),
            ("Application", text(&grant.app.name)),
            ("SourceIp", text("127.0.0.1")),
            ("LoginUrl", text(host)),
        ],
        &grant.user.id,
        call.now,
    )?;
    Ok(())
}

fn new_refresh(call: &Call<'_>, grant: &Grant) -> Result<String, ApiError> {
    let seed = call.world.config.seed;
    let client = Some(grant.app.client_id.as_str());
    let token = sessions::grant_refresh(call.org, call.db, seed, &grant.user.id, client, call.now)?;
    call.db.execute(
        "UPDATE _session SET scope = ?2 WHERE token = ?1",
        params![token, grant.scopes],
    )?;
    Ok(token)
}

/// An access token in the form of a JWT.
fn access_jwt(call: &Call<'_>, grant: &Grant) -> Result<String, ApiError> {
    let token = signed(&json!({
        "iss": call.origin(),
        "sub": format!("uid:{}", grant.user.id),
        "aud": [call.origin()],
        "client_id": grant.app.client_id,
        "scp": grant.scopes,
        "exp": call.now / 1000 + 7200,
        "jti": sessions::secret(call.org, call.db, call.world.config.seed)?,
    }))?;
    sessions::keep_jwt(call.db, &token, &grant.user.id, &grant.app.client_id, call.now)?;
    Ok(token)
}

fn signed(claims: &Value) -> Result<String, ApiError> {
    jwt::sign(claims, jwt::TEST_KEY)
        .ok_or_else(|| ApiError::new("server_error", "the key of the simulator cannot be used").status(500))
}
