//! Metadata as the server writes it: parsed and printed anew.
//!
//! Four blanks a level, entities for quotes, comments dropped, elements of the root in the order of their names,
//! lists sorted whose order means nothing, a few defaults filled in.

use crate::http::escape;
use std::collections::BTreeMap;
use syncline_metadata::table::schema::{self, Child, Holds, Order, Type};
use syncline_metadata::xml::{Content, Document, Node, content, elements, is_metadata, leaf_text};

const NAMESPACE: &str = "http://soap.sforce.com/2006/04/metadata";
const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// Elements the server adds where they are missing: type, element, value.
const DEFAULTS: &[(&str, &str, &str)] = &[
    ("ApexClass", "status", "Active"),
    ("ApexPage", "availableInTouch", "false"),
    ("ApexPage", "confirmationTokenRequired", "false"),
    ("ApexTrigger", "status", "Active"),
    ("CustomTab", "motif", "Custom53: Bell"),
    ("PermissionSet", "hasActivationRequired", "false"),
    ("RemoteSiteSetting", "disableProtocolSecurity", "false"),
    ("StaticResource", "cacheControl", "Private"),
];

/// Which entries of the root's lists are kept: element and entry.
pub(crate) type Keep<'k> = &'k dyn Fn(&str, Node<'_, '_>) -> bool;

/// Prints a file of metadata. Text that is no XML is given back as it is.
pub(crate) fn print(text: &[u8], keep: Keep<'_>) -> Vec<u8> {
    let Ok(document) = Document::parse(text) else {
        return text.to_vec();
    };
    let root = document.root();
    let name = root.tag_name().name();
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    out.push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<");
    out.push_str(name);
    out.push_str(&format!(" xmlns=\"{NAMESPACE}\""));
    let xsi = root
        .descendants()
        .any(|node| node.attributes().any(|attribute| attribute.namespace() == Some(XSI)));
    if xsi {
        out.push_str(&format!(
            " xmlns:xsi=\"{XSI}\" xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\""
        ));
    }
    out.push_str(">\n");
    let ty = schema::get(name);
    let mut groups: BTreeMap<(bool, String), Vec<String>> = BTreeMap::new();
    for list in grouped(root, ty) {
        let Some(first) = list.first() else { continue };
        let element = first.tag_name().name();
        let printed = list
            .iter()
            .filter(|node| keep(element, **node))
            .map(|node| {
                let mut text = String::new();
                element_text(&mut text, *node, ty.and_then(|ty| ty.child(element)), 1);
                text
            })
            .collect();
        groups.insert((element != "fullName", element.to_owned()), printed);
    }
    for (_, element, value) in DEFAULTS.iter().filter(|(kind, _, _)| *kind == name) {
        groups
            .entry((true, (*element).to_owned()))
            .or_insert_with(|| vec![format!("    <{element}>{}</{element}>\n", escape(value))]);
    }
    groups.values().flatten().for_each(|text| out.push_str(text));
    out.push_str(&format!("</{name}>\n"));
    out.into_bytes()
}

/// The children of an element by name in order of appearance; sorted where the server sorts.
fn grouped<'a, 'i>(node: Node<'a, 'i>, ty: Option<&Type>) -> Vec<Vec<Node<'a, 'i>>> {
    let mut lists: Vec<Vec<Node<'a, 'i>>> = Vec::new();
    for child in elements(node) {
        let name = child.tag_name().name();
        match lists.iter_mut().find(|list| list[0].tag_name().name() == name) {
            Some(list) => list.push(child),
            None => lists.push(vec![child]),
        }
    }
    for list in &mut lists {
        let child = ty.and_then(|ty| ty.child(list[0].tag_name().name()));
        if let Some(child) = child.filter(|child| is_sorted(child)) {
            list.sort_by_cached_key(|item| key(*item, child));
        }
    }
    lists
}

/// Whether the server sorts a list: it has a proven key and its order means nothing.
pub(crate) fn is_sorted(child: &Child) -> bool {
    child.list && !child.key.is_empty() && child.order == Order::None && child.proof.is_trusted()
}

fn key(item: Node<'_, '_>, child: &Child) -> Vec<String> {
    child
        .key
        .iter()
        .map(|path| match path.strip_prefix('@') {
            Some(attribute) => item.attribute(attribute).unwrap_or_default().to_owned(),
            None => path
                .split('/')
                .try_fold(item, |node, name| {
                    elements(node).find(|child| child.tag_name().name() == name)
                })
                .map_or_else(String::new, |node| leaf_text(node).trim().to_owned()),
        })
        .collect()
}

/// Prints one element with its line end.
fn element_text(out: &mut String, node: Node<'_, '_>, child: Option<&Child>, depth: usize) {
    let name = node.tag_name().name();
    let indent = "    ".repeat(depth);
    out.push_str(&indent);
    out.push('<');
    out.push_str(name);
    for attribute in node.attributes() {
        let prefix = if attribute.namespace() == Some(XSI) { "xsi:" } else { "" };
        out.push_str(&format!(
            " {prefix}{}=\"{}\"",
            attribute.name(),
            escape(attribute.value())
        ));
    }
    if content(node) == Content::Elements {
        out.push_str(">\n");
        let ty = child.and_then(|child| match child.holds {
            Holds::Complex(ty) => schema::get(ty),
            Holds::Text | Holds::Unknown => None,
        });
        for item in ordered(node, ty) {
            element_text(out, item, ty.and_then(|ty| ty.child(item.tag_name().name())), depth + 1);
        }
        out.push_str(&format!("{indent}</{name}>\n"));
        return;
    }
    let text = leaf_text(node);
    if text.is_empty() {
        out.push_str("/>\n");
    } else {
        out.push_str(&format!(">{}</{name}>\n", escape(&text)));
    }
}

/// The children of a nested element: as they stand, but sorted lists sorted in their places.
fn ordered<'a, 'i>(node: Node<'a, 'i>, ty: Option<&Type>) -> Vec<Node<'a, 'i>> {
    let mut sorted: BTreeMap<&str, std::vec::IntoIter<Node<'a, 'i>>> = grouped(node, ty)
        .into_iter()
        .map(|list| (list[0].tag_name().name(), list.into_iter()))
        .collect();
    elements(node)
        .filter_map(|child| sorted.get_mut(child.tag_name().name())?.next())
        .collect()
}

/// Whether a file is printed anew: metadata XML, not content.
pub(crate) fn is_printed(content: &[u8]) -> bool {
    is_metadata(content) && Document::parse(content).is_ok()
}
