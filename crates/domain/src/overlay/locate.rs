//! The place of a value in the text of a file.

use std::ops::Range;

use syncline_metadata::path::{Selector, Step};
use syncline_metadata::xml::{Content, Document, Node, content, elements, leaf_text};

/// Where a value stands in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Spot {
    /// An element's text.
    Element {
        /// From behind the name and attributes to the end of the element: `>text</name>` or `/>`.
        tail: Range<usize>,
        /// Its name as it is written.
        name: Range<usize>,
        /// The text, entities decoded.
        text: String,
    },
    /// An attribute's value, between the quotes.
    Attribute {
        /// Its place.
        value: Range<usize>,
        /// Its text, entities decoded.
        text: String,
    },
}

/// Why there is no place for a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoSpot {
    /// There is no such element.
    Absent,
    /// There are several.
    Several,
    /// It holds elements, or text beside comments.
    Holds,
    /// It says `xsi:nil`.
    Nil,
}

/// Finds the place that the steps lead to from the root element down.
pub(super) fn locate(document: &Document<'_>, steps: &[Step]) -> Result<Spot, NoSpot> {
    let mut node = document.root();
    for (at, step) in steps.iter().enumerate() {
        if let Some(attribute) = step.name.strip_prefix('@') {
            let found = node
                .attributes()
                .find(|a| a.name() == attribute)
                .ok_or(NoSpot::Absent)?;
            return match at + 1 == steps.len() {
                true => Ok(Spot::Attribute {
                    value: found.range_value(),
                    text: found.value().to_owned(),
                }),
                false => Err(NoSpot::Absent),
            };
        }
        node = child(node, step)?;
    }
    let nil = |node: Node<'_, '_>| node.attributes().any(|a| a.name() == "nil" && a.value() == "true");
    match content(node) {
        _ if nil(node) => Err(NoSpot::Nil),
        Content::Elements | Content::Mixed => Err(NoSpot::Holds),
        Content::Leaf => {
            let range = node.range();
            let raw = &document.text[range.clone()];
            let (name, end) = start_tag(raw);
            Ok(Spot::Element {
                tail: range.start + end..range.end,
                name: range.start + name.start..range.start + name.end,
                text: leaf_text(node).into_owned(),
            })
        }
    }
}

fn child<'a, 'i>(node: Node<'a, 'i>, step: &Step) -> Result<Node<'a, 'i>, NoSpot> {
    let mut named = elements(node).filter(|child| *child.tag_name().name() == *step.name);
    let nth = |n: u32| usize::try_from(n).unwrap_or(usize::MAX).saturating_sub(1);
    match &step.selector {
        Selector::Only => {
            let first = named.next().ok_or(NoSpot::Absent)?;
            if named.next().is_some() {
                Err(NoSpot::Several)
            } else {
                Ok(first)
            }
        }
        Selector::Position(n) => named.nth(nth(*n)).ok_or(NoSpot::Absent),
        Selector::Value(value, n) => named
            .filter(|child| leaf_text(*child) == **value)
            .nth(nth(*n))
            .ok_or(NoSpot::Absent),
        Selector::Key(fields, n) => named
            .filter(|child| {
                fields
                    .iter()
                    .all(|(key, value)| field(*child, key).is_some_and(|text| text == **value))
            })
            .nth(nth(*n))
            .ok_or(NoSpot::Absent),
    }
}

/// The value of a key field: `name`, one level further down `a/b`, or an attribute `@name`.
fn field(node: Node<'_, '_>, key: &str) -> Option<String> {
    if let Some(attribute) = key.strip_prefix('@') {
        let mut attributes = node.attributes();
        return attributes.find(|a| a.name() == attribute).map(|a| a.value().to_owned());
    }
    let (name, rest) = key
        .split_once('/')
        .map_or((key, None), |(name, rest)| (name, Some(rest)));
    let below = elements(node).find(|child| child.tag_name().name() == name)?;
    match rest {
        Some(rest) => field(below, rest),
        None => Some(leaf_text(below).into_owned()),
    }
}

/// The name in a start tag, and where its name and attributes end.
fn start_tag(raw: &str) -> (Range<usize>, usize) {
    let bytes = raw.as_bytes();
    let name_end = raw[1..]
        .find(|c: char| c.is_ascii_whitespace() || c == '>' || c == '/')
        .map_or(raw.len(), |at| at + 1);
    let mut end = name_end;
    let mut quote = None;
    for (at, byte) in bytes.iter().enumerate().skip(name_end) {
        match (quote, byte) {
            (None, b'"' | b'\'') => quote = Some(*byte),
            (Some(open), byte) if open == *byte => {
                quote = None;
                end = at + 1;
            }
            (None, b'>') => break,
            _ => {}
        }
    }
    (1..name_end, end)
}
