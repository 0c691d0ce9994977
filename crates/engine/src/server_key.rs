//! Where the server key comes from, and how it is replaced.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use syncline_domain::policy::{Action, Actor};
use syncline_domain::time::Millis;
use syncline_git::Repository;
use syncline_store::seal::{SealError, ServerKey};
use syncline_store::{Store, StoreError};

use crate::operation::database;
use crate::permission::{Refusal, ask};

/// Where the server key is.
#[derive(Debug, Clone)]
pub enum KeyPlace {
    /// Given from outside.
    Given(ServerKey),
    /// A file that is made when it is needed first.
    File(PathBuf),
}

/// The variable that holds the key.
pub const VARIABLE: &str = "SYNCLINE_SERVER_KEY";

/// Where the server key is: in [`VARIABLE`], else in a file beside the database.
pub fn place(store: &Store, repository: &Repository) -> Result<KeyPlace, KeyError> {
    if let Some(key) = given(VARIABLE)? {
        return Ok(KeyPlace::Given(key));
    }
    let file = store.file().map_or_else(|| database(repository), PathBuf::from);
    Ok(KeyPlace::File(file.with_file_name("server.key")))
}

/// The key that a variable holds.
pub fn given(name: &str) -> Result<Option<ServerKey>, KeyError> {
    let text = std::env::var(name).ok().filter(|text| !text.is_empty());
    Ok(text.map(|text| ServerKey::parse(&text, name)).transpose()?)
}

/// Why the server key cannot be used or replaced.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The policy does not allow it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The key, or what was sealed with it.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The database refuses.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The file is gone, but there are secrets.
    #[error("the server key {} is missing, and secrets were sealed with the key {id}", .path.display())]
    Lost {
        /// Where it should be.
        path: PathBuf,
        /// The id of the key.
        id: String,
    },
    /// A file cannot be moved or removed.
    #[error("could not replace the server key {}", .path.display())]
    Replace {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A key that was given from outside is replaced from outside.
    #[error("the server key comes from outside, so the new one has to be given too")]
    NoNewKey,
}

/// The server key. A new one is made where nothing was sealed yet.
pub async fn load(store: &Store, place: &KeyPlace) -> Result<ServerKey, KeyError> {
    let path = match place {
        KeyPlace::Given(key) => return Ok(key.clone()),
        KeyPlace::File(path) => path,
    };
    finish_rotation(store, path).await?;
    if let Some(key) = ServerKey::read(path)? {
        return Ok(key);
    }
    if let Some(id) = store.key_ids().await?.into_iter().next() {
        let path = path.clone();
        return Err(KeyError::Lost { path, id });
    }
    let key = ServerKey::generate()?;
    match key.write_new(path) {
        Ok(()) => Ok(key),
        // Another process was faster.
        Err(error) => Ok(ServerKey::read(path)?.ok_or(error)?),
    }
}

/// Seals all secrets with a new key: the given one, or one that replaces the file. The old and new ids, and how many secrets.
pub async fn rotate(
    store: &Store,
    place: &KeyPlace,
    given: Option<ServerKey>,
    actor: &Actor,
    now: Millis,
) -> Result<(String, String, usize), KeyError> {
    ask(actor, Action::RotateKey, None)?;
    let old = load(store, place).await?;
    let (new, path) = match (place, given) {
        (KeyPlace::Given(_), None) => return Err(KeyError::NoNewKey),
        (KeyPlace::Given(_), Some(new)) => (new, None),
        (KeyPlace::File(path), given) => {
            let new = given.map_or_else(ServerKey::generate, Ok)?;
            // It lies beside the old one before anything is sealed with it: a crash loses neither.
            new.write_new(&next(path))?;
            (new, Some(path))
        }
    };
    let sealed = store.rotate_key(&old, &new, &actor.name, now).await;
    if let Some(path) = path {
        settle(path, sealed.is_ok())?;
    }
    Ok((old.id().to_owned(), new.id().to_owned(), sealed?))
}

/// Where a new key waits until all secrets are sealed with it.
fn next(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    name.into()
}

/// A rotation that was interrupted is completed or undone, as far as the database went.
async fn finish_rotation(store: &Store, path: &Path) -> Result<(), KeyError> {
    match ServerKey::read(&next(path))? {
        Some(new) => {
            let done = store.key_ids().await?.iter().any(|id| id == new.id());
            settle(path, done)
        }
        None => Ok(()),
    }
}

fn settle(path: &Path, done: bool) -> Result<(), KeyError> {
    let new = next(path);
    let settled = match done {
        true => fs::rename(&new, path),
        false => fs::remove_file(&new),
    };
    settled.map_err(|source| KeyError::Replace {
        path: path.to_owned(),
        source,
    })
}
