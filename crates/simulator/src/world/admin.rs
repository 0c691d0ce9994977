//! A session of an org's first administrator, for whoever starts the simulator.

use super::World;
use crate::error::ApiError;
use crate::org::{Org, sessions};

/// Who is logged in, and with what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Username of the user.
    pub username: String,
    /// An access token of that user; lives until it is revoked.
    pub access_token: String,
}

impl World {
    /// Logs the first administrator of an org in, without asking.
    pub fn admin_session(&self, org: &Org) -> Result<Session, ApiError> {
        let state = org.lock();
        let (id, username): (String, String) = state.db.query_row(
            "SELECT Id, Username FROM User WHERE Alias = 'admin' ORDER BY Id LIMIT 1",
            [],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        let access_token = sessions::grant_access(org, &state.db, self.config.seed, &id, None, self.clock.now())?;
        Ok(Session { username, access_token })
    }
}
