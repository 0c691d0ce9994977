//! Objects by id: blobs read and written, kinds and sizes checked.

use git2::{ErrorCode, ObjectType, Odb};

use crate::{Oid, Repository, TreePath};

/// An object cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum ObjectError {
    /// The object is not in the repository.
    #[error("object {oid} is missing from the repository{}", hint(*.shallow))]
    Missing {
        /// Its id.
        oid: Oid,
        /// The clone is shallow, which may be the reason.
        shallow: bool,
    },
    /// The object is of another kind.
    #[error("object {oid} is a {found}, not a {expected}")]
    WrongKind {
        /// Its id.
        oid: Oid,
        /// What the caller needs.
        expected: &'static str,
        /// What it is.
        found: &'static str,
    },
    /// The object is larger than the caller allows.
    #[error("object {oid} has {size} bytes, more than the {limit} allowed")]
    TooLarge {
        /// Its id.
        oid: Oid,
        /// Its size in bytes.
        size: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// A tree does not follow git's format, or holds names that git refuses to check out.
    #[error("tree {oid} is damaged: {reason}; run `git fsck`")]
    BadTree {
        /// Its id.
        oid: Oid,
        /// What is wrong.
        reason: String,
    },
    /// Directories are nested deeper than any sane repository does.
    #[error("directory {path} is nested deeper than {limit} levels")]
    TooDeep {
        /// The directory.
        path: TreePath,
        /// The limit in levels.
        limit: usize,
    },
    /// There is no file at the path.
    #[error("there is no file {path} in tree {tree}")]
    NoFile {
        /// The tree.
        tree: Oid,
        /// The path that was asked for.
        path: TreePath,
    },
    /// The object database cannot be opened.
    #[error("the object database cannot be opened")]
    Open(#[source] git2::Error),
    /// Reading failed.
    #[error("object {oid} cannot be read")]
    Read {
        /// Its id.
        oid: Oid,
        /// The reason.
        source: git2::Error,
    },
    /// Writing failed.
    #[error("a {kind} of {size} bytes cannot be written")]
    Write {
        /// What it is.
        kind: &'static str,
        /// Its size in bytes.
        size: usize,
        /// The reason.
        source: git2::Error,
    },
    /// The pack with the objects of a batch cannot be written.
    #[error("a pack with {count} new objects cannot be written")]
    Pack {
        /// How many objects it would hold.
        count: u32,
        /// The reason.
        source: std::io::Error,
    },
}

fn hint(shallow: bool) -> &'static str {
    match shallow {
        true => "; the clone is shallow: run `git fetch --unshallow`",
        false => "; fetch it, or run `git fsck`",
    }
}

impl Repository {
    /// The size of a blob in bytes, without reading it.
    pub fn blob_size(&self, oid: Oid) -> Result<usize, ObjectError> {
        let (size, kind) = self
            .odb()?
            .read_header(oid.to_git2())
            .map_err(|source| self.read_error(oid, source))?;
        check_kind(oid, ObjectType::Blob, kind)?;
        Ok(size)
    }

    /// The bytes of a blob.
    pub fn read_blob(&self, oid: Oid) -> Result<Vec<u8>, ObjectError> {
        self.read_object(oid, ObjectType::Blob)
    }

    /// The bytes of a blob of at most `limit` bytes; a larger one is refused before it is read.
    pub fn read_blob_within(&self, oid: Oid, limit: usize) -> Result<Vec<u8>, ObjectError> {
        let size = self.blob_size(oid)?;
        match size <= limit {
            true => self.read_blob(oid),
            false => Err(ObjectError::TooLarge { oid, size, limit }),
        }
    }

    /// Writes a blob: as a file of its own, or to the pack of a [`Repository::batch`]. One that exists already is not
    /// written again.
    pub fn write_blob(&self, bytes: &[u8]) -> Result<Oid, ObjectError> {
        self.write_object(ObjectType::Blob, bytes)
    }

    /// Is the object here?
    pub fn has_object(&self, oid: Oid) -> Result<bool, ObjectError> {
        Ok(oid == Oid::EMPTY_TREE || self.odb()?.exists(oid.to_git2()))
    }

    pub(crate) fn odb(&self) -> Result<Odb<'_>, ObjectError> {
        self.inner.odb().map_err(ObjectError::Open)
    }

    pub(crate) fn read_object(&self, oid: Oid, kind: ObjectType) -> Result<Vec<u8>, ObjectError> {
        let odb = self.odb()?;
        let object = odb.read(oid.to_git2()).map_err(|source| self.read_error(oid, source))?;
        check_kind(oid, kind, object.kind())?;
        Ok(object.data().to_vec())
    }

    pub(crate) fn write_object(&self, kind: ObjectType, bytes: &[u8]) -> Result<Oid, ObjectError> {
        let error = |source| ObjectError::Write {
            kind: kind.str(),
            size: bytes.len(),
            source,
        };
        if let Some(batch) = &self.batch {
            return self.write_to_batch(batch, kind, bytes);
        }
        let id = self.odb()?.write(kind, bytes).map_err(error)?;
        Ok(Oid::from_git2(id))
    }

    pub(crate) fn read_error(&self, oid: Oid, source: git2::Error) -> ObjectError {
        match source.code() {
            ErrorCode::NotFound => ObjectError::Missing {
                oid,
                shallow: self.is_shallow(),
            },
            _ => ObjectError::Read { oid, source },
        }
    }
}

fn check_kind(oid: Oid, expected: ObjectType, found: ObjectType) -> Result<(), ObjectError> {
    match expected == found {
        true => Ok(()),
        false => Err(ObjectError::WrongKind {
            oid,
            expected: expected.str(),
            found: found.str(),
        }),
    }
}
