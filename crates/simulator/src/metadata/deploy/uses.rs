//! What the components of a package need.

use crate::metadata::apex;
use crate::metadata::message::Message;
use crate::metadata::package::Source;
use crate::metadata::store::Item;
use std::collections::BTreeMap;
use std::ops::Range;
use syncline_metadata::component::ComponentId;
use syncline_metadata::references::{Context, Reference, ReferenceKind, references_in};

/// A component that needs another, and where it says so.
#[derive(Debug)]
pub(super) struct Use<'s> {
    pub owner: ComponentId,
    /// One of these has to be there.
    pub any_of: Vec<ComponentId>,
    path: &'s str,
    text: &'s str,
    /// Where in the text it says so.
    at: usize,
    problem: String,
}

/// Types that one name of a Lightning component may mean.
const LIGHTNING: [&str; 2] = ["LightningComponentBundle", "AuraDefinitionBundle"];

impl<'s> Use<'s> {
    pub(super) fn missing(&self) -> Message {
        let owner = &self.owner;
        let (line, column) = line_and_column(self.text, self.at);
        Message::failure(&owner.type_name, &owner.full_name, self.path, &self.problem).at(line, column)
    }

    /// A part of an object needs the object.
    pub(super) fn of_part(item: &'s Item) -> Option<Self> {
        let parent = item
            .parent
            .as_ref()
            .filter(|parent| &*parent.type_name == "CustomObject")?;
        Some(Self {
            owner: item.id.clone(),
            any_of: vec![parent.clone()],
            path: &item.path,
            text: "",
            at: 0,
            problem: format!(
                "Entity of type 'CustomObject' named '{}' cannot be found",
                parent.full_name
            ),
        })
    }
}

/// What a file needs, by the component in it that needs it.
pub(super) fn of_source<'s>(
    source: &'s Source,
    parts: &[(ComponentId, Range<usize>)],
    context: &Context<'_>,
) -> Vec<Use<'s>> {
    let mut uses = Vec::new();
    let mut add = |any_of: Vec<ComponentId>, at: usize, problem: String| {
        uses.push(Use {
            owner: owner_at(&source.id, parts, at).clone(),
            any_of,
            path: &source.path,
            text: &source.text,
            at,
            problem,
        });
    };
    let mut lightning: BTreeMap<usize, Vec<Reference>> = BTreeMap::new();
    for reference in references_in(&source.id, &source.path, &source.text, context).unwrap_or_default() {
        let at = reference.range.start;
        if reference.kind == ReferenceKind::Required {
            let problem = not_found(&reference);
            add(vec![reference.to], at, problem);
        } else if LIGHTNING.contains(&&*reference.to.type_name) && reference.kind == ReferenceKind::Candidate {
            lightning.entry(at).or_default().push(reference);
        }
    }
    for (at, references) in lightning {
        let problem = references.first().map(not_found).unwrap_or_default();
        add(
            references.into_iter().map(|reference| reference.to).collect(),
            at,
            problem,
        );
    }
    if matches!(&*source.id.type_name, "ApexClass" | "ApexTrigger") && !source.xml {
        for needed in apex::needed_types(&source.text) {
            let any_of = ["ApexClass", "CustomObject"].map(|kind| ComponentId::new(kind, needed.name));
            add(any_of.into(), needed.range.start, needed.problem);
        }
    }
    uses
}

fn not_found(reference: &Reference) -> String {
    let field = reference.via.rsplit(['/', '@']).next().unwrap_or_default();
    let to = &reference.to;
    format!("In field: {field} - no {} named {} found", to.type_name, to.full_name)
}

/// The component an offset of a file belongs to: the child around it, or the file's own.
pub(super) fn owner_at<'p>(
    own: &'p ComponentId,
    parts: &'p [(ComponentId, Range<usize>)],
    at: usize,
) -> &'p ComponentId {
    parts
        .iter()
        .find(|(_, range)| range.contains(&at))
        .map_or(own, |(child, _)| child)
}

pub(super) fn line_and_column(text: &str, at: usize) -> (u32, u32) {
    let before = &text[..at.min(text.len())];
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (
        u32::try_from(line).unwrap_or(u32::MAX),
        u32::try_from(column).unwrap_or(u32::MAX),
    )
}
