//! The org is right: what was changed in it is committed to its branch.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use syncline_domain::config::Environment;
use syncline_domain::policy::{Action, Actor};
use syncline_git::{
    CommitTime, Entry, NewCommit, Oid, RefName, Repository, Trailer, TreeEdit, TreePath, append_trailers,
};
use syncline_metadata::component::ComponentId;
use syncline_metadata::merge::pick as pick_elements;
use syncline_metadata::path::ElementPath;

use super::open::ENVIRONMENT;
use super::select::{Picked, pick};
use super::{Difference, Drift, find};
use crate::back_promote::signature;
use crate::branch::advance;
use crate::compare::{Filter, compare};
use crate::config;
use crate::environment::{EnvironmentError, find as environment, seen_of, tip_of};
use crate::org::retrieve::ORG;
use crate::permission::ask;
use crate::snapshot::remember;
use crate::source::Source;
use crate::wire;

/// What is to be adopted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Adopt {
    /// The environment.
    pub environment: String,
    /// Numbers, components and elements.
    pub selection: Vec<String>,
    /// All that was changed in the org.
    pub all: bool,
    /// Subject of the commit.
    pub message: Option<String>,
    /// Tell what would happen and write nothing.
    pub dry_run: bool,
}

/// What was adopted.
#[derive(Clone, Debug, Serialize)]
pub struct Adopted {
    /// The environment.
    pub environment: String,
    /// Its branch.
    pub branch: String,
    /// The new commit; `None` in a dry run and when there was nothing.
    #[serde(serialize_with = "maybe")]
    pub commit: Option<Oid>,
    /// What is in it.
    pub adopted: Vec<Difference>,
    /// What was left out, and why.
    pub left: Vec<Left>,
    /// Files that changed.
    pub files: usize,
}

/// A difference that was left out.
#[derive(Clone, Debug, Serialize)]
pub struct Left {
    /// The difference.
    #[serde(flatten)]
    pub difference: Difference,
    /// Why.
    pub reason: &'static str,
}

#[expect(clippy::ref_option, reason = "serde hands over a reference")]
fn maybe<S: serde::Serializer>(oid: &Option<Oid>, serializer: S) -> Result<S::Ok, S::Error> {
    match oid {
        Some(oid) => wire::shown::serialize(oid, serializer),
        None => serializer.serialize_none(),
    }
}

/// Commits what was changed in an org to its branch, as of the last snapshot.
pub fn adopt(
    repository: &Repository,
    request: &Adopt,
    actor: &Actor,
    now: CommitTime,
) -> Result<Adopted, EnvironmentError> {
    let config = config::read(repository)?;
    let environment = environment(&config, &request.environment)?;
    ask(actor, Action::Adopt, Some(environment))?;
    let (seen, tip) = (seen_of(repository, environment)?, tip_of(repository, environment)?);
    let drift = find::drift(repository, &config, environment, &seen, tip)?;
    // Whoever names a difference of an open change wants it here as well.
    let taken = match request.selection.is_empty() {
        true => Difference::is_unclaimed,
        false => Difference::is_of_org,
    };
    let Picked { differences, left } = pick(&drift, &request.selection, request.all, taken)?;
    let left = left
        .into_iter()
        .map(|(difference, reason)| Left { difference, reason })
        .collect();
    let mut adopted = Adopted {
        environment: environment.name.clone(),
        branch: environment.branch.clone(),
        commit: None,
        adopted: differences,
        left,
        files: 0,
    };
    let writer = repository.batch()?;
    let edits = edits(
        &writer,
        &drift,
        &adopted.adopted,
        (repository.commit_tree(tip)?, seen.tree),
    )?;
    adopted.files = edits.len();
    if request.dry_run || edits.is_empty() {
        return Ok(adopted);
    }
    let branch = RefName::branch(&environment.branch)?;
    let who = signature(repository.committer()?, now);
    let tree = writer.write_edits(Some(repository.commit_tree(tip)?), &edits)?;
    let commit = writer.write_commit(NewCommit {
        tree,
        parents: &[tip],
        message: &message(environment, request, &drift, &adopted.adopted)?,
        author: &who,
        committer: &who,
    })?;
    writer.flush()?;
    let local = repository.read_ref(&branch)?;
    advance(repository, &branch, local, commit, "syncline: adopt")?;
    remember(repository, environment, commit, seen.commit, &who)?;
    adopted.commit = Some(commit);
    Ok(adopted)
}

/// The files that have to change on a tree so that it has what was picked of the org.
pub(crate) fn edits(
    repository: &Repository,
    drift: &Drift,
    picked: &[Difference],
    (branch, org): (Oid, Oid),
) -> Result<Vec<TreeEdit>, EnvironmentError> {
    let mut wanted: BTreeMap<&ComponentId, Vec<ElementPath>> = BTreeMap::new();
    for one in picked {
        wanted.entry(&one.component).or_default().push(one.path.clone());
    }
    let all: BTreeMap<&ComponentId, usize> = drift.differences.iter().fold(BTreeMap::new(), |mut counts, one| {
        *counts.entry(&one.component).or_default() += 1;
        counts
    });
    let source = |revision: &str, tree| Source::Git {
        revision: revision.to_owned(),
        tree,
    };
    let filter = Filter {
        types: wanted
            .keys()
            .map(|id| id.type_name.to_string())
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect(),
        components: Vec::new(),
    };
    let (from, to) = (source("branch", branch), source("snapshot", org));
    let comparison = compare(Some(repository), &from, &to, &filter, &|_, _| {})?;
    let mut edits = Vec::new();
    for component in &comparison.components {
        let Some(elements) = wanted.get(&component.id) else {
            continue;
        };
        let whole = all.get(&component.id) == Some(&elements.len());
        for file in &component.files {
            let at = |path: &Option<String>, tree| -> Result<Option<Entry>, EnvironmentError> {
                match path {
                    Some(path) => Ok(repository.entry_at(tree, &TreePath::from(path.as_str()))?),
                    None => Ok(None),
                }
            };
            let (ours, theirs) = (at(&file.from, branch)?, at(&file.to, org)?);
            let entry = match (whole, ours, theirs) {
                (true, _, theirs) => theirs,
                (false, ours, theirs) => {
                    let read = |entry: Option<Entry>| entry.map(|entry| repository.read_blob(entry.oid)).transpose();
                    let path = file.to.as_deref().or(file.from.as_deref()).unwrap_or_default();
                    let (base, other) = (read(ours)?, read(theirs)?);
                    let text = pick_elements(&component.id, path, base.as_deref(), other.as_deref(), elements)?;
                    let blob = |text: Vec<u8>| repository.write_blob(&text).map(Entry::file);
                    text.map(blob).transpose()?
                }
            };
            // A file that lies elsewhere in the snapshot leaves its old place.
            if let (Some(from), true) = (&file.from, file.to.is_some() && file.from != file.to) {
                edits.push(edit(from, None));
            }
            if let Some(path) = file.to.as_ref().or(file.from.as_ref())
                && entry != ours
            {
                edits.push(edit(path, entry));
            }
        }
    }
    Ok(edits)
}

fn edit(path: &str, entry: Option<Entry>) -> TreeEdit {
    TreeEdit {
        path: TreePath::from(path),
        entry,
    }
}

fn message(
    environment: &Environment,
    request: &Adopt,
    drift: &Drift,
    adopted: &[Difference],
) -> Result<String, EnvironmentError> {
    let components: BTreeSet<&ComponentId> = adopted.iter().map(|one| &one.component).collect();
    let subject = match (&request.message, components.len()) {
        (Some(message), _) => message.clone(),
        (None, 1) => format!("Adopt {} from {}", adopted[0].component, environment.name),
        (None, n) => format!("Adopt {n} components from {}", environment.name),
    };
    let authors = adopted
        .iter()
        .filter_map(|one| one.author.as_ref().map(|author| author.by.as_str()));
    let authors: BTreeSet<&str> = authors.collect();
    let trailer = |key: &str, value: &str| Trailer {
        key: key.to_owned(),
        value: value.replace(char::is_control, " "),
    };
    let mut trailers = vec![trailer(ENVIRONMENT, &environment.name)];
    trailers.extend(drift.org.as_deref().map(|org| trailer(ORG, org)));
    trailers.push(trailer("Syncline-Snapshot", &drift.snapshot.to_string()));
    trailers.extend(authors.into_iter().map(|name| trailer("Syncline-Changed-By", name)));
    trailers.extend(request.selection.iter().map(|word| trailer("Syncline-Selection", word)));
    Ok(append_trailers(&subject, &trailers)?)
}
