//! What a package needs and neither it nor the org has.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use syncline_git::{Oid, Repository};
use syncline_metadata::component::{ComponentId, children_of};
use syncline_metadata::references::{Context, KnownNames, Reference, ReferenceKind, references_in};

use super::state::State;
use super::{DeploymentError, Package};
use crate::project::ProjectReader;

/// A component that is named and is not there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Missing {
    /// What is missing, `Type:FullName`.
    pub component: String,
    /// What names it.
    pub needed_by: String,
    /// Where, as in `layoutItems/field`.
    pub via: String,
    /// It is there now, and the package deletes it.
    pub deleted: bool,
}

/// The references that would lead nowhere after the deployment.
///
/// A reference that led nowhere in the state before as well says nothing: the org has it, so it means something that the repository
/// does not hold. Names of installed packages and of types that are not in the repository at all are not known here; the check-only
/// deployment tells them.
pub fn missing(
    repository: &Repository,
    package: &Package,
    before: Oid,
    after: Oid,
) -> Result<Vec<Missing>, DeploymentError> {
    let mut reader = ProjectReader::default();
    let from = State::read(repository, before, &mut reader)?;
    let to = State::read(repository, after, &mut reader)?;
    let (old, new) = (Names::read(repository, &from)?, Names::read(repository, &to)?);
    let mut found = BTreeSet::new();
    for id in &package.components {
        let known = references(repository, &from, id, &old)?;
        for reference in references(repository, &to, id, &new)? {
            let unresolved_before = known.iter().any(|other| other.to == reference.to) && !old.has(&reference.to);
            if !unresolved_before && new.lacks(&reference.to, &old) {
                found.insert(entry(id, &reference, package));
            }
        }
    }
    if !package.deletions.is_empty() {
        still_needed(repository, &to, &new, package, &mut found)?;
    }
    Ok(found.into_iter().collect())
}

fn entry(id: &ComponentId, reference: &Reference, package: &Package) -> Missing {
    Missing {
        component: reference.to.to_string(),
        needed_by: id.to_string(),
        via: reference.via.to_string(),
        deleted: package.deletions.contains(&reference.to),
    }
}

/// Types whose mention of a component goes with it.
const LET_GO: [&str; 6] = [
    "Layout",
    "MutingPermissionSet",
    "PermissionSet",
    "Profile",
    "CustomObjectTranslation",
    "Translations",
];

/// Components of the result that need a deleted one. Only files that contain the name are read for references.
fn still_needed(
    repository: &Repository,
    to: &State,
    names: &Names,
    package: &Package,
    found: &mut BTreeSet<Missing>,
) -> Result<(), DeploymentError> {
    let last = |id: &ComponentId| {
        let name = id.full_name.rsplit(['.', '/']).next().unwrap_or_default();
        name.as_bytes().to_owned()
    };
    let marks: Vec<Vec<u8>> = package
        .deletions
        .iter()
        .map(last)
        .filter(|mark| !mark.is_empty())
        .collect();
    for (id, files) in &to.files {
        if LET_GO.contains(&&*id.type_name) || package.components.contains(id) {
            continue;
        }
        for (path, oid) in files {
            let bytes = repository.read_blob(*oid)?;
            let named = |mark: &Vec<u8>| bytes.windows(mark.len()).any(|part| part == mark.as_slice());
            let Ok(text) = std::str::from_utf8(&bytes) else {
                continue;
            };
            if !marks.iter().any(named) {
                continue;
            }
            for reference in references_in(id, path, text, &names.context())? {
                if reference.kind == ReferenceKind::Required && package.deletions.contains(&reference.to) {
                    found.insert(entry(id, &reference, package));
                }
            }
        }
    }
    Ok(())
}

/// The components of a state by name, with those that lie inside files.
struct Names {
    known: KnownNames,
    all: BTreeSet<(String, String)>,
    types: BTreeSet<String>,
}

impl Names {
    fn read(repository: &Repository, state: &State) -> Result<Self, DeploymentError> {
        let mut ids: BTreeSet<ComponentId> = state.files.keys().cloned().collect();
        for (id, files) in &state.files {
            let kind = syncline_metadata::table::registry::Registry::standard().by_name(&id.type_name);
            if kind.is_none_or(|kind| kind.children.is_empty()) {
                continue;
            }
            for (_, oid) in files {
                let bytes = repository.read_blob(*oid)?;
                let Ok(text) = std::str::from_utf8(&bytes) else {
                    continue;
                };
                ids.extend(children_of(id, text).unwrap_or_default().into_iter().map(|(id, _)| id));
            }
        }
        Ok(Self {
            known: KnownNames::build(&ids),
            all: ids.iter().map(folded).collect(),
            types: ids.iter().map(|id| id.type_name.to_string()).collect(),
        })
    }

    fn context(&self) -> Context<'_> {
        Context {
            schema: None,
            known: Some(&self.known),
        }
    }

    fn has(&self, id: &ComponentId) -> bool {
        self.all.contains(&folded(id))
    }

    /// Whether a component should be here and is not: its type is one that the states hold, and no installed package owns it.
    fn lacks(&self, id: &ComponentId, before: &Self) -> bool {
        let own = id.full_name.rsplit(['.', '/', '-']).next().unwrap_or_default();
        let parts = own.split("__").count();
        let managed = parts > 2 || (parts == 2 && !is_suffix(own));
        let held = self.types.contains(&*id.type_name) || before.types.contains(&*id.type_name);
        !self.has(id) && !managed && held
    }
}

/// Whether what stands behind `__` is an ending of the platform, `__c`, and no name behind a namespace.
fn is_suffix(name: &str) -> bool {
    let ending = name.rsplit("__").next().unwrap_or_default();
    [
        "c", "r", "mdt", "e", "b", "x", "kav", "gvs", "pc", "Share", "Feed", "History",
    ]
    .contains(&ending)
}

fn folded(id: &ComponentId) -> (String, String) {
    (id.type_name.to_string(), id.full_name.to_lowercase())
}

/// What a component's files cannot do without.
fn references(
    repository: &Repository,
    state: &State,
    id: &ComponentId,
    names: &Names,
) -> Result<Vec<Reference>, DeploymentError> {
    let mut found = Vec::new();
    for (path, oid) in state.of(id) {
        let bytes = repository.read_blob(*oid)?;
        let Ok(text) = std::str::from_utf8(&bytes) else {
            continue;
        };
        let all = references_in(id, path, text, &names.context())?;
        found.extend(all.into_iter().filter(|one| one.kind == ReferenceKind::Required));
    }
    Ok(found)
}

/// Missing components with all that name them, for people.
pub fn by_component(missing: &[Missing]) -> BTreeMap<&str, Vec<&Missing>> {
    let mut grouped: BTreeMap<&str, Vec<&Missing>> = BTreeMap::new();
    for one in missing {
        grouped.entry(&one.component).or_default().push(one);
    }
    grouped
}
