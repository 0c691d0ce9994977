//! Usernames, which are unique over all orgs.

use crate::error::ApiError;
use rusqlite::Connection;
use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The usernames of every org, in lower case, by the org's id.
#[derive(Debug, Default)]
pub struct Usernames(Mutex<HashMap<String, HashSet<String>>>);

impl Usernames {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, HashSet<String>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a name for an org; false when another org has it. The org itself is not asked: its table is.
    pub fn claim(&self, org: &str, name: &str) -> bool {
        let name = name.to_lowercase();
        let mut all = self.lock();
        if all.iter().any(|(other, names)| other != org && names.contains(&name)) {
            return false;
        }
        all.entry(org.to_owned()).or_default().insert(name);
        true
    }

    /// Reads the names of an org again, after a transaction that wrote users and when an org is opened or copied.
    pub fn refresh(&self, org: &str, db: &Connection) -> Result<(), ApiError> {
        let names = db
            .prepare("SELECT lower(\"Username\") FROM \"User\"")?
            .query_map([], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        self.lock().insert(org.to_owned(), names);
        Ok(())
    }

    /// Forgets an org that is gone.
    pub fn forget(&self, org: &str) {
        self.lock().remove(org);
    }
}
