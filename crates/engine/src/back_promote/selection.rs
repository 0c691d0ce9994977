//! A selection: the source's change restricted to components and elements, with what they need.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use serde::{Deserialize, Serialize};
use syncline_domain::pattern::ComponentPattern;
use syncline_git::{EditError, Entry, ObjectError, Oid, Repository, TreeEdit, TreePath};
use syncline_metadata::component::{ComponentId, children_of};
use syncline_metadata::merge::{MergeError, pick};
use syncline_metadata::path::{ElementPath, Selector, Step};
use syncline_metadata::references::{
    Context, KnownNames, PulledIn, Reference, ReferenceError, ReferenceIndex, ReferenceKind, references_in,
};
use syncline_metadata::table::registry::Registry;

use crate::project::Projects;
use crate::wire;

/// Which part of the change comes in. Empty: all of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Selection {
    /// Whole components; an object selects its fields, record types and so on as well.
    pub components: Vec<ComponentPattern>,
    /// Single elements.
    #[serde(with = "wire::shown_list")]
    pub elements: Vec<ElementPath>,
}

/// The selection cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum SelectionError {
    /// Neither source nor base has such a component.
    #[error("there is no component `{pattern}` in the source or the base; see `syncline diff --stat` for the names")]
    NoComponent {
        /// What was asked for.
        pattern: ComponentPattern,
    },
    /// Neither source nor base has the component of an element.
    #[error("there is no component `{}` in the source or the base, so no element {path}", .path.component)]
    NoElement {
        /// What was asked for.
        path: ElementPath,
    },
    /// A tree or file cannot be read or written.
    #[error(transparent)]
    Object(#[from] ObjectError),
    /// The selected tree cannot be written.
    #[error(transparent)]
    Edit(#[from] EditError),
    /// A file is malformed.
    #[error("{path} cannot be read for its elements")]
    Pick {
        /// The file.
        path: TreePath,
        /// The reason, with the line.
        source: Box<MergeError>,
    },
    /// A file is not UTF-8.
    #[error("{path} is not UTF-8; save it as UTF-8")]
    NotUtf8 {
        /// The file.
        path: TreePath,
    },
    /// A file is malformed.
    #[error("the components inside {path} cannot be listed")]
    Children {
        /// The file.
        path: TreePath,
        /// The reason, with the line.
        source: syncline_metadata::component::ChildrenError,
    },
    /// A file's references cannot be read.
    #[error("what the selection needs cannot be told")]
    References(#[from] ReferenceError),
}

/// The source's tree as far as it is selected.
#[derive(Debug)]
pub(crate) struct Selected {
    pub(crate) tree: Oid,
    /// What the selection needs besides itself.
    pub(crate) pulled_in: Vec<PulledIn>,
    /// Files that must be in the target.
    pub(crate) needed: HashSet<TreePath>,
}

/// The components of one tree with their files.
pub(crate) struct Inventory<'r> {
    repository: &'r Repository,
    files: HashMap<ComponentId, Vec<(TreePath, Entry)>>,
    owners: HashMap<TreePath, ComponentId>,
    children: RefCell<HashMap<ComponentId, HashSet<ComponentId>>>,
    failure: RefCell<Option<SelectionError>>,
}

impl Selection {
    /// Does all of the change come in?
    pub fn is_all(&self) -> bool {
        self.components.is_empty() && self.elements.is_empty()
    }
}

impl<'r> Inventory<'r> {
    /// Lists the components of a tree.
    pub(crate) fn read(repository: &'r Repository, tree: Oid, projects: &Projects) -> Result<Self, ObjectError> {
        let mut files: HashMap<ComponentId, Vec<(TreePath, Entry)>> = HashMap::new();
        let mut owners = HashMap::new();
        for (path, entry) in repository.files(tree, "")? {
            let file = path.as_str().ok().and_then(|path| projects.file(path));
            if let Some(file) = file {
                owners.insert(path.clone(), file.id.clone());
                files.entry(file.id).or_default().push((path, entry));
            }
        }
        Ok(Self {
            repository,
            files,
            owners,
            children: RefCell::default(),
            failure: RefCell::default(),
        })
    }

    fn files(&self, id: &ComponentId) -> &[(TreePath, Entry)] {
        self.files.get(id).map_or(&[], Vec::as_slice)
    }

    /// Is the component there, in files of its own or inside its parent's?
    fn holds(&self, id: &ComponentId) -> bool {
        self.files.contains_key(id) || parent_of(id).is_some_and(|parent| self.children(&parent).contains(id))
    }

    /// The children inside the files of a component. The first file that cannot be read is kept for [`Self::check`].
    fn children(&self, parent: &ComponentId) -> HashSet<ComponentId> {
        if let Some(known) = self.children.borrow().get(parent) {
            return known.clone();
        }
        let mut found = HashSet::new();
        for (path, entry) in self.files(parent) {
            match self.children_in(parent, path, *entry) {
                Ok(children) => found.extend(children),
                Err(error) => drop(self.failure.borrow_mut().get_or_insert(error)),
            }
        }
        self.children.borrow_mut().insert(parent.clone(), found.clone());
        found
    }

    fn children_in(
        &self,
        parent: &ComponentId,
        path: &TreePath,
        entry: Entry,
    ) -> Result<Vec<ComponentId>, SelectionError> {
        let text = String::from_utf8(self.repository.read_blob(entry.oid)?)
            .map_err(|_| SelectionError::NotUtf8 { path: path.clone() })?;
        let children = children_of(parent, &text).map_err(|source| SelectionError::Children {
            path: path.clone(),
            source,
        })?;
        Ok(children.into_iter().map(|(id, _)| id).collect())
    }

    /// Fails if a file could not be read for its children.
    fn check(&self) -> Result<(), SelectionError> {
        match self.failure.borrow_mut().take() {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }
}

/// What of a file is selected.
enum Part {
    Whole,
    Elements(Vec<ElementPath>),
}

/// The three states that a selection looks at.
pub(crate) struct Sides<'a, 'r> {
    pub(crate) base_tree: Option<Oid>,
    pub(crate) theirs_tree: Oid,
    pub(crate) base: Option<&'a Inventory<'r>>,
    pub(crate) ours: &'a Inventory<'r>,
    pub(crate) theirs: &'a Inventory<'r>,
}

/// Restricts the source to the selection and to what that needs and the target lacks.
pub(crate) fn select(
    repository: &Repository,
    sides: &Sides<'_, '_>,
    selection: &Selection,
) -> Result<Selected, SelectionError> {
    let mut parts: BTreeMap<TreePath, Part> = BTreeMap::new();
    for pattern in &selection.components {
        select_component(sides, pattern, &mut parts)?;
    }
    for path in &selection.elements {
        let files = sides.files(&path.component);
        if files.is_empty() {
            return Err(SelectionError::NoElement { path: path.clone() });
        }
        for file in files {
            add(&mut parts, file, Some(path.clone()));
        }
    }
    let names: Vec<&ComponentId> = sides.theirs.files.keys().collect();
    let known = KnownNames::build(names);
    let mut reader = Reader {
        repository,
        sides,
        context: Context {
            schema: None,
            known: Some(&known),
        },
        found: Vec::new(),
    };
    let mut read: BTreeSet<TreePath> = BTreeSet::new();
    let mut selected: Vec<ComponentId> = Vec::new();
    for (path, part) in &parts {
        if let Some(id) = reader.file(path, part)? {
            selected.push(id);
        }
        read.insert(path.clone());
    }
    selected.dedup();
    let mut needed = HashSet::new();
    let pulled_in = loop {
        let index = ReferenceIndex::build(reader.found.clone());
        let pulled = index.closure(&selected, &|id| sides.theirs.holds(id), &|id| sides.ours.holds(id));
        let mut grown = false;
        for PulledIn { component, .. } in &pulled {
            for (path, part) in parts_of(sides, component) {
                if read.insert(path.clone()) || !parts.contains_key(&path) {
                    reader.file(&path, &part)?;
                    grown = true;
                }
                needed.insert(path.clone());
                let element = match part {
                    Part::Whole => None,
                    Part::Elements(mut elements) => elements.pop(),
                };
                add(&mut parts, path, element);
            }
        }
        if !grown {
            break pulled;
        }
    };
    for inventory in [sides.base, Some(sides.ours), Some(sides.theirs)].into_iter().flatten() {
        inventory.check()?;
    }
    let mut edits = Vec::new();
    for (path, part) in &parts {
        let (base, theirs) = sides.entries(repository, path)?;
        let goal = match part {
            Part::Whole => theirs,
            Part::Elements(elements) => picked(repository, sides, path, elements)?,
        };
        if goal != base {
            edits.push(TreeEdit {
                path: path.clone(),
                entry: goal,
            });
        }
    }
    Ok(Selected {
        tree: repository.write_edits(sides.base_tree, &edits)?,
        pulled_in,
        needed,
    })
}

impl Sides<'_, '_> {
    /// The paths of a component's files in source and base.
    fn files(&self, id: &ComponentId) -> BTreeSet<TreePath> {
        let base = self.base.map_or(&[][..], |base| base.files(id));
        let both = base.iter().chain(self.theirs.files(id));
        both.map(|(path, _)| path.clone()).collect()
    }

    fn entries(&self, repository: &Repository, path: &TreePath) -> Result<(Option<Entry>, Option<Entry>), ObjectError> {
        let at = |tree| repository.entry_at(tree, path);
        let base = self.base_tree.map(at).transpose()?.flatten();
        Ok((base, at(self.theirs_tree)?))
    }

    /// The component that a path belongs to in source or base.
    fn owner(&self, path: &TreePath) -> Option<ComponentId> {
        let both = [Some(self.theirs), self.base];
        both.into_iter()
            .flatten()
            .find_map(|inventory| inventory.owners.get(path).cloned())
    }
}

fn select_component(
    sides: &Sides<'_, '_>,
    pattern: &ComponentPattern,
    parts: &mut BTreeMap<TreePath, Part>,
) -> Result<(), SelectionError> {
    let mut any = false;
    for inventory in [Some(sides.theirs), sides.base].into_iter().flatten() {
        for (id, files) in &inventory.files {
            let by_parent = parent_of(id).is_some_and(|parent| pattern.matches(&parent));
            if pattern.matches(id) || by_parent {
                any = true;
                files.iter().for_each(|(path, _)| add(parts, path.clone(), None));
            }
        }
        // A child that lies inside its parent's file is an element of it.
        let Some((parent_type, _)) = Registry::standard().child(pattern.type_name()) else {
            continue;
        };
        for (parent, files) in inventory
            .files
            .iter()
            .filter(|(id, _)| *id.type_name == *parent_type.name)
        {
            for child in inventory.children(parent).iter().filter(|child| pattern.matches(child)) {
                any = true;
                let element = element_of(child, parent);
                files
                    .iter()
                    .for_each(|(path, _)| add(parts, path.clone(), element.clone()));
            }
        }
    }
    sides.theirs.check()?;
    sides.base.map_or(Ok(()), Inventory::check)?;
    match any {
        true => Ok(()),
        false => Err(SelectionError::NoComponent {
            pattern: pattern.clone(),
        }),
    }
}

/// Adds a file, whole or one element of it.
fn add(parts: &mut BTreeMap<TreePath, Part>, path: TreePath, element: Option<ElementPath>) {
    match (parts.get_mut(&path), element) {
        (None, Some(element)) => drop(parts.insert(path, Part::Elements(vec![element]))),
        (Some(Part::Elements(elements)), Some(element)) => {
            if !elements.contains(&element) {
                elements.push(element);
            }
        }
        (Some(Part::Whole), _) => {}
        (_, None) => drop(parts.insert(path, Part::Whole)),
    }
}

/// The files of a needed component, or its element in its parent's file.
fn parts_of(sides: &Sides<'_, '_>, id: &ComponentId) -> Vec<(TreePath, Part)> {
    let own = sides.theirs.files(id);
    if !own.is_empty() {
        return own.iter().map(|(path, _)| (path.clone(), Part::Whole)).collect();
    }
    let Some(parent) = parent_of(id) else { return Vec::new() };
    let Some(element) = element_of(id, &parent) else {
        return Vec::new();
    };
    let files = sides.theirs.files(&parent).iter();
    files
        .map(|(path, _)| (path.clone(), Part::Elements(vec![element.clone()])))
        .collect()
}

/// The base's file with only the selected elements of theirs.
fn picked(
    repository: &Repository,
    sides: &Sides<'_, '_>,
    path: &TreePath,
    elements: &[ElementPath],
) -> Result<Option<Entry>, SelectionError> {
    let (base, theirs) = sides.entries(repository, path)?;
    let Some(component) = elements.first().map(|element| &element.component) else {
        return Ok(base);
    };
    let read = |entry: Option<Entry>| entry.map(|entry| repository.read_blob(entry.oid)).transpose();
    let (base_text, theirs_text) = (read(base)?, read(theirs)?);
    let text = pick(
        component,
        &path.to_string(),
        base_text.as_deref(),
        theirs_text.as_deref(),
        elements,
    )
    .map_err(|source| SelectionError::Pick {
        path: path.clone(),
        source: Box::new(source),
    })?;
    Ok(match text {
        None => None,
        Some(text) => Some(Entry {
            oid: repository.write_blob(&text)?,
            mode: base.or(theirs).map_or(syncline_git::Mode::File, |entry| entry.mode),
        }),
    })
}

/// Reads references of the incoming change.
struct Reader<'a, 'r> {
    repository: &'a Repository,
    sides: &'a Sides<'a, 'r>,
    context: Context<'a>,
    found: Vec<(ComponentId, Vec<Reference>)>,
}

impl Reader<'_, '_> {
    /// Reads what a file newly refers to, and returns its component.
    fn file(&mut self, path: &TreePath, part: &Part) -> Result<Option<ComponentId>, SelectionError> {
        let Some(id) = self.sides.owner(path) else {
            return Ok(None);
        };
        let (base, theirs) = self.sides.entries(self.repository, path)?;
        let incoming = match part {
            Part::Whole => theirs,
            Part::Elements(elements) => picked(self.repository, self.sides, path, elements)?,
        };
        let before: HashSet<ComponentId> = self.references(&id, path, base)?.into_iter().map(|r| r.to).collect();
        let mut new = self.references(&id, path, incoming)?;
        new.retain(|reference| !before.contains(&reference.to));
        if let Some(parent) = parent_of(&id).filter(|_| incoming.is_some()) {
            new.push(Reference {
                to: parent,
                kind: ReferenceKind::Required,
                range: 0..0,
                via: "is part of it".into(),
            });
        }
        self.found.push((id.clone(), new));
        Ok(Some(id))
    }

    fn references(
        &self,
        id: &ComponentId,
        path: &TreePath,
        entry: Option<Entry>,
    ) -> Result<Vec<Reference>, SelectionError> {
        let Some(entry) = entry.filter(|entry| entry.mode.is_file()) else {
            return Ok(Vec::new());
        };
        // Names in a binary file are none.
        let Ok(text) = String::from_utf8(self.repository.read_blob(entry.oid)?) else {
            return Ok(Vec::new());
        };
        Ok(references_in(id, &path.to_string(), &text, &self.context)?)
    }
}

/// The parent of a child component: `CustomObject:A` of `CustomField:A.B`.
fn parent_of(id: &ComponentId) -> Option<ComponentId> {
    let (parent, child) = Registry::standard().child(&id.type_name)?;
    if child.no_parent_name {
        return parent.fixed_name.then(|| ComponentId::new(parent.name, parent.name));
    }
    let (name, _) = id.full_name.split_once('.')?;
    Some(ComponentId::new(parent.name, name))
}

/// The element of the parent's file that a child is.
fn element_of(id: &ComponentId, parent: &ComponentId) -> Option<ElementPath> {
    let (_, child) = Registry::standard().child(&id.type_name)?;
    let name = match child.no_parent_name {
        true => &*id.full_name,
        false => id.full_name.split_once('.')?.1,
    };
    Some(ElementPath {
        component: parent.clone(),
        steps: vec![Step {
            name: child.element.into(),
            selector: Selector::Key(vec![(child.key.into(), name.into())], 1),
        }],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn children_are_elements_of_their_parents() {
        let check = |child: &str, parent: &str, element: &str| {
            let child: ComponentId = child.parse().unwrap();
            let found = parent_of(&child).unwrap();
            assert_eq!(found.to_string(), parent);
            assert_eq!(element_of(&child, &found).unwrap().to_string(), element);
        };
        check(
            "CustomField:A__c.B__c",
            "CustomObject:A__c",
            "CustomObject:A__c/fields[fullName=B__c]",
        );
        check(
            "CustomLabel:Hello",
            "CustomLabels:CustomLabels",
            "CustomLabels:CustomLabels/labels[fullName=Hello]",
        );
        assert_eq!(parent_of(&"Profile:Admin".parse().unwrap()), None);
    }
}
