//! Two trees compared by object id: equal directories are skipped unread, renames are not guessed.

use std::sync::Arc;

use crate::tree::{Item, Node, check_depth};
use crate::{Entry, ObjectError, Oid, Repository, TreePath};

/// A path whose file differs between two trees. At least one side is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeChange {
    /// The path.
    pub path: TreePath,
    /// What stood there before.
    pub old: Option<Entry>,
    /// What stands there now.
    pub new: Option<Entry>,
}

impl Repository {
    /// The files that differ between two trees (`None` is the empty tree), ordered by path bytes. A file that became
    /// a directory is one removal and several additions, as in `git diff --raw --no-renames`.
    pub fn diff_trees(&self, old: Option<Oid>, new: Option<Oid>) -> Result<Vec<TreeChange>, ObjectError> {
        let mut changes = Vec::new();
        self.diff_into(&TreePath::default(), 0, old, new, &mut changes)?;
        changes.sort_unstable_by(|a, b| a.path.cmp(&b.path));
        Ok(changes)
    }

    pub(crate) fn diff_into(
        &self,
        at: &TreePath,
        depth: usize,
        old: Option<Oid>,
        new: Option<Oid>,
        changes: &mut Vec<TreeChange>,
    ) -> Result<(), ObjectError> {
        if old == new {
            return Ok(());
        }
        check_depth(at, depth)?;
        let (old, new) = (self.read_side(old)?, self.read_side(new)?);
        let mut sides = [&*old, &*new];
        while let Some((name, [old, new])) = next_name(&mut sides) {
            if old == new {
                continue;
            }
            let path = at.join(name);
            let (old_file, new_file) = (old.and_then(Node::file), new.and_then(Node::file));
            let (old_tree, new_tree) = (old.and_then(Node::tree), new.and_then(Node::tree));
            if old_tree.is_some() || new_tree.is_some() {
                self.diff_into(&path, depth + 1, old_tree, new_tree, changes)?;
            }
            if old_file != new_file {
                changes.push(TreeChange {
                    path,
                    old: old_file,
                    new: new_file,
                });
            }
        }
        Ok(())
    }

    /// The entries of one side; many trees are compared with the same one.
    pub(crate) fn read_side(&self, tree: Option<Oid>) -> Result<Arc<[Item]>, ObjectError> {
        tree.map_or_else(|| Ok(Arc::default()), |oid| self.recent_tree(oid))
    }
}

/// Takes the smallest name from the front of the sides that have it. Each side is ordered by name.
pub(crate) fn next_name<'a, const N: usize>(sides: &mut [&'a [Item]; N]) -> Option<(&'a [u8], [Option<Node>; N])> {
    let name = sides
        .iter()
        .filter_map(|side| side.first())
        .map(|item| item.name.as_slice())
        .min()?;
    let nodes = sides.each_mut().map(|side| match side.split_first() {
        Some((item, rest)) if item.name == name => {
            *side = rest;
            Some(item.node())
        }
        _ => None,
    });
    Some((name, nodes))
}
