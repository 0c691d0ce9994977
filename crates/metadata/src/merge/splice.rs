//! Text of one file put into another: indentation and line ends follow the new neighbours.

use std::borrow::Cow;

use crate::xml::{Content, Node, children, content};

/// How the text around a place is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Layout<'t> {
    /// White space in front of an element on its line.
    pub indent: &'t str,
    /// Line end.
    pub line_end: &'static str,
}

/// The indentation in the white space before an element; empty without a line break.
pub(super) fn indent_of(lead: &str) -> &str {
    lead.rfind('\n').map_or("", |at| &lead[at + 1..])
}

/// The white space before an inserted element, taken from a neighbour: one line break at most.
pub(super) fn one_break(lead: &str) -> &str {
    match lead.rfind('\n') {
        None => lead,
        Some(at) if at > 0 && lead.as_bytes()[at - 1] == b'\r' => &lead[at - 1..],
        Some(at) => &lead[at..],
    }
}

/// The text of `node`, laid out for a new place.
pub(super) fn adapt<'t>(text: &'t str, node: Node<'_, '_>, from: Layout<'_>, to: Layout<'_>) -> Cow<'t, str> {
    let source = &text[node.range()];
    let same_ends = source.contains('\r') == (to.line_end == "\r\n");
    if !source.contains('\n') || from == to && same_ends {
        return Cow::Borrowed(source);
    }
    let mut out = String::with_capacity(source.len() + source.len() / 8);
    write(text, node, from, to, &mut out);
    Cow::Owned(out)
}

fn write(text: &str, node: Node<'_, '_>, from: Layout<'_>, to: Layout<'_>, out: &mut String) {
    let range = node.range();
    if !node.is_element() || content(node) != Content::Elements {
        line_ends(&text[range], to.line_end, out);
        return;
    }
    let (chunks, tail) = children(text, node);
    let first = chunks.first().map_or(tail.start, |c| c.lead);
    out.push_str(&text[range.start..first]);
    for chunk in &chunks {
        space(&text[chunk.lead..chunk.node.range().start], from, to, out);
        write(text, chunk.node, from, to, out);
    }
    space(&text[tail.clone()], from, to, out);
    out.push_str(&text[tail.end..range.end]);
}

/// White space between elements: each line's indentation begins with the new one instead of the old one.
fn space(lead: &str, from: Layout<'_>, to: Layout<'_>, out: &mut String) {
    let mut lines = lead.split('\n');
    if let Some(first) = lines.next() {
        out.push_str(first.trim_end_matches('\r'));
    }
    for line in lines {
        out.push_str(to.line_end);
        let line = line.trim_end_matches('\r');
        match line.strip_prefix(from.indent) {
            Some(rest) => {
                out.push_str(to.indent);
                out.push_str(rest);
            }
            None => out.push_str(line),
        }
    }
}

/// Copies text with other line ends.
pub(super) fn line_ends(text: &str, line_end: &str, out: &mut String) {
    for (i, line) in text.split('\n').enumerate() {
        if i > 0 {
            out.push_str(line_end);
        }
        out.push_str(line.strip_suffix('\r').unwrap_or(line));
    }
}
