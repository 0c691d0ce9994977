//! What stands at a path of a tree: an object id and a mode.

use crate::Oid;

/// The mode of a file in a tree. Directories have none: they exist through their files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mode {
    /// A plain file (100644).
    File,
    /// An executable file (100755).
    Executable,
    /// A symbolic link; the blob holds its target (120000).
    Symlink,
    /// A commit of another repository (160000).
    Submodule,
}

/// A file of a tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Entry {
    /// Its blob; for a submodule the commit.
    pub oid: Oid,
    /// Its mode.
    pub mode: Mode,
}

pub(crate) const TREE_MODE: u32 = 0o40000;

impl Entry {
    /// A plain file with this blob.
    pub const fn file(oid: Oid) -> Self {
        Self { oid, mode: Mode::File }
    }
}

impl Mode {
    /// A plain or executable file: something with content of its own.
    pub const fn is_file(self) -> bool {
        matches!(self, Self::File | Self::Executable)
    }

    pub(crate) const fn bits(self) -> u32 {
        match self {
            Self::File => 0o100644,
            Self::Executable => 0o100755,
            Self::Symlink => 0o120000,
            Self::Submodule => 0o160000,
        }
    }

    /// Old repositories hold 100664 and the like; git reads only the owner's executable bit.
    pub(crate) const fn from_bits(bits: u32) -> Option<Self> {
        match bits & 0o170000 {
            0o100000 if bits & 0o100 != 0 => Some(Self::Executable),
            0o100000 => Some(Self::File),
            0o120000 => Some(Self::Symlink),
            0o160000 => Some(Self::Submodule),
            _ => None,
        }
    }
}
