//! Revisions as people write them, resolved to objects.

use std::collections::BTreeSet;

use git2::{ErrorCode, ObjectType};

use crate::{Commit, CommitError, Oid, RefError, Repository};

/// A revision does not name what is needed.
#[derive(Debug, thiserror::Error)]
pub enum ResolveError {
    /// Nothing has this name.
    #[error("there is no revision `{revision}`{}{}", near_text(.near), shallow_text(*.shallow))]
    NotFound {
        /// What was asked for.
        revision: String,
        /// Branches and tags with similar names, nearest first.
        near: Vec<String>,
        /// The clone is shallow, which may be the reason.
        shallow: bool,
    },
    /// Several things have this name.
    #[error("`{revision}` is ambiguous: it may be {}; write the full name", .candidates.join(" or "))]
    Ambiguous {
        /// What was asked for.
        revision: String,
        /// Full names of refs, or the beginnings of object ids.
        candidates: Vec<String>,
    },
    /// It is not a revision at all.
    #[error("`{revision}` is not a revision")]
    Syntax {
        /// What was asked for.
        revision: String,
    },
    /// It names an object of another kind.
    #[error("`{revision}` is not a {expected}")]
    WrongKind {
        /// What was asked for.
        revision: String,
        /// "commit" or "tree".
        expected: &'static str,
    },
    /// The refs cannot be read.
    #[error(transparent)]
    Ref(#[from] RefError),
    /// The commit cannot be read.
    #[error(transparent)]
    Commit(#[from] CommitError),
    /// Anything else.
    #[error("revision `{revision}` cannot be resolved")]
    Read {
        /// What was asked for.
        revision: String,
        /// The reason.
        source: git2::Error,
    },
}

impl Repository {
    /// The commit a revision names: a branch, tag, remote branch, object id (also shortened), `HEAD~2`, `main^2`, …
    pub fn resolve(&self, revision: &str) -> Result<Commit, ResolveError> {
        let oid = self.resolve_as(revision, ObjectType::Commit)?;
        Ok(self.commit(oid)?)
    }

    /// The tree a revision names: that of a commit, or `REV:folder`.
    pub fn resolve_tree(&self, revision: &str) -> Result<Oid, ResolveError> {
        self.resolve_as(revision, ObjectType::Tree)
    }

    /// The two ends of `A..B`; an empty end is HEAD.
    pub fn resolve_range(&self, range: &str) -> Result<(Commit, Commit), ResolveError> {
        let syntax = || ResolveError::Syntax {
            revision: range.to_owned(),
        };
        let (from, to) = range.split_once("..").ok_or_else(syntax)?;
        if to.starts_with('.') || to.contains("..") || (from.is_empty() && to.is_empty()) {
            return Err(syntax());
        }
        let or_head = |end: &str| self.resolve(if end.is_empty() { "HEAD" } else { end });
        Ok((or_head(from)?, or_head(to)?))
    }

    fn resolve_as(&self, revision: &str, kind: ObjectType) -> Result<Oid, ResolveError> {
        let owned = || revision.to_owned();
        if revision.is_empty() || revision.starts_with('-') || revision.contains('\0') {
            return Err(ResolveError::Syntax { revision: owned() });
        }
        self.check_ambiguous(revision)?;
        let object = match self.inner.revparse_single(revision) {
            Ok(object) => object,
            Err(source) => {
                return match source.code() {
                    ErrorCode::NotFound => Err(self.not_found(revision)?),
                    ErrorCode::Ambiguous => self.only_commit_like(revision, kind),
                    ErrorCode::InvalidSpec => Err(ResolveError::Syntax { revision: owned() }),
                    ErrorCode::Peel => Err(ResolveError::WrongKind {
                        revision: owned(),
                        expected: kind.str(),
                    }),
                    _ => Err(ResolveError::Read {
                        revision: owned(),
                        source,
                    }),
                };
            }
        };
        match object.peel(kind) {
            Ok(peeled) => Ok(Oid::from_git2(peeled.id())),
            Err(_) => Err(ResolveError::WrongKind {
                revision: owned(),
                expected: kind.str(),
            }),
        }
    }

    /// Git takes the tag when a tag and a branch share a name, with a warning on stderr; we refuse unless they agree.
    fn check_ambiguous(&self, revision: &str) -> Result<(), ResolveError> {
        let (name, _) = split_name(revision);
        let mut candidates = Vec::new();
        for rule in ["refs/tags/", "refs/heads/", "refs/remotes/"] {
            let full = format!("{rule}{name}");
            let found = self
                .inner
                .find_reference(&full)
                .and_then(|reference| reference.peel(ObjectType::Any));
            if let Ok(object) = found {
                let end = object
                    .peel(ObjectType::Commit)
                    .map_or(object.id(), |commit| commit.id());
                candidates.push((full, end));
            }
        }
        match candidates.iter().all(|(_, id)| *id == candidates[0].1) {
            true => Ok(()),
            false => Err(ResolveError::Ambiguous {
                revision: revision.to_owned(),
                candidates: candidates.into_iter().map(|(name, _)| name).collect(),
            }),
        }
    }

    fn not_found(&self, revision: &str) -> Result<ResolveError, ResolveError> {
        let (base, _) = split_name(revision);
        let mut near: Vec<(usize, String)> = Vec::new();
        for reference in self.refs("refs/")? {
            let full = reference.name.as_str();
            let short = ["refs/heads/", "refs/tags/", "refs/remotes/"]
                .iter()
                .find_map(|rule| full.strip_prefix(rule));
            let Some(short) = short else { continue };
            let last = short.rsplit('/').next().unwrap_or(short);
            let distance = edit_distance(base, short).min(edit_distance(base, last) + 1);
            if short != base && (distance <= base.chars().count().div_ceil(3) || short.contains(base)) {
                near.push((distance, short.to_owned()));
            }
        }
        near.sort();
        near.truncate(MOST_NEAR);
        let near = near.into_iter().map(|(_, name)| name).collect();
        Ok(ResolveError::NotFound {
            revision: revision.to_owned(),
            near,
            shallow: self.is_shallow(),
        })
    }

    /// Several objects have ids that begin so; as in git, one that leads to a commit goes before files and folders.
    fn only_commit_like(&self, revision: &str, kind: ObjectType) -> Result<Oid, ResolveError> {
        let error = |source| ResolveError::Read {
            revision: revision.to_owned(),
            source,
        };
        let (digits, rest) = split_name(revision);
        let digits = digits.to_ascii_lowercase();
        let odb = self.inner.odb().map_err(error)?;
        let mut candidates = BTreeSet::new();
        odb.foreach(|id| {
            let text = id.to_string();
            if text.starts_with(&digits) {
                candidates.insert(text);
            }
            true
        })
        .map_err(error)?;
        let leads_to_commit = |text: &&String| {
            let header = git2::Oid::from_str(text).and_then(|id| odb.read_header(id));
            header.is_ok_and(|(_, kind)| matches!(kind, ObjectType::Commit | ObjectType::Tag))
        };
        let commits: Vec<_> = candidates.iter().filter(leads_to_commit).collect();
        match commits.as_slice() {
            [one] => self.resolve_as(&format!("{one}{rest}"), kind),
            _ => Err(ResolveError::Ambiguous {
                revision: revision.to_owned(),
                candidates: candidates.into_iter().collect(),
            }),
        }
    }
}

const MOST_NEAR: usize = 5;

/// The name and what is asked of it: `main` and `~2`, `v1` and `^{tree}`, `main` and `:folder`.
fn split_name(revision: &str) -> (&str, &str) {
    let ends = [revision.find(['~', '^', ':']), revision.find("@{")];
    revision.split_at(ends.into_iter().flatten().min().unwrap_or(revision.len()))
}

/// Levenshtein's distance, upper and lower case being equal.
fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().flat_map(char::to_lowercase).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (line, x) in a.chars().flat_map(char::to_lowercase).enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], line + 1);
        for (column, y) in b.iter().enumerate() {
            let change = diagonal + usize::from(x != *y);
            diagonal = row[column + 1];
            row[column + 1] = change.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[b.len()]
}

fn near_text(near: &[String]) -> String {
    match near.is_empty() {
        true => String::new(),
        false => format!("; similar names: {}", near.join(", ")),
    }
}

fn shallow_text(shallow: bool) -> &'static str {
    match shallow {
        true => "; the clone is shallow and older commits are missing: run `git fetch --unshallow`",
        false => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_names() {
        let check = |text, expect| assert_eq!(split_name(text), expect);
        check("main", ("main", ""));
        check("main~2^{tree}", ("main", "~2^{tree}"));
        check("user@fix", ("user@fix", ""));
        check("main@{1}", ("main", "@{1}"));
        check("v1:a~b", ("v1", ":a~b"));
    }

    #[test]
    fn measures_names() {
        let check = |a, b, expect| assert_eq!(edit_distance(a, b), expect, "{a} {b}");
        check("", "", 0);
        check("main", "MAIN", 0);
        check("main", "mian", 2);
        check("main", "", 4);
        check("äb", "ab", 1);
    }
}
