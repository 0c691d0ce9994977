//! Values of environments, taken out of the source's files and put in for the target: in the common state and in the change alike, so
//! that they are never a change themselves. What an org does not have, and what is not managed, is taken out of both: the target's snapshot
//! does not tell of it.

use std::collections::BTreeMap;

use syncline_domain::overlay::{FOLDER, File, Overlays, Place, apply, strip};
use syncline_git::{Entry, NewCommit, Oid, Repository, Signature, TreePath};

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

pub(super) fn lay(hand: &Hand, base: Option<Oid>, commit: Oid, snapshot: Oid) -> Result<Laid, StepError> {
    let source = read(&hand.repository, commit, &hand.params.from)?;
    let target = read(&hand.repository, commit, &hand.target.name)?;
    let managed = scope::read(&hand.repository)?;
    if hand.params.undo.is_some() {
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
    let mut state = |commit: Oid| transformed(hand, commit, snapshot, &values, &mut notes);
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

/// A commit with the source's values out and the target's in, and without what the target's org cannot have.
fn transformed(
    hand: &Hand,
    commit: Oid,
    snapshot: Oid,
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
    let reference = repository.commit_tree(snapshot)?;
    let projects = ProjectReader::default().read(repository, tree)?;
    let known: BTreeMap<TreePath, Entry> = repository.files(reference, "")?.into_iter().collect();
    let mut edited = repository.edit_tree(Some(tree));
    for (path, entry) in repository.files(tree, "")? {
        let Ok(text) = path.as_str() else { continue };
        let file = projects.file(text).filter(|file| managed.has(&file.id));
        if file.is_none() && !PROJECT_FILES.contains(&text) {
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
        // A secret stays sealed in git; what is sent is opened.
        let laid = apply(target, file(&stripped.bytes), &|sealed| Ok(sealed.as_str().to_owned()))?;
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
    for (path, entry) in decisions {
        edited.set(path, *entry)?;
    }
    let new = edited.write()?;
    if new == tree {
        return Ok(commit);
    }
    let who = Signature {
        identity: repository.committer()?,
        time: hand.time(),
    };
    Ok(repository.write_commit(NewCommit {
        tree: new,
        parents: &[commit],
        message: &format!("What {} has for the org of {}", hand.params.from, hand.target.name),
        author: &who,
        committer: &who,
    })?)
}
