//! Names that only one org of a world may have: usernames, consumer keys, My Domain names.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// A kind of name that is unique over all orgs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `User.Username`, in any case.
    Username,
    /// Consumer key of a connected app. A sandbox may have those of its production: copies are not claimed.
    ConsumerKey,
    /// `acme`, `acme--uat`.
    MyDomain,
}

/// Who has which name.
#[derive(Debug, Default)]
pub(super) struct Names(Mutex<HashMap<(Kind, String), String>>);

impl Names {
    /// The id of the org that has the name.
    pub(super) fn holder(&self, kind: Kind, name: &str) -> Option<String> {
        self.with(|all| all.get(&key(kind, name)).cloned())
    }

    /// Gives the name to an org; false when another has it.
    pub(super) fn claim(&self, kind: Kind, name: &str, org: &str) -> bool {
        self.with(|all| all.entry(key(kind, name)).or_insert_with(|| org.to_owned()) == org)
    }

    /// Takes the name from an org.
    pub(super) fn release(&self, kind: Kind, name: &str, org: &str) {
        self.with(|all| {
            let key = key(kind, name);
            if all.get(&key).is_some_and(|holder| holder == org) {
                all.remove(&key);
            }
        });
    }

    /// Takes all names from an org.
    pub(super) fn release_all(&self, org: &str) {
        self.with(|all| all.retain(|_, holder| holder != org));
    }

    fn with<T>(&self, work: impl FnOnce(&mut HashMap<(Kind, String), String>) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn key(kind: Kind, name: &str) -> (Kind, String) {
    match kind {
        Kind::ConsumerKey => (kind, name.to_owned()),
        Kind::Username | Kind::MyDomain => (kind, name.to_lowercase()),
    }
}
