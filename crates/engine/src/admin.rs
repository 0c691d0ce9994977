//! Work on the whole database, and secrets.

use std::io::{BufRead, Write};
use std::path::Path;

use syncline_domain::policy::{Action, Actor};
use syncline_metadata::path::ElementPath;
use syncline_salesforce::Secret;
use syncline_store::{Store, StoreError};

use crate::org::vault::{Vault, VaultError};
use crate::permission::{Refusal, ask};

/// Work on the whole database failed.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// The policy does not allow it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The key.
    #[error(transparent)]
    Vault(#[from] VaultError),
}

/// Seals a value by hand, for the `secret` of an overlay at this place. It can be opened for the place only, with the same key.
pub fn seal(vault: &Vault, actor: &Actor, place: &ElementPath, value: &Secret<String>) -> Result<String, AdminError> {
    ask(actor, Action::ManageSecrets, None)?;
    Ok(vault.sealer()?.seal(&place.to_string(), value.expose()))
}

/// Writes all rows of one moment. The number of rows. `path` is for messages.
pub async fn backup(
    store: &Store,
    actor: &Actor,
    out: &mut (dyn Write + Send),
    path: &Path,
) -> Result<u64, AdminError> {
    ask(actor, Action::BackUp, None)?;
    Ok(store.backup(out, path).await?)
}

/// Fills an empty database from a backup. The number of rows. `path` is for messages.
pub async fn restore(
    store: &Store,
    actor: &Actor,
    lines: &mut (dyn BufRead + Send),
    path: &Path,
) -> Result<u64, AdminError> {
    ask(actor, Action::BackUp, None)?;
    Ok(store.restore(lines, path).await?)
}
