//! A tree edited at many paths: only the directories touched are read and written.

use std::collections::BTreeMap;

use git2::ObjectType;

use crate::entry::TREE_MODE;
use crate::path::is_safe_name;
use crate::tree::{Item, MAX_DEPTH, Node, print_tree};
use crate::{Entry, Mode, ObjectError, Oid, Repository, TreeEdit, TreePath};

/// Collects edits onto a base tree and writes the resulting tree.
pub struct TreeEditor<'r> {
    repository: &'r Repository,
    base: Option<Oid>,
    root: Edits,
}

/// An edit cannot be made. Nothing is lost: objects written so far are unreachable.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// The path has an empty, `.`, `..` or `.git` part, or is too deep.
    #[error("the path \"{path}\" cannot stand in a tree")]
    BadPath {
        /// The path.
        path: TreePath,
    },
    /// The entry names an object that is not in the repository.
    #[error("{path} cannot be set to {oid}: there is no such object")]
    NoObject {
        /// The path.
        path: TreePath,
        /// The missing object.
        oid: Oid,
    },
    /// A file should be removed that is not there.
    #[error("{path} cannot be removed: there is no such file")]
    NotThere {
        /// The path.
        path: TreePath,
    },
    /// A file and a directory claim the same path.
    #[error("{path} cannot be both a file and a directory")]
    FileAndDirectory {
        /// The path.
        path: TreePath,
    },
    /// A tree cannot be read or written.
    #[error(transparent)]
    Object(#[from] ObjectError),
}

/// What is asked of one name: of the file itself, and of what is beneath it.
#[derive(Default)]
struct Edits {
    file: Option<Option<Entry>>,
    beneath: BTreeMap<Vec<u8>, Edits>,
}

impl Repository {
    /// An editor of a tree; `None` starts from the empty tree.
    pub fn edit_tree(&self, base: Option<Oid>) -> TreeEditor<'_> {
        TreeEditor {
            repository: self,
            base,
            root: Edits::default(),
        }
    }

    /// Applies edits to a tree and returns the new tree.
    pub fn write_edits(&self, base: Option<Oid>, edits: &[TreeEdit]) -> Result<Oid, EditError> {
        let mut editor = self.edit_tree(base);
        for edit in edits {
            match edit.entry {
                Some(entry) => editor.set(&edit.path, entry)?,
                None => editor.remove(&edit.path)?,
            }
        }
        editor.write()
    }
}

impl TreeEditor<'_> {
    /// The file at the path becomes this entry. A later edit of the same path wins.
    pub fn set(&mut self, path: &TreePath, entry: Entry) -> Result<(), EditError> {
        if entry.mode != Mode::Submodule && !self.repository.has_object(entry.oid)? {
            return Err(EditError::NoObject {
                path: path.clone(),
                oid: entry.oid,
            });
        }
        self.at(path)?.file = Some(Some(entry));
        Ok(())
    }

    /// The file at the path goes away; directories left empty vanish. [`Self::write`] fails if it is not there.
    pub fn remove(&mut self, path: &TreePath) -> Result<(), EditError> {
        self.at(path)?.file = Some(None);
        Ok(())
    }

    /// Writes the changed directories and returns the root tree.
    pub fn write(&self) -> Result<Oid, EditError> {
        let root = self.write_directory(&TreePath::default(), self.base, &self.root)?;
        match root {
            Some(oid) => Ok(oid),
            None => Ok(self.repository.write_object(ObjectType::Tree, &[])?),
        }
    }

    fn at(&mut self, path: &TreePath) -> Result<&mut Edits, EditError> {
        if !path.names().all(is_safe_name) || path.names().count() > MAX_DEPTH {
            return Err(EditError::BadPath { path: path.clone() });
        }
        Ok(path.names().fold(&mut self.root, |edits, name| {
            edits.beneath.entry(name.to_vec()).or_default()
        }))
    }

    /// The new id of a directory; `None` when nothing is left in it.
    fn write_directory(&self, at: &TreePath, base: Option<Oid>, edits: &Edits) -> Result<Option<Oid>, EditError> {
        if edits.beneath.is_empty() {
            return Ok(base);
        }
        let before = self.repository.read_side(base)?;
        let mut items: BTreeMap<Vec<u8>, Item> = before.iter().map(|item| (item.name.clone(), item.clone())).collect();
        for (name, edits) in &edits.beneath {
            let now = items.get(name).map(Item::node);
            match self.edited(&at.join(name), now, edits)? {
                node if node == now => {}
                None => drop(items.remove(name)),
                Some(node) => drop(items.insert(name.clone(), item(name, node))),
            }
        }
        let mut after: Vec<Item> = items.into_values().collect();
        match base {
            _ if after.is_empty() => Ok(None),
            Some(oid) if *after == *before => Ok(Some(oid)),
            _ => Ok(Some(
                self.repository
                    .write_object(ObjectType::Tree, &print_tree(&mut after))?,
            )),
        }
    }

    fn edited(&self, path: &TreePath, now: Option<Node>, edits: &Edits) -> Result<Option<Node>, EditError> {
        let file = match (edits.file, now) {
            (Some(None), None) => return Err(EditError::NotThere { path: path.clone() }),
            (Some(None), Some(Node::Tree(_))) => return Err(EditError::FileAndDirectory { path: path.clone() }),
            (Some(file), _) => file,
            (None, now) => now.and_then(Node::file),
        };
        let directory = self.write_directory(path, now.and_then(Node::tree), edits)?;
        match (file, directory) {
            (Some(_), Some(_)) => Err(EditError::FileAndDirectory { path: path.clone() }),
            (file, directory) => Ok(file.map(Node::File).or(directory.map(Node::Tree))),
        }
    }
}

fn item(name: &[u8], node: Node) -> Item {
    let (bits, oid) = match node {
        Node::Tree(oid) => (TREE_MODE, oid),
        Node::File(entry) => (entry.mode.bits(), entry.oid),
    };
    Item {
        name: name.to_vec(),
        bits,
        oid,
    }
}
