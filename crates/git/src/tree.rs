//! Trees read: one directory at a time, all files, one path.

use std::sync::Arc;

use git2::ObjectType;

use crate::entry::TREE_MODE;
use crate::path::is_safe_name;
use crate::{Entry, Mode, ObjectError, Oid, Repository, TreePath};

/// Directories may be nested this deep (git's own limit is 2,048 to 4,096).
pub(crate) const MAX_DEPTH: usize = 256;

/// Entries of directories that are kept for looking up more paths, about 100 bytes each.
const MAX_RECENT: usize = 200_000;

/// One entry of a directory, its mode bits as they stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Item {
    pub(crate) name: Vec<u8>,
    pub(crate) bits: u32,
    pub(crate) oid: Oid,
}

/// What an [`Item`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Node {
    Tree(Oid),
    File(Entry),
}

impl Item {
    pub(crate) fn node(&self) -> Node {
        match Mode::from_bits(self.bits) {
            Some(mode) => Node::File(Entry { oid: self.oid, mode }),
            None => Node::Tree(self.oid),
        }
    }
}

impl Node {
    pub(crate) fn tree(self) -> Option<Oid> {
        match self {
            Self::Tree(oid) => Some(oid),
            Self::File(_) => None,
        }
    }

    pub(crate) fn file(self) -> Option<Entry> {
        match self {
            Self::Tree(_) => None,
            Self::File(entry) => Some(entry),
        }
    }
}

impl Repository {
    /// All files of a tree beneath `prefix` (all with ""), ordered by path bytes.
    pub fn files(&self, tree: Oid, prefix: &str) -> Result<Vec<(TreePath, Entry)>, ObjectError> {
        let prefix = prefix.trim_matches('/');
        let mut files = Vec::new();
        let start = match prefix.is_empty() {
            true => Some(Node::Tree(tree)),
            false => self.node_at(tree, &TreePath::from(prefix))?,
        };
        match start {
            Some(Node::Tree(oid)) => self.collect_files(oid, &TreePath::from(prefix), 0, &mut files)?,
            Some(Node::File(entry)) => files.push((TreePath::from(prefix), entry)),
            None => {}
        }
        files.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        Ok(files)
    }

    /// The file at a path of a tree; `None` when there is nothing or a directory.
    pub fn entry_at(&self, tree: Oid, path: &TreePath) -> Result<Option<Entry>, ObjectError> {
        Ok(self.node_at(tree, path)?.and_then(Node::file))
    }

    /// The directory at a path of a tree; `None` when there is nothing or a file.
    pub fn tree_at(&self, tree: Oid, path: &TreePath) -> Result<Option<Oid>, ObjectError> {
        Ok(self.node_at(tree, path)?.and_then(Node::tree))
    }

    /// The bytes of the file at a path of a tree.
    pub fn read_path(&self, tree: Oid, path: &TreePath) -> Result<Vec<u8>, ObjectError> {
        match self.entry_at(tree, path)? {
            Some(entry) => self.read_blob(entry.oid),
            None => Err(ObjectError::NoFile {
                tree,
                path: path.clone(),
            }),
        }
    }

    fn node_at(&self, tree: Oid, path: &TreePath) -> Result<Option<Node>, ObjectError> {
        let mut node = Node::Tree(tree);
        for name in path.names() {
            let Node::Tree(oid) = node else { return Ok(None) };
            let items = self.recent_tree(oid)?;
            match items.binary_search_by(|item| item.name.as_slice().cmp(name)) {
                Ok(at) => node = items[at].node(),
                Err(_) => return Ok(None),
            }
        }
        Ok(Some(node))
    }

    /// The entries of a directory, kept for the next path: folders of types hold tens of thousands of files.
    pub(crate) fn recent_tree(&self, oid: Oid) -> Result<Arc<[Item]>, ObjectError> {
        if let Some(items) = self.trees.borrow().get(&oid) {
            return Ok(items.clone());
        }
        let items: Arc<[Item]> = self.read_tree(oid)?.into();
        let mut trees = self.trees.borrow_mut();
        if trees.values().map(|items| items.len()).sum::<usize>() + items.len() > MAX_RECENT {
            trees.clear();
        }
        trees.insert(oid, items.clone());
        Ok(items)
    }

    fn collect_files(
        &self,
        tree: Oid,
        at: &TreePath,
        depth: usize,
        files: &mut Vec<(TreePath, Entry)>,
    ) -> Result<(), ObjectError> {
        check_depth(at, depth)?;
        for item in self.read_tree(tree)? {
            let path = at.join(&item.name);
            match item.node() {
                Node::Tree(oid) => self.collect_files(oid, &path, depth + 1, files)?,
                Node::File(entry) => files.push((path, entry)),
            }
        }
        Ok(())
    }

    /// The entries of one directory, ordered by the bytes of their names (not as git stores them: there a directory
    /// is ordered as if its name ended with `/`).
    pub(crate) fn read_tree(&self, oid: Oid) -> Result<Vec<Item>, ObjectError> {
        if oid == Oid::EMPTY_TREE {
            return Ok(Vec::new());
        }
        let odb = self.odb()?;
        let object = odb.read(oid.to_git2()).map_err(|source| self.read_error(oid, source))?;
        if object.kind() != ObjectType::Tree {
            return Err(ObjectError::WrongKind {
                oid,
                expected: "tree",
                found: object.kind().str(),
            });
        }
        parse_tree(object.data()).map_err(|reason| ObjectError::BadTree { oid, reason })
    }
}

pub(crate) fn check_depth(path: &TreePath, depth: usize) -> Result<(), ObjectError> {
    match depth <= MAX_DEPTH {
        true => Ok(()),
        false => Err(ObjectError::TooDeep {
            path: path.clone(),
            limit: MAX_DEPTH,
        }),
    }
}

/// The bytes of a tree object. `items` in any order.
pub(crate) fn print_tree(items: &mut [Item]) -> Vec<u8> {
    items.sort_unstable_by(|a, b| stored_name(a).cmp(stored_name(b)));
    let mut bytes = Vec::with_capacity(items.iter().map(|item| item.name.len() + 28).sum());
    for item in items {
        bytes.extend_from_slice(format!("{:o} ", item.bits).as_bytes());
        bytes.extend_from_slice(&item.name);
        bytes.push(0);
        bytes.extend_from_slice(item.oid.as_bytes());
    }
    bytes
}

fn stored_name(item: &Item) -> impl Iterator<Item = &u8> {
    let slash: &[u8] = if item.node().tree().is_some() { b"/" } else { b"" };
    item.name.iter().chain(slash)
}

/// Source of the format: git's documentation, "Git Objects": `<octal mode> <name>\0<20 bytes>` repeated.
fn parse_tree(mut bytes: &[u8]) -> Result<Vec<Item>, String> {
    let mut items = Vec::with_capacity(bytes.len() / 40);
    while !bytes.is_empty() {
        let space = bytes
            .iter()
            .position(|byte| *byte == b' ')
            .ok_or("an entry has no mode")?;
        let bits = std::str::from_utf8(&bytes[..space])
            .ok()
            .and_then(|text| u32::from_str_radix(text, 8).ok());
        let bits = bits.ok_or("a mode is not an octal number")?;
        bytes = &bytes[space + 1..];
        let end = bytes.iter().position(|byte| *byte == 0).ok_or("a name has no end")?;
        let name = bytes[..end].to_vec();
        bytes = &bytes[end + 1..];
        let (id, rest) = bytes
            .split_first_chunk::<{ Oid::LEN }>()
            .ok_or("an object id is cut short")?;
        bytes = rest;
        let shown = TreePath::from_bytes(name.as_slice());
        if !is_safe_name(&name) {
            return Err(format!("the name \"{shown}\" is not allowed"));
        }
        if bits != TREE_MODE && Mode::from_bits(bits).is_none() {
            return Err(format!("the mode {bits:o} of \"{shown}\" is unknown"));
        }
        items.push(Item {
            name,
            bits,
            oid: Oid::from_bytes(*id),
        });
    }
    items.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    match items.windows(2).find(|pair| pair[0].name == pair[1].name) {
        Some(pair) => Err(format!(
            "the name \"{}\" stands twice",
            TreePath::from_bytes(pair[0].name.as_slice())
        )),
        None => Ok(items),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(mode: &str, name: &[u8]) -> Vec<u8> {
        [mode.as_bytes(), b" ", name, b"\0", &[7; 20]].concat()
    }

    #[test]
    fn tells_what_is_wrong_with_a_tree() {
        let check = |bytes: &[u8], expect: &str| assert_eq!(parse_tree(bytes).map(|_| ()), Err(expect.to_owned()));
        check(b"100644", "an entry has no mode");
        check(b"1x0644 a\0", "a mode is not an octal number");
        check(b"100644 a", "a name has no end");
        check(b"100644 a\0abc", "an object id is cut short");
        check(&entry("100644", b".."), "the name \"..\" is not allowed");
        check(&entry("100644", b""), "the name \"\" is not allowed");
        check(&entry("40000", b".GIT"), "the name \".GIT\" is not allowed");
        check(&entry("100644", b"a/b"), "the name \"a/b\" is not allowed");
        check(&entry("70000", b"a"), "the mode 70000 of \"a\" is unknown");
        check(
            &[entry("100644", b"a"), entry("40000", b"a")].concat(),
            "the name \"a\" stands twice",
        );
    }

    #[test]
    fn prints_directories_where_git_stores_them() {
        let item = |name: &[u8], bits| Item {
            name: name.to_vec(),
            bits,
            oid: Oid::from_bytes([7; 20]),
        };
        let bytes = print_tree(&mut [item(b"a", TREE_MODE), item(b"a-b", 0o100644), item(b"a0", 0o100644)]);
        assert_eq!(
            bytes,
            [entry("100644", b"a-b"), entry("40000", b"a"), entry("100644", b"a0")].concat()
        );
        assert_eq!(parse_tree(&bytes).map(|items| items[0].name.clone()), Ok(b"a".to_vec()));
    }
}
