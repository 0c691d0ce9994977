//! The differences of an org and its branch, each with what is behind it.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use syncline_domain::config::{Config, Environment};
use syncline_domain::drift::{self as domain, Attribution, Class, Noise, classify};
use syncline_domain::overlay::Overlays;
use syncline_git::{Oid, Repository, TreePath};
use syncline_metadata::component::ComponentId;
use syncline_metadata::diff::{ChangeKind, ElementChange, diff};
use syncline_metadata::path::ElementPath;

use super::author::Authors;
use super::open::{OTHER, OpenChanges, WHOLE};
use super::overlay::with_overlays;
use super::{Difference, Drift};
use crate::compare::{Comparison, ComponentChange, Filter, compare};
use crate::environment::{EnvironmentError, Seen};
use crate::org::retrieve::{PROJECT_FILES, origin};
use crate::scope;
use crate::snapshot::agreed;
use crate::source::Source;

/// Snapshots that are looked through for a component that may have been there before.
const SNAPSHOTS: usize = 200;

/// Compares a snapshot with a branch.
pub(super) fn drift(
    repository: &Repository,
    config: &Config,
    environment: &Environment,
    seen: &Seen,
    tip: Oid,
) -> Result<Drift, EnvironmentError> {
    // Trees of overlays and common states are not kept.
    let writer = repository.batch()?;
    let repository = &writer;
    let plain = repository.commit_tree(tip)?;
    let branch = with_overlays(repository, environment, plain)?;
    // It is asked for where both sides differ, and there it is what they agreed on last.
    let common = agreed(repository, environment, tip)?;
    let wanted = compared(repository, branch, seen.tree)?;
    let mut sides = Sides {
        repository,
        branch,
        org: seen.tree,
        common: common.tree,
        before: Before {
            repository,
            seen,
            gone: None,
        },
        open: OpenChanges::read(repository, config, tip)?,
    };
    let managed = scope::read(repository)?;
    let facts = seen
        .head
        .as_ref()
        .and_then(|head| head.facts(repository, &environment.name));
    let authors = Authors::new(facts.as_ref());
    let not_listed = seen.head.as_ref().map(|head| head.refused.clone()).unwrap_or_default();
    let in_scope = |id: &ComponentId| managed.has(id) && !is_not_listed(&not_listed, id);
    let mut differences = Vec::new();
    for component in wanted.components.iter().filter(|change| in_scope(&change.id)) {
        sides.component(component, &authors, &mut differences)?;
    }
    // What the branch has otherwise only because of an overlay.
    if branch != plain {
        let explained = compared(repository, plain, branch)?;
        for component in explained.components.iter().filter(|change| in_scope(&change.id)) {
            for element in &component.elements {
                let known = |one: &Difference| one.path == element.path;
                if !differences.iter().any(known) {
                    differences.push(difference(component, element, Class::Overlay, None));
                }
            }
        }
    }
    differences.sort_by_cached_key(|one| (one.component.clone(), one.path.to_string()));
    for (index, one) in differences.iter_mut().enumerate() {
        one.number = index + 1;
    }
    Ok(Drift {
        environment: environment.name.clone(),
        branch: environment.branch.clone(),
        commit: tip,
        snapshot: seen.commit,
        taken: seen.taken,
        org: seen.org.clone(),
        rewritten: common.rewritten,
        differences,
        not_listed,
        unknown: wanted.unknown,
    })
}

fn compared(repository: &Repository, from: Oid, to: Oid) -> Result<Comparison, EnvironmentError> {
    let source = |revision: &str, tree| Source::Git {
        revision: revision.to_owned(),
        tree,
    };
    let (from, to) = (source("branch", from), source("snapshot", to));
    Ok(compare(Some(repository), &from, &to, &Filter::default(), &|_, _| {})?)
}

/// Whether the type of a component, or of the one it is part of, could not be listed.
fn is_not_listed(not_listed: &BTreeMap<String, String>, id: &ComponentId) -> bool {
    let parent = syncline_metadata::table::registry::Registry::standard().child(&id.type_name);
    let names = [Some(&*id.type_name), parent.map(|(parent, _)| parent.name)];
    names.into_iter().flatten().any(|name| not_listed.contains_key(name))
}

/// What both sides changed since they had a component in common.
struct Since {
    org: Vec<ElementChange>,
    branch: Vec<ElementChange>,
}

/// The states that tell what is behind a difference.
struct Sides<'a> {
    repository: &'a Repository,
    branch: Oid,
    org: Oid,
    common: Option<Oid>,
    before: Before<'a>,
    open: OpenChanges<'a>,
}

impl Sides<'_> {
    fn component(
        &mut self,
        change: &ComponentChange,
        authors: &Authors,
        found: &mut Vec<Difference>,
    ) -> Result<(), EnvironmentError> {
        let paths: BTreeSet<&str> = change
            .files
            .iter()
            .flat_map(|file| [file.from.as_deref(), file.to.as_deref()])
            .flatten()
            .filter(|path| !PROJECT_FILES.contains(path))
            .collect();
        if paths.is_empty() {
            return Ok(());
        }
        let known = self.changed_since(&change.id, &paths)?;
        let open = self.open.of(&change.id, &paths, self.org)?;
        let author = authors.of(&change.id, change.kind == ChangeKind::Removed);
        let whole = ElementChange {
            path: ElementPath::root(change.id.clone()),
            kind: change.kind,
            from: None,
            to: None,
        };
        let elements = match change.kind {
            ChangeKind::Added | ChangeKind::Removed => std::slice::from_ref(&whole),
            // Files that only lie elsewhere are no difference of the org.
            ChangeKind::Moved => &[],
            ChangeKind::Changed => &change.elements,
        };
        for element in elements {
            let [branch, org] = contents(element);
            let base = match &known {
                // What neither has left is what the other has.
                Some(since) => Some(match (touches(&since.org, element), touches(&since.branch, element)) {
                    (false, _) => org,
                    (true, false) => branch,
                    (true, true) => Some(OTHER),
                }),
                // What was seen in the org once was deleted there.
                None if org.is_none() && self.before.had(&paths)? => Some(branch),
                None => None,
            };
            let evidence = domain::Difference {
                element: &element.path,
                branch,
                base,
                org,
            };
            // Overlays are laid over the branch before it is compared: what differs still is not what they say.
            let class = classify(&evidence, &Overlays::default(), Noise::standard(), &open);
            if let Some(class) = class {
                // What the branch changed has no author in the org.
                let own = || authors.of_element(&element.path, element.kind == ChangeKind::Removed);
                let author = match class {
                    Class::Pending => None,
                    _ => own().or_else(|| author.clone()),
                };
                found.push(difference(change, element, class, author));
            }
        }
        Ok(())
    }

    /// What org and branch changed in a component since they had it in common; `None` when they never had.
    fn changed_since(&self, id: &ComponentId, paths: &BTreeSet<&str>) -> Result<Option<Since>, EnvironmentError> {
        let Some(common) = self.common else {
            return Ok(None);
        };
        let (mut org, mut branch, mut is_known) = (Vec::new(), Vec::new(), false);
        for path in paths {
            let at = TreePath::from(*path);
            let read = |tree| -> Result<Option<(Oid, Vec<u8>)>, EnvironmentError> {
                let entry = self
                    .repository
                    .entry_at(tree, &at)?
                    .filter(|entry| entry.mode.is_file());
                let blob = |oid| Ok((oid, self.repository.read_blob(oid)?));
                entry.map(|entry| blob(entry.oid)).transpose()
            };
            let (base, theirs, ours) = (read(common)?, read(self.org)?, read(self.branch)?);
            is_known |= base.is_some();
            for (side, changed) in [(&theirs, &mut org), (&ours, &mut branch)] {
                let text = |blob: &'_ Option<(Oid, Vec<u8>)>| blob.as_ref().map(|(_, bytes)| bytes.clone());
                if base.as_ref().map(|(oid, _)| oid) != side.as_ref().map(|(oid, _)| oid) {
                    let found = diff(id, path, text(&base).as_deref(), text(side).as_deref());
                    // The comparison has read both sides; an older text that cannot be read tells nothing.
                    changed.extend(found.unwrap_or_default());
                }
            }
        }
        Ok(is_known.then_some(Since { org, branch }))
    }
}

/// What branch and org have of an element; different in any case.
fn contents(element: &ElementChange) -> [Option<&str>; 2] {
    match (element.kind, &element.from, &element.to) {
        (ChangeKind::Added, _, to) => [None, Some(to.as_deref().unwrap_or(WHOLE))],
        (ChangeKind::Removed, from, _) => [Some(from.as_deref().unwrap_or(WHOLE)), None],
        (_, from, to) if from == to => [Some("here"), Some("there")],
        (_, from, to) => [from.as_deref(), to.as_deref()],
    }
}

/// Whether one of the changes is of an element, of one in it, or of what it is in.
fn touches(changes: &[ElementChange], element: &ElementChange) -> bool {
    changes
        .iter()
        .any(|change| change.path.is_within(&element.path) || element.path.is_within(&change.path))
}

fn difference(
    component: &ComponentChange,
    element: &ElementChange,
    class: Class,
    author: Option<Attribution>,
) -> Difference {
    Difference {
        number: 0,
        component: component.id.clone(),
        path: element.path.clone(),
        kind: element.kind,
        branch: element.from.clone(),
        org: element.to.clone(),
        class,
        author,
        words: match element.path.steps.is_empty() {
            true => format!(
                "{} {}: {}",
                component.id.type_name,
                component.id.full_name,
                element.kind.name()
            ),
            false => element.to_string(),
        },
    }
}

/// Earlier complete snapshots of the same org and scope.
struct Before<'a> {
    repository: &'a Repository,
    seen: &'a Seen,
    /// Paths that one of them had and a later one has not.
    gone: Option<HashSet<String>>,
}

impl Before<'_> {
    /// Whether one of them had one of these files, which the last one has not.
    fn had(&mut self, paths: &BTreeSet<&str>) -> Result<bool, EnvironmentError> {
        let gone = match &mut self.gone {
            Some(gone) => gone,
            None => {
                let read = self.read()?;
                self.gone.insert(read)
            }
        };
        Ok(paths.iter().any(|path| gone.contains(*path)))
    }

    fn read(&self) -> Result<HashSet<String>, EnvironmentError> {
        let (mut gone, mut later) = (HashSet::new(), self.seen.tree);
        let mut next = Some(self.seen.commit);
        for _ in 0..SNAPSHOTS {
            let Some(commit) = next else { break };
            let (org, scope) = origin(self.repository, commit)?;
            if org != self.seen.org {
                break;
            }
            let read = self.repository.commit(commit)?;
            if scope.is_some() && scope == self.seen.scope {
                for change in self.repository.diff_trees(Some(read.tree), Some(later))? {
                    if change.new.is_none() {
                        gone.insert(change.path.as_str()?.to_owned());
                    }
                }
                later = read.tree;
            }
            next = read.parents.first().copied();
        }
        Ok(gone)
    }
}
