//! The org as it is now, compared with a state: before a deployment, so that nobody's change is overwritten, and after it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use syncline_git::{Entry, Oid, Repository, TreePath};
use syncline_metadata::component::{ComponentId, Located};
use syncline_metadata::diff::{ChangeKind, ElementChange};
use syncline_metadata::table::registry::{Adapter, Registry};
use syncline_salesforce::Connection;

use super::state::{State, source};
use super::{DeploymentError, Package, access};
use crate::compare::{Filter, compare};
use crate::org::convert::to_source;
use crate::org::retrieve::{DEPENDENT, Fetched, Inventory, MOST, Plan, Scope, fetch, inventory, plan, unite};
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

/// Elements that the platform writes where a file leaves them out: type, element, value ("Metadata Types", Metadata API Developer
/// Guide, defaults of the fields).
const DEFAULTS: &[(&str, &str, &str)] = &[
    ("ApexClass", "status", "Active"),
    ("ApexPage", "availableInTouch", "false"),
    ("ApexPage", "confirmationTokenRequired", "false"),
    ("ApexTrigger", "status", "Active"),
    ("MutingPermissionSet", "hasActivationRequired", "false"),
    ("PermissionSet", "hasActivationRequired", "false"),
    ("RemoteSiteSetting", "disableProtocolSecurity", "false"),
    ("StaticResource", "cacheControl", "Private"),
];

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
    pub fn against(&self, repository: &Repository, tree: Oid) -> Result<Seen, DeploymentError> {
        let wanted = &self.wanted;
        let mut made = Seen {
            components: wanted.len(),
            ..Seen::default()
        };
        if wanted.is_empty() {
            return Ok(made);
        }
        let state = State::read(repository, tree, &mut ProjectReader::default())?;
        let seen = write(repository, &state, wanted, &self.fetched)?;
        let compared = compare(
            Some(repository),
            &state.source(),
            &source(seen),
            &Filter::default(),
            &|_, _| {},
        )?;
        for change in compared
            .components
            .iter()
            .filter(|change| change.kind != ChangeKind::Moved)
        {
            let children: Vec<&ComponentId> = change.children.iter().map(|(id, _)| id).collect();
            let named: Vec<&&ComponentId> = children.iter().filter(|id| wanted.contains(**id)).collect();
            // Of a file that holds several components only those that were asked for came.
            let whole = is_asked(&change.id, wanted) && !holds_asked(&change.id, wanted) || wanted.contains(&change.id);
            for element in &change.elements {
                let own = whole || named.iter().any(|child| is_of(&change.id, child, element));
                if own && !is_noise(&change.id, element) {
                    made.differences.push(difference(&change.id, element));
                }
            }
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
    let names = wanted
        .iter()
        .map(|id| (id.type_name.to_string(), id.full_name.to_string()));
    let mut scope = Scope::of(names.collect());
    let replaced = |id: &&ComponentId| &*id.type_name != "Profile" && access::TYPES.contains(&&*id.type_name);
    if wanted.iter().any(|id| replaced(&id)) {
        // A permission set is replaced as a whole, so all that it may tell about has to be seen.
        let known = connection.describe_metadata().await?;
        let there = |kind: &&&str| known.object(kind).is_some();
        let types = access::ABOUT_TYPES.iter().filter(there);
        scope
            .components
            .extend(types.map(|kind| ((*kind).to_owned(), "*".to_owned())));
    }
    scope.components.extend(package.about.iter().cloned());
    scope.components.sort();
    scope.components.dedup();
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

/// Writes the state's tree with what was retrieved in place of the components that were asked for.
fn write(
    repository: &Repository,
    state: &State,
    wanted: &BTreeSet<ComponentId>,
    fetched: &Fetched,
) -> Result<Oid, DeploymentError> {
    let Some(project) = state.projects.iter().next() else {
        return Ok(state.tree);
    };
    let converted = to_source(project, &fetched.files)?;
    let mut tree = repository.edit_tree(Some(state.tree));
    let mut places: BTreeMap<ComponentId, Vec<(String, Oid)>> = BTreeMap::new();
    for (id, there) in &state.files {
        if is_asked(id, wanted) {
            for (path, _) in there {
                tree.remove(&TreePath::from_bytes(path.as_bytes()))?;
            }
            places.insert(id.clone(), there.clone());
        }
    }
    for (path, bytes) in &converted.files {
        let Located::Component(file) = project.locate(path) else {
            continue;
        };
        if !is_asked(&file.id, wanted) {
            continue;
        }
        let mut bytes = bytes.clone();
        if DEPENDENT.contains(&&*file.id.type_name)
            && let Some([(_, old)]) = places.get(&file.id).map(Vec::as_slice)
        {
            bytes = unite(
                path,
                &file.id.type_name,
                &repository.read_blob(*old)?,
                &bytes,
                &fetched.manifest,
            )?;
        }
        let oid = repository.write_blob(&bytes)?;
        tree.set(&TreePath::from_bytes(path.as_bytes()), Entry::file(oid))?;
    }
    Ok(tree.write()?)
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

/// Whether an element of a file belongs to a child inside it.
fn is_of(parent: &ComponentId, child: &ComponentId, element: &ElementChange) -> bool {
    let Some((_, kind)) = Registry::standard().child(&child.type_name) else {
        return false;
    };
    let own = match kind.no_parent_name {
        true => &*child.full_name,
        false => child
            .full_name
            .strip_prefix(&format!("{}.", parent.full_name))
            .unwrap_or(&child.full_name),
    };
    element.path.steps.first().is_some_and(|step| {
        let named = match &step.selector {
            syncline_metadata::path::Selector::Key(fields, _) => fields.iter().any(|(_, value)| &**value == own),
            syncline_metadata::path::Selector::Value(value, _) => &**value == own,
            _ => false,
        };
        &*step.name == kind.element && named
    })
}

fn is_noise(id: &ComponentId, element: &ElementChange) -> bool {
    let default = |text: &Option<String>| {
        let [step] = element.path.steps.as_slice() else {
            return false;
        };
        let value = text.as_deref().map(str::trim);
        DEFAULTS
            .iter()
            .any(|(kind, name, default)| *kind == &*id.type_name && *name == &*step.name && value == Some(*default))
    };
    let filled_in = match element.kind {
        ChangeKind::Added => default(&element.to),
        ChangeKind::Removed => default(&element.from),
        ChangeKind::Changed | ChangeKind::Moved => false,
    };
    filled_in || access::means_nothing(id, element)
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
