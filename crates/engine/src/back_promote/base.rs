//! The base of a back-promotion: the last state that target and source are known to share.

use serde::{Deserialize, Serialize};
use syncline_git::{
    BaseError, BothChanged, CommitError, Entry, HistoryError, Mode, NewCommit, ObjectError, Oid, RefError, RefName,
    Repository, Signature,
};
use syncline_metadata::component::ComponentId;
use syncline_metadata::conflict::Resolution;
use syncline_metadata::merge::{Sides, merge};

use crate::state::{Source, Target};
use crate::wire;

/// The base and how it was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "how", rename_all = "kebab-case")]
pub enum Base {
    /// The source's commit at the last back-promotion to this target, or a baseline that a person named.
    Recorded {
        /// The source's commit.
        #[serde(with = "wire::shown")]
        commit: Oid,
    },
    /// The one merge base that git knows.
    MergeBase {
        /// The commit.
        #[serde(with = "wire::shown")]
        commit: Oid,
    },
    /// Several merge bases, folded into one state by the semantic merge. Where they contradict each other the older
    /// text counts.
    Folded {
        /// The commits, oldest first.
        #[serde(with = "wire::shown_list")]
        commits: Vec<Oid>,
    },
    /// The beginning of the range of commits that was asked for.
    Range {
        /// The commit.
        #[serde(with = "wire::shown")]
        commit: Oid,
    },
    /// None is known: every difference that both sides have is a conflict.
    None,
}

/// The base cannot be found.
#[derive(Debug, thiserror::Error)]
pub enum FindBaseError {
    /// The clone is shallow and its history ends before source and target meet.
    #[error(
        "the clone is shallow: its history ends before `{source_name}` and `{target}` meet; run `git fetch --unshallow`"
    )]
    Shallow {
        /// The source.
        source_name: String,
        /// The target.
        target: String,
    },
    /// The ref of the base cannot be read.
    #[error(transparent)]
    Ref(#[from] RefError),
    /// The history cannot be walked.
    #[error(transparent)]
    History(#[from] HistoryError),
    /// A commit cannot be read.
    #[error(transparent)]
    Commit(#[from] CommitError),
    /// A tree cannot be read.
    #[error(transparent)]
    Object(#[from] ObjectError),
    /// The merge bases cannot be folded.
    #[error("the merge bases cannot be folded into one state")]
    Fold(#[source] BaseError<ObjectError>),
}

impl Base {
    /// The commits the base is made of.
    pub fn commits(&self) -> &[Oid] {
        match self {
            Self::Recorded { commit } | Self::MergeBase { commit } | Self::Range { commit } => {
                std::slice::from_ref(commit)
            }
            Self::Folded { commits } => commits,
            Self::None => &[],
        }
    }

    /// How it was found, in words.
    pub fn how(&self) -> &'static str {
        match self {
            Self::Recorded { .. } => "state at the last back-promotion",
            Self::MergeBase { .. } => "common ancestor in git",
            Self::Folded { .. } => "several common ancestors in git, merged into one",
            Self::Range { .. } => "beginning of the range of commits",
            Self::None => "no common state is known: every difference is a conflict",
        }
    }
}

/// The ref that remembers the base between a source and a target branch. Both names are escaped, so that `a/b` and
/// `a` can both be there.
pub fn base_ref(source: &str, target: &RefName) -> Result<RefName, RefError> {
    let target = target.as_branch().unwrap_or(target.as_str());
    format!("refs/syncline/base/{}/{}", escape(source), escape(target)).parse()
}

/// The remembered base of one target: what its ref names, and the state if it still holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Recorded {
    /// The value of the ref.
    pub(crate) at: Option<Oid>,
    /// The source's commit, if the target still builds on the promotion that the ref tells of.
    pub(crate) commit: Option<Oid>,
}

/// Marks a record that names the target's commit for which it holds.
const RECORD_SUBJECT: &str = "Remember the base of a back-promotion";

/// Reads the remembered base. A record holds as long as the target still contains the commit it was made for: a branch
/// that was set back or rewritten may have lost what it shared. A plain commit was named by a person and holds if it
/// is there.
pub(crate) fn recorded(repository: &Repository, source: &Source, target: &Target) -> Result<Recorded, FindBaseError> {
    let Some(branch) = &source.branch else {
        return Ok(Recorded::default());
    };
    let Some(at) = repository.read_ref(&base_ref(branch, &target.branch)?)? else {
        return Ok(Recorded::default());
    };
    let gone = Recorded {
        at: Some(at),
        commit: None,
    };
    let record = match repository.commit(at) {
        Ok(record) => record,
        Err(CommitError::Object(ObjectError::Missing { .. })) => return Ok(gone),
        Err(error) => return Err(error.into()),
    };
    let commit = match record.parents.as_slice() {
        [shared, held] if record.subject() == RECORD_SUBJECT => {
            if !repository.has_object(*held)? || !repository.is_ancestor(*held, target.tip)? {
                return Ok(gone);
            }
            *shared
        }
        _ => at,
    };
    Ok(Recorded {
        at: Some(at),
        commit: repository.has_object(commit)?.then_some(commit),
    })
}

/// Writes the record that `target_commit` shares `source` and returns its id; the caller moves the ref.
pub(crate) fn write_record(
    repository: &Repository,
    source: Oid,
    target_commit: Oid,
    who: &Signature,
) -> Result<Oid, CommitError> {
    repository.write_commit(NewCommit {
        tree: repository.commit_tree(source)?,
        parents: &[source, target_commit],
        message: RECORD_SUBJECT,
        author: who,
        committer: who,
    })
}

/// Finds the base by decision 5 of the architecture: remembered, else by git, else none. A merge base that contains
/// the remembered state is newer (somebody merged with git meanwhile, or the process was killed between two refs) and
/// goes before it.
pub(crate) fn find(
    repository: &Repository,
    source: &Source,
    target: &Target,
    recorded: Recorded,
) -> Result<Base, FindBaseError> {
    let bases = repository.merge_bases(target.tip, source.commit)?;
    if let Some(commit) = recorded.commit {
        let newer = match bases.as_slice() {
            [one] => *one != commit && repository.is_ancestor(commit, *one)?,
            _ => false,
        };
        if !newer {
            return Ok(Base::Recorded { commit });
        }
    }
    match bases.as_slice() {
        [] if repository.is_shallow() => Err(FindBaseError::Shallow {
            source_name: source.name.clone(),
            target: target.name.clone(),
        }),
        [] => Ok(Base::None),
        [commit] => Ok(Base::MergeBase { commit: *commit }),
        _ => Ok(Base::Folded { commits: bases }),
    }
}

/// The tree of a base; several merge bases are folded, which writes trees.
pub(crate) fn tree(repository: &Repository, base: &Base) -> Result<Option<Oid>, FindBaseError> {
    match base {
        Base::None => Ok(None),
        Base::Folded { commits } => repository
            .virtual_base(commits, &mut |both| fold_file(repository, both))
            .map_err(FindBaseError::Fold),
        Base::Recorded { commit } | Base::MergeBase { commit } | Base::Range { commit } => {
            Ok(Some(repository.commit_tree(*commit)?))
        }
    }
}

/// Merges a file that two merge bases have differently. What they disagree about, or what cannot be read, stays as
/// their own ancestor has it: then both source and target show their difference to it, and nothing is decided here.
fn fold_file(repository: &Repository, both: &BothChanged) -> Result<Option<Entry>, ObjectError> {
    if let Some(settled) = both.settled_by_id() {
        return Ok(Some(settled));
    }
    let entries = [both.base, both.ours, both.theirs];
    let plain = |entry: &Option<Entry>| entry.is_none_or(|entry| entry.mode.is_file());
    let Ok(path) = both.path.as_str() else {
        return Ok(both.base);
    };
    if !entries.iter().all(plain) || !both.beneath.is_empty() {
        return Ok(both.base);
    }
    let mut texts = [None, None, None];
    for (text, entry) in texts.iter_mut().zip(entries) {
        *text = entry.map(|entry| repository.read_blob(entry.oid)).transpose()?;
    }
    let sides = Sides {
        base: texts[0].as_deref(),
        ours: texts[1].as_deref(),
        theirs: texts[2].as_deref(),
    };
    let component = ComponentId::new("File", path);
    let Ok(mut merged) = merge(&component, path, sides) else {
        return Ok(both.base);
    };
    if merged.resolve(&component, &|_| Some(Resolution::Base)).is_err() {
        return Ok(both.base);
    }
    let mode = entries
        .into_iter()
        .flatten()
        .map(|entry| entry.mode)
        .min()
        .unwrap_or(Mode::File);
    merged
        .bytes()
        .map(|bytes| {
            Ok(Entry {
                oid: repository.write_blob(&bytes)?,
                mode,
            })
        })
        .transpose()
}

/// Letters, digits, `-` and `_` stay; everything else becomes `%XX`.
fn escape(name: &str) -> String {
    let mut text = String::new();
    for (index, byte) in name.bytes().enumerate() {
        match byte {
            b'-' if index == 0 => text.push_str("%2D"),
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => text.push(char::from(byte)),
            _ => text.push_str(&format!("%{byte:02X}")),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_branch_has_a_ref_of_its_own() {
        let check = |source: &str, target: &str, expect: &str| {
            let target = RefName::branch(target).unwrap();
            assert_eq!(base_ref(source, &target).unwrap().as_str(), expect);
        };
        check("main", "uat", "refs/syncline/base/main/uat");
        check("env/a", "env/a/b", "refs/syncline/base/env%2Fa/env%2Fa%2Fb");
        check("v1.0", "a%2Fb", "refs/syncline/base/v1%2E0/a%252Fb");
        check("-x", "ä", "refs/syncline/base/%2Dx/%C3%A4");
        check("x.lock", "y", "refs/syncline/base/x%2Elock/y");
    }
}
