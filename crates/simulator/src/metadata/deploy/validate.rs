//! What is wrong with the components of a package: unknown elements, references to what is nowhere.

use super::uses::{self, Use, line_and_column, owner_at};
use crate::error::ApiError;
use crate::http::Call;
use crate::metadata::message::Message;
use crate::metadata::package::Source;
use crate::metadata::store::{self, Item};
use crate::schema;
use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;
use syncline_metadata::component::{ComponentId, children_of};
use syncline_metadata::references::{Context, KnownNames, Relations, Schema};
use syncline_metadata::table::Type;
use syncline_metadata::table::registry::Registry;
use syncline_metadata::table::schema::{self as table, Holds};
use syncline_metadata::xml::{Content, Document, Node, content, elements};

/// Components that cannot be deployed.
#[derive(Debug, Default)]
pub(super) struct Refused {
    /// Their failures.
    pub messages: Vec<Message>,
    /// Their names.
    pub owners: BTreeSet<ComponentId>,
}

/// Where relationships lead: by the package first, then by the org.
struct Ways {
    package: Relations,
    org: Arc<schema::Schema>,
}

impl Schema for Ways {
    fn lookup_target(&self, object: &str, relationship: &str) -> Option<String> {
        self.package.lookup_target(object, relationship).or_else(|| {
            let parent = self.org.object(object)?.parent(relationship)?;
            parent.reference_to.first().cloned()
        })
    }

    fn child_object(&self, object: &str, relationship: &str) -> Option<String> {
        self.package.child_object(object, relationship).or_else(|| {
            self.org
                .children_of(object)
                .find(|(_, field)| {
                    field
                        .children
                        .as_deref()
                        .is_some_and(|name| name.eq_ignore_ascii_case(relationship))
                })
                .map(|(child, _)| child.name.clone())
        })
    }
}

/// Checks the items of a package by its files.
pub(super) fn validate(call: &Call<'_>, items: &[Item], sources: &[Source]) -> Result<Refused, ApiError> {
    let mut refused = Refused::default();
    let mut package: BTreeSet<&ComponentId> = items.iter().map(|item| &item.id).collect();
    let org: Vec<ComponentId> = store::all(call.db)?.into_iter().map(|component| component.id).collect();
    let known = KnownNames::build(org.iter().chain(package.iter().copied()));
    let mut ways = Ways {
        package: Relations::default(),
        org: call.schema(),
    };
    for source in sources.iter().filter(|source| source.xml) {
        ways.package.add(&source.id, &source.text);
    }
    let context = Context {
        schema: Some(&ways),
        known: Some(&known),
    };
    let mut uses: Vec<Use<'_>> = Vec::new();
    for source in sources {
        let parts = children_of(&source.id, &source.text).unwrap_or_default();
        if source.xml {
            for (owner, message) in unknown_elements(source, &parts) {
                if package.contains(&owner) && refused.owners.insert(owner) {
                    refused.messages.push(message);
                }
            }
        }
        uses.extend(uses::of_source(source, &parts, &context));
    }
    uses.extend(items.iter().filter_map(Use::of_part));
    uses.retain(|one| package.contains(&one.owner));
    // What names a refused component is refused too.
    let org = KnownNames::build(&org);
    loop {
        package.retain(|id| !refused.owners.contains(*id));
        let here = KnownNames::build(package.iter().copied());
        let broken: Vec<&Use<'_>> = uses
            .iter()
            .filter(|one| package.contains(&one.owner))
            .filter(|one| !one.any_of.iter().any(|to| exists(call, &org, &here, to)))
            .collect();
        if broken.is_empty() {
            return Ok(refused);
        }
        for one in broken {
            refused.owners.insert(one.owner.clone());
            refused.messages.push(one.missing());
        }
    }
}

fn exists(call: &Call<'_>, org: &KnownNames, package: &KnownNames, to: &ComponentId) -> bool {
    let (kind, name) = (&*to.type_name, &*to.full_name);
    if org.contains(kind, name) || package.contains(kind, name) {
        return true;
    }
    let schema = call.schema();
    match kind {
        "CustomObject" => schema.object(name).is_some(),
        "CustomField" => name.split_once('.').is_some_and(|(object, field)| {
            schema
                .object(object)
                .is_some_and(|object| object.field(field).is_some())
        }),
        // Standard objects have a layout each.
        "Layout" => name
            .split_once('-')
            .is_some_and(|(object, _)| schema.object(object).is_some_and(|object| !object.custom)),
        _ => false,
    }
}

/// Elements with elements inside that their type does not have, and a wrong root. Plain values are not known one by one.
fn unknown_elements(source: &Source, parts: &[(ComponentId, Range<usize>)]) -> Vec<(ComponentId, Message)> {
    let Ok(document) = Document::parse(source.text.as_bytes()) else {
        return Vec::new();
    };
    let root = document.root();
    let mut found = Vec::new();
    let mut tell = |node: Node<'_, '_>, ty: &str| {
        let owner = owner_at(&source.id, parts, node.range().start);
        let name = node.tag_name().name();
        let problem = format!(
            "Error parsing file: Element {{http://soap.sforce.com/2006/04/metadata}}{name} invalid at this location in type {ty}"
        );
        let (line, column) = line_and_column(&source.text, node.range().start);
        let message = Message::failure(&owner.type_name, &owner.full_name, &source.path, &problem).at(line, column);
        found.push((owner.clone(), message));
    };
    let kind = &*source.id.type_name;
    let name = root.tag_name().name();
    let other = name != kind && kind != "Settings" && Registry::standard().by_name(name).is_some();
    let folder = Registry::standard()
        .by_name(kind)
        .is_some_and(|kind| kind.folder_content.is_some());
    if other && !folder {
        tell(root, kind);
        return found;
    }
    if let Some(ty) = document.root_type() {
        walk(root, ty, &mut tell);
    }
    found
}

fn walk(node: Node<'_, '_>, ty: &'static Type, tell: &mut impl FnMut(Node<'_, '_>, &str)) {
    for element in elements(node) {
        if content(element) != Content::Elements {
            continue;
        }
        match ty.child(element.tag_name().name()).map(|child| child.holds) {
            None => tell(element, ty.name),
            Some(Holds::Complex(inner)) => {
                if let Some(inner) = table::get(inner) {
                    walk(element, inner, tell);
                }
            }
            Some(Holds::Text | Holds::Unknown) => {}
        }
    }
}
