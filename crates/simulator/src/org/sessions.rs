//! Tokens of an org: access and refresh tokens and who they stand for.

use super::Org;
use crate::clock::Millis;
use crate::error::ApiError;
use crate::ids;
use crate::oauth::users::MAY_LOG_IN;
use base64::Engine as _;
use ring::hmac;
use rusqlite::{Connection, OptionalExtension};

/// Makes an access token: `<15-character org id>!<opaque>`, the shape clients read the org id from.
pub fn grant_access(
    org: &Org,
    db: &Connection,
    seed: u64,
    user_id: &str,
    client_id: Option<&str>,
    now: Millis,
) -> Result<String, ApiError> {
    let token = format!("{}!AQ{}", ids::short(&org.id), secret(org, db, seed)?);
    keep(db, &token, "access", user_id, client_id, now)?;
    Ok(token)
}

/// Makes a refresh token.
pub fn grant_refresh(
    org: &Org,
    db: &Connection,
    seed: u64,
    user_id: &str,
    client_id: Option<&str>,
    now: Millis,
) -> Result<String, ApiError> {
    let token = format!("5Aep861{}", secret(org, db, seed)?);
    keep(db, &token, "refresh", user_id, client_id, now)?;
    Ok(token)
}

/// Keeps an access token in the form of a JWT. REST takes it; SOAP, which asks [`user_of`] for `access` tokens, does not.
pub fn keep_jwt(db: &Connection, token: &str, user_id: &str, client_id: &str, now: Millis) -> Result<(), ApiError> {
    keep(db, token, "jwt", user_id, Some(client_id), now)
}

/// The user behind a token that REST takes.
pub fn rest_user(db: &Connection, token: &str) -> Result<Option<String>, ApiError> {
    let kind = if token.contains('!') { "access" } else { "jwt" };
    user_of(db, token, kind)
}

/// The user a live token of this kind (`access`, `jwt`, `refresh`) stands for, if that user may log in.
pub fn user_of(db: &Connection, token: &str, kind: &str) -> Result<Option<String>, ApiError> {
    Ok(db
        .prepare_cached(&format!(
            "SELECT s.user_id FROM _session s JOIN User u ON u.Id = s.user_id
             WHERE s.token = ?1 AND s.kind = ?2 AND s.revoked IS NULL AND {MAY_LOG_IN}"
        ))?
        .query_row([token, kind], |row| row.get(0))
        .optional()?)
}

/// Ends a token.
pub fn revoke(db: &Connection, token: &str, now: Millis) -> Result<(), ApiError> {
    db.execute(
        "UPDATE _session SET revoked = ?2 WHERE token = ?1 AND revoked IS NULL",
        rusqlite::params![token, now],
    )?;
    Ok(())
}

fn keep(
    db: &Connection,
    token: &str,
    kind: &str,
    user_id: &str,
    client_id: Option<&str>,
    now: Millis,
) -> Result<(), ApiError> {
    db.execute(
        "INSERT INTO _session (token, kind, user_id, client_id, created) VALUES (?1, ?2, ?3, ?4, ?5)",
        rusqlite::params![token, kind, user_id, client_id, now],
    )?;
    Ok(())
}

/// Opaque text that depends on the seed, the org and how many were made before.
pub fn secret(org: &Org, db: &Connection, seed: u64) -> Result<String, ApiError> {
    let n = org.next_id(db, "tok")?;
    let tag = hmac::sign(
        &hmac::Key::new(hmac::HMAC_SHA256, &seed.to_be_bytes()),
        format!("{} {n}", org.id).as_bytes(),
    );
    Ok(base64::engine::general_purpose::URL_SAFE_NO_PAD
        .encode(tag)
        .replace(['-', '_'], "."))
}
