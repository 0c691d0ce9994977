//! Refs: read, listed, and moved only from the value the caller saw.

use std::fmt;
use std::fs;
use std::str::FromStr;
use std::thread;
use std::time::Duration;

use git2::{ErrorCode, ObjectType};

use crate::{ObjectError, Oid, Repository};

/// The full name of a ref: begins with `refs/` and follows `git check-ref-format`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RefName(String);

/// A ref and its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// Its name.
    pub name: RefName,
    /// The object it names: of an annotated tag, the tag.
    pub oid: Oid,
}

/// One ref moved from a known value to a new one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefEdit {
    /// The ref.
    pub name: RefName,
    /// The value it must have now; `None`: it must not exist.
    pub expected: Option<Oid>,
    /// The value to be; `None` deletes it.
    pub new: Option<Oid>,
}

/// A ref cannot be read or moved.
#[derive(Debug, thiserror::Error)]
pub enum RefError {
    /// The text is no ref name.
    #[error("`{name}` is not a valid ref name; it must look like `refs/heads/NAME`")]
    BadName {
        /// The text.
        name: String,
    },
    /// The ref has another value than the caller saw: somebody moved it meanwhile.
    #[error("{name} was expected {} but {}; look at the new state and try again", at(.expected), at(.found))]
    Moved {
        /// The ref.
        name: RefName,
        /// What the caller saw.
        expected: Option<Oid>,
        /// What is there.
        found: Option<Oid>,
    },
    /// Another process holds its lock.
    #[error("{name} is locked by another process; if none is running remove its `.lock` file")]
    Locked {
        /// The ref.
        name: RefName,
    },
    /// It points to another ref.
    #[error("{name} points to another ref and is not moved directly")]
    Symbolic {
        /// The ref.
        name: RefName,
    },
    /// Another ref stands in the way: `a` and `a/b` cannot both exist.
    #[error("{name} cannot exist beside {other}")]
    InTheWay {
        /// The ref.
        name: RefName,
        /// The other one.
        other: String,
    },
    /// A ref is named twice in one transaction.
    #[error("{name} is edited twice at once")]
    Twice {
        /// The ref.
        name: RefName,
    },
    /// A branch can only name a commit.
    #[error("{name} cannot be set to {oid}: not a commit of this repository")]
    NotACommit {
        /// The branch.
        name: RefName,
        /// The object.
        oid: Oid,
    },
    /// The new value cannot be read.
    #[error(transparent)]
    Object(#[from] ObjectError),
    /// Reading failed.
    #[error("ref {name} cannot be read")]
    Read {
        /// The ref.
        name: String,
        /// The reason.
        source: git2::Error,
    },
    /// Writing failed. With several refs some may have moved: git has no atomic way for loose refs.
    #[error("the refs cannot be written")]
    Write(#[source] git2::Error),
}

impl RefName {
    /// `refs/heads/<name>`.
    pub fn branch(name: &str) -> Result<Self, RefError> {
        format!("refs/heads/{name}").parse()
    }

    /// The full name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name without `refs/heads/`, if it is a branch.
    pub fn as_branch(&self) -> Option<&str> {
        self.0.strip_prefix("refs/heads/")
    }
}

impl Repository {
    /// The object a ref names, through symbolic refs; `None` when there is no such ref.
    pub fn read_ref(&self, name: &RefName) -> Result<Option<Oid>, RefError> {
        let error = |source| RefError::Read {
            name: name.0.clone(),
            source,
        };
        match self
            .inner
            .find_reference(&name.0)
            .and_then(|reference| reference.resolve())
        {
            Ok(reference) => Ok(reference.target().map(Oid::from_git2)),
            Err(reason) if reason.code() == ErrorCode::NotFound => Ok(None),
            Err(reason) => Err(error(reason)),
        }
    }

    /// All refs whose full name begins with `prefix` (all with ""), ordered by name. Symbolic refs are followed; those
    /// that lead nowhere are left out, as are names that are not UTF-8.
    pub fn refs(&self, prefix: &str) -> Result<Vec<Reference>, RefError> {
        let error = |source| RefError::Read {
            name: prefix.to_owned(),
            source,
        };
        let mut refs = Vec::new();
        for reference in self.inner.references().map_err(error)? {
            let reference = reference.map_err(error)?;
            let Ok(name) = reference.name() else { continue };
            if !name.starts_with(prefix) {
                continue;
            }
            let name = RefName(name.to_owned());
            match reference.resolve() {
                Ok(end) => refs.extend(end.target().map(|id| Reference {
                    name,
                    oid: Oid::from_git2(id),
                })),
                Err(reason) if reason.code() == ErrorCode::NotFound => {}
                Err(reason) => return Err(error(reason)),
            }
        }
        refs.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        Ok(refs)
    }

    /// Moves one ref. See [`Self::update_refs`].
    pub fn update_ref(
        &self,
        name: &RefName,
        new: Option<Oid>,
        expected: Option<Oid>,
        message: &str,
    ) -> Result<(), RefError> {
        self.update_refs(
            &[RefEdit {
                name: name.clone(),
                expected,
                new,
            }],
            message,
        )
    }

    /// Moves several refs, all or none: every ref is locked, then every value verified, then all are written. Objects of
    /// a batch are brought to disk before. `message` goes to the reflogs.
    pub fn update_refs(&self, edits: &[RefEdit], message: &str) -> Result<(), RefError> {
        let mut edits: Vec<&RefEdit> = edits.iter().collect();
        edits.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        if let Some(pair) = edits.windows(2).find(|pair| pair[0].name == pair[1].name) {
            return Err(RefError::Twice {
                name: pair[0].name.clone(),
            });
        }
        self.flush()?;
        for edit in &edits {
            self.check_target(edit)?;
        }
        let mut transaction = self.inner.transaction().map_err(RefError::Write)?;
        for edit in &edits {
            self.lock(&mut transaction, &edit.name, &edits)?;
        }
        for edit in &edits {
            self.verify(edit, &edits)?;
        }
        for edit in &edits {
            match edit.new {
                Some(oid) => transaction.set_target(&edit.name.0, oid.to_git2(), None, message),
                None if edit.expected.is_some() => transaction.remove(&edit.name.0),
                None => Ok(()),
            }
            .map_err(RefError::Write)?;
        }
        transaction.commit().map_err(RefError::Write)
    }

    fn check_target(&self, edit: &RefEdit) -> Result<(), RefError> {
        let Some(oid) = edit.new else { return Ok(()) };
        let error = || RefError::NotACommit {
            name: edit.name.clone(),
            oid,
        };
        let kind = match self.odb()?.read_header(oid.to_git2()) {
            Ok((_, kind)) => kind,
            Err(reason) if reason.code() == ErrorCode::NotFound => return Err(error()),
            Err(source) => return Err(ObjectError::Read { oid, source }.into()),
        };
        match edit.name.as_branch().is_none() || kind == ObjectType::Commit {
            true => Ok(()),
            false => Err(error()),
        }
    }

    /// Under the locks: is the value the expected one, and is there room for a new name?
    fn verify(&self, edit: &RefEdit, edits: &[&RefEdit]) -> Result<(), RefError> {
        let name = &edit.name;
        let found = match self.inner.find_reference(&name.0) {
            Ok(reference) if reference.target().is_none() => return Err(RefError::Symbolic { name: name.clone() }),
            Ok(reference) => reference.target().map(Oid::from_git2),
            Err(reason) if reason.code() == ErrorCode::NotFound => None,
            Err(source) => {
                return Err(RefError::Read {
                    name: name.0.clone(),
                    source,
                });
            }
        };
        if found != edit.expected {
            return Err(RefError::Moved {
                name: name.clone(),
                expected: edit.expected,
                found,
            });
        }
        if found.is_some() || edit.new.is_none() {
            return Ok(());
        }
        match self.blocker(name, edits)? {
            Some(other) => Err(RefError::InTheWay {
                name: name.clone(),
                other,
            }),
            None => Ok(()),
        }
    }

    /// A ref, there or about to be, whose name is a folder of this name or the other way round.
    fn blocker(&self, name: &RefName, edits: &[&RefEdit]) -> Result<Option<String>, RefError> {
        let is_above = |upper: &str, lower: &str| lower.strip_prefix(upper).is_some_and(|rest| rest.starts_with('/'));
        let created = edits
            .iter()
            .filter(|edit| edit.new.is_some())
            .map(|edit| edit.name.0.clone());
        let mut all = self.refs("")?.into_iter().map(|other| other.name.0).chain(created);
        Ok(all.find(|other| is_above(other, &name.0) || is_above(&name.0, other)))
    }

    fn lock(
        &self,
        transaction: &mut git2::Transaction<'_>,
        name: &RefName,
        edits: &[&RefEdit],
    ) -> Result<(), RefError> {
        let mut attempt = 1;
        loop {
            match transaction.lock_ref(&name.0) {
                Ok(()) => return Ok(()),
                Err(reason) if reason.code() == ErrorCode::Locked && attempt < LOCK_ATTEMPTS => {
                    attempt += 1;
                    thread::sleep(LOCK_PAUSE);
                }
                Err(reason) if reason.code() == ErrorCode::Locked && self.break_lock(name) => {}
                Err(reason) if reason.code() == ErrorCode::Locked => {
                    return Err(RefError::Locked { name: name.clone() });
                }
                Err(reason) => {
                    return Err(match self.blocker(name, edits)? {
                        Some(other) => RefError::InTheWay {
                            name: name.clone(),
                            other,
                        },
                        None => RefError::Write(reason),
                    });
                }
            }
        }
    }
}

impl Repository {
    /// Removes the lock of a ref that a killed process has left behind; whether there was one.
    fn break_lock(&self, name: &RefName) -> bool {
        let file = self.common_dir().join(format!("{}.lock", name.0));
        let written = fs::metadata(&file).and_then(|found| found.modified());
        let age = written.ok().and_then(|written| written.elapsed().ok());
        let ours = name.0.starts_with("refs/syncline/");
        let left = if ours { LEFT_BEHIND } else { LEFT_BEHIND_BY_GIT };
        age.is_some_and(|age| age > left) && fs::remove_file(&file).is_ok()
    }
}

/// A lock of a ref that only we write is held for milliseconds. One that is so old belongs to nobody.
const LEFT_BEHIND: Duration = Duration::from_secs(10);
/// A lock of another ref may be git's, which runs hooks while it holds it.
const LEFT_BEHIND_BY_GIT: Duration = Duration::from_secs(120);

/// Git waits 100 ms for the lock of a ref (`core.filesRefLockTimeout`); so do we.
const LOCK_ATTEMPTS: u32 = 20;
const LOCK_PAUSE: Duration = Duration::from_millis(5);

fn at(value: &Option<Oid>) -> String {
    value.map_or_else(|| "not to exist".to_owned(), |oid| format!("to be at {oid}"))
}

impl FromStr for RefName {
    type Err = RefError;

    fn from_str(name: &str) -> Result<Self, RefError> {
        let hidden = name.split('/').any(|part| part.starts_with('-'));
        match name.starts_with("refs/") && !hidden && git2::Reference::is_valid_name(name) {
            true => Ok(Self(name.to_owned())),
            false => Err(RefError::BadName { name: name.to_owned() }),
        }
    }
}

impl fmt::Display for RefName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for RefName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
