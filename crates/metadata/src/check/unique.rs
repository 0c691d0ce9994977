//! Names that a document may use once: none may be doubled by the merge.

use std::collections::HashMap;

use roxmltree::Document;

use super::compare::step;
use super::{Problem, Violation};
use crate::component::ComponentId;
use crate::path::{ElementPath, Selector};
use crate::table::schema;

/// Finds a name below the element `root_name` that stands twice in the result, but on neither side.
pub(super) fn check(
    root: &ComponentId,
    root_name: &str,
    texts: [Option<&str>; 4],
    open: &[ElementPath],
) -> Result<(), Violation> {
    let Some(ty) = schema::get(root_name).filter(|ty| !ty.unique.is_empty()) else {
        return Ok(());
    };
    let Some(Ok(result)) = texts[3].map(Document::parse) else {
        return Ok(());
    };
    for group in &ty.unique {
        let counts = names(&result, group);
        if counts.values().all(|n| *n < 2) {
            continue;
        }
        let sides = texts[..3]
            .iter()
            .flatten()
            .filter_map(|text| Document::parse(text).ok())
            .collect::<Vec<_>>();
        let sides: Vec<_> = sides.iter().map(|side| names(side, group)).collect();
        let mut doubled: Vec<_> = counts
            .iter()
            .filter(|(name, n)| **n > 1 && sides.iter().all(|side| side.get(*name).is_none_or(|m| m < n)))
            .map(|(name, _)| *name)
            .collect();
        doubled.sort_unstable();
        for (element, name) in doubled {
            if open.iter().any(|path| mentions(path, name)) {
                continue;
            }
            let selector = Selector::Value(name.into(), 1);
            return Err(Violation {
                path: ElementPath {
                    component: root.clone(),
                    steps: vec![step(element, selector)],
                },
                problem: Problem::Doubled,
            });
        }
    }
    Ok(())
}

/// How often each name is used, with the element that has it first.
fn names<'a>(document: &'a Document<'_>, group: &[(&str, &str)]) -> HashMap<(&'a str, &'a str), u32> {
    let mut first: HashMap<&str, &str> = HashMap::new();
    let mut counts = HashMap::new();
    for node in document.descendants().filter(roxmltree::Node::is_element) {
        let element = node.tag_name().name();
        for (_, key) in group.iter().filter(|(name, _)| *name == element) {
            let field = node.children().find(|kid| kid.tag_name().name() == *key);
            if let Some(name) = field.and_then(|field| field.text()) {
                let element = *first.entry(name).or_insert(element);
                *counts.entry((element, name)).or_insert(0) += 1;
            }
        }
    }
    counts
}

fn mentions(path: &ElementPath, name: &str) -> bool {
    path.steps.is_empty()
        || path.steps.iter().any(|step| match &step.selector {
            Selector::Key(fields, _) => fields.iter().any(|(_, value)| &**value == name),
            Selector::Value(value, _) => &**value == name,
            Selector::Only | Selector::Position(_) => false,
        })
}
