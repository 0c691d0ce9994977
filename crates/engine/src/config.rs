//! `syncline.toml` of a repository.

use std::io;
use std::path::PathBuf;

pub use syncline_domain::config::{Config, ConfigError, Environment, FILE, Kind, Licence, Tier};
use syncline_git::{Head, ObjectError, RefError, Repository, TreePath};

/// The configuration of a repository cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ReadConfigError {
    /// The file is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The file cannot be read.
    #[error("{} cannot be read", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// The file is not UTF-8.
    #[error("{FILE} is not UTF-8; save it as UTF-8")]
    NotUtf8,
    /// HEAD cannot be read.
    #[error(transparent)]
    Ref(#[from] RefError),
    /// The committed file cannot be read.
    #[error(transparent)]
    Object(#[from] ObjectError),
}

/// The configuration of a repository: the file of the working tree, else that of HEAD, else none.
pub fn read(repository: &Repository) -> Result<Config, ReadConfigError> {
    match read_text(repository)? {
        Some(text) => Ok(Config::parse(&text)?),
        None => Ok(Config::default()),
    }
}

/// The text of the file of the working tree, else of that of HEAD.
pub fn read_text(repository: &Repository) -> Result<Option<String>, ReadConfigError> {
    if let Some(root) = repository.worktree() {
        let path = root.join(FILE);
        return match std::fs::read(&path) {
            Ok(bytes) => utf8(bytes).map(Some),
            Err(reason) if reason.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(ReadConfigError::Read { path, source }),
        };
    }
    let (Head::Branch { tip: Some(commit), .. } | Head::Detached(commit)) = repository.head()? else {
        return Ok(None);
    };
    let tree = repository.commit_tree(commit)?;
    match repository.entry_at(tree, &TreePath::from(FILE))? {
        Some(entry) => utf8(repository.read_blob(entry.oid)?).map(Some),
        None => Ok(None),
    }
}

fn utf8(bytes: Vec<u8>) -> Result<String, ReadConfigError> {
    String::from_utf8(bytes).map_err(|_| ReadConfigError::NotUtf8)
}
