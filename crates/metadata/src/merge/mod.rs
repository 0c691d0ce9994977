//! Three-way merge of one file by meaning.

use crate::component::ComponentId;
use crate::conflict::{Conflict, Resolution};

/// The three versions of a file; `None` where it does not exist.
#[derive(Clone, Copy, Debug)]
pub struct Sides<'a> {
    /// The common ancestor.
    pub base: Option<&'a [u8]>,
    /// The target, whose formatting the result keeps.
    pub ours: Option<&'a [u8]>,
    /// The change that comes in.
    pub theirs: Option<&'a [u8]>,
}
