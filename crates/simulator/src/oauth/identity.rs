//! Who a token stands for: `/services/oauth2/userinfo`, `/id/{org}/{user}`, introspection and the end of tokens.

use super::{Fields, apps};
use crate::error::ApiError;
use crate::http::{Call, Reply, Route, Surface, bearer};
use crate::ids;
use crate::org::sessions;
use rusqlite::{OptionalExtension, params};
use serde_json::{Value, json};

pub(crate) const ROUTES: &[Route] = &[
    Route::on(Surface::OAuth, "GET", "/services/oauth2/userinfo", userinfo),
    Route::on(Surface::OAuth, "POST", "/services/oauth2/userinfo", userinfo),
    Route::on(Surface::OAuth, "GET", "/id/{org}/{user}", identity),
    Route::on(Surface::OAuth, "POST", "/services/oauth2/revoke", revoke),
    Route::on(Surface::OAuth, "GET", "/services/oauth2/revoke", revoke),
    Route::on(Surface::OAuth, "POST", "/services/oauth2/introspect", introspect),
];

/// What identity answers say about a user.
struct Person {
    id: String,
    username: String,
    name: String,
    first: Option<String>,
    last: String,
    email: String,
    zone: Option<String>,
    language: Option<String>,
    locale: Option<String>,
    active: bool,
    modified: i64,
}

impl Person {
    fn read(call: &Call<'_>, id: &str) -> Result<Option<Self>, ApiError> {
        Ok(call
            .db
            .prepare_cached(
                "SELECT Id, Username, Name, FirstName, LastName, Email, TimeZoneSidKey, LanguageLocaleKey, LocaleSidKey, IsActive,
                 LastModifiedDate FROM User WHERE Id = ?1",
            )?
            .query_row([id], |r| {
                Ok(Self {
                    id: r.get(0)?,
                    username: r.get(1)?,
                    name: r.get::<_, Option<String>>(2)?.unwrap_or_default(),
                    first: r.get(3)?,
                    last: r.get(4)?,
                    email: r.get(5)?,
                    zone: r.get(6)?,
                    language: r.get(7)?,
                    locale: r.get(8)?,
                    active: r.get(9)?,
                    modified: r.get(10)?,
                })
            })
            .optional()?)
    }
}

/// The person behind the bearer token or `oauth_token=`; an error is HTTP 403 with this very text, which clients look for.
fn person(call: &Call<'_>) -> Result<Result<Person, Reply>, ApiError> {
    let refused = || Reply::text(403, "text/plain;charset=UTF-8", "Bad_OAuth_Token");
    let fields = Fields::of(call);
    let token = bearer(&call.request).or_else(|| fields.get("oauth_token").or_else(|| fields.get("access_token")));
    let Some(token) = token else {
        return Ok(Err(refused()));
    };
    let Some(user) = sessions::rest_user(call.db, token)? else {
        return Ok(Err(refused()));
    };
    Ok(Person::read(call, &user)?.ok_or_else(refused))
}

fn urls(call: &Call<'_>, user_id: &str) -> Value {
    let origin = call.origin();
    let data = format!("{origin}/services/data/v{{version}}");
    json!({
        "enterprise": format!("{origin}/services/Soap/c/{{version}}/{}", call.org_id_short()),
        "metadata": format!("{origin}/services/Soap/m/{{version}}/{}", call.org_id_short()),
        "partner": format!("{origin}/services/Soap/u/{{version}}/{}", call.org_id_short()),
        "rest": format!("{data}/"),
        "sobjects": format!("{data}/sobjects/"),
        "search": format!("{data}/search/"),
        "query": format!("{data}/query/"),
        "recent": format!("{data}/recent/"),
        "tooling_soap": format!("{origin}/services/Soap/T/{{version}}/{}", call.org_id_short()),
        "tooling_rest": format!("{data}/tooling/"),
        "profile": format!("{origin}/{user_id}"),
        "custom_domain": origin,
    })
}

fn userinfo(call: &Call<'_>) -> Result<Reply, ApiError> {
    let person = match person(call)? {
        Ok(person) => person,
        Err(reply) => return Ok(reply),
    };
    Ok(Reply::json(&json!({
        "sub": format!("{}/id/{}/{}", call.origin(), call.org.id, person.id),
        "user_id": person.id,
        "organization_id": call.org.id,
        "preferred_username": person.username,
        "nickname": person.username.split('@').next(),
        "name": person.name,
        "email": person.email,
        "email_verified": true,
        "given_name": person.first,
        "family_name": person.last,
        "zoneinfo": person.zone,
        "urls": urls(call, &person.id),
        "active": person.active,
        "user_type": "STANDARD",
        "language": person.language,
        "locale": person.locale,
        "utcOffset": 0,
        "updated_at": iso(person.modified),
        "is_app_installed": true,
    })))
}

fn identity(call: &Call<'_>) -> Result<Reply, ApiError> {
    let person = match person(call)? {
        Ok(person) => person,
        Err(reply) => return Ok(reply),
    };
    let asked = |name: &str| ids::long(call.request.param(name));
    if asked("org").as_deref() != Some(&*call.org.id) || asked("user").as_deref() != Some(&*person.id) {
        return Ok(Reply::text(403, "text/plain;charset=UTF-8", "Wrong_Org"));
    }
    Ok(Reply::json(&json!({
        "id": format!("{}/id/{}/{}", call.origin(), call.org.id, person.id),
        "asserted_user": true,
        "user_id": person.id,
        "organization_id": call.org.id,
        "username": person.username,
        "nick_name": person.username.split('@').next(),
        "display_name": person.name,
        "email": person.email,
        "email_verified": true,
        "first_name": person.first,
        "last_name": person.last,
        "timezone": person.zone,
        "urls": urls(call, &person.id),
        "active": person.active,
        "user_type": "STANDARD",
        "language": person.language,
        "locale": person.locale,
        "utcOffset": 0,
        "last_modified_date": iso(person.modified),
        "is_app_installed": true,
        "is_lightning_login_user": false,
    })))
}

/// Ends a token: an access token alone, a refresh token with the access tokens it gave. 200 without a body.
fn revoke(call: &Call<'_>) -> Result<Reply, ApiError> {
    let fields = Fields::of(call);
    let token = fields.need("token")?;
    let ended = call.db.execute(
        "UPDATE _session SET revoked = ?2 WHERE (token = ?1 OR parent = ?1) AND revoked IS NULL",
        params![token, call.now],
    )?;
    if ended == 0 {
        return Err(super::refuse("invalid_token", "the token does not exist or has ended"));
    }
    Ok(Reply::text(200, "text/html;charset=UTF-8", ""))
}

fn introspect(call: &Call<'_>) -> Result<Reply, ApiError> {
    let fields = Fields::of(call);
    let app = apps::authenticate(call, &fields, true)?;
    let token = fields.need("token")?;
    let row: Option<(String, Option<String>, i64, bool)> = call
        .db
        .prepare_cached(
            "SELECT user_id, scope, created, kind = 'refresh' FROM _session WHERE token = ?1 AND client_id = ?2",
        )?
        .query_row([token, &app.client_id], |r| {
            Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?))
        })
        .optional()?;
    let Some((_, scope, created, is_refresh)) = row else {
        return Ok(Reply::json(&json!({ "active": false })));
    };
    let user = if is_refresh {
        sessions::user_of(call.db, token, "refresh")?
    } else {
        sessions::rest_user(call.db, token)?
    };
    let Some(person) = user.map(|id| Person::read(call, &id)).transpose()?.flatten() else {
        return Ok(Reply::json(&json!({ "active": false })));
    };
    Ok(Reply::json(&json!({
        "active": true,
        "scope": scope.unwrap_or_else(|| app.scopes.clone()),
        "client_id": app.client_id,
        "username": person.username,
        "sub": format!("{}/id/{}/{}", call.origin(), call.org.id, person.id),
        "token_type": if is_refresh { "refresh_token" } else { "access_token" },
        "iat": created / 1000,
        "nbf": created / 1000,
    })))
}

fn iso(at: i64) -> String {
    crate::clock::iso(at)
}
