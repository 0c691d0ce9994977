//! Reading SOAP bodies by local names, writing JSON-shaped results as elements.

use crate::http::escape;
use roxmltree::Node;
use serde_json::Value;

/// Attribute of an element without a value.
const NIL: &str = " xsi:nil=\"true\"/>";

/// The child elements of that local name, whatever their namespace.
pub(crate) fn all<'a, 'i>(node: Node<'a, 'i>, name: &'a str) -> impl Iterator<Item = Node<'a, 'i>> {
    node.children()
        .filter(move |child| child.is_element() && child.tag_name().name() == name)
}

/// The first child element of that local name.
pub(crate) fn child<'a, 'i>(node: Node<'a, 'i>, name: &'a str) -> Option<Node<'a, 'i>> {
    all(node, name).next()
}

/// The first child element that has one of these names: clients do not agree on the name of some arguments.
pub(crate) fn either<'a, 'i>(node: Node<'a, 'i>, names: &'a [&'a str]) -> Option<Node<'a, 'i>> {
    names.iter().find_map(|name| child(node, name))
}

/// The whole text of an element.
pub(crate) fn content(node: Node<'_, '_>) -> String {
    node.children().filter_map(|child| child.text()).collect()
}

/// The trimmed text of a child element; none when it is missing or empty.
pub(crate) fn text(node: Node<'_, '_>, name: &str) -> Option<String> {
    let text = content(child(node, name)?);
    let trimmed = text.trim();
    (!trimmed.is_empty()).then(|| trimmed.to_owned())
}

/// The trimmed texts of all child elements of that name.
pub(crate) fn texts(node: Node<'_, '_>, name: &str) -> Vec<String> {
    all(node, name)
        .map(|child| content(child).trim().to_owned())
        .filter(|text| !text.is_empty())
        .collect()
}

/// A boolean child element: `true`, `True` and `1` are true.
pub(crate) fn flag(node: Node<'_, '_>, name: &str) -> Option<bool> {
    text(node, name).map(|text| text.eq_ignore_ascii_case("true") || text == "1")
}

/// Writes a value as elements of that name: one for each item of an array, `xsi:nil` for null.
pub(crate) fn write(out: &mut String, name: &str, value: &Value) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| write(out, name, item)),
        Value::Null => {
            out.push('<');
            out.push_str(name);
            out.push_str(NIL);
        }
        Value::Object(fields) => wrap(out, name, |out| {
            for (field, value) in fields {
                write(out, field, value);
            }
        }),
        Value::String(text) => wrap(out, name, |out| out.push_str(&escape(text))),
        Value::Bool(_) | Value::Number(_) => wrap(out, name, |out| out.push_str(&value.to_string())),
    }
}

/// Writes an element around what `inner` writes.
pub(crate) fn wrap(out: &mut String, name: &str, inner: impl FnOnce(&mut String)) {
    out.push('<');
    out.push_str(name);
    out.push('>');
    inner(out);
    out.push_str("</");
    // A start tag may carry attributes.
    out.push_str(name.split(' ').next().unwrap_or(name));
    out.push('>');
}
