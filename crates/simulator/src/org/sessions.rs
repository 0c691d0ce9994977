//! Tokens of an org: access and refresh tokens and who they stand for.

use super::Org;
use crate::clock::Millis;
use crate::error::ApiError;
use crate::ids;
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

/// The user a live token of this kind stands for.
pub fn user_of(db: &Connection, token: &str, kind: &str) -> Result<Option<String>, ApiError> {
    Ok(db
        .prepare_cached("SELECT user_id FROM _session WHERE token = ?1 AND kind = ?2 AND revoked IS NULL")?
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
