//! One file merged: its content by meaning, anything else as a whole.

use syncline_git::{Entry, Mode, ObjectError, Repository, TreeEdit, TreePath};
use syncline_metadata::conflict::{Conflict, Reason, Resolution};
use syncline_metadata::merge::{MergeError, Sides, merge};
use syncline_metadata::path::ElementPath;
use syncline_metadata::xml;

use super::plan::{Case, CaseKind};
use crate::resolution::{Decision, Resolutions};

/// The result of one case.
#[derive(Clone, Debug, Default)]
pub(crate) struct FileResult {
    /// Edits onto our tree; meaningless while something is open.
    pub(crate) edits: Vec<TreeEdit>,
    /// All conflicts in the order of the file, with their decision if there is one.
    pub(crate) conflicts: Vec<FileConflict>,
}

/// A conflict of a file.
#[derive(Clone, Debug)]
pub(crate) struct FileConflict {
    pub(crate) conflict: Conflict,
    /// More about it, when the reason does not say all.
    pub(crate) note: Option<String>,
    /// The decision that was replayed.
    pub(crate) decision: Option<Decision>,
}

/// A file cannot be merged.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// A version cannot be read.
    #[error("{path} cannot be read")]
    Object {
        /// The file.
        path: TreePath,
        /// The reason.
        source: ObjectError,
    },
    /// The merge failed: a side is malformed.
    #[error("{path} cannot be merged")]
    Merge {
        /// The file.
        path: TreePath,
        /// The reason, with the line.
        source: Box<MergeError>,
    },
}

impl FileResult {
    /// Whether a conflict waits for a decision.
    pub(crate) fn is_open(&self) -> bool {
        self.conflicts.iter().any(|conflict| conflict.decision.is_none())
    }
}

/// Merges one file. Reads and writes blobs of `repository`.
pub(crate) fn merge_file(
    repository: &Repository,
    case: &Case,
    resolutions: &Resolutions,
) -> Result<FileResult, FileError> {
    let object = |source| FileError::Object {
        path: case.path.clone(),
        source,
    };
    let mut texts = [None, None, None];
    for (text, side) in texts.iter_mut().zip(&case.sides) {
        *text = match side {
            None => None,
            Some((_, entry)) if entry.mode == Mode::Submodule => Some(format!("commit {}", entry.oid).into_bytes()),
            Some((_, entry)) => Some(repository.read_blob_within(entry.oid, xml::MAX_BYTES).map_err(object)?),
        };
    }
    let plain = case.sides.iter().flatten().all(|(_, entry)| entry.mode.is_file());
    match (case.kind, mode(case)) {
        (CaseKind::Content, Some(mode)) if plain => content(repository, case, &texts, mode, resolutions),
        _ => whole(repository, case, texts, resolutions).map_err(object),
    }
}

/// The mode that the sides agree on.
fn mode(case: &Case) -> Option<Mode> {
    let [base, ours, theirs] = case
        .sides
        .each_ref()
        .map(|side| side.as_ref().map(|(_, entry)| entry.mode));
    match (base, ours, theirs) {
        (_, Some(ours), Some(theirs)) if ours == theirs => Some(ours),
        (Some(base), Some(ours), Some(theirs)) if base == theirs => Some(ours),
        (Some(base), Some(ours), Some(theirs)) if base == ours => Some(theirs),
        (_, Some(_), Some(_)) => None,
        (_, ours, theirs) => ours.or(theirs).or(base),
    }
}

fn content(
    repository: &Repository,
    case: &Case,
    texts: &[Option<Vec<u8>>; 3],
    mode: Mode,
    resolutions: &Resolutions,
) -> Result<FileResult, FileError> {
    let failed = |source| FileError::Merge {
        path: case.path.clone(),
        source: Box::new(source),
    };
    let sides = Sides {
        base: texts[0].as_deref(),
        ours: texts[1].as_deref(),
        theirs: texts[2].as_deref(),
    };
    let mut merged = merge(&case.component, &case.path.to_string(), sides).map_err(failed)?;
    let found: Vec<Conflict> = merged.conflicts().to_vec();
    let decisions: Vec<Option<Decision>> = found
        .iter()
        .map(|conflict| resolutions.get(conflict).cloned())
        .collect();
    let mut replayed = decisions.iter().any(Option::is_some);
    if replayed {
        let decide = |conflict: &Conflict| resolutions.get(conflict).map(Decision::resolution);
        match merged.resolve(&case.component, &decide) {
            Ok(_) => {}
            // Decisions of other places do not fit together here: they are left to a person.
            Err(MergeError::Breaks { .. }) => replayed = false,
            Err(error) => return Err(failed(error)),
        }
    }
    let note = (!replayed && decisions.iter().any(Option::is_some))
        .then(|| "a remembered resolution does not fit here".to_owned());
    let entry = match merged.bytes() {
        None => None,
        Some(bytes) => Some(Entry {
            oid: repository.write_blob(&bytes).map_err(|source| FileError::Object {
                path: case.path.clone(),
                source,
            })?,
            mode,
        }),
    };
    Ok(FileResult {
        edits: edits(case, &case.path, entry),
        conflicts: found
            .into_iter()
            .zip(decisions)
            .map(|(conflict, decision)| FileConflict {
                conflict,
                note: note.clone(),
                decision: decision.filter(|_| replayed),
            })
            .collect(),
    })
}

/// A conflict over the whole file.
fn whole(
    repository: &Repository,
    case: &Case,
    [base, ours, theirs]: [Option<Vec<u8>>; 3],
    resolutions: &Resolutions,
) -> Result<FileResult, ObjectError> {
    let conflict = Conflict {
        path: ElementPath::root(case.component.clone()),
        reason: match (&ours, &theirs) {
            (None, _) => Reason::DeletedByUs,
            (_, None) => Reason::DeletedByThem,
            _ => Reason::Whole,
        },
        base,
        ours,
        theirs,
    };
    let decision = resolutions.get(&conflict).cloned();
    let taken = |side: usize| match &case.sides[side] {
        Some((path, entry)) => edits(case, path, Some(*entry)),
        None => edits(case, &case.path, None),
    };
    let resolution = decision.as_ref().map_or(Resolution::Ours, Decision::resolution);
    let edits = match resolution {
        Resolution::Ours => Vec::new(),
        Resolution::Theirs => taken(2),
        Resolution::Base => taken(0),
        Resolution::Value(None) => edits(case, &case.path, None),
        Resolution::Value(Some(bytes)) => {
            let entry = Entry::file(repository.write_blob(&bytes)?);
            edits(case, &case.path, Some(entry))
        }
    };
    Ok(FileResult {
        edits,
        conflicts: vec![FileConflict {
            conflict,
            note: note(case),
            decision,
        }],
    })
}

/// The edits onto our tree that leave the file at `place` only.
fn edits(case: &Case, place: &TreePath, entry: Option<Entry>) -> Vec<TreeEdit> {
    let mut edits = Vec::new();
    let ours = case.sides[1].as_ref();
    let keeps = ours.is_some_and(|(path, _)| path == place);
    if let Some((path, _)) = ours
        && !(keeps && entry.is_some())
    {
        edits.push(TreeEdit {
            path: path.clone(),
            entry: None,
        });
    }
    if let Some(entry) = entry
        && ours.is_none_or(|(path, now)| path != place || *now != entry)
    {
        edits.push(TreeEdit {
            path: place.clone(),
            entry: Some(entry),
        });
    }
    for (path, now, then) in &case.beneath {
        let goal = if entry.is_some() { None } else { now.or(*then) };
        if goal != *now {
            edits.push(TreeEdit {
                path: path.clone(),
                entry: goal,
            });
        }
    }
    edits
}

fn note(case: &Case) -> Option<String> {
    let place = |side: usize| case.sides[side].as_ref().map_or(&case.path, |(path, _)| path);
    match case.kind {
        CaseKind::MovedApart => Some(format!("ours moved it to {}, theirs to {}", place(1), place(2))),
        CaseKind::FileAndDirectory => Some("one side has a file where the other has a folder".to_owned()),
        CaseKind::Needed => Some("it was deleted here, but what comes in needs it".to_owned()),
        CaseKind::Content if mode(case).is_none() => Some("both sides changed its mode".to_owned()),
        CaseKind::Content => case
            .sides
            .iter()
            .flatten()
            .any(|(_, entry)| !entry.mode.is_file())
            .then(|| "it is a symbolic link or a submodule on a side".to_owned()),
    }
}
