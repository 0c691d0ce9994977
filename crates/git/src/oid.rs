//! The id of a git object: the SHA-1 of its kind, size and bytes.

use std::fmt;
use std::str::FromStr;

/// The id of a git object, 20 bytes. Printed and parsed as 40 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Oid([u8; Oid::LEN]);

/// The text is not an object id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an object id: 40 hexadecimal digits are needed")]
pub struct BadOid {
    /// The text that was given.
    pub text: String,
}

impl Oid {
    /// Length in bytes.
    pub const LEN: usize = 20;
    /// The tree without entries. It always exists, written or not.
    pub const EMPTY_TREE: Self = Self([
        0x4b, 0x82, 0x5d, 0xc6, 0x42, 0xcb, 0x6e, 0xb9, 0xa0, 0x60, 0xe5, 0x4b, 0xf8, 0xd6, 0x92, 0x88, 0xfb, 0xee,
        0x49, 0x04,
    ]);

    /// The id with these bytes.
    pub const fn from_bytes(bytes: [u8; Self::LEN]) -> Self {
        Self(bytes)
    }

    /// The 20 bytes.
    pub const fn as_bytes(&self) -> &[u8; Self::LEN] {
        &self.0
    }

    pub(crate) fn from_git2(id: git2::Oid) -> Self {
        let mut bytes = [0; Self::LEN];
        bytes.copy_from_slice(&id.as_bytes()[..Self::LEN]);
        Self(bytes)
    }

    pub(crate) fn to_git2(self) -> git2::Oid {
        git2::Oid::from_bytes(&self.0).expect("20 bytes are the length of a SHA-1 id")
    }
}

impl fmt::Display for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Oid {
    type Err = BadOid;

    fn from_str(text: &str) -> Result<Self, BadOid> {
        let bad = || BadOid { text: text.to_owned() };
        let digit = |byte: u8| char::from(byte).to_digit(16).map(|value| value as u8).ok_or_else(bad);
        if text.len() != Self::LEN * 2 {
            return Err(bad());
        }
        let mut bytes = [0; Self::LEN];
        for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            *byte = digit(pair[0])? << 4 | digit(pair[1])?;
        }
        Ok(Self(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_and_parses() {
        let text = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";
        assert_eq!(Oid::EMPTY_TREE.to_string(), text);
        assert_eq!(text.parse(), Ok(Oid::EMPTY_TREE));
        assert_eq!(text.to_uppercase().parse(), Ok(Oid::EMPTY_TREE));
        assert_eq!(Oid::from_git2(Oid::EMPTY_TREE.to_git2()), Oid::EMPTY_TREE);
    }

    #[test]
    fn refuses_other_text() {
        for text in [
            "",
            "4b82",
            "xb825dc642cb6eb9a060e54bf8d69288fbee4904",
            "äääääääääääääääääääää",
            "+b825dc642cb6eb9a060e54bf8d69288fbee4904",
        ] {
            assert!(text.parse::<Oid>().is_err(), "{text}");
        }
    }
}
