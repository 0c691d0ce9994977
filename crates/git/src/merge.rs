//! Three trees merged: whatever object ids settle is settled unread, the rest goes to the caller.

use std::collections::HashSet;

use crate::diff::next_name;
use crate::tree::{Node, check_depth};
use crate::{Entry, ObjectError, Oid, Repository, TreeChange, TreePath};

/// A path and what shall stand there; `None` removes the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeEdit {
    /// The path.
    pub path: TreePath,
    /// The file to be.
    pub entry: Option<Entry>,
}

/// A path that both sides changed, differently.
///
/// With `beneath` empty it is an ordinary file: both modified it, both added it, or one removed it. Otherwise one side
/// has a file at the path and the other a directory with the files of `beneath`: deciding for an entry keeps the file
/// and removes those beneath, deciding for `None` keeps the directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BothChanged {
    /// The path.
    pub path: TreePath,
    /// The common ancestor's file.
    pub base: Option<Entry>,
    /// Our file.
    pub ours: Option<Entry>,
    /// Their file.
    pub theirs: Option<Entry>,
    /// The files of the directory that stands in the file's way, with their changes from ours to theirs.
    pub beneath: Vec<TreeChange>,
}

/// Two trees with a common ancestor, compared by object id.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ThreeWay {
    /// What only they changed, as edits onto ours, ordered by path bytes.
    pub theirs_only: Vec<TreeEdit>,
    /// What both changed and ids alone do not settle, ordered by path bytes.
    pub both: Vec<BothChanged>,
}

/// The caller's decision on a [`BothChanged`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The path becomes this.
    Clean(Option<Entry>),
    /// The path stays open; meanwhile this stands there.
    Open(Option<Entry>),
}

/// The result of a merge. Nothing is written yet: see [`Repository::write_edits`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TreeMerge {
    /// Edits onto our tree, ordered by path bytes.
    pub edits: Vec<TreeEdit>,
    /// What the caller left open, in the order of paths.
    pub open: Vec<BothChanged>,
}

/// A merge cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum MergeError<E: std::error::Error + 'static> {
    /// A tree cannot be read.
    #[error(transparent)]
    Object(#[from] ObjectError),
    /// The caller's merge of a file failed.
    #[error("{path} cannot be merged")]
    File {
        /// The file.
        path: TreePath,
        /// The reason.
        source: E,
    },
}

impl BothChanged {
    /// The result when content and mode are each settled by id, as when one side changed the content and the other
    /// the executable bit. `None` when the content needs a merge, a side is missing, or it is no plain file.
    pub fn settled_by_id(&self) -> Option<Entry> {
        let (base, ours, theirs) = (self.base?, self.ours?, self.theirs?);
        if ![base, ours, theirs].iter().all(|entry| entry.mode.is_file()) {
            return None;
        }
        let oid = settle(base.oid, ours.oid, theirs.oid)?;
        Some(Entry {
            oid,
            mode: settle(base.mode, ours.mode, theirs.mode)?,
        })
    }
}

impl Repository {
    /// Compares two trees with their common ancestor (`None`: there is none). Only directories that both sides
    /// changed are read.
    pub fn three_way(&self, base: Option<Oid>, ours: Oid, theirs: Oid) -> Result<ThreeWay, ObjectError> {
        let mut found = ThreeWay::default();
        let root = TreePath::default();
        match (base, ours, theirs) {
            (_, ours, theirs) if ours == theirs => {}
            (Some(base), _, theirs) if base == theirs => {}
            (base, ours, theirs) => self.compare(&root, 0, [base, Some(ours), Some(theirs)], &mut found)?,
        }
        found.theirs_only.sort_unstable_by(|a, b| a.path.cmp(&b.path));
        found.both.sort_unstable_by(|a, b| a.path.cmp(&b.path));
        Ok(found)
    }

    /// Merges two trees: files that both changed go to `on_both` in the order of their paths.
    pub fn merge_trees<E: std::error::Error + 'static>(
        &self,
        base: Option<Oid>,
        ours: Oid,
        theirs: Oid,
        on_both: &mut dyn FnMut(&BothChanged) -> Result<Outcome, E>,
    ) -> Result<TreeMerge, MergeError<E>> {
        let ThreeWay { theirs_only, both } = self.three_way(base, ours, theirs)?;
        let mut merge = TreeMerge {
            edits: theirs_only,
            open: Vec::new(),
        };
        for change in both {
            let outcome = on_both(&change).map_err(|source| MergeError::File {
                path: change.path.clone(),
                source,
            })?;
            let (Outcome::Clean(entry) | Outcome::Open(entry)) = outcome;
            merge.edits.extend(change.edits_to(entry));
            if let Outcome::Open(_) = outcome {
                merge.open.push(change);
            }
        }
        merge.edits.sort_unstable_by(|a, b| a.path.cmp(&b.path));
        Ok(merge)
    }

    fn compare(
        &self,
        at: &TreePath,
        depth: usize,
        trees: [Option<Oid>; 3],
        found: &mut ThreeWay,
    ) -> Result<(), ObjectError> {
        check_depth(at, depth)?;
        let [base, ours, theirs] = trees;
        let (base, ours, theirs) = (self.read_side(base)?, self.read_side(ours)?, self.read_side(theirs)?);
        let mut sides = [&*base, &*ours, &*theirs];
        while let Some((name, [base, ours, theirs])) = next_name(&mut sides) {
            if ours == theirs || base == theirs {
                continue;
            }
            let path = at.join(name);
            if base == ours {
                self.take_theirs(path, depth, ours, theirs, found)?;
                continue;
            }
            let trees = [base, ours, theirs].map(|node| node.and_then(Node::tree));
            let files = [base, ours, theirs].map(|node| node.and_then(Node::file));
            let mut beneath = ThreeWay::default();
            if trees.iter().any(Option::is_some) && trees[1] != trees[2] && trees[0] != trees[2] {
                match trees[0] == trees[1] {
                    true => self.take_theirs(
                        path.clone(),
                        depth,
                        trees[1].map(Node::Tree),
                        trees[2].map(Node::Tree),
                        &mut beneath,
                    )?,
                    false => self.compare(&path, depth + 1, trees, &mut beneath)?,
                }
            }
            self.join(path, files, trees, beneath, found)?;
        }
        Ok(())
    }

    /// We left the name alone, so all their changes apply.
    fn take_theirs(
        &self,
        path: TreePath,
        depth: usize,
        ours: Option<Node>,
        theirs: Option<Node>,
        found: &mut ThreeWay,
    ) -> Result<(), ObjectError> {
        let mut changes = Vec::new();
        let tree = |node: Option<Node>| node.and_then(Node::tree);
        self.diff_into(&path, depth + 1, tree(ours), tree(theirs), &mut changes)?;
        found.theirs_only.extend(changes.into_iter().map(|change| TreeEdit {
            path: change.path,
            entry: change.new,
        }));
        let file = |node: Option<Node>| node.and_then(Node::file);
        if file(ours) != file(theirs) {
            found.theirs_only.push(TreeEdit {
                path,
                entry: file(theirs),
            });
        }
        Ok(())
    }

    /// Joins what is to be done with the file at a path and with the files beneath it; a file and a directory that
    /// would both survive clash.
    fn join(
        &self,
        path: TreePath,
        [base, ours, theirs]: [Option<Entry>; 3],
        trees: [Option<Oid>; 3],
        beneath: ThreeWay,
        found: &mut ThreeWay,
    ) -> Result<(), ObjectError> {
        let settled = settle(base, ours, theirs);
        let survives = settled.is_none_or(|file| file.is_some());
        let survivors = match (survives, ours, theirs) {
            (true, Some(_), _) if trees[2].is_some() => their_survivors(&beneath),
            (true, _, Some(_)) if trees[1].is_some() => self.our_survivors(&path, trees[1], &beneath)?,
            _ => Vec::new(),
        };
        match settled {
            _ if !survivors.is_empty() => {
                let paths: HashSet<_> = survivors.iter().map(|survivor| &survivor.path).collect();
                found.theirs_only.extend(
                    beneath
                        .theirs_only
                        .into_iter()
                        .filter(|edit| !paths.contains(&edit.path)),
                );
                found.both.push(BothChanged {
                    path,
                    base,
                    ours,
                    theirs,
                    beneath: survivors,
                });
                return Ok(());
            }
            Some(file) if file == ours => {}
            Some(entry) => found.theirs_only.push(TreeEdit { path, entry }),
            None => found.both.push(BothChanged {
                path,
                base,
                ours,
                theirs,
                beneath: Vec::new(),
            }),
        }
        found.theirs_only.extend(beneath.theirs_only);
        found.both.extend(beneath.both);
        Ok(())
    }

    /// The files of our directory that their changes do not remove.
    fn our_survivors(
        &self,
        path: &TreePath,
        tree: Option<Oid>,
        beneath: &ThreeWay,
    ) -> Result<Vec<TreeChange>, ObjectError> {
        let mut files = Vec::new();
        self.diff_into(path, 0, tree, None, &mut files)?;
        let removed: HashSet<_> = beneath.theirs_only.iter().map(|edit| &edit.path).collect();
        files.retain(|file| !removed.contains(&file.path));
        files.sort_unstable_by(|a, b| a.path.cmp(&b.path));
        Ok(files)
    }
}

impl BothChanged {
    /// The edits onto ours that make the path this entry.
    fn edits_to(&self, entry: Option<Entry>) -> Vec<TreeEdit> {
        let mut edits = Vec::new();
        if entry != self.ours {
            edits.push(TreeEdit {
                path: self.path.clone(),
                entry,
            });
        }
        for file in &self.beneath {
            let goal = if entry.is_some() { None } else { file.old.or(file.new) };
            if goal != file.old {
                edits.push(TreeEdit {
                    path: file.path.clone(),
                    entry: goal,
                });
            }
        }
        edits
    }
}

/// Where we have a file and they a directory: the files they would put into it.
fn their_survivors(beneath: &ThreeWay) -> Vec<TreeChange> {
    let edits = beneath.theirs_only.iter().map(|edit| (&edit.path, edit.entry));
    let both = beneath.both.iter().map(|both| (&both.path, both.theirs));
    let change = |(path, new): (&TreePath, Option<Entry>)| TreeChange {
        path: path.clone(),
        old: None,
        new,
    };
    let mut survivors: Vec<_> = edits.chain(both).filter(|(_, new)| new.is_some()).map(change).collect();
    survivors.sort_unstable_by(|a, b| a.path.cmp(&b.path));
    survivors
}

fn settle<T: PartialEq>(base: T, ours: T, theirs: T) -> Option<T> {
    if ours == theirs || base == theirs {
        Some(ours)
    } else if base == ours {
        Some(theirs)
    } else {
        None
    }
}
