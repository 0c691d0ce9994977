//! Finds a world again that ran before in the same folder.

use super::World;
use super::register::{Entry, Register};
use crate::clock::Clock;
use crate::config::{Config, ConfigError};
use crate::error::ApiError;
use crate::org::{Org, Origin};
use crate::server::Tls;
use crate::switches::Switches;
use std::path::Path;
use std::sync::Arc;

/// A world that cannot be made or found again.
#[derive(Debug, thiserror::Error)]
pub enum WorldError {
    /// The configuration is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The folder cannot be used.
    #[error("cannot use the world in {folder}: {source}")]
    Folder {
        /// The folder; `memory` when there is none.
        folder: String,
        /// Why.
        source: ApiError,
    },
    /// The folder belongs to another world.
    #[error("{folder} holds a world with seed {kept}, not {asked}; give that seed or another folder")]
    Seed {
        /// The folder.
        folder: String,
        /// Seed of the world in it.
        kept: String,
        /// Seed of the configuration.
        asked: u64,
    },
}

fn failed(folder: Option<&Path>, source: ApiError) -> WorldError {
    WorldError::Folder {
        folder: name(folder),
        source,
    }
}

fn name(folder: Option<&Path>) -> String {
    folder.map_or_else(|| "memory".to_owned(), |folder| folder.display().to_string())
}

/// Opens the register of a folder and compares the seed.
pub(super) fn open(config: &Config, folder: Option<&Path>) -> Result<Register, WorldError> {
    if let Some(folder) = folder {
        std::fs::create_dir_all(folder).map_err(|error| {
            failed(
                Some(folder),
                ApiError::new("UNKNOWN_EXCEPTION", format!("cannot make it: {error}")),
            )
        })?;
    }
    let register = Register::open(folder).map_err(|error| failed(folder, error))?;
    match register.get("seed").map_err(|error| failed(folder, error))? {
        Some(kept) if kept != config.seed.to_string() => Err(WorldError::Seed {
            folder: name(folder),
            kept,
            asked: config.seed,
        }),
        Some(_) => Ok(register),
        None => {
            register
                .set("seed", &config.seed.to_string())
                .map_err(|error| failed(folder, error))?;
            Ok(register)
        }
    }
}

/// TLS, if the configuration asks for it.
pub(super) fn tls(config: &Config, folder: Option<&Path>) -> Result<Option<Tls>, WorldError> {
    config
        .tls
        .then(|| crate::server::open_tls(folder))
        .transpose()
        .map_err(|problem| failed(folder, ApiError::new("UNKNOWN_EXCEPTION", problem)))
}

/// The clock, where it would stand had the world run on.
pub(super) fn clock(config: &Config, register: &Register) -> Result<Clock, WorldError> {
    let pace = config.pace()?;
    let kept = register.get("clock").map_err(|error| failed(None, error))?;
    let start = kept.and_then(|text| Clock::resume(pace, &text));
    Ok(Clock::new(pace, start.or(config.start)))
}

/// The switches: those that were set at run time, or those of the configuration.
pub(super) fn switches(config: &Config, register: &Register) -> Result<Switches, WorldError> {
    let kept = register.get("switches").map_err(|error| failed(None, error))?;
    Ok(kept
        .and_then(|text| serde_json::from_str(&text).ok())
        .unwrap_or_else(|| config.switches.clone()))
}

impl World {
    /// The orgs that an earlier run of this world left.
    pub(crate) fn kept_orgs(&self) -> Result<Vec<Entry>, ApiError> {
        Ok(self
            .register
            .entries()?
            .into_iter()
            .filter(|entry| entry.live)
            .collect())
    }

    /// Whether all orgs of the configuration were made. From then on the world has the orgs it has.
    pub(crate) fn is_made(&self) -> Result<bool, ApiError> {
        Ok(self.register.get("made")?.is_some())
    }

    /// Notes that all orgs of the configuration were made.
    pub(crate) fn set_made(&self) -> Result<(), ApiError> {
        self.register.set("made", "1")
    }

    /// Opens an org of an earlier run.
    pub(crate) fn reopen(&self, entry: &Entry, origin: Origin) -> Result<Arc<Org>, ApiError> {
        let file = self.file_of(&entry.id);
        let org = Org::open(
            entry.id.clone(),
            &entry.name,
            entry.kind.clone(),
            entry.pod,
            origin,
            file.as_deref(),
        )?;
        let org = Arc::new(org);
        self.take_in(&org, None)?;
        Ok(org)
    }
}
