//! `syncline/scope.toml` of a repository: what is managed.

use sha2::{Digest, Sha256};
use syncline_domain::config::ConfigError;
use syncline_domain::scope::Scope;
use syncline_git::Repository;

use crate::config::{self, ReadConfigError};
use crate::wire::hex;

/// The file, from the root of the repository.
pub const FILE: &str = "syncline/scope.toml";

/// The scope cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ScopeError {
    /// The file is wrong.
    #[error(transparent)]
    Wrong(#[from] ConfigError),
    /// The file cannot be read.
    #[error(transparent)]
    Read(#[from] ReadConfigError),
}

/// What is managed, with the digest of the text that says so.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Managed {
    /// What is managed.
    pub scope: Scope,
    /// Two scopes of one digest manage the same.
    pub digest: String,
}

/// The scope of a repository: the file of the working tree, else that of HEAD, else everything.
pub fn read(repository: &Repository) -> Result<Managed, ScopeError> {
    let text = config::read_file(repository, FILE)?.unwrap_or_default();
    Ok(Managed {
        scope: Scope::parse(&text)?,
        digest: hex(&Sha256::digest(text.as_bytes())[..16]),
    })
}
