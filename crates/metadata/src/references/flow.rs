//! What the names in a flow stand for: variables and elements that hold a record.

use std::collections::HashMap;

use roxmltree::Node;

use super::ReferenceKind;
use super::elements::{child_text, leaf};
use super::resolve::{Finder, Place};

/// How many filter and loop steps in a row are followed back to the list they work on.
const LIST_HOPS: usize = 8;

/// The object of every variable and element of a flow that holds records.
///
/// Source: Metadata API guide, "Flow": variables have `objectType`; lookups, loops and collection steps
/// stand for their records under their own name; `$Record` is what starts the flow.
pub(super) fn variables(root: Node<'_, '_>) -> HashMap<String, String> {
    let mut known: HashMap<String, String> = HashMap::new();
    let mut copies: Vec<(&str, &str)> = Vec::new();
    for node in root.children().filter(Node::is_element) {
        let name = child_text(node, "name");
        let object = child_text(node, "object");
        match (node.tag_name().name(), name) {
            ("start", _) => {
                if let Some(object) = object {
                    known.insert("$Record".to_owned(), object.to_owned());
                    known.insert("$Record__Prior".to_owned(), object.to_owned());
                }
            }
            ("variables" | "transforms", Some(name)) => {
                if let Some(object) = child_text(node, "objectType") {
                    known.insert(name.to_owned(), object.to_owned());
                }
            }
            ("recordLookups" | "dynamicChoiceSets", Some(name)) => {
                if let Some(object) = object {
                    known.insert(name.to_owned(), object.to_owned());
                }
            }
            ("loops" | "collectionProcessors", Some(name)) => {
                if let Some(list) = child_text(node, "collectionReference") {
                    copies.push((name, list));
                }
            }
            _ => {}
        }
    }
    // A loop may run over a list that another step filtered.
    for _ in 0..LIST_HOPS {
        for (name, list) in &copies {
            if !known.contains_key(*name)
                && let Some(object) = known.get(*list).cloned()
            {
                known.insert((*name).to_owned(), object);
            }
        }
    }
    known
}

/// Record types that a lookup on `RecordType` asks for by developer name and object.
pub(super) fn record_types(found: &mut Finder<'_>, root: Node<'_, '_>) {
    for lookup in root
        .children()
        .filter(|node| node.is_element() && node.tag_name().name() == "recordLookups")
        .filter(|node| child_text(*node, "object") == Some("RecordType"))
    {
        let wanted = |field: &str| {
            lookup
                .children()
                .filter(|node| node.is_element() && node.tag_name().name() == "filters")
                .filter(|filter| child_text(*filter, "field") == Some(field))
                .filter(|filter| child_text(*filter, "operator") == Some("EqualTo"))
                .find_map(|filter| {
                    let value = filter
                        .children()
                        .find(|node| node.is_element() && node.tag_name().name() == "value")?;
                    value
                        .children()
                        .find(|node| node.is_element() && node.tag_name().name() == "stringValue")
                })
                .and_then(leaf)
        };
        if let (Some((name, range)), Some((object, _))) = (wanted("DeveloperName"), wanted("SobjectType")) {
            let place = Place {
                range,
                via: "filters/value",
                kind: ReferenceKind::Required,
            };
            found.component("RecordType", &format!("{}.{}", object.text, name.text), &place);
        }
    }
}
