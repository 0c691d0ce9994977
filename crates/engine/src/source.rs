//! A state of metadata to compare: a revision of a repository or a folder.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use syncline_git::{ObjectError, Oid, OpenError, Repository, ResolveError};

/// The largest file that is read, in bytes; the limit of an XML document.
pub const MAX_BYTES: usize = syncline_metadata::xml::MAX_BYTES;

/// A state that a person named.
#[derive(Clone, Debug)]
pub enum Source {
    /// The tree of a revision.
    Git {
        /// What the person wrote.
        revision: String,
        /// The tree.
        tree: Oid,
    },
    /// A folder.
    Dir(PathBuf),
}

/// A name that is no state.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// Neither a revision nor a folder.
    #[error("`{name}` is neither a revision of this repository nor a folder")]
    Unknown {
        /// The name.
        name: String,
        /// Why it is no revision.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Both a revision and a folder.
    #[error("`{name}` is a revision and a folder; write `git:{name}` or `dir:{name}`")]
    Ambiguous {
        /// The name.
        name: String,
    },
    /// The revision cannot be found.
    #[error("cannot compare `git:{name}`")]
    Revision {
        /// The revision.
        name: String,
        /// Why.
        #[source]
        source: Box<ResolveError>,
    },
    /// There is no repository here.
    #[error("cannot compare `git:{name}`")]
    NoRepository {
        /// The revision.
        name: String,
        /// Why.
        #[source]
        source: Box<OpenError>,
    },
    /// The folder does not exist or is a file.
    #[error("`{}` is not a folder", .path.display())]
    NotAFolder {
        /// The path.
        path: PathBuf,
    },
    /// A kind of state that this command cannot read.
    #[error("`{name}`: states of kind `{kind}:` cannot be compared here; write `git:REVISION` or `dir:FOLDER`")]
    Kind {
        /// The name.
        name: String,
        /// What stands before the colon.
        kind: &'static str,
    },
    /// A file cannot be read.
    #[error("cannot read {}", .path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A file's name is not UTF-8.
    #[error("the name of {} is not UTF-8; rename it", .path.display())]
    Name {
        /// The file.
        path: PathBuf,
    },
    /// A file is too large.
    #[error("{} has {bytes} bytes; at most {MAX_BYTES} are read", .path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its size.
        bytes: u64,
    },
    /// An object cannot be read.
    #[error("cannot read the repository")]
    Object(#[from] ObjectError),
}

impl Source {
    /// Finds the state of that name: `git:REV`, `dir:PATH`, `snapshot:ORG`, or a bare name that is only a revision or a folder. An
    /// org has to be retrieved first.
    pub fn find(name: &str, repository: Option<&Repository>, folder: &Path) -> Result<Self, SourceError> {
        for kind in ["env", "org"] {
            if name.strip_prefix(kind).is_some_and(|rest| rest.starts_with(':')) {
                return Err(SourceError::Kind {
                    name: name.to_owned(),
                    kind,
                });
            }
        }
        if let Some(org) = name.strip_prefix("snapshot:") {
            return Self::revision(&format!("refs/syncline/snapshot/{org}"), repository, folder);
        }
        if let Some(revision) = name.strip_prefix("git:") {
            return Self::revision(revision, repository, folder);
        }
        if let Some(path) = name.strip_prefix("dir:") {
            return Self::folder(&folder.join(path));
        }
        let path = folder.join(name);
        match (Self::revision(name, repository, folder), path.is_dir()) {
            (Ok(_), true) => Err(SourceError::Ambiguous { name: name.to_owned() }),
            (Ok(source), false) => Ok(source),
            (Err(_), true) => Self::folder(&path),
            (Err(error), false) => Err(SourceError::Unknown {
                name: name.to_owned(),
                source: match error {
                    SourceError::Revision { source, .. } => source,
                    SourceError::NoRepository { source, .. } => source,
                    other => Box::new(other),
                },
            }),
        }
    }

    fn revision(name: &str, repository: Option<&Repository>, folder: &Path) -> Result<Self, SourceError> {
        let Some(repository) = repository else {
            // Ask again for the reason; a repository that came to be meanwhile is read on the next call.
            return match Repository::discover(folder) {
                Err(source) => Err(SourceError::NoRepository {
                    name: name.to_owned(),
                    source: Box::new(source),
                }),
                Ok(repository) => Self::revision(name, Some(&repository), folder),
            };
        };
        match repository.resolve_tree(name) {
            Ok(tree) => Ok(Self::Git {
                revision: name.to_owned(),
                tree,
            }),
            Err(source) => Err(SourceError::Revision {
                name: name.to_owned(),
                source: Box::new(source),
            }),
        }
    }

    fn folder(path: &Path) -> Result<Self, SourceError> {
        if path.is_dir() {
            Ok(Self::Dir(path.to_owned()))
        } else {
            Err(SourceError::NotAFolder { path: path.to_owned() })
        }
    }
}

/// Files of a folder by path, with `/`. Folders that begin with a dot and `node_modules` are left out, and so are
/// links: what they point to may lie outside.
pub(crate) fn walk(root: &Path) -> Result<BTreeMap<String, u64>, SourceError> {
    let mut files = BTreeMap::new();
    let mut open = vec![root.to_owned()];
    while let Some(folder) = open.pop() {
        let failed = |source| SourceError::Io {
            path: folder.clone(),
            source,
        };
        for entry in fs::read_dir(&folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let path = entry.path();
            let kind = entry.file_type().map_err(failed)?;
            let name = entry.file_name();
            let Some(name) = name.to_str() else {
                return Err(SourceError::Name { path });
            };
            if kind.is_dir() {
                if !name.starts_with('.') && name != "node_modules" {
                    open.push(path);
                }
            } else if kind.is_file() {
                let size = entry.metadata().map_err(failed)?.len();
                let relative = path.strip_prefix(root).unwrap_or(&path);
                let Some(relative) = relative.to_str() else {
                    return Err(SourceError::Name { path });
                };
                files.insert(relative.replace(std::path::MAIN_SEPARATOR, "/"), size);
            }
        }
    }
    Ok(files)
}

/// Reads a file of a folder.
pub(crate) fn read_file(path: &Path) -> Result<Vec<u8>, SourceError> {
    let failed = |source| SourceError::Io {
        path: path.to_owned(),
        source,
    };
    let bytes = fs::metadata(path).map_err(failed)?.len();
    if bytes > MAX_BYTES as u64 {
        return Err(SourceError::TooLarge {
            path: path.to_owned(),
            bytes,
        });
    }
    fs::read(path).map_err(failed)
}
