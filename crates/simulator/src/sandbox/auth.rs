//! `POST /tooling/sandboxAuth`: a code for the sandbox, once it can be used.

use super::{process, production_only};
use crate::error::ApiError;
use crate::http::{Call, Reply, Route, in_call};
use crate::oauth::{apps, authorize, users};
use rusqlite::OptionalExtension;
use serde_json::json;

pub(crate) const ROUTES: &[Route] = &[Route::rest(
    "POST",
    "/services/data/{version}/tooling/sandboxAuth",
    sandbox_auth,
)];

fn sandbox_auth(call: &Call<'_>) -> Result<Reply, ApiError> {
    production_only(call, "SandboxInfo")?;
    let body = call.json()?;
    let text = |name: &str| body[name].as_str().unwrap_or_default();
    let name = text("sandboxName");
    let id: Option<String> = call
        .db
        .prepare_cached("SELECT Id FROM SandboxInfo WHERE lower(SandboxName) = lower(?1) AND IsDeleted = 0")?
        .query_row([name], |row| row.get(0))
        .optional()?;
    let id = id.ok_or_else(|| ApiError::new("INVALID_SANDBOX_NAME", format!("no sandbox {name}")))?;
    let not_ready = || ApiError::new("INVALID_STATUS", "The sandbox isn't ready for authentication yet.");
    let last = process::latest(call, &id)?.ok_or_else(not_ready)?;
    // While a refresh is copied, or waits for its activation, there is nothing new to log in to.
    if last.status != "Completed" || last.ready.is_none() {
        return Err(not_ready());
    }
    let sandbox = call.world.sandbox(&call.org.name, name).ok_or_else(not_ready)?;
    let asked = match text("clientId") {
        "" => apps::CLI,
        id => id,
    };
    let own: String = call
        .db
        .query_row("SELECT Username FROM User WHERE Id = ?1", [&call.user], |row| {
            row.get(0)
        })?;
    // The order of locks is production before sandbox.
    let mut state = sandbox.lock();
    let (username, code) = in_call(call.world, &sandbox, &mut state, None, |there| {
        // The same user has the same id in the copy; a sandbox that was not copied has users of its own.
        let suffix = format!("{own}.{}", name.to_lowercase());
        let user = match users::by_id(there.db, &call.user)?.filter(|user| user.username.ends_with(&suffix)) {
            Some(user) => Some(user),
            None => users::by_name(there.db, &suffix)?,
        };
        let user = user.ok_or_else(|| {
            ApiError::new("INSUFFICIENT_ACCESS", "the user may not log in to the sandbox").status(403)
        })?;
        let app = apps::find(there.db, asked)?
            .ok_or_else(|| ApiError::new("INVALID_CLIENT_ID", format!("no connected app {asked} in the sandbox")))?;
        let code = authorize::issue(there, &user.id, &app.client_id, None, &app.scopes, None)?;
        Ok((user.username, code))
    })?;
    let origin = match &sandbox.origin.https {
        Some(https) if call.request.secure => https,
        _ => &sandbox.origin.http,
    };
    Ok(Reply::json(&json!({
        "authUserName": username,
        "authCode": code,
        "instanceUrl": origin,
        "loginUrl": origin,
    })))
}
