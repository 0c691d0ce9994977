//! One tree to merge against when two commits have several merge bases.
//!
//! The idea of git's recursive strategy: the bases are merged with one another first, against their own merge bases,
//! and so on; the tree that results stands for the common ancestor.

use std::collections::HashMap;

use crate::{BothChanged, EditError, Entry, HistoryError, MergeError, ObjectError, Oid, Outcome, Repository};

/// Deeper histories of criss-cross merges take the oldest base of that level as it is.
const MAX_LEVELS: usize = 128;

/// The base of a merge cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum BaseError<E: std::error::Error + 'static> {
    /// The merge bases cannot be found.
    #[error(transparent)]
    History(#[from] HistoryError),
    /// Two bases cannot be merged.
    #[error(transparent)]
    Merge(#[from] MergeError<E>),
    /// The merged base cannot be written.
    #[error(transparent)]
    Edit(#[from] EditError),
    /// A commit cannot be read.
    #[error(transparent)]
    Object(#[from] ObjectError),
}

/// Decides what stands at a path that two bases changed differently. It sees the content git itself would mark as
/// conflict; whatever it returns serves as the common ancestor's version.
pub type OnBases<'a, E> = dyn FnMut(&BothChanged) -> Result<Option<Entry>, E> + 'a;

impl Repository {
    /// The tree that stands for the common ancestor of two commits: `None` for unrelated histories, the merge base's
    /// tree when there is one, else the bases folded into one tree with `on_bases`. Trees are written, no refs.
    pub fn base_tree<E: std::error::Error + 'static>(
        &self,
        a: Oid,
        b: Oid,
        on_bases: &mut OnBases<'_, E>,
    ) -> Result<Option<Oid>, BaseError<E>> {
        let bases = self.merge_bases(a, b)?;
        self.virtual_base(&bases, on_bases)
    }

    /// Folds commits, oldest first, into one tree; `None` for no commits.
    pub fn virtual_base<E: std::error::Error + 'static>(
        &self,
        bases: &[Oid],
        on_bases: &mut OnBases<'_, E>,
    ) -> Result<Option<Oid>, BaseError<E>> {
        self.fold(bases, 0, &mut HashMap::new(), on_bases)
    }

    fn fold<E: std::error::Error + 'static>(
        &self,
        bases: &[Oid],
        level: usize,
        known: &mut HashMap<Vec<Oid>, Oid>,
        on_bases: &mut OnBases<'_, E>,
    ) -> Result<Option<Oid>, BaseError<E>> {
        let Some(first) = bases.first() else { return Ok(None) };
        let mut tree = self.commit_tree(*first)?;
        if level == MAX_LEVELS {
            return Ok(Some(tree));
        }
        for (index, next) in bases.iter().enumerate().skip(1) {
            let folded = &bases[..=index];
            if let Some(done) = known.get(folded) {
                tree = *done;
                continue;
            }
            let inner = self.merge_bases_with(*next, &bases[..index])?;
            let base = self.fold(&inner, level + 1, known, on_bases)?;
            let theirs = self.commit_tree(*next)?;
            let merge = self.merge_trees(base, tree, theirs, &mut |both| on_bases(both).map(Outcome::Clean))?;
            tree = self.write_edits(Some(tree), &merge.edits)?;
            known.insert(folded.to_vec(), tree);
        }
        Ok(Some(tree))
    }
}
