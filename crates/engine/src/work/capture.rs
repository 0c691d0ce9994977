//! What a person changed in a sandbox is put on the branch of a work item.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use syncline_domain::drift::{Attribution, Class};
use syncline_domain::policy::{Action, Actor};
use syncline_git::{CommitTime, Entry, NewCommit, Oid, RefName, Repository, Trailer, TreeEdit, append_trailers};
use syncline_metadata::component::ComponentId;
use syncline_metadata::diff::ChangeKind;
use syncline_metadata::merge::{Sides, merge};

use super::{Change, Item, chosen, item, trailers};
use crate::back_promote::signature;
use crate::branch::advance;
use crate::drift::{Difference, Drift, drift, edits, pick};
use crate::environment::{EnvironmentError, find, network, seen_of, tip_of};
use crate::org::login::Orgs;
use crate::org::retrieve::Facts;
use crate::permission::ask;
use crate::project::ProjectReader;
use crate::{config, snapshot};

/// What is to be captured.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Capture {
    /// The work item; the only one that is begun when none is named.
    pub item: Option<String>,
    /// Numbers of the list, components and elements; none: only list.
    pub selection: Vec<String>,
    /// All that is listed.
    pub all: bool,
    /// What others changed, too.
    pub everybody: bool,
    /// What the commit is about; the work item's title when nothing is said.
    pub message: Option<String>,
    /// Look at the org anew before.
    pub refresh: bool,
}

/// What was found and captured.
#[derive(Clone, Debug, Serialize)]
pub struct Captured {
    /// The work item.
    pub item: Item,
    /// Whether the org tells who changed what (source tracking); else the last change of each component counts.
    pub tracked: bool,
    /// Who asks, as the org knows them.
    pub user: String,
    /// What can be captured.
    pub candidates: Vec<Candidate>,
    /// Numbers of those that were captured.
    pub captured: Vec<usize>,
    /// How many components others changed, which are not listed.
    pub others: usize,
    /// Files that changed on the branch.
    pub files: usize,
}

/// A component that was changed in the sandbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Candidate {
    /// From 1.
    pub number: usize,
    /// The component.
    #[serde(with = "crate::wire::shown")]
    pub component: ComponentId,
    /// `added`, `removed` or `changed`.
    pub kind: &'static str,
    /// The changes in words.
    pub changes: Vec<String>,
    /// Who changed it last.
    pub author: Option<Attribution>,
    /// Another work item that has the same change already.
    pub also_in: Option<String>,
}

/// Lists what was changed in the sandbox of a work item, and commits what was picked.
pub fn capture(
    repository: &Repository,
    orgs: &Orgs,
    request: &Capture,
    actor: &Actor,
    now: CommitTime,
) -> Result<Captured, EnvironmentError> {
    let config = config::read(repository)?;
    let change = chosen(repository, &config, request.item.as_deref())?;
    let name = change.environment.clone().ok_or_else(|| EnvironmentError::Argument {
        what: format!("nobody knows in which sandbox the work item {} is made", change.id),
        hint: "its branch was made by hand; begin one with `syncline work start`".to_owned(),
    })?;
    let environment = find(&config, &name)?;
    ask(actor, Action::Work, Some(environment))?;
    let who = signature(repository.committer()?, now);
    if request.refresh {
        let wanted = snapshot::Request::default();
        snapshot::take(
            repository,
            network()?.handle(),
            orgs,
            environment,
            &wanted,
            &who,
            &|_, _| {},
        )?;
    }
    let seen = seen_of(repository, environment)?;
    let facts = seen
        .head
        .as_ref()
        .and_then(|head| head.facts(repository, &environment.name));
    let facts = facts.unwrap_or_default();
    let found = drift(repository, &name)?;
    let (list, others) = candidates(&found, &facts, &change, request.everybody);
    let components: Vec<&ComponentId> = list.iter().map(|one| &one.component).collect();
    let numbers = numbers(&request.selection, request.all, &list)?;
    let picked = picked(&found, &components, request, &numbers)?;
    let mut captured = Captured {
        tracked: facts.members.is_some(),
        user: facts.user.name,
        captured: picked
            .iter()
            .filter_map(|one| components.iter().position(|id| **id == one.component).map(|at| at + 1))
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect(),
        candidates: list,
        others,
        files: 0,
        item: item(repository, change.clone())?,
    };
    if picked.is_empty() {
        return Ok(captured);
    }
    let branch = repository.commit_tree(tip_of(repository, environment)?)?;
    let writer = repository.batch()?;
    let theirs = edits(&writer, &found, &picked, (branch, seen.tree))?;
    let ours = repository.commit_tree(change.commit)?;
    let merged = merged(&writer, (branch, ours), &theirs, &change)?;
    captured.files = merged.len();
    if merged.is_empty() {
        return Ok(captured);
    }
    let authors: BTreeSet<&str> = picked
        .iter()
        .filter_map(|one| one.author.as_ref().map(|author| author.by.as_str()))
        .collect();
    let mut lines = trailers(&change.id, &change.title, &name);
    lines.push(Trailer {
        key: "Syncline-Snapshot".to_owned(),
        value: seen.commit.to_string(),
    });
    lines.extend(authors.into_iter().map(|name| Trailer {
        key: "Syncline-Changed-By".to_owned(),
        value: name.replace(char::is_control, " "),
    }));
    let subject = request.message.as_deref().unwrap_or(&change.title);
    let commit = writer.write_commit(NewCommit {
        tree: writer.write_edits(Some(ours), &merged)?,
        parents: &[change.commit],
        message: &append_trailers(subject, &lines)?,
        author: &who,
        committer: &who,
    })?;
    writer.flush()?;
    let reference = RefName::branch(&change.branch)?;
    advance(
        repository,
        &reference,
        Some(change.commit),
        commit,
        "syncline: work capture",
    )?;
    captured.item = item(repository, Change { commit, ..change })?;
    Ok(captured)
}

/// Components that were changed in the org, by the user unless `everybody`, and how many were left out for that.
fn candidates(found: &Drift, facts: &Facts, change: &Change, everybody: bool) -> (Vec<Candidate>, usize) {
    let mut members: BTreeMap<(&str, &str), &str> = BTreeMap::new();
    for member in facts.members.iter().flatten() {
        members.insert((&member.kind, &member.name), &member.by_id);
    }
    let is_mine = |one: &Difference| match members.get(&(&*one.component.type_name, &*one.component.full_name)) {
        Some(by) => *by == facts.user.id,
        // What nobody can be named for is offered: it would be lost else.
        None => one.author.as_ref().is_none_or(|author| author.by == facts.user.name),
    };
    let mut list: Vec<Candidate> = Vec::new();
    let mut others = BTreeSet::new();
    for one in &found.differences {
        let captured = matches!(&one.class, Class::Captured { change: branch } if *branch == change.branch);
        if !one.is_of_org() || captured {
            continue;
        }
        if !everybody && !is_mine(one) {
            others.insert(&one.component);
            continue;
        }
        match list.last_mut().filter(|last| last.component == one.component) {
            Some(last) => last.changes.push(one.words.clone()),
            None => list.push(Candidate {
                number: list.len() + 1,
                component: one.component.clone(),
                kind: match (one.path.steps.is_empty(), one.kind) {
                    (true, ChangeKind::Added) => "added",
                    (true, ChangeKind::Removed) => "removed",
                    _ => "changed",
                },
                changes: vec![one.words.clone()],
                author: one.author.clone(),
                also_in: one
                    .change()
                    .filter(|branch| *branch != change.branch)
                    .map(str::to_owned),
            }),
        }
    }
    (list, others.len())
}

/// Numbers of the list among the words.
fn numbers(words: &[String], all: bool, list: &[Candidate]) -> Result<BTreeSet<usize>, EnvironmentError> {
    if all {
        return Ok(list.iter().map(|one| one.number).collect());
    }
    let mut numbers = BTreeSet::new();
    for word in words
        .iter()
        .filter(|word| word.starts_with(|c: char| c.is_ascii_digit()))
    {
        let (from, to) = word.split_once('-').unwrap_or((word, word));
        match (from.parse::<usize>(), to.parse::<usize>()) {
            (Ok(from), Ok(to)) if from >= 1 && to <= list.len() && from <= to => numbers.extend(from..=to),
            _ => {
                return Err(EnvironmentError::Argument {
                    what: format!("`{word}` is no number of the list, which goes to {}", list.len()),
                    hint: "`syncline work capture` shows it".to_owned(),
                });
            }
        }
    }
    Ok(numbers)
}

/// The differences that were picked.
fn picked(
    found: &Drift,
    components: &[&ComponentId],
    request: &Capture,
    numbers: &BTreeSet<usize>,
) -> Result<Vec<Difference>, EnvironmentError> {
    let words: Vec<String> = request
        .selection
        .iter()
        .filter(|word| !word.starts_with(|c: char| c.is_ascii_digit()))
        .cloned()
        .collect();
    let named = match words.is_empty() {
        true => Vec::new(),
        false => pick(found, &words, false, Difference::is_of_org)?.differences,
    };
    let chosen: BTreeSet<&ComponentId> = numbers.iter().map(|number| components[number - 1]).collect();
    let fits = |one: &&Difference| {
        one.is_of_org() && (chosen.contains(&one.component) || named.iter().any(|other| other == *one))
    };
    Ok(found.differences.iter().filter(fits).cloned().collect())
}

/// The picked changes on what the work item's branch has.
fn merged(
    repository: &Repository,
    (base, ours): (Oid, Oid),
    theirs: &[TreeEdit],
    change: &Change,
) -> Result<Vec<TreeEdit>, EnvironmentError> {
    let projects = ProjectReader::default().read(repository, ours)?;
    let mut made = Vec::new();
    let mut open = Vec::new();
    for edit in theirs {
        let read = |entry: Option<Entry>| entry.map(|entry| repository.read_blob(entry.oid)).transpose();
        let (before, own) = (
            repository.entry_at(base, &edit.path)?,
            repository.entry_at(ours, &edit.path)?,
        );
        let path = edit.path.to_string();
        let component = projects.component(&path);
        let entry = if own == before || own == edit.entry {
            edit.entry
        } else {
            let (before, own, new) = (read(before)?, read(own)?, read(edit.entry)?);
            let sides = Sides {
                base: before.as_deref(),
                ours: own.as_deref(),
                theirs: new.as_deref(),
            };
            let result = merge(&component, &path, sides)?;
            if !result.is_clean() {
                open.extend(result.conflicts().iter().map(|conflict| conflict.path.to_string()));
                continue;
            }
            result
                .bytes()
                .map(|text| repository.write_blob(&text).map(Entry::file))
                .transpose()?
        };
        if entry != own {
            made.push(TreeEdit {
                path: edit.path.clone(),
                entry,
            });
        }
    }
    match open.is_empty() {
        true => Ok(made),
        false => Err(EnvironmentError::Argument {
            what: format!(
                "somebody else changed the same as you since your sandbox was brought up to date: {}",
                open.join(", ")
            ),
            hint: format!(
                "bring their changes to your sandbox first (`syncline back-promote --from {} --onto {}`), or leave these out",
                change.target.as_deref().unwrap_or("production"),
                change.environment.as_deref().unwrap_or("your sandbox")
            ),
        }),
    }
}
