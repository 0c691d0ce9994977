//! XML as the judge sees it: canonical texts of elements, items by key, and values by path.

use std::collections::BTreeMap;

use roxmltree::{Document, Node};
use syncline_metadata::table::schema::{self, Child, Holds, Order, Type};

/// How often each thing is there.
pub(super) type Counts<K> = BTreeMap<K, u32>;

/// The key of an item below the root: element name and key values. Items of a complex list
/// without a usable key are one thing together.
pub(super) type ItemKey = (String, Option<Vec<String>>);

/// The items below the root with their canonical texts.
pub(super) type Items = BTreeMap<ItemKey, Vec<String>>;

/// Canonical text of an element: formatting is gone, and so is order where it means nothing.
/// Below the root, elements of different lists and of unordered lists may stand in any order.
pub(super) fn canonical(node: Node<'_, '_>, ty: Option<&'static Type>) -> String {
    let mut text = format!("<{}", node.tag_name().name());
    let mut attributes: Vec<String> = node
        .attributes()
        .map(|a| format!(" {}={:?}", a.name(), a.value()))
        .collect();
    attributes.sort_unstable();
    text.extend(attributes);
    text.push('>');
    if !node.children().any(|kid| kid.is_element()) {
        // A comment in place of a value stands for one: translations that are still to be made.
        let is_value = |kid: &Node<'_, '_>| kid.is_text() || kid.is_comment();
        let content: String = node.children().filter(is_value).filter_map(|kid| kid.text()).collect();
        text.push_str(if ty.is_some() { content.trim() } else { &content });
    }
    let mut kids: Vec<(String, usize, String)> = Vec::new();
    for (i, kid) in node.children().filter(Node::is_element).enumerate() {
        let name = kid.tag_name().name();
        let child = ty.and_then(|ty| ty.child(name));
        if is_noise(kid, ty, child) {
            continue;
        }
        let counts = ty.is_none() || child.is_some_and(|child| child.order != Order::None);
        let group = if ty.is_none() { String::new() } else { name.to_owned() };
        kids.push((group, if counts { i + 1 } else { 0 }, canonical(kid, held(child))));
    }
    kids.sort_unstable();
    text.extend(kids.into_iter().map(|(_, _, kid)| kid));
    text.push_str("</>");
    text
}

/// Canonical text of a document whose top level may stand in any order.
pub(super) fn unordered(document: &Document<'_>) -> String {
    let root = document.root_element();
    let mut items: Vec<String> = root
        .children()
        .filter(Node::is_element)
        .map(|kid| canonical(kid, type_of(root, kid)))
        .collect();
    items.sort_unstable();
    format!("<{}>{}", root.tag_name().name(), items.concat())
}

/// Canonical text of a document.
pub(super) fn ordered(document: &Document<'_>) -> String {
    let root = document.root_element();
    canonical(root, schema::get(root.tag_name().name()))
}

/// Ends the path of a value in a list of plain values.
pub(super) const PLAIN: &str = "[=]";

/// A place in a list, or an id the org made up: a difference is no change.
fn is_noise(node: Node<'_, '_>, parent: Option<&Type>, child: Option<&Child>) -> bool {
    parent.is_some_and(|ty| ty.index == Some(node.tag_name().name()))
        || child.is_some_and(|child| child.is_generated(node.text().unwrap_or_default()))
}

fn held(child: Option<&Child>) -> Option<&'static Type> {
    match child?.holds {
        Holds::Complex(name) => schema::get(name),
        Holds::Text | Holds::Unknown => None,
    }
}

fn type_of(root: Node<'_, '_>, kid: Node<'_, '_>) -> Option<&'static Type> {
    held(schema::get(root.tag_name().name())?.child(kid.tag_name().name()))
}

/// The key of an item; `None` when the table has none or the item none of its fields.
fn key_of(node: Node<'_, '_>, child: Option<&Child>) -> Option<Vec<String>> {
    let child = child?;
    let value = |field: &&str| match field.strip_prefix('@') {
        Some(attribute) => node
            .attributes()
            .find(|a| a.name() == attribute)
            .map(|a| a.value().to_owned()),
        None => {
            let mut at = node;
            for name in field.split('/') {
                at = at.children().find(|kid| kid.tag_name().name() == name)?;
            }
            Some(at.text().unwrap_or_default().trim().to_owned())
        }
    };
    let values: Vec<Option<String>> = child.key.iter().map(value).collect();
    values
        .iter()
        .any(Option::is_some)
        .then(|| values.into_iter().map(Option::unwrap_or_default).collect())
}

/// Name, key, canonical text, and whether it has child elements.
type Item = (String, Option<Vec<String>>, String, bool);

/// Items of all sides by key. Lists whose key is not to be trusted and repeats on a side are keyed
/// by content, plain values too.
pub(super) fn items<const N: usize>(documents: [Option<&Document<'_>>; N]) -> [Items; N] {
    let mut all: [Vec<Item>; N] = std::array::from_fn(|_| Vec::new());
    for (items, document) in all.iter_mut().zip(documents) {
        let Some(root) = document.map(Document::root_element) else {
            continue;
        };
        let ty = schema::get(root.tag_name().name());
        for kid in root.children().filter(Node::is_element) {
            let name = kid.tag_name().name();
            let child = ty.and_then(|ty| ty.child(name));
            let is_complex = kid.children().any(|inner| inner.is_element());
            items.push((
                name.to_owned(),
                key_of(kid, child),
                canonical(kid, held(child)),
                is_complex,
            ));
        }
    }
    let root = documents
        .iter()
        .flatten()
        .next()
        .map(|d| d.root_element().tag_name().name());
    let is_trusted = |name: &str| {
        let ty = root.and_then(schema::get);
        ty.and_then(|ty| ty.child(name))
            .is_some_and(|child| child.proof.is_trusted())
    };
    // Names with a key that some side repeats and that is not to be trusted.
    let mut repeated: Vec<&str> = Vec::new();
    let mut listed: Vec<&str> = Vec::new();
    for items in &all {
        let mut keys: Counts<(&str, &Option<Vec<String>>)> = Counts::new();
        for (name, key, _, _) in items {
            let n = keys.entry((name, key)).or_default();
            *n += 1;
            if *n > 1 {
                match key {
                    Some(_) if !is_trusted(name) => repeated.push(name),
                    Some(_) => {}
                    None => listed.push(name),
                }
            }
        }
    }
    all.each_ref().map(|items| {
        let mut map = Items::new();
        for (name, key, text, is_complex) in items {
            let key = match key {
                Some(_) if repeated.contains(&name.as_str()) => None,
                None if listed.contains(&name.as_str()) && !is_complex => Some(vec![text.clone()]),
                key => key.clone(),
            };
            map.entry((name.clone(), key)).or_default().push(text.clone());
        }
        for texts in map.values_mut() {
            texts.sort_unstable();
        }
        map
    })
}

/// Keys that stand more than once in one list, anywhere in the document, with how often.
pub(super) fn repeated_keys(document: &Document<'_>) -> Counts<String> {
    let root = document.root_element();
    let mut counts = Counts::new();
    collect_keys(root, schema::get(root.tag_name().name()), "", &mut counts);
    counts.retain(|_, n| *n > 1);
    counts
}

fn collect_keys(node: Node<'_, '_>, ty: Option<&'static Type>, path: &str, counts: &mut Counts<String>) {
    let Some(ty) = ty else { return };
    let mut places: Counts<&str> = Counts::new();
    for kid in node.children().filter(Node::is_element) {
        let name = kid.tag_name().name();
        let Some(child) = ty.child(name) else { continue };
        let key = key_of(kid, Some(child)).filter(|_| child.list);
        let place = places.entry(name).or_default();
        *place += 1;
        let inner = match &key {
            Some(key) => format!("{path}/{name}{key:?}"),
            None => format!("{path}/{name}[{place}]"),
        };
        if key.is_some() && child.proof.is_trusted() {
            *counts.entry(inner.clone()).or_default() += 1;
        }
        collect_keys(kid, held(Some(child)), &inner, counts);
    }
}

/// Every value inside the named items with its path; items without a key have none in the path.
pub(super) fn values(document: &Document<'_>, name: &str, key: Option<&[String]>) -> Counts<(String, String)> {
    let root = document.root_element();
    let ty = schema::get(root.tag_name().name());
    let child = ty.and_then(|ty| ty.child(name));
    let mut counts = Counts::new();
    for kid in root.children().filter(|kid| kid.tag_name().name() == name) {
        if key.is_none() || key_of(kid, child).as_deref() == key {
            collect_values(kid, held(child), name, &mut counts);
        }
    }
    if let Some(child) = child.filter(|child| child.dissolves) {
        // The key is there as long as any value is.
        counts.retain(|(path, _), _| child.key.iter().all(|field| *path != format!("{name}/{field}")));
    }
    counts
}

fn collect_values(node: Node<'_, '_>, ty: Option<&'static Type>, path: &str, counts: &mut Counts<(String, String)>) {
    for attribute in node.attributes() {
        let name = format!("{path}/@{}", attribute.name());
        *counts.entry((name, attribute.value().to_owned())).or_default() += 1;
    }
    let mut kids = node.children().filter(Node::is_element).peekable();
    if kids.peek().is_none() && ty.is_some() {
        return;
    }
    if kids.peek().is_none() || ty.is_none_or(|ty| ty.whole) {
        *counts.entry((path.to_owned(), canonical(node, ty))).or_default() += 1;
        return;
    }
    for kid in kids {
        let name = kid.tag_name().name();
        let child = ty.and_then(|ty| ty.child(name));
        if is_noise(kid, ty, child) {
            continue;
        }
        let key = key_of(kid, child).filter(|_| child.is_some_and(|child| child.list));
        let inner = match key {
            Some(key) => format!("{path}/{name}{key:?}"),
            None if child.is_some_and(|child| child.list && child.holds == Holds::Text) => {
                format!("{path}/{name}{PLAIN}")
            }
            None => format!("{path}/{name}"),
        };
        collect_values(kid, held(child), &inner, counts);
    }
}
