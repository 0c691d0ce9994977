//! Cutting elements out of XML and putting them in, with their indentation.

use roxmltree::{Document, Node};

use super::ConvertError;

pub(crate) const NAMESPACE: &str = "http://soap.sforce.com/2006/04/metadata";
const STEP: &str = "    ";

/// A file's text as UTF-8 XML.
pub(crate) fn parse<'a>(path: &str, bytes: &'a [u8]) -> Result<(&'a str, Document<'a>), ConvertError> {
    let text = std::str::from_utf8(bytes).map_err(|_| super::layout(path, "it is not UTF-8"))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let document = Document::parse(text).map_err(|source| ConvertError::Xml {
        path: path.to_owned(),
        source,
    })?;
    Ok((text, document))
}

/// The text between the tags of an element, each line of white space `deeper` or less deep by one step.
pub(crate) fn inner(text: &str, node: Node<'_, '_>, deeper: bool) -> String {
    let (Some(first), Some(last)) = (node.first_child(), node.last_child()) else {
        return String::new();
    };
    let (start, end) = (first.range().start, last.range().end);
    let mut made = String::with_capacity(end - start);
    let mut at = start;
    for space in node.descendants().filter(|n| n.is_text() && is_indentation(*n)) {
        let range = space.range();
        made.push_str(&text[at..range.start]);
        made.push_str(&indented(&text[range.clone()], deeper));
        at = range.end;
    }
    made.push_str(&text[at..end]);
    made
}

/// White space between elements, not the value of one.
fn is_indentation(node: Node<'_, '_>) -> bool {
    let blank = node
        .text()
        .is_some_and(|text| text.trim().is_empty() && text.contains('\n'));
    blank
        && node
            .parent()
            .is_some_and(|parent| parent.children().any(|child| child.is_element()))
}

fn indented(space: &str, deeper: bool) -> String {
    let (lines, last) = space.rsplit_once('\n').unwrap_or(("", space));
    let last = match deeper {
        true => format!("{STEP}{last}"),
        false => last
            .strip_prefix(STEP)
            .unwrap_or(last.trim_start_matches([' ', '\t']))
            .to_owned(),
    };
    format!("{lines}\n{last}")
}

/// The whole line or lines of an element among its siblings: its white space in front and itself.
pub(crate) fn with_space(text: &str, node: Node<'_, '_>) -> std::ops::Range<usize> {
    let range = node.range();
    let before = &text[..range.start];
    let trimmed = before.trim_end_matches([' ', '\t']);
    let start = match trimmed.strip_suffix('\n') {
        Some(line) => line.strip_suffix('\r').unwrap_or(line).len(),
        None => range.start,
    };
    start..range.end
}

/// A document with this root and content.
pub(crate) fn document(root: &str, content: &str) -> String {
    format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{root} xmlns=\"{NAMESPACE}\">{content}</{root}>\n")
}
