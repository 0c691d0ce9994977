//! `/services/oauth2/authorize`: asks a person (here: takes the first administrator, or `simulator_user=`) and sends a code.

use super::apps::{self, App};
use super::users::{self, User};
use super::{Fields, refuse};
use crate::clock::{Millis, Pace};
use crate::error::ApiError;
use crate::http::{Call, Reply, Route, Surface, escape};
use crate::org::sessions;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use ring::digest;
use rusqlite::{OptionalExtension, params};

pub(crate) const ROUTES: &[Route] = &[
    Route::on(Surface::OAuth, "GET", "/services/oauth2/authorize", authorize),
    Route::on(Surface::OAuth, "POST", "/services/oauth2/authorize", authorize),
];

/// How long a code can be redeemed, milliseconds of simulated time.
const LIFE: Millis = 15 * 60 * 1000;

/// What a code stands for.
pub(super) struct Granted {
    pub(super) user_id: String,
    pub(super) scopes: String,
}

/// Answers with a page that asks; with `approve=1` with a redirect that carries the code, with `approve=0` with a refusal.
fn authorize(call: &Call<'_>) -> Result<Reply, ApiError> {
    let fields = Fields::of(call);
    let app = apps::find(call.db, fields.need("client_id")?)?
        .ok_or_else(|| refuse("invalid_client_id", "client identifier invalid"))?;
    let redirect = fields.need("redirect_uri")?;
    if !app.accepts_callback(redirect) {
        return Err(refuse("redirect_uri_mismatch", "redirect_uri must match configuration"));
    }
    if fields.get("response_type") != Some("code") {
        return Ok(back(redirect, &fields, &[("error", "unsupported_response_type")]));
    }
    let user = match fields.get("simulator_user") {
        Some(name) => users::by_name(call.db, name)?,
        None => users::first_admin(call.db)?,
    };
    let Some(user) = user else {
        return Err(refuse("access_denied", "no such user may log in"));
    };
    match fields.get("approve") {
        None => Ok(page(&app, &user, &fields)),
        Some("1") => {
            let scopes = fields.get("scope").unwrap_or(&app.scopes);
            let code = issue(
                call,
                &user.id,
                &app.client_id,
                Some(redirect),
                scopes,
                fields.get("code_challenge"),
            )?;
            Ok(back(redirect, &fields, &[("code", &code)]))
        }
        Some(_) => Ok(back(
            redirect,
            &fields,
            &[
                ("error", "access_denied"),
                ("error_description", "end-user denied authorization"),
            ],
        )),
    }
}

/// Makes a code. `redirect` and `challenge` must be matched when it is redeemed, where given.
pub(crate) fn issue(
    call: &Call<'_>,
    user_id: &str,
    client_id: &str,
    redirect: Option<&str>,
    scopes: &str,
    challenge: Option<&str>,
) -> Result<String, ApiError> {
    let code = format!("aPrx{}", sessions::secret(call.org, call.db, call.world.config.seed)?);
    call.db.execute(
        "INSERT INTO _code (code, user_id, client_id, redirect, scope, challenge, created) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![code, user_id, client_id, redirect, scopes, challenge, call.now],
    )?;
    Ok(code)
}

/// Takes a code in exchange for what it stands for. It works once.
pub(super) fn redeem(call: &Call<'_>, code: &str, app: &App, fields: &Fields) -> Result<Granted, ApiError> {
    struct Row(String, String, Option<String>, String, Option<String>, Millis);
    let row = call
        .db
        .prepare_cached(
            "DELETE FROM _code WHERE code = ?1 RETURNING user_id, client_id, redirect, scope, challenge, created",
        )?
        .query_row([code], |r| {
            Ok(Row(r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?, r.get(4)?, r.get(5)?))
        })
        .optional()?;
    let expired = || refuse("invalid_grant", "expired authorization code");
    let Row(user_id, client_id, redirect, scopes, challenge, created) = row.ok_or_else(expired)?;
    // A fast clock may jump over days between the code and its use.
    if client_id != app.client_id || (call.world.clock.pace() != Pace::Fast && call.now > created + LIFE) {
        return Err(expired());
    }
    if redirect.is_some() && redirect.as_deref() != fields.get("redirect_uri") {
        return Err(refuse("redirect_uri_mismatch", "redirect_uri must match configuration"));
    }
    if let Some(challenge) = challenge {
        let verifier = fields.get("code_verifier").unwrap_or_default();
        let digest = URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, verifier.as_bytes()));
        if digest != challenge.trim_end_matches('=') {
            return Err(refuse("invalid_grant", "invalid code verifier"));
        }
    }
    Ok(Granted { user_id, scopes })
}

fn back(redirect: &str, fields: &Fields, values: &[(&str, &str)]) -> Reply {
    let mut to = redirect.to_owned();
    let state = fields.get("state").map(|state| ("state", state));
    for (name, value) in values.iter().copied().chain(state) {
        to.push(if to.contains('?') { '&' } else { '?' });
        let value = utf8_percent_encode(value, NON_ALPHANUMERIC)
            .to_string()
            .replace("%20", "+");
        to.push_str(&format!("{name}={value}"));
    }
    Reply::text(302, "text/html;charset=UTF-8", "").header("Location", to)
}

fn page(app: &App, user: &User, fields: &Fields) -> Reply {
    let hidden: String = fields
        .0
        .iter()
        .map(|(name, value)| {
            format!(
                "<input type=\"hidden\" name=\"{}\" value=\"{}\">",
                escape(name),
                escape(value)
            )
        })
        .collect();
    Reply::text(
        200,
        "text/html;charset=UTF-8",
        format!(
            "<!DOCTYPE html><html lang=\"en\"><title>Allow access?</title><h1>Allow access?</h1>\
             <p>{app} asks for access as {user}: {scope}</p><form method=\"post\">{hidden}\
             <button name=\"approve\" value=\"1\">Allow</button> <button name=\"approve\" value=\"0\">Deny</button></form></html>",
            app = escape(&app.name),
            user = escape(&user.username),
            scope = escape(fields.get("scope").unwrap_or(&app.scopes)),
        ),
    )
}
