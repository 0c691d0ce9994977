//! A browser session from a token: `/services/oauth2/singleaccess` and the older `/secur/frontdoor.jsp`.

use super::Fields;
use crate::error::ApiError;
use crate::http::{Call, Reply, Route, Surface, bearer};
use crate::org::sessions;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;

pub(crate) const ROUTES: &[Route] = &[
    Route::rest("GET", "/services/oauth2/singleaccess", single_access),
    Route::rest("POST", "/services/oauth2/singleaccess", single_access),
    Route::on(Surface::Open, "GET", "/secur/frontdoor.jsp", front_door),
];

/// Name of the cookie that carries the session of a page.
pub(crate) const COOKIE: &str = "sid";

fn single_access(call: &Call<'_>) -> Result<Reply, ApiError> {
    let fields = Fields::of(call);
    let token = bearer(&call.request).ok_or_else(ApiError::session)?;
    let part = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let mut uri = format!("{}/secur/frontdoor.jsp?sid={}", call.origin(), part(token));
    if let Some(path) = fields.get("redirect_uri") {
        uri.push_str(&format!("&retURL={}", part(path)));
    }
    Ok(Reply::json(&json!({ "frontdoor_uri": uri })))
}

/// Sets the session cookie and goes on to `retURL`, a path of this org.
fn front_door(call: &Call<'_>) -> Result<Reply, ApiError> {
    let fields = Fields::of(call);
    let token = fields.get("sid").unwrap_or_default();
    sessions::rest_user(call.db, token)?.ok_or_else(ApiError::session)?;
    let to = fields
        .get("retURL")
        .filter(|path| path.starts_with('/') && !path.starts_with("//"))
        .unwrap_or("/");
    Ok(Reply::text(302, "text/html;charset=UTF-8", "")
        .header("Location", to)
        .header(
            "Set-Cookie",
            format!("{COOKIE}={token}; Path=/; HttpOnly; SameSite=Lax"),
        ))
}
