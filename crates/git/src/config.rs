//! The repository's own configuration, and where its attributes are kept.

use std::path::PathBuf;

use git2::{Config, ConfigLevel, ErrorCode};

use crate::Repository;

/// The configuration cannot be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The repository's configuration cannot be opened.
    #[error("the configuration of the repository cannot be opened")]
    Open(#[source] git2::Error),
    /// A key cannot be read.
    #[error("the configuration key {key} cannot be read")]
    Read {
        /// The key, as in `merge.syncline.driver`.
        key: String,
        /// The reason.
        source: git2::Error,
    },
    /// A key cannot be written.
    #[error("the configuration key {key} cannot be written")]
    Write {
        /// The key.
        key: String,
        /// The reason.
        source: git2::Error,
    },
}

impl Repository {
    /// The file with this repository's own attributes. All worktrees share it. It need not exist, nor its folder.
    pub fn attributes_path(&self) -> PathBuf {
        self.common_dir().join("info").join("attributes")
    }

    /// The value of a key in the repository's own configuration (not the user's or the system's).
    pub fn local_config(&self, key: &str) -> Result<Option<String>, ConfigError> {
        read(&self.open_local()?, key)
    }

    /// The value of a key from all levels, as git would use it.
    pub fn config(&self, key: &str) -> Result<Option<String>, ConfigError> {
        read(&self.inner.config().map_err(ConfigError::Open)?, key)
    }

    /// Sets a key in the repository's own configuration.
    pub fn set_local_config(&self, key: &str, value: &str) -> Result<(), ConfigError> {
        let error = |source| ConfigError::Write {
            key: key.to_owned(),
            source,
        };
        self.open_local()?.set_str(key, value).map_err(error)
    }

    /// Removes a key from the repository's own configuration; `false` when it was not there. A section left empty
    /// stays, as with `git config --unset`.
    pub fn unset_local_config(&self, key: &str) -> Result<bool, ConfigError> {
        match self.open_local()?.remove(key) {
            Ok(()) => Ok(true),
            Err(reason) if reason.code() == ErrorCode::NotFound => Ok(false),
            Err(source) => Err(ConfigError::Write {
                key: key.to_owned(),
                source,
            }),
        }
    }

    fn open_local(&self) -> Result<Config, ConfigError> {
        let all = self.inner.config().map_err(ConfigError::Open)?;
        all.open_level(ConfigLevel::Local).map_err(ConfigError::Open)
    }
}

fn read(config: &Config, key: &str) -> Result<Option<String>, ConfigError> {
    let read = || config.get_entry(key).and_then(|entry| entry.value().map(str::to_owned));
    match read() {
        Ok(value) => Ok(Some(value)),
        Err(reason) if reason.code() == ErrorCode::NotFound => Ok(None),
        Err(source) => Err(ConfigError::Read {
            key: key.to_owned(),
            source,
        }),
    }
}
