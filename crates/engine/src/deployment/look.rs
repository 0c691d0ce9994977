//! The org as it is now, compared with a state: before a deployment, so that nobody's change is overwritten, and after it.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use syncline_domain::drift::Noise;
use syncline_git::{Entry, Oid, Repository, TreeEditor, TreePath};
use syncline_metadata::component::{ComponentId, Located};
use syncline_metadata::diff::{ChangeKind, ElementChange};
use syncline_metadata::table::registry::{Adapter, Registry};
use syncline_salesforce::Connection;

use super::state::{State, source};
use super::{DeploymentError, Package, access, inside};
use crate::compare::{Filter, compare};
use crate::org::convert::to_source;
use crate::org::retrieve::{DEPENDENT, Fetched, Inventory, MOST, Plan, Scope, fetch, inventory, plan, unite};
use crate::org::seal::Sealer;
use crate::project::ProjectReader;

/// An element of the org that is not as in the state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// The component, `Type:FullName`.
    pub component: String,
    /// The element's path; the component for a file as a whole.
    pub path: String,
    /// The path in words.
    pub words: String,
    /// `added`: only the org has it; `removed`: only the state has it; `changed`, `moved`.
    pub change: String,
    /// What the state has.
    pub state: Option<String>,
    /// What the org has.
    pub org: Option<String>,
}

/// What was seen in the org.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// What is not as in the state.
    pub differences: Vec<Difference>,
    /// Components looked at.
    pub components: usize,
}

impl Seen {
    /// Whether the org is as in the state.
    pub fn is_same(&self) -> bool {
        self.differences.is_empty()
    }
}

/// What the org has now of everything that a package touches.
#[derive(Debug)]
pub struct Look {
    wanted: BTreeSet<ComponentId>,
    fetched: Fetched,
}

/// Lists and retrieves every component of a package and every deletion.
///
/// # Errors
/// The org cannot tell about one of them: then nothing is known, and nothing may be concluded.
pub async fn look(connection: &Connection, package: &Package) -> Result<Look, DeploymentError> {
    let wanted: BTreeSet<ComponentId> = package
        .touched()
        .filter(|id| &*id.type_name != "FlowDefinition")
        .cloned()
        .collect();
    if wanted.is_empty() {
        return Ok(Look {
            wanted,
            fetched: Fetched::default(),
        });
    }
    let (inventory, plan) = list(connection, package, &wanted).await?;
    let fetched = fetch(connection, &inventory, &plan, &mut |_, _| {}).await?;
    for message in &fetched.messages {
        // A component that the list shows and the retrieve does not: nothing is known of it.
        if let Some(id) = wanted.iter().find(|id| mentions(&message.problem, id)) {
            return Err(DeploymentError::Unknown {
                component: id.to_string(),
                why: message.problem.clone(),
            });
        }
    }
    Ok(Look { wanted, fetched })
}

impl Look {
    /// Compares with a state. Before a deployment with the snapshot that the package was made from: a difference is somebody's change
    /// that the package does not know. After it with the result.
    pub fn against(
        &self,
        repository: &Repository,
        tree: Oid,
        sealer: Option<&Sealer>,
    ) -> Result<Seen, DeploymentError> {
        let wanted = &self.wanted;
        let mut made = Seen {
            components: wanted.len(),
            ..Seen::default()
        };
        if wanted.is_empty() {
            return Ok(made);
        }
        let state = State::read(repository, tree, &mut ProjectReader::default())?;
        let (expected, seen) = write(repository, &state, wanted, &self.fetched, sealer)?;
        let compared = compare(
            Some(repository),
            &source(expected),
            &source(seen),
            &Filter::default(),
            &|_, _| {},
        )?;
        for change in compared
            .components
            .iter()
            .filter(|change| change.kind != ChangeKind::Moved)
        {
            let elements = change.elements.iter().filter(|element| !is_noise(element));
            made.differences
                .extend(elements.map(|element| difference(&change.id, element)));
        }
        Ok(made)
    }
}

/// Lists the components and plans their retrieve, with what profiles and permission sets need beside them to be told whole.
async fn list(
    connection: &Connection,
    package: &Package,
    wanted: &BTreeSet<ComponentId>,
) -> Result<(Inventory, Plan), DeploymentError> {
    let mut scope = Scope::default().looked_up();
    for id in wanted {
        scope.insert(&id.type_name, &id.full_name);
    }
    let replaced = |id: &&ComponentId| &*id.type_name != "Profile" && access::TYPES.contains(&&*id.type_name);
    if wanted.iter().any(|id| replaced(&id)) {
        // A permission set is replaced as a whole, so all that it may tell about has to be seen.
        let known = connection.describe_metadata().await?;
        let there = |kind: &&&str| known.object(kind).is_some();
        for kind in access::ABOUT_TYPES.iter().filter(there) {
            scope.insert(kind, "*");
        }
    }
    for (kind, name) in &package.about {
        scope.insert(kind, name);
    }
    let inventory = inventory(connection, &scope).await?;
    if let Some((kind, why)) = inventory.refused.iter().next() {
        return Err(DeploymentError::Unknown {
            component: kind.clone(),
            why: why.clone(),
        });
    }
    let plan = plan(&inventory, None, MOST);
    Ok((inventory, plan))
}

/// Writes two trees that differ only in what was asked for: as the state has it, and as it was retrieved. Of a file that holds several
/// components they have those that were asked for.
fn write(
    repository: &Repository,
    state: &State,
    wanted: &BTreeSet<ComponentId>,
    fetched: &Fetched,
    sealer: Option<&Sealer>,
) -> Result<(Oid, Oid), DeploymentError> {
    let Some(project) = state.projects.iter().next() else {
        return Ok((state.tree, state.tree));
    };
    let converted = to_source(project, &fetched.files)?;
    let mut expected = repository.edit_tree(Some(state.tree));
    let mut seen = repository.edit_tree(Some(state.tree));
    let put = |tree: &mut TreeEditor<'_>, path: &str, bytes: &[u8]| -> Result<(), DeploymentError> {
        let oid = repository.write_blob(bytes)?;
        Ok(tree.set(&TreePath::from_bytes(path.as_bytes()), Entry::file(oid))?)
    };
    let partly = |id: &ComponentId| !wanted.contains(id) && holds_asked(id, wanted);
    for (id, files) in state.files.iter().filter(|(id, _)| is_asked(id, wanted)) {
        for (path, oid) in files {
            seen.remove(&TreePath::from_bytes(path.as_bytes()))?;
            if partly(id) {
                let part = inside::children(id, path, &repository.read_blob(*oid)?, wanted)?;
                put(&mut expected, path, &part)?;
                put(&mut seen, path, inside::none(id).as_bytes())?;
            }
        }
    }
    for (path, bytes) in &converted.files {
        let Located::Component(file) = project.locate(path) else {
            continue;
        };
        let id = &file.id;
        if !is_asked(id, wanted) {
            continue;
        }
        let old = state.of(id);
        let sealed = sealer.and_then(|sealer| sealer.seal_file(id, bytes));
        let mut bytes = sealed.unwrap_or_else(|| bytes.clone());
        if DEPENDENT.contains(&&*id.type_name)
            && let [(_, old)] = old
        {
            let old = repository.read_blob(*old)?;
            bytes = unite(path, &id.type_name, &old, &bytes, &fetched.manifest)?;
        }
        let place = match old {
            [(place, _)] => place,
            _ => path,
        };
        if partly(id) {
            bytes = inside::children(id, path, &bytes, wanted)?;
            if old.is_empty() {
                put(&mut expected, place, inside::none(id).as_bytes())?;
            }
        }
        put(&mut seen, place, &bytes)?;
    }
    Ok((expected.write()?, seen.write()?))
}

/// Whether the file of a component was asked for, by itself, by its parent, or by what lies in it.
fn is_asked(id: &ComponentId, wanted: &BTreeSet<ComponentId>) -> bool {
    if wanted.contains(id) {
        return true;
    }
    let registry = Registry::standard();
    if let Some((parent, child)) = registry.child(&id.type_name) {
        let decomposed = parent.adapter == Adapter::Decomposed && !child.no_parent_name;
        let name = id.full_name.split_once('.').map_or(&*id.full_name, |(name, _)| name);
        return decomposed && wanted.contains(&ComponentId::new(parent.name, name));
    }
    holds_asked(id, wanted) || folder_of(id).is_some_and(|listed| wanted.contains(&listed))
}

/// Whether a file holds components that were asked for by themselves.
fn holds_asked(id: &ComponentId, wanted: &BTreeSet<ComponentId>) -> bool {
    let kind = Registry::standard().by_name(&id.type_name);
    let Some(kind) = kind.filter(|kind| kind.adapter == Adapter::Xml) else {
        return false;
    };
    kind.children.iter().any(|child| {
        wanted.iter().any(|other| {
            *other.type_name == *child.name
                && (child.no_parent_name || other.full_name.starts_with(&format!("{}.", id.full_name)))
        })
    })
}

/// A folder under the type of what it holds, as package.xml lists it.
fn folder_of(id: &ComponentId) -> Option<ComponentId> {
    let content = Registry::standard().by_name(&id.type_name)?.folder_content?;
    Some(ComponentId::new(content, id.full_name.clone()))
}

/// Whether a difference of the org to the state says nothing, by the same table as drift.
fn is_noise(element: &ElementChange) -> bool {
    let rule = Noise::standard().find(&element.path, element.from.as_deref(), element.to.as_deref());
    rule.is_some()
}

fn difference(id: &ComponentId, element: &ElementChange) -> Difference {
    Difference {
        component: id.to_string(),
        path: element.path.to_string(),
        words: element.path.words(),
        change: element.kind.name().to_owned(),
        state: element.from.clone(),
        org: element.to.clone(),
    }
}

fn mentions(problem: &str, id: &ComponentId) -> bool {
    problem.contains(&format!("'{}'", id.type_name)) && problem.contains(&format!("'{}'", id.full_name))
}
