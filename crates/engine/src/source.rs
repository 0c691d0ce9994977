//! A state of metadata to compare: a revision of a repository or a folder.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use syncline_git::{ObjectError, Oid, OpenError, Repository, ResolveError};

use crate::config::Config;
use crate::environment::{self, EnvironmentError};

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
    /// The name means several states.
    #[error("`{name}` may be {}; write one of them", .candidates.join(" or "))]
    Ambiguous {
        /// The name.
        name: String,
        /// The states, each as it is written.
        candidates: Vec<String>,
    },
    /// An environment is unknown, or has no branch or org.
    #[error("cannot compare `{name}`")]
    Environment {
        /// The name.
        name: String,
        /// Why.
        #[source]
        source: Box<EnvironmentError>,
    },
    /// No snapshot has that name.
    #[error("there is no snapshot of `{name}`")]
    NoSnapshot {
        /// The name.
        name: String,
    },
    /// No login or environment has that name.
    #[error("`org:{name}` is neither a login nor an environment with an org")]
    NoOrg {
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

/// A state by its name: one that can be read, or an org that has to be retrieved first.
#[derive(Clone, Debug)]
pub enum Named {
    /// It can be read.
    Source(Source),
    /// The org of a login of that name.
    Org(String),
}

/// Where names of states are looked up.
pub struct Names<'a> {
    /// The repository, if there is one.
    pub repository: Option<&'a Repository>,
    /// Its configuration.
    pub config: &'a Config,
    /// The folder that paths start at.
    pub folder: &'a Path,
    /// The names of the kept logins.
    pub logins: &'a [String],
}

/// The kinds of states: what stands before the colon, in the order in which candidates are told.
const KINDS: [&str; 5] = ["env", "git", "snapshot", "org", "dir"];

impl Names<'_> {
    /// Finds the state of a name: `env:NAME` (the branch of an environment), `org:NAME` (an org as it is now, by its login or its
    /// environment), `snapshot:NAME` (an org as it was last seen), `git:REVISION`, `dir:FOLDER`, or a bare name that is only one of
    /// them. An environment and a revision with the same content are one.
    pub fn find(&self, name: &str) -> Result<Named, SourceError> {
        if let Some((kind, rest)) = name.split_once(':')
            && KINDS.contains(&kind)
        {
            return self.of_kind(kind, rest);
        }
        let mut found: Vec<(&str, Named)> = Vec::new();
        let mut reason = None;
        for kind in KINDS {
            match self.of_kind(kind, name) {
                Ok(Named::Source(Source::Git { tree, .. }))
                    if kind == "git" && found.iter().any(|(_, known)| known.tree() == Some(tree)) => {}
                Ok(state) => found.push((kind, state)),
                Err(error) if kind == "git" => reason = Some(error),
                Err(_) => {}
            }
        }
        if found.len() > 1 {
            return Err(SourceError::Ambiguous {
                name: name.to_owned(),
                candidates: found.iter().map(|(kind, _)| format!("`{kind}:{name}`")).collect(),
            });
        }
        match (found.pop(), reason) {
            (Some((_, state)), _) => Ok(state),
            (None, reason) => Err(SourceError::Unknown {
                name: name.to_owned(),
                source: match reason {
                    Some(SourceError::Revision { source, .. }) => source,
                    Some(SourceError::NoRepository { source, .. }) => source,
                    Some(other) => Box::new(other),
                    None => Box::new(SourceError::NoOrg { name: name.to_owned() }),
                },
            }),
        }
    }

    fn of_kind(&self, kind: &str, name: &str) -> Result<Named, SourceError> {
        let source = match kind {
            "env" => self.environment(name)?,
            "org" => return self.org(name).map(Named::Org),
            "snapshot" => {
                let revision = format!("refs/syncline/snapshot/{name}");
                match Source::revision(&revision, self.repository, self.folder) {
                    Err(SourceError::Revision { .. }) => Err(SourceError::NoSnapshot { name: name.to_owned() }),
                    found => found,
                }?
            }
            "dir" => Source::folder(&self.folder.join(name))?,
            _ => Source::revision(name, self.repository, self.folder)?,
        };
        Ok(Named::Source(source))
    }

    fn environment(&self, name: &str) -> Result<Source, SourceError> {
        let failed = |source: EnvironmentError| SourceError::Environment {
            name: format!("env:{name}"),
            source: Box::new(source),
        };
        let environment = environment::find(self.config, name).map_err(failed)?;
        let Some(repository) = self.repository else {
            return Source::revision(&environment.branch, None, self.folder);
        };
        let tip = environment::tip_of(repository, environment).map_err(failed)?;
        Ok(Source::Git {
            revision: format!("env:{name}"),
            tree: repository.commit_tree(tip)?,
        })
    }

    fn org(&self, name: &str) -> Result<String, SourceError> {
        if self.logins.iter().any(|login| login == name) {
            return Ok(name.to_owned());
        }
        let org = self
            .config
            .environment(name)
            .and_then(|environment| environment.org.clone());
        org.ok_or_else(|| SourceError::NoOrg { name: name.to_owned() })
    }
}

impl Named {
    fn tree(&self) -> Option<Oid> {
        match self {
            Self::Source(Source::Git { tree, .. }) => Some(*tree),
            _ => None,
        }
    }
}

impl Source {
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
