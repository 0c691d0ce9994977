//! Conflicts as values: where two sides disagree, with all three texts and a fingerprint.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest, Sha256};

use crate::path::ElementPath;
use crate::xml;

/// A place where both sides cannot be right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// The smallest element both sides disagree about; the component itself for a whole file.
    pub path: ElementPath,
    /// Why it is a conflict.
    pub reason: Reason,
    /// The common ancestor's text, `None` when it had no such element.
    pub base: Option<Vec<u8>>,
    /// Our text, `None` when we deleted it.
    pub ours: Option<Vec<u8>>,
    /// Their text, `None` when they deleted it.
    pub theirs: Option<Vec<u8>>,
}

/// Why two sides conflict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Both changed the same value differently.
    BothChanged,
    /// Both added an element of the same key with different content.
    BothAdded,
    /// We deleted what they changed.
    DeletedByUs,
    /// They deleted what we changed.
    DeletedByThem,
    /// Both arranged an ordered list differently.
    Order,
    /// Criteria that a formula names by number changed on both sides, or one criterion changed in two ways.
    Criteria,
    /// The element is deleted on one side and still named by the other; the name.
    StillNeeded(Box<str>),
    /// A name that may stand once in a document would stand twice; the name.
    Duplicate(Box<str>),
    /// Lines of text changed on both sides.
    Lines,
    /// The content cannot be merged from parts: a binary file, or a type that the table does not know.
    Whole,
    /// The self-check did not accept a merge of its parts: a defect of this program, left to a person.
    Unproven,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BothChanged => f.write_str("both sides changed it"),
            Self::BothAdded => f.write_str("both sides added it differently"),
            Self::DeletedByUs => f.write_str("deleted by ours, changed by theirs"),
            Self::DeletedByThem => f.write_str("changed by ours, deleted by theirs"),
            Self::Order => f.write_str("both sides changed the order"),
            Self::Criteria => f.write_str("both sides changed the same criteria"),
            Self::StillNeeded(name) => write!(f, "deleted on one side, but the other still refers to `{name}`"),
            Self::Duplicate(name) => write!(f, "both sides use `{name}`, which may stand only once"),
            Self::Lines => f.write_str("both sides changed these lines"),
            Self::Whole => f.write_str("both sides changed content that is merged only as a whole"),
            Self::Unproven => f.write_str("a merge of its parts did not pass the self-check"),
        }
    }
}

impl Conflict {
    /// The fingerprint by which a resolution is remembered: type, full name, element path and the
    /// content of all three sides. Formatting does not count; a resolution for one component never
    /// applies to another.
    pub fn fingerprint(&self) -> Fingerprint {
        let mut hash = Sha256::new();
        let path = self.path.to_string();
        hash.update((path.len() as u64).to_le_bytes());
        hash.update(path.as_bytes());
        for side in [&self.base, &self.ours, &self.theirs] {
            match side {
                None => hash.update([0]),
                Some(bytes) => {
                    let text = xml::canonical_fragment(bytes);
                    hash.update([1]);
                    hash.update((text.len() as u64).to_le_bytes());
                    hash.update(&text);
                }
            }
        }
        Fingerprint(hash.finalize().into())
    }
}

/// SHA-256 that names a conflict by its content.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint([u8; 32]);

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text is not 64 hexadecimal digits.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not a fingerprint of 64 hexadecimal digits")]
pub struct FingerprintError(String);

impl FromStr for Fingerprint {
    type Err = FingerprintError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits: Option<Vec<u8>> = text.chars().map(|c| c.to_digit(16).map(|d| d as u8)).collect();
        match digits {
            Some(d) if d.len() == 64 => {
                let mut bytes = [0; 32];
                for (byte, pair) in bytes.iter_mut().zip(d.chunks_exact(2)) {
                    *byte = pair[0] << 4 | pair[1];
                }
                Ok(Self(bytes))
            }
            _ => Err(FingerprintError(text.to_owned())),
        }
    }
}

/// What a person decided about a conflict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// Take our side.
    Ours,
    /// Take their side.
    Theirs,
    /// Go back to the common ancestor.
    Base,
    /// Take this text: the element with its tags; `None` deletes it.
    Value(Option<Vec<u8>>),
}
