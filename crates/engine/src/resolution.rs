//! Remembered resolutions: what people decided about a conflict, kept by its fingerprint and replayed wherever it
//! comes up again.
//!
//! Each is a file `syncline/resolutions/<fingerprint>.toml`, in the tree of a branch or of the commits of
//! `refs/syncline/resolutions`, which all environments share.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use syncline_git::{
    CommitError, EditError, NewCommit, ObjectError, Oid, RefError, RefName, Repository, Signature, TreeEdit, TreePath,
};
use syncline_git::{Entry, Trailer};
use syncline_metadata::conflict::{Conflict, Fingerprint, Resolution};
use syncline_metadata::path::ElementPath;

use crate::wire::{self, Text};

/// The ref that resolutions are shared by.
pub const REF: &str = "refs/syncline/resolutions";
/// The folder of the files.
pub const FOLDER: &str = "syncline/resolutions";

/// What was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Choice {
    /// The target's side.
    Ours,
    /// The side that comes in.
    Theirs,
    /// The common ancestor.
    Base,
    /// A text of its own.
    Value,
    /// The element goes away.
    Delete,
}

impl Choice {
    /// In words.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::Theirs => "theirs",
            Self::Base => "base",
            Self::Value => "a text of its own",
            Self::Delete => "deleted",
        }
    }
}

/// A remembered resolution.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    /// The conflict it decides.
    #[serde(with = "wire::shown")]
    pub fingerprint: Fingerprint,
    /// Where the conflict stood.
    #[serde(with = "wire::shown")]
    pub path: ElementPath,
    /// What was decided.
    pub choice: Choice,
    /// The text, for [`Choice::Value`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<Text>,
    /// Who decided, `Name <mail>`.
    pub by: String,
    /// When, in seconds since 1970-01-01 UTC.
    pub when: i64,
}

/// The resolutions that apply, by fingerprint.
#[derive(Clone, Debug, Default)]
pub struct Resolutions {
    found: HashMap<Fingerprint, Decision>,
}

/// Resolutions cannot be read or kept.
#[derive(Debug, thiserror::Error)]
pub enum ResolutionError {
    /// A file is no resolution.
    #[error("{path} in {place} is no resolution: {problem}; correct or remove it")]
    Malformed {
        /// The file.
        path: TreePath,
        /// The commit or ref it stands in.
        place: String,
        /// What is wrong.
        problem: String,
    },
    /// A decision cannot be written as TOML.
    #[error("the resolution of {path} cannot be written")]
    Write {
        /// The conflict.
        path: ElementPath,
        /// The reason.
        source: toml::ser::Error,
    },
    /// An object cannot be read or written.
    #[error(transparent)]
    Object(#[from] ObjectError),
    /// A commit cannot be read or written.
    #[error(transparent)]
    Commit(#[from] CommitError),
    /// The tree cannot be written.
    #[error(transparent)]
    Edit(#[from] EditError),
    /// The ref cannot be read or moved.
    #[error(transparent)]
    Ref(#[from] RefError),
    /// Trailers cannot be written.
    #[error(transparent)]
    Trailer(#[from] syncline_git::TrailerError),
}

/// Larger files are no resolutions: the largest element of a real file has a few MB.
const MAX_BYTES: usize = 64 * 1024 * 1024;
/// How often a lost race for the ref is tried again. Each loss means that somebody else won.
const ATTEMPTS: usize = 100;

impl Decision {
    /// The decision as the merge takes it.
    pub fn resolution(&self) -> Resolution {
        match self.choice {
            Choice::Ours => Resolution::Ours,
            Choice::Theirs => Resolution::Theirs,
            Choice::Base => Resolution::Base,
            Choice::Delete => Resolution::Value(None),
            Choice::Value => Resolution::Value(self.value.as_ref().map(|text| text.0.clone())),
        }
    }

    fn file(&self) -> TreePath {
        TreePath::from(format!("{FOLDER}/{}.toml", self.fingerprint))
    }
}

impl Resolutions {
    /// Reads those of a source commit's tree and those of the shared ref; the latter win.
    pub fn read(repository: &Repository, source: Oid) -> Result<Self, ResolutionError> {
        let mut all = Self::default();
        all.add_tree(repository, repository.commit_tree(source)?, &source.to_string())?;
        if let Some(shared) = repository.read_ref(&shared_ref()?)? {
            all.add_tree(repository, repository.commit_tree(shared)?, REF)?;
        }
        Ok(all)
    }

    /// Adds one; it wins over an older one.
    pub fn add(&mut self, decision: Decision) {
        self.found.insert(decision.fingerprint, decision);
    }

    /// The decision about a conflict. The fingerprint holds type, full name, path and content of all sides; the path
    /// is compared once more, so that a file with a wrong name never decides anything else.
    pub fn get(&self, conflict: &Conflict) -> Option<&Decision> {
        if self.found.is_empty() {
            return None;
        }
        let found = self.found.get(&conflict.fingerprint());
        found.filter(|decision| decision.path == conflict.path)
    }

    fn add_tree(&mut self, repository: &Repository, tree: Oid, place: &str) -> Result<(), ResolutionError> {
        for (path, entry) in repository.files(tree, FOLDER)? {
            if !path.as_bytes().ends_with(b".toml") || !entry.mode.is_file() {
                continue;
            }
            let malformed = |problem: String| ResolutionError::Malformed {
                path: path.clone(),
                place: place.to_owned(),
                problem,
            };
            let bytes = repository.read_blob_within(entry.oid, MAX_BYTES)?;
            let text = String::from_utf8(bytes).map_err(|_| malformed("it is not UTF-8".to_owned()))?;
            let decision: Decision = toml::from_str(&text).map_err(|error| {
                let line = error.span().map_or(1, |span| text[..span.start].lines().count().max(1));
                malformed(format!("line {line}: {}", error.message()))
            })?;
            if decision.file() != path {
                return Err(malformed(format!(
                    "its name is not its fingerprint {}",
                    decision.fingerprint
                )));
            }
            if (decision.choice == Choice::Value) != decision.value.is_some() {
                return Err(malformed(
                    "`value` belongs to `choice = \"value\"` and to no other".to_owned(),
                ));
            }
            self.add(decision);
        }
        Ok(())
    }
}

/// Adds decisions to the shared ref. When somebody else adds at the same moment, both are kept.
pub fn remember(repository: &Repository, decisions: &[Decision], who: &Signature) -> Result<(), ResolutionError> {
    let name = shared_ref()?;
    let mut attempt = 0;
    loop {
        attempt += 1;
        let before = repository.read_ref(&name)?;
        let tree = before.map(|commit| repository.commit_tree(commit)).transpose()?;
        let mut edits = Vec::new();
        for decision in decisions {
            let text = toml::to_string(decision).map_err(|source| ResolutionError::Write {
                path: decision.path.clone(),
                source,
            })?;
            edits.push(TreeEdit {
                path: decision.file(),
                entry: Some(Entry::file(repository.write_blob(text.as_bytes())?)),
            });
        }
        let tree_after = repository.write_edits(tree, &edits)?;
        if tree == Some(tree_after) {
            return Ok(());
        }
        let parents: Vec<Oid> = before.into_iter().collect();
        let trailers: Vec<Trailer> = decisions
            .iter()
            .map(|decision| Trailer {
                key: "Syncline-Resolution".to_owned(),
                value: decision.path.to_string(),
            })
            .collect();
        let subject = match decisions {
            [one] => format!("Resolve {}", one.path),
            many => format!("Resolve {} conflicts", many.len()),
        };
        let commit = repository.write_commit(NewCommit {
            tree: tree_after,
            parents: &parents,
            message: &syncline_git::append_trailers(&subject, &trailers)?,
            author: who,
            committer: who,
        })?;
        match repository.update_ref(&name, Some(commit), before, "syncline: remember resolutions") {
            Err(RefError::Moved { .. } | RefError::Locked { .. }) if attempt < ATTEMPTS => {}
            result => return Ok(result?),
        }
    }
}

fn shared_ref() -> Result<RefName, RefError> {
    REF.parse()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn conflict(name: &str) -> Conflict {
        Conflict {
            path: format!("Profile:{name}/custom").parse().unwrap(),
            reason: syncline_metadata::conflict::Reason::BothChanged,
            base: Some(b"<custom>a</custom>".to_vec()),
            ours: None,
            theirs: Some(b"\xff".to_vec()),
        }
    }

    fn decision(conflict: &Conflict, choice: Choice, value: Option<&[u8]>) -> Decision {
        Decision {
            fingerprint: conflict.fingerprint(),
            path: conflict.path.clone(),
            choice,
            value: value.map(|bytes| Text(bytes.to_vec())),
            by: "Ada <ada@example.com>".to_owned(),
            when: 1_700_000_000,
        }
    }

    #[test]
    fn files_survive() {
        let check = |choice, value| {
            let decision = decision(&conflict("Admin"), choice, value);
            let text = toml::to_string(&decision).unwrap();
            assert_eq!(toml::from_str::<Decision>(&text).unwrap(), decision, "{text}");
        };
        check(Choice::Ours, None);
        check(Choice::Delete, None);
        check(
            Choice::Value,
            Some(b"<a>\r\n\t'''\"\"\" \\ \x01 \xc3\xa4</a>\n".as_slice()),
        );
        check(Choice::Value, Some(b"\xff\x00".as_slice()));
    }

    #[test]
    fn decides_only_its_own_component() {
        let (admin, standard) = (conflict("Admin"), conflict("Standard"));
        let mut all = Resolutions::default();
        all.add(decision(&admin, Choice::Ours, None));
        assert!(all.get(&admin).is_some());
        assert!(all.get(&standard).is_none());
        // A file under the other's fingerprint still says what it was decided for.
        let mut forged = decision(&admin, Choice::Theirs, None);
        forged.fingerprint = standard.fingerprint();
        all.add(forged);
        assert!(all.get(&standard).is_none());
    }
}
