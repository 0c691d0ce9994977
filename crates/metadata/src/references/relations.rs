//! Relationships between objects: what follows `Parent__r` and `Children__r`.

use std::collections::HashMap;

use super::names;
use crate::component::ComponentId;

/// Knows where relationships lead.
pub trait Schema: Sync {
    /// The object that a lookup leads to: `("Line__c", "Order__r")` → `Order__c`.
    fn lookup_target(&self, object: &str, relationship: &str) -> Option<String>;

    /// The object of a list of children: `("Order__c", "Lines__r")` → `Line__c`.
    fn child_object(&self, object: &str, relationship: &str) -> Option<String> {
        let (_, _) = (object, relationship);
        None
    }
}

/// Relationships read from the field files of a repository.
#[derive(Clone, Debug, Default)]
pub struct Relations {
    lookups: HashMap<(String, String), String>,
    children: HashMap<(String, String), String>,
}

impl Relations {
    /// Reads one file: a `CustomField`, or a `CustomObject` with its fields inside.
    ///
    /// Other files, and XML that does not parse, tell nothing: [`super::references`] reports the latter.
    pub fn add(&mut self, component: &ComponentId, text: &str) {
        let own = match component.type_name.as_ref() {
            "CustomField" => component.full_name.split_once('.'),
            "CustomObject" => Some((component.full_name.as_ref(), "")),
            _ => None,
        };
        let (Some((object, field)), Ok(document)) = (own, roxmltree::Document::parse(text)) else {
            return;
        };
        let root = document.root_element();
        if field.is_empty() {
            for item in root.children().filter(|node| node.has_tag_name_of("fields")) {
                self.field(object, item.text_of("fullName").unwrap_or_default(), item);
            }
        } else {
            self.field(object, field, root);
        }
    }

    fn field(&mut self, object: &str, field: &str, node: roxmltree::Node<'_, '_>) {
        let Some(target) = node.text_of("referenceTo") else {
            return;
        };
        let Some((stem, _)) = field.len().checked_sub(3).and_then(|at| field.split_at_checked(at)) else {
            return;
        };
        self.lookups
            .insert(key(object, &format!("{stem}__r")), target.to_owned());
        if let Some(name) = node.text_of("relationshipName") {
            let name = if names::custom_field(field).is_some() {
                format!("{name}__r")
            } else {
                name.to_owned()
            };
            self.children.insert(key(target, &name), object.to_owned());
        }
    }
}

impl Schema for Relations {
    fn lookup_target(&self, object: &str, relationship: &str) -> Option<String> {
        self.lookups.get(&key(object, relationship)).cloned()
    }

    fn child_object(&self, object: &str, relationship: &str) -> Option<String> {
        self.children.get(&key(object, relationship)).cloned()
    }
}

fn key(object: &str, relationship: &str) -> (String, String) {
    (object.to_ascii_lowercase(), relationship.to_ascii_lowercase())
}

/// Reading a child element by its local name, whatever its namespace.
trait ByLocalName<'a> {
    fn has_tag_name_of(&self, name: &str) -> bool;
    fn text_of(&self, name: &str) -> Option<&'a str>;
}

impl<'a> ByLocalName<'a> for roxmltree::Node<'a, '_> {
    fn has_tag_name_of(&self, name: &str) -> bool {
        self.is_element() && self.tag_name().name() == name
    }

    fn text_of(&self, name: &str) -> Option<&'a str> {
        self.children()
            .find(|node| node.has_tag_name_of(name))?
            .text()
            .map(str::trim)
            .filter(|text| !text.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_both_formats() {
        let mut relations = Relations::default();
        relations.add(
            &ComponentId::new("CustomField", "Line__c.Order__c"),
            "<CustomField xmlns='x'><referenceTo>Order__c</referenceTo><relationshipName>Lines</relationshipName></CustomField>",
        );
        relations.add(
            &ComponentId::new("CustomObject", "Order__c"),
            "<CustomObject><fields><fullName>Buyer__c</fullName><referenceTo>Account</referenceTo></fields></CustomObject>",
        );
        relations.add(
            &ComponentId::new("CustomField", "Line__c.é"),
            "<CustomField><referenceTo>A</referenceTo></CustomField>",
        );
        relations.add(&ComponentId::new("CustomField", "Line__c.Bad__c"), "<CustomField>");
        assert_eq!(
            relations.lookup_target("line__c", "Order__r").as_deref(),
            Some("Order__c")
        );
        assert_eq!(
            relations.lookup_target("Order__c", "Buyer__r").as_deref(),
            Some("Account")
        );
        assert_eq!(
            relations.child_object("Order__c", "Lines__r").as_deref(),
            Some("Line__c")
        );
        assert_eq!(relations.lookup_target("Line__c", "Bad__r"), None);
    }
}
