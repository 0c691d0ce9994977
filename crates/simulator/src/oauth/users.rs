//! Who may log in.

use crate::clock::Millis;
use crate::error::ApiError;
use crate::http::Call;
use rusqlite::{Connection, OptionalExtension, params};

/// Password of every user that was given none.
pub const PASSWORD: &str = "simulator1";

/// A user who may log in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// 18 characters.
    pub id: String,
    /// Username.
    pub username: String,
}

/// The condition on a row `u` of User that it may log in: active and not frozen.
pub(crate) const MAY_LOG_IN: &str =
    "u.IsActive = 1 AND NOT EXISTS (SELECT 1 FROM UserLogin l WHERE l.UserId = u.Id AND l.IsFrozen = 1)";

/// The user of that name, in any case, who may log in.
pub fn by_name(db: &Connection, username: &str) -> Result<Option<User>, ApiError> {
    one(db, "lower(u.Username) = lower(?1)", username)
}

/// The user of that id who may log in.
pub fn by_id(db: &Connection, id: &str) -> Result<Option<User>, ApiError> {
    one(db, "u.Id = ?1", id)
}

/// The first administrator who may log in.
pub fn first_admin(db: &Connection) -> Result<Option<User>, ApiError> {
    one(
        db,
        "u.ProfileId IN (SELECT p.Id FROM Profile p WHERE p.Name = ?1)",
        "System Administrator",
    )
}

/// The user of that name if the password is right. A security token may follow the password, and is not looked at.
pub fn by_password(call: &Call<'_>, username: &str, password: &str) -> Result<Option<User>, ApiError> {
    let Some(user) = by_name(call.db, username)? else {
        return Ok(None);
    };
    let kept: Option<String> = call
        .db
        .prepare_cached("SELECT password FROM _password WHERE user_id = ?1")?
        .query_row([&user.id], |row| row.get(0))
        .optional()?;
    Ok(password
        .starts_with(kept.as_deref().unwrap_or(PASSWORD))
        .then_some(user))
}

/// Gives a user a password.
pub fn set_password(db: &Connection, user_id: &str, password: &str) -> Result<(), ApiError> {
    db.execute(
        "INSERT INTO _password (user_id, password) VALUES (?1, ?2) ON CONFLICT (user_id) DO UPDATE SET password = excluded.password",
        [user_id, password],
    )?;
    Ok(())
}

/// Freezes a user or frees it.
pub fn freeze(db: &Connection, user_id: &str, frozen: bool, now: Millis) -> Result<(), ApiError> {
    db.execute(
        "UPDATE UserLogin SET IsFrozen = ?2, LastModifiedDate = ?3 WHERE UserId = ?1",
        params![user_id, frozen, now],
    )?;
    Ok(())
}

fn one(db: &Connection, condition: &str, value: &str) -> Result<Option<User>, ApiError> {
    Ok(db
        .prepare_cached(&format!(
            "SELECT u.Id, u.Username FROM User u WHERE {condition} AND {MAY_LOG_IN} ORDER BY u.Id LIMIT 1"
        ))?
        .query_row([value], |row| {
            Ok(User {
                id: row.get(0)?,
                username: row.get(1)?,
            })
        })
        .optional()?)
}
