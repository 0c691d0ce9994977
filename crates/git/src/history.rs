//! How commits hang together: merge bases, ancestry, ranges.

use std::collections::HashSet;

use git2::{ErrorCode, Sort};

use crate::{Oid, Repository};

/// The history cannot be walked.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// The merge bases cannot be found.
    #[error("the merge bases of {a} and {b} cannot be found")]
    MergeBases {
        /// One commit.
        a: Oid,
        /// The other commit.
        b: Oid,
        /// The reason.
        source: git2::Error,
    },
    /// Two commits cannot be compared.
    #[error("{a} and {b} cannot be compared")]
    Compare {
        /// One commit.
        a: Oid,
        /// The other commit.
        b: Oid,
        /// The reason.
        source: git2::Error,
    },
    /// A range cannot be walked.
    #[error("the commits {from}..{to} cannot be listed")]
    Range {
        /// Excluded with its ancestors.
        from: Oid,
        /// Included with its ancestors.
        to: Oid,
        /// The reason.
        source: git2::Error,
    },
}

impl Repository {
    /// All best common ancestors of two commits, oldest first: none for unrelated histories, several for criss-cross
    /// ones. In a shallow clone ancestors beyond the cut are unknown: see [`Repository::is_shallow`].
    pub fn merge_bases(&self, a: Oid, b: Oid) -> Result<Vec<Oid>, HistoryError> {
        self.merge_bases_with(a, &[b])
    }

    /// The best common ancestors of `a` and a commit that would have all `others` as parents, oldest first.
    pub(crate) fn merge_bases_with(&self, a: Oid, others: &[Oid]) -> Result<Vec<Oid>, HistoryError> {
        let error = |source| HistoryError::MergeBases {
            a,
            b: *others.first().unwrap_or(&a),
            source,
        };
        let ids: Vec<_> = std::iter::once(&a).chain(others).map(|id| id.to_git2()).collect();
        let bases = match self.inner.merge_bases_many(&ids) {
            Ok(bases) => bases.iter().map(|id| Oid::from_git2(*id)).collect(),
            Err(reason) if reason.code() == ErrorCode::NotFound && self.are_commits(&ids) => Vec::new(),
            Err(reason) => return Err(error(reason)),
        };
        self.independent(bases).map_err(error)
    }

    /// Is `ancestor` the commit itself or reachable from it?
    pub fn is_ancestor(&self, ancestor: Oid, commit: Oid) -> Result<bool, HistoryError> {
        let error = |source| HistoryError::Compare {
            a: ancestor,
            b: commit,
            source,
        };
        Ok(ancestor == commit
            || self
                .inner
                .graph_descendant_of(commit.to_git2(), ancestor.to_git2())
                .map_err(error)?)
    }

    /// How many commits only `local` has, and how many only `upstream` has.
    pub fn ahead_behind(&self, local: Oid, upstream: Oid) -> Result<(usize, usize), HistoryError> {
        let error = |source| HistoryError::Compare {
            a: local,
            b: upstream,
            source,
        };
        self.inner
            .graph_ahead_behind(local.to_git2(), upstream.to_git2())
            .map_err(error)
    }

    /// The commits reachable from `to` and not from `from`, oldest first, children after their parents. With
    /// `first_parent` only those on the line of first parents of `to`.
    pub fn range(&self, from: Oid, to: Oid, first_parent: bool) -> Result<Vec<Oid>, HistoryError> {
        let error = |source| HistoryError::Range { from, to, source };
        let walk = || -> Result<Vec<Oid>, git2::Error> {
            let mut walk = self.inner.revwalk()?;
            walk.set_sorting(Sort::TOPOLOGICAL | Sort::TIME | Sort::REVERSE)?;
            walk.push(to.to_git2())?;
            walk.hide(from.to_git2())?;
            let all = walk.map(|id| id.map(Oid::from_git2)).collect::<Result<Vec<_>, _>>()?;
            if !first_parent {
                return Ok(all);
            }
            let all: HashSet<_> = all.into_iter().collect();
            let (mut line, mut next) = (Vec::new(), Some(to));
            while let Some(id) = next.filter(|id| all.contains(id)) {
                line.push(id);
                next = self
                    .inner
                    .find_commit(id.to_git2())?
                    .parent_ids()
                    .next()
                    .map(Oid::from_git2);
            }
            line.reverse();
            Ok(line)
        };
        walk().map_err(error)
    }

    fn are_commits(&self, ids: &[git2::Oid]) -> bool {
        ids.iter().all(|id| self.inner.find_commit(*id).is_ok())
    }

    /// Drops bases that another base reaches and orders the rest by commit time, then id.
    fn independent(&self, bases: Vec<Oid>) -> Result<Vec<Oid>, git2::Error> {
        let mut kept = Vec::with_capacity(bases.len());
        for base in &bases {
            let mut reached = false;
            for other in bases.iter().filter(|other| *other != base) {
                reached |= self.inner.graph_descendant_of(other.to_git2(), base.to_git2())?;
            }
            if !reached {
                kept.push((self.inner.find_commit(base.to_git2())?.time().seconds(), *base));
            }
        }
        kept.sort_unstable();
        kept.dedup();
        Ok(kept.into_iter().map(|(_, base)| base).collect())
    }
}
