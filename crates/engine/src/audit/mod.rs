//! The audit chain outside of the database: signed checkpoints on the remote, and checks against them.

mod reference;
mod sign;

use serde::Serialize;
use syncline_domain::audit::{Checkpoint, Report, Verifier};
use syncline_store::{Store, StoreError};

pub use reference::{FILE, REF, ReferenceError, publish, read};
pub use sign::{SignError, checkpoint, sign};
pub use syncline_domain::audit::Entry;

/// Entries that are read at once.
pub const PAGE: u32 = 5_000;

/// What a check of the whole chain found.
#[derive(Debug, Serialize)]
pub struct Verified {
    /// The chain against all checkpoints.
    #[serde(flatten)]
    pub report: Report,
    /// Keys that signed checkpoints in the database and none of the reference: the chain may have been signed anew.
    pub foreign_keys: Vec<String>,
    /// Whether there was a reference from outside of the database. Without one a chain that was written anew as a whole cannot
    /// be told from a right one.
    pub against_reference: bool,
}

impl Verified {
    /// Whether nothing is wrong.
    pub fn is_whole(&self) -> bool {
        self.report.is_whole() && self.foreign_keys.is_empty()
    }
}

/// Reads the whole chain page by page, and checks it against the checkpoints of the database and those of a reference.
pub async fn verify(store: &Store, reference: Option<&[Checkpoint]>) -> Result<Verified, StoreError> {
    let mut checkpoints = store.checkpoints().await?;
    let mut foreign_keys = Vec::new();
    if let Some(reference) = reference {
        let known = |key: &String| reference.iter().any(|one| one.key == *key);
        foreign_keys = checkpoints
            .iter()
            .map(|one| one.key.clone())
            .filter(|key| !known(key))
            .collect();
        foreign_keys.sort_unstable();
        foreign_keys.dedup();
        checkpoints.extend(reference.iter().cloned());
    }
    let mut verifier = Verifier::new(&checkpoints, sign::is_signed);
    let mut after = 0;
    loop {
        let page = store.audit_entries(after, PAGE).await?;
        page.iter().for_each(|entry| verifier.entry(entry));
        match page.last() {
            // A number that does not rise would be read for ever.
            Some(last) if last.seq > after => after = last.seq,
            _ => break,
        }
    }
    Ok(Verified {
        report: verifier.finish(),
        foreign_keys,
        against_reference: reference.is_some(),
    })
}
