//! Values of environments, taken out of the source's files and put in for the target: in the common state and in the change alike, so
//! that they are never a change themselves. What an org does not have, and what is not managed, is taken out of both: the target's snapshot
//! does not tell of it.

use std::collections::BTreeMap;

use syncline_domain::overlay::{FOLDER, File, Overlays, Place, apply, strip};
use syncline_git::{Entry, NewCommit, Oid, Repository, TreePath};

use super::hand::{Hand, broken};
use crate::operation::StepError;
use crate::org::retrieve::PROJECT_FILES;
use crate::project::ProjectReader;
use crate::resolution::FOLDER as RESOLUTIONS;
use crate::scope::{self, Managed};

/// The two states of a merge with the target's values.
pub(super) struct Laid {
    pub(super) base: Option<Oid>,
    pub(super) commit: Oid,
    pub(super) notes: Vec<String>,
}

/// What the two states are laid over.
#[derive(Clone, Copy)]
pub(super) enum Under {
    /// The org's snapshot: the target's values are put in.
    Org(Oid),
    /// The branch's tip: it keeps what it has at the places of both environments, also where there is no common state.
    Branch(Oid),
}

impl Under {
    fn commit(self) -> Oid {
        match self {
            Self::Org(commit) | Self::Branch(commit) => commit,
        }
    }
}

pub(super) fn lay(hand: &Hand, base: Option<Oid>, commit: Oid, under: Under) -> Result<Laid, StepError> {
    let source = read(&hand.repository, commit, &hand.params.from)?;
    let target = read(&hand.repository, commit, &hand.target.name)?;
    let managed = scope::read(&hand.repository)?;
    let no_values = source.list.is_empty() && target.list.is_empty();
    if hand.params.undo.is_some() || (no_values && matches!(under, Under::Branch(_))) {
        return Ok(Laid {
            base,
            commit,
            notes: Vec::new(),
        });
    }
    let mut notes = Vec::new();
    // Decisions stand in the source's tree. They are no change either.
    let decisions = hand
        .repository
        .files(hand.repository.commit_tree(commit)?, RESOLUTIONS)?;
    let values = Values {
        source: &source,
        target: &target,
        managed: &managed,
        decisions: &decisions,
    };
    let mut state = |commit: Oid| transformed(hand, commit, under, &values, &mut notes);
    let base = base.map(&mut state).transpose()?;
    let commit = state(commit)?;
    notes.sort();
    notes.dedup();
    Ok(Laid { base, commit, notes })
}

/// The overlays of an environment as the source's commit has them.
fn read(repository: &Repository, commit: Oid, environment: &str) -> Result<Overlays, StepError> {
    let tree = repository.commit_tree(commit)?;
    let path = format!("{FOLDER}/{environment}.toml");
    let Some(entry) = repository.entry_at(tree, &TreePath::from(path.as_str()))? else {
        return Ok(Overlays::default());
    };
    let text = String::from_utf8_lossy(&repository.read_blob(entry.oid)?).into_owned();
    Overlays::check(environment, &text).map_err(|errors| {
        let told: Vec<String> = errors.iter().map(ToString::to_string).collect();
        broken("promote.overlay", told.join("\n"))
    })
}

/// What a state is transformed with.
struct Values<'a> {
    source: &'a Overlays,
    target: &'a Overlays,
    managed: &'a Managed,
    decisions: &'a [(TreePath, Entry)],
}

/// A commit with the source's values out and the target's in. For an org it is without what an org cannot have.
fn transformed(
    hand: &Hand,
    commit: Oid,
    under: Under,
    &Values {
        source,
        target,
        managed,
        decisions,
    }: &Values<'_>,
    notes: &mut Vec<String>,
) -> Result<Oid, StepError> {
    let repository = &hand.repository;
    let tree = repository.commit_tree(commit)?;
    let reference = repository.commit_tree(under.commit())?;
    let projects = ProjectReader::default().read(repository, tree)?;
    let known: BTreeMap<TreePath, Entry> = repository.files(reference, "")?.into_iter().collect();
    let mut edited = repository.edit_tree(Some(tree));
    for (path, entry) in repository.files(tree, "")? {
        let text = path.as_str().unwrap_or_default();
        let file = projects.file(text);
        let is_in_org = file.as_ref().is_some_and(|file| managed.has(&file.id)) || PROJECT_FILES.contains(&text);
        if matches!(under, Under::Org(_)) && !is_in_org {
            edited.remove(&path)?;
            continue;
        }
        let component = file.map(|file| file.parent.unwrap_or(file.id));
        let concerned = |overlays: &Overlays| {
            overlays.list.iter().any(|overlay| match &overlay.place {
                Place::Element(place) => component.as_ref() == Some(&place.component),
                Place::Text { .. } => true,
            })
        };
        if !entry.mode.is_file() || !(concerned(source) || concerned(target)) {
            continue;
        }
        let bytes = repository.read_blob(entry.oid)?;
        let old = known
            .get(&path)
            .map(|entry| repository.read_blob(entry.oid))
            .transpose()?;
        let file = |bytes| File {
            path: text,
            component: component.as_ref(),
            bytes,
        };
        let stripped = strip(source, file(&bytes), old.as_deref())?;
        let laid = match (under, &old) {
            (Under::Branch(_), Some(old)) => strip(target, file(&stripped.bytes), Some(old))?,
            // A secret stays sealed in git; what is sent is opened.
            _ => apply(target, file(&stripped.bytes), &|sealed| Ok(sealed.as_str().to_owned()))?,
        };
        notes.extend(laid.missing.iter().map(|missing| {
            let place = &target.list[missing.overlay].place;
            format!(
                "the overlay {place} of `{}` is not put in: {}",
                hand.target.name, missing.reason
            )
        }));
        if laid.bytes != bytes {
            let oid = repository.write_blob(&laid.bytes)?;
            edited.set(&path, Entry::file(oid))?;
        }
    }
    if matches!(under, Under::Org(_)) {
        for (path, entry) in decisions {
            edited.set(path, *entry)?;
        }
    }
    let new = edited.write()?;
    if new == tree {
        return Ok(commit);
    }
    // The same state is the same commit each time, so that conflicts are found again.
    let who = repository.commit(commit)?.committer;
    Ok(repository.write_commit(NewCommit {
        tree: new,
        parents: &[commit],
        message: &format!("What {} has for {}", hand.params.from, hand.target.name),
        author: &who,
        committer: &who,
    })?)
}
