//! The one way to set email deliverability: a page of the setup. There is no API for it.
//! Source: Salesforce API reference, "Item-by-item: state after refresh and reach".

use crate::error::ApiError;
use crate::http::{Call, Reply, Route, Surface};
use crate::oauth::sso::COOKIE;
use crate::org::sessions;
use crate::switches::DeliverabilityPage;
use rusqlite::{Connection, OptionalExtension};

pub(crate) const ROUTES: &[Route] = &[
    Route::on(Surface::Open, "GET", "/email-admin/editOrgEmailSettings.apexp", page),
    Route::on(Surface::Open, "POST", "/email-admin/editOrgEmailSettings.apexp", save),
];

/// "System email only".
pub(crate) const SYSTEM_ONLY: &str = "1";
/// "All email".
pub(crate) const ALL: &str = "2";
const LEVELS: [(&str, &str); 3] = [
    ("0", "No access"),
    (SYSTEM_ONLY, "System email only"),
    (ALL, "All email"),
];
const FORM: &str = "thePage:theForm:editBlock";

/// The access level of an org: 0 no access, 1 system email only, 2 all email. Production begins with all, sandboxes with
/// system email only.
pub(crate) fn level(db: &Connection) -> Result<String, ApiError> {
    let kept: Option<String> = db
        .prepare_cached("SELECT value FROM _value WHERE name = 'deliverability'")?
        .query_row([], |row| row.get(0))
        .optional()?;
    match kept {
        Some(level) => Ok(level),
        None => {
            let sandbox: bool = db.query_row("SELECT IsSandbox FROM Organization", [], |row| row.get(0))?;
            Ok(if sandbox { SYSTEM_ONLY } else { ALL }.to_owned())
        }
    }
}

/// The session of the cookie, or the way to the login page.
fn session(call: &Call<'_>) -> Result<Option<Reply>, ApiError> {
    if call.world.switches().deliverability_page == DeliverabilityPage::Absent {
        return Err(ApiError::not_found());
    }
    let cookies = call.request.header("cookie").unwrap_or_default();
    let token = cookies
        .split(';')
        .find_map(|cookie| cookie.trim().strip_prefix(COOKIE)?.strip_prefix('='));
    let user = token
        .map(|token| sessions::rest_user(call.db, token))
        .transpose()?
        .flatten();
    Ok(match user {
        Some(_) => None,
        None => Some(Reply::text(302, "text/html;charset=UTF-8", "").header(
            "Location",
            "/?ec=302&startURL=%2Femail-admin%2FeditOrgEmailSettings.apexp",
        )),
    })
}

fn page(call: &Call<'_>) -> Result<Reply, ApiError> {
    match session(call)? {
        Some(reply) => Ok(reply),
        None => render(call, ""),
    }
}

fn save(call: &Call<'_>) -> Result<Reply, ApiError> {
    if let Some(reply) = session(call)? {
        return Ok(reply);
    }
    let form = call.request.form();
    let chosen = form
        .iter()
        .find(|(name, _)| name.ends_with(":sendEmailAccessControlSelect"))
        .map(|(_, value)| value.as_str());
    let Some((level, _)) = LEVELS.iter().find(|(level, _)| Some(*level) == chosen) else {
        return Err(ApiError::new("INVALID_INPUT", "choose an access level"));
    };
    call.db.execute(
        "INSERT OR REPLACE INTO _value (name, value) VALUES ('deliverability', ?1)",
        [level],
    )?;
    render(
        call,
        &format!("<span id=\"{FORM}:successText\">Your changes have been saved.</span>"),
    )
}

fn render(call: &Call<'_>, note: &str) -> Result<Reply, ApiError> {
    let now = level(call.db)?;
    let options: String = LEVELS
        .iter()
        .map(|(level, label)| {
            let selected = if *level == now { " selected=\"selected\"" } else { "" };
            format!("<option value=\"{level}\"{selected}>{label}</option>")
        })
        .collect();
    Ok(Reply::text(
        200,
        "text/html;charset=UTF-8",
        format!(
            "<!DOCTYPE html><html lang=\"en\"><title>Deliverability</title><h1>Deliverability</h1>{note}\
             <form id=\"thePage:theForm\" method=\"post\"><label>Access level \
             <select id=\"{FORM}:sendEmailAccessControlSelect\" name=\"{FORM}:sendEmailAccessControlSelect\">{options}</select></label> \
             <input type=\"submit\" id=\"{FORM}:buttons:saveBtn\" name=\"{FORM}:buttons:saveBtn\" value=\"Save\"></form></html>"
        ),
    ))
}
