//! A kept conflict: the request that met it, the states it was met in and the texts of all sides, in a commit of its own.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use syncline_git::{
    CommitError, EditError, Entry, NewCommit, ObjectError, Oid, RefError, RefName, Repository, TreeEdit, TreePath,
};
use syncline_metadata::component::ComponentId;
use syncline_metadata::conflict::Fingerprint;
use syncline_metadata::path::ElementPath;

use crate::back_promote::{Base, Job, Range, Selection};
use crate::back_promote::{Case, FileResult, Prepared};
use crate::resolution::{Choice, Decision};
use crate::state::Target;
use crate::wire::{self, Text, hex};

/// Where kept conflicts are.
pub const REFS: &str = "refs/syncline/conflicts/";
const FILE: &str = "conflict.json";
const FORMAT: u32 = 1;
/// Digits of an id: short to type; one id per source, target and selection, so few exist.
const ID_DIGITS: usize = 8;

/// The conflicts of one back-promotion to one target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Version of this format.
    pub format: u32,
    /// The id, stable for the same source, target and selection.
    pub id: String,
    /// What people call the source.
    pub source: String,
    /// The source's branch, if it is one.
    pub source_branch: Option<String>,
    /// The source's commit.
    #[serde(with = "wire::shown")]
    pub source_commit: Oid,
    /// What people call the target.
    pub target: String,
    /// The target's branch, in full.
    pub target_branch: String,
    /// The target's commit when the conflicts were found.
    #[serde(with = "wire::shown")]
    pub target_commit: Oid,
    /// The base.
    pub base: Base,
    /// Only these commits.
    pub range: Option<Range>,
    /// Only these components and elements.
    pub selection: Selection,
    /// All conflicts, decided and open, numbered from 1.
    pub conflicts: Vec<Item>,
}

impl Record {
    /// Whether the merge is a step of an operation: its result goes to an org before it goes to a branch.
    pub fn is_of_operation(&self) -> bool {
        self.target_branch.starts_with("refs/syncline/operation/")
    }
}

/// One conflict of a record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// From 1, in the order of paths.
    pub number: usize,
    /// The file.
    pub file: String,
    /// The place in it.
    #[serde(with = "wire::shown")]
    pub path: ElementPath,
    /// The component.
    #[serde(with = "wire::shown")]
    pub component: ComponentId,
    /// Why it is a conflict, in words.
    pub reason: String,
    /// More about it.
    pub note: Option<String>,
    /// By which a resolution is remembered.
    #[serde(with = "wire::shown")]
    pub fingerprint: Fingerprint,
    /// The common ancestor's text.
    pub base: Option<Text>,
    /// The target's text.
    pub ours: Option<Text>,
    /// The source's text.
    pub theirs: Option<Text>,
    /// The decision; `None` while it is open.
    pub decided: Option<Decided>,
}

/// A decision about a conflict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decided {
    /// The conflict's fingerprint.
    pub fingerprint: String,
    /// What was decided.
    pub choice: Choice,
    /// The text, for a value.
    pub value: Option<Text>,
    /// Who, `Name <mail>`.
    pub by: String,
    /// When, in seconds since 1970-01-01 UTC.
    pub when: i64,
}

/// Kept conflicts cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The record is damaged or of another version.
    #[error("the kept conflicts of {name} cannot be read: {problem}; `syncline conflicts abort` removes them")]
    Malformed {
        /// The ref.
        name: RefName,
        /// What is wrong.
        problem: String,
    },
    /// They cannot be written as JSON.
    #[error("the conflicts cannot be written as JSON")]
    Json(#[source] serde_json::Error),
    /// An object cannot be read or written.
    #[error(transparent)]
    Object(#[from] ObjectError),
    /// A commit cannot be read or written.
    #[error(transparent)]
    Commit(#[from] CommitError),
    /// The tree cannot be written.
    #[error(transparent)]
    Edit(#[from] EditError),
    /// A ref cannot be read.
    #[error(transparent)]
    Ref(#[from] RefError),
}

impl From<&Decision> for Decided {
    fn from(decision: &Decision) -> Self {
        Self {
            fingerprint: decision.fingerprint.to_string(),
            choice: decision.choice,
            value: decision.value.clone(),
            by: decision.by.clone(),
            when: decision.when,
        }
    }
}

impl Record {
    /// The conflicts that wait for a decision.
    pub fn open(&self) -> impl Iterator<Item = &Item> {
        self.conflicts.iter().filter(|item| item.decided.is_none())
    }
}

/// The ref of an id.
pub(crate) fn ref_of(id: &str) -> Result<RefName, RefError> {
    format!("{REFS}{id}").parse()
}

/// The id of a job's conflicts with a target: made from their names and the selection, so that running the same
/// command again finds them.
pub(crate) fn id_of(job: &Job, target: &Target) -> String {
    let source = job.source.branch.as_deref().unwrap_or(&job.source.name);
    let mut parts = vec![source.to_owned(), target.branch.to_string()];
    if let Some(range) = job.range {
        parts.push(format!("{}..{}", range.from, range.to));
    }
    parts.extend(job.selection.components.iter().map(ToString::to_string));
    parts.extend(job.selection.elements.iter().map(ToString::to_string));
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part.as_bytes());
    }
    let mut id = hex(&hash.finalize());
    id.truncate(ID_DIGITS);
    id
}

/// The conflicts of all files, numbered.
pub(crate) fn items(cases: &[Case], files: &[FileResult]) -> Vec<Item> {
    let mut items = Vec::new();
    for (case, file) in cases.iter().zip(files) {
        for found in &file.conflicts {
            let conflict = &found.conflict;
            let text = |side: &Option<Vec<u8>>| side.clone().map(Text);
            items.push(Item {
                number: items.len() + 1,
                file: case.path.to_string(),
                path: conflict.path.clone(),
                component: case.component.clone(),
                reason: conflict.reason.to_string(),
                note: found.note.clone(),
                fingerprint: conflict.fingerprint(),
                base: text(&conflict.base),
                ours: text(&conflict.ours),
                theirs: text(&conflict.theirs),
                decided: found.decision.as_ref().map(Decided::from),
            });
        }
    }
    items
}

/// Writes the record of a target's conflicts; the caller moves the ref. Unchanged conflicts keep their commit.
pub(crate) fn write_record(
    repository: &Repository,
    job: &Job,
    prepared: &Prepared,
    items: &[Item],
) -> Result<Oid, RecordError> {
    let record = Record {
        format: FORMAT,
        id: id_of(job, &prepared.target),
        source: job.source.name.clone(),
        source_branch: job.source.branch.clone(),
        source_commit: job.source.commit,
        target: prepared.target.name.clone(),
        target_branch: prepared.target.branch.to_string(),
        target_commit: prepared.target.tip,
        base: prepared.base.clone(),
        range: job.range,
        selection: job.selection.clone(),
        conflicts: items.to_vec(),
    };
    let json = serde_json::to_vec_pretty(&record).map_err(RecordError::Json)?;
    let edit = TreeEdit {
        path: TreePath::from(FILE),
        entry: Some(Entry::file(repository.write_blob(&json)?)),
    };
    let tree = repository.write_edits(None, &[edit])?;
    if let Some(kept) = prepared.kept
        && repository.commit_tree(kept)? == tree
    {
        return Ok(kept);
    }
    // The parents keep the states alive that the conflicts are about.
    let mut parents = vec![record.source_commit, record.target_commit];
    parents.extend(record.base.commits());
    let mut seen = std::collections::HashSet::new();
    parents.retain(|parent| seen.insert(*parent));
    let open = record.open().count();
    let message = format!("Keep {open} open conflicts of {} and {}", record.source, record.target);
    Ok(repository.write_commit(NewCommit {
        tree,
        parents: &parents,
        message: &message,
        author: &job.who,
        committer: &job.who,
    })?)
}

/// Reads the record that a ref's commit holds.
pub(crate) fn read_record(repository: &Repository, name: &RefName, commit: Oid) -> Result<Record, RecordError> {
    let malformed = |problem: String| RecordError::Malformed {
        name: name.clone(),
        problem,
    };
    let tree = repository.commit_tree(commit)?;
    let bytes = repository.read_path(tree, &TreePath::from(FILE))?;
    let record: Record = serde_json::from_slice(&bytes).map_err(|error| malformed(error.to_string()))?;
    match record.format {
        FORMAT => Ok(record),
        other => Err(malformed(format!("it has format {other}, this version reads {FORMAT}"))),
    }
}
