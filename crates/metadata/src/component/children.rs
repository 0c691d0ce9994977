//! The components that lie inside one XML file: alerts of a workflow, labels, fields of an object in one file.

use std::ops::Range;

use super::id::ComponentId;
use crate::path::{ElementPath, Selector};
use crate::table::registry::{ChildType, Registry};

/// A child component and the bytes of its element, from `<` of the start tag to behind `>` of the end tag.
pub type Child = (ComponentId, Range<usize>);

/// The file's XML cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("line {}: {source}; the children of {parent} cannot be listed, mend the file", .source.pos().row)]
pub struct ChildrenError {
    parent: ComponentId,
    source: roxmltree::Error,
}

/// Lists the children inside the XML of `parent` that package.xml can name, in the order of the file.
///
/// Types come from the registry: `CustomObject` and `<fields>` give `CustomField:Account.X__c`, `CustomLabels` and
/// `<labels>` give `CustomLabel:X`. An element without its naming element is no component of its own and is left
/// to its parent. Names are not made unique: the caller sees a repeated one twice.
pub fn children_of(parent: &ComponentId, xml: &str) -> Result<Vec<Child>, ChildrenError> {
    // The standard layout knows all children, also those that a preset moves into files of their own.
    let Some(kind) = Registry::standard().by_name(&parent.type_name) else {
        return Ok(Vec::new());
    };
    if !kind.children.iter().any(|child| child.addressable) {
        return Ok(Vec::new());
    }
    let options = roxmltree::ParsingOptions {
        allow_dtd: false,
        ..roxmltree::ParsingOptions::default()
    };
    let document = roxmltree::Document::parse_with_options(xml, options).map_err(|source| ChildrenError {
        parent: parent.clone(),
        source,
    })?;
    let elements = document.root_element().children().filter(roxmltree::Node::is_element);
    Ok(elements
        .filter_map(|element| {
            let tag = element.tag_name().name();
            let child = kind
                .children
                .iter()
                .find(|child| child.addressable && child.element == tag)?;
            let naming = element.children().find(|node| node.tag_name().name() == child.key)?;
            let name = naming.text().map(str::trim).filter(|name| !name.is_empty())?;
            Some((child_id(parent, child, name), element.range()))
        })
        .collect())
}

/// The child, of those that package.xml can name, that an element is or is inside of.
pub fn child_at(registry: &Registry, path: &ElementPath) -> Option<ComponentId> {
    let step = path.steps.first()?;
    let child = registry.child_by_element(&path.component.type_name, &step.name)?;
    let Selector::Key(fields, _) = &step.selector else {
        return None;
    };
    let (_, name) = fields.first()?;
    child.addressable.then(|| child_id(&path.component, child, name))
}

fn child_id(parent: &ComponentId, child: &ChildType, name: &str) -> ComponentId {
    if child.no_parent_name {
        ComponentId::new(child.name, name)
    } else {
        ComponentId::new(child.name, format!("{}.{name}", parent.full_name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(parent: &str, xml: &str, expect: &[(&str, &str)]) {
        let children = children_of(&parent.parse().expect("component"), xml).expect("well-formed");
        let found: Vec<_> = (children.iter())
            .map(|(id, range)| (id.to_string(), &xml[range.clone()]))
            .collect();
        let expect: Vec<_> = expect.iter().map(|(id, text)| ((*id).to_owned(), *text)).collect();
        assert_eq!(found, expect);
    }

    #[test]
    fn lists_addressable_children() {
        check(
            "Workflow:Account",
            "\u{feff}<?xml version=\"1.0\"?>\r\n<Workflow xmlns=\"u\"><!-- x --><alerts><fullName>A</fullName></alerts>\
             <rules><fullName> R &amp; S </fullName></rules><label>no child</label></Workflow>",
            &[
                ("WorkflowAlert:Account.A", "<alerts><fullName>A</fullName></alerts>"),
                (
                    "WorkflowRule:Account.R & S",
                    "<rules><fullName> R &amp; S </fullName></rules>",
                ),
            ],
        );
        check(
            "CustomLabels:CustomLabels",
            "<CustomLabels><labels><fullName>L</fullName></labels></CustomLabels>",
            &[("CustomLabel:L", "<labels><fullName>L</fullName></labels>")],
        );
        check(
            "CustomObject:A__c",
            "<CustomObject><fields><fullName>B__c</fullName></fields><fields/><nameField><fullName>N</fullName></nameField></CustomObject>",
            &[("CustomField:A__c.B__c", "<fields><fullName>B__c</fullName></fields>")],
        );
        check(
            "CustomObjectTranslation:A__c-de",
            "<CustomObjectTranslation><fields><name>B__c</name></fields></CustomObjectTranslation>",
            &[],
        );
        check("ApexClass:A", "not even XML", &[]);
    }

    #[test]
    fn names_the_line() {
        let error = children_of(
            &ComponentId::new("Workflow", "Account"),
            "<Workflow>\n<alerts></Workflow>",
        );
        let text = error.expect_err("malformed").to_string();
        assert!(text.starts_with("line 2: "), "{text}");
    }
}
