//! What stands in an element: children with the white space before them, text, or both.

use std::borrow::Cow;
use std::ops::Range;

use super::Node;

/// A child node (element, comment, processing instruction or stray text) with the white space in front of it.
#[derive(Clone, Copy, Debug)]
pub struct Chunk<'a, 'i> {
    /// The child.
    pub node: Node<'a, 'i>,
    /// Where the white space in front begins; it ends where the node begins.
    pub lead: usize,
}

/// The content of an element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// Text, or nothing.
    Leaf,
    /// Elements, with white space and comments between them.
    Elements,
    /// Text beside elements or comments, or nothing but a comment: only comparable as a whole.
    Mixed,
}

/// The original text of a node.
pub fn source<'i>(text: &'i str, node: Node<'_, 'i>) -> &'i str {
    &text[node.range()]
}

/// Child elements.
pub fn elements<'a, 'i>(node: Node<'a, 'i>) -> impl Iterator<Item = Node<'a, 'i>> {
    node.children().filter(Node::is_element)
}

/// The namespace of an element that is not the one of metadata; a file may leave that one out.
pub fn foreign_namespace<'a>(node: Node<'a, '_>) -> Option<&'a str> {
    node.tag_name()
        .namespace()
        .filter(|ns| !ns.ends_with("/soap.sforce.com/2006/04/metadata"))
}

/// What an element contains.
pub fn content(node: Node<'_, '_>) -> Content {
    let (mut has_elements, mut has_text, mut has_comment) = (false, false, false);
    for child in node.children() {
        if child.is_element() {
            has_elements = true;
        } else if child.is_text() {
            has_text = has_text || child.text().is_some_and(|t| !is_space(t));
        } else {
            has_comment = true;
        }
        if has_text && (has_elements || has_comment) {
            return Content::Mixed;
        }
    }
    match (has_elements, has_comment) {
        (true, _) => Content::Elements,
        // A comment in place of a value, as in untranslated labels, belongs to the value.
        (false, true) => Content::Mixed,
        (false, false) => Content::Leaf,
    }
}

/// The value of a leaf: entities decoded, line ends as `\n`; an indented empty line counts as empty.
pub fn leaf_text<'a>(node: Node<'a, '_>) -> Cow<'a, str> {
    let mut texts = node.children().filter(Node::is_text).filter_map(|c| c.text());
    let Some(first) = texts.next() else {
        return Cow::Borrowed("");
    };
    let text = match texts.next() {
        None => Cow::Borrowed(first),
        Some(second) => {
            let mut all = first.to_owned();
            all.push_str(second);
            all.extend(texts);
            Cow::Owned(all)
        }
    };
    if is_space(&text) && text.contains('\n') {
        Cow::Borrowed("")
    } else {
        text
    }
}

/// The children of an element, and the range of the white space in front of the end tag.
pub fn children<'a, 'i>(text: &str, node: Node<'a, 'i>) -> (Vec<Chunk<'a, 'i>>, Range<usize>) {
    let (start, end) = inner(text, node);
    let mut at = start;
    let mut chunks = Vec::new();
    for child in node
        .children()
        .filter(|c| !c.is_text() || c.text().is_some_and(|t| !is_space(t)))
    {
        chunks.push(Chunk { node: child, lead: at });
        at = child.range().end;
    }
    (chunks, at..end)
}

/// Range between start and end tag; empty behind the tag for `<a/>`.
fn inner(text: &str, node: Node<'_, '_>) -> (usize, usize) {
    let range = node.range();
    let raw = &text[range.clone()];
    if raw.ends_with("/>") && node.first_child().is_none() {
        return (range.end, range.end);
    }
    let start = node
        .first_child()
        .map_or_else(|| range.start + start_tag_end(raw), |c| c.range().start);
    let end = range.start + raw.rfind("</").unwrap_or(raw.len());
    (start, end)
}

/// Length of the start tag, quotes respected.
fn start_tag_end(raw: &str) -> usize {
    let mut quote = None;
    for (i, b) in raw.bytes().enumerate() {
        match (quote, b) {
            (None, b'"' | b'\'') => quote = Some(b),
            (Some(q), b) if q == b => quote = None,
            (None, b'>') => return i + 1,
            _ => {}
        }
    }
    raw.len()
}

fn is_space(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_whitespace())
}

/// An element without its formatting, as text to compare by.
pub fn canonical_text(node: Node<'_, '_>) -> String {
    let mut out = Vec::new();
    write_canonical(node, &mut out);
    String::from_utf8_lossy(&out).into_owned()
}

/// Writes an element without its formatting.
pub(super) fn write_canonical(node: Node<'_, '_>, out: &mut Vec<u8>) {
    out.push(b'<');
    out.extend(node.tag_name().name().as_bytes());
    for (name, value) in attributes(node) {
        out.push(0);
        out.extend(name.as_bytes());
        out.push(b'=');
        out.extend(value.as_bytes());
    }
    out.push(b'>');
    match content(node) {
        Content::Leaf => out.extend(leaf_text(node).as_bytes()),
        Content::Elements => elements(node).for_each(|child| write_canonical(child, out)),
        Content::Mixed => {
            for child in node.children() {
                match child.text() {
                    Some(text) if child.is_text() => out.extend(text.as_bytes()),
                    Some(text) if child.is_comment() => {
                        out.extend(b"<!--");
                        out.extend(text.as_bytes());
                    }
                    _ if child.is_element() => write_canonical(child, out),
                    _ => {}
                }
            }
        }
    }
    out.extend(b"</>");
}

/// Attributes by name: prefix-free, namespace in front where there is one.
pub(super) fn attributes<'a>(node: Node<'a, '_>) -> Vec<(Cow<'a, str>, &'a str)> {
    let mut all: Vec<_> = node
        .attributes()
        .map(|a| {
            let name = match a.namespace() {
                None => Cow::Borrowed(a.name()),
                Some(ns) => Cow::Owned(format!("{{{ns}}}{}", a.name())),
            };
            (name, a.value())
        })
        .collect();
    all.sort_unstable();
    all
}
