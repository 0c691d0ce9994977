//! The path of a file inside a tree: bytes, because git does not demand UTF-8.

use std::fmt;

/// A path inside a tree: names joined by `/`, without a leading slash. Ordered by bytes, as git orders files.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct TreePath(Vec<u8>);

/// A path is not UTF-8, so it names no metadata file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the path \"{path}\" is not UTF-8; rename the file in the repository")]
pub struct NotUtf8 {
    /// The path; its Display is escaped.
    pub path: TreePath,
}

impl TreePath {
    /// The path with these bytes, unchecked: [`crate::TreeEditor`] checks what it is asked to write.
    pub fn from_bytes(bytes: impl Into<Vec<u8>>) -> Self {
        Self(bytes.into())
    }

    /// The bytes as they stand in the tree.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The path as text.
    pub fn as_str(&self) -> Result<&str, NotUtf8> {
        std::str::from_utf8(&self.0).map_err(|_| NotUtf8 { path: self.clone() })
    }

    /// Is it `prefix` itself or beneath it? The empty prefix holds everything.
    pub fn is_within(&self, prefix: &str) -> bool {
        let prefix = prefix.trim_end_matches('/').as_bytes();
        match self.0.strip_prefix(prefix) {
            Some(rest) => prefix.is_empty() || rest.is_empty() || rest[0] == b'/',
            None => false,
        }
    }

    pub(crate) fn join(&self, name: &[u8]) -> Self {
        let mut bytes = Vec::with_capacity(self.0.len() + 1 + name.len());
        bytes.extend_from_slice(&self.0);
        if !bytes.is_empty() {
            bytes.push(b'/');
        }
        bytes.extend_from_slice(name);
        Self(bytes)
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &[u8]> {
        self.0.split(|byte| *byte == b'/')
    }
}

/// May a tree entry bear this name? Git itself refuses to check out the others.
pub(crate) fn is_safe_name(name: &[u8]) -> bool {
    !name.is_empty()
        && name != b"."
        && name != b".."
        && !name.eq_ignore_ascii_case(b".git")
        && !name.contains(&b'/')
        && !name.contains(&0)
}

impl From<&str> for TreePath {
    fn from(path: &str) -> Self {
        Self(path.as_bytes().to_vec())
    }
}

impl From<String> for TreePath {
    fn from(path: String) -> Self {
        Self(path.into_bytes())
    }
}

/// Text as it is; control characters and bytes that are not UTF-8 are escaped.
impl fmt::Display for TreePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.0.utf8_chunks() {
            for character in chunk.valid().chars() {
                match character.is_control() {
                    true => write!(f, "{}", character.escape_default())?,
                    false => write!(f, "{character}")?,
                }
            }
            chunk.invalid().iter().try_for_each(|byte| write!(f, "\\x{byte:02x}"))?;
        }
        Ok(())
    }
}

impl fmt::Debug for TreePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_every_path_on_one_line() {
        let check = |bytes: &[u8], expect: &str| assert_eq!(TreePath::from_bytes(bytes).to_string(), expect);
        check(b"a/b.xml", "a/b.xml");
        check("ä/ü".as_bytes(), "ä/ü");
        check(b"a\xffb\n", "a\\xffb\\n");
        assert!(TreePath::from_bytes(*b"a\xff").as_str().is_err());
    }

    #[test]
    fn within_looks_at_whole_names() {
        let check = |path: &str, prefix: &str, expect| {
            assert_eq!(TreePath::from(path).is_within(prefix), expect, "{path} {prefix}");
        };
        check("a/b", "a", true);
        check("a/b", "a/", true);
        check("a", "a", true);
        check("ab", "a", false);
        check("a/b", "", true);
        check("a", "a/b", false);
    }
}
