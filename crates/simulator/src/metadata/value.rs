//! Metadata XML as JSON, the way the Tooling API shows it in `Metadata`, and back.

use crate::http::escape;
use serde_json::{Map, Value, json};
use syncline_metadata::table::Type;
use syncline_metadata::table::schema::{self, Holds};
use syncline_metadata::xml::{Content, Document, Node, content, elements, leaf_text};

const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// The value of a file or of a child's element of that type.
pub(crate) fn of(text: &str, type_name: &str) -> Value {
    match Document::parse(text.as_bytes()) {
        Ok(document) => object(document.root(), schema::get(type_name)),
        Err(_) => Value::Null,
    }
}

fn object(node: Node<'_, '_>, ty: Option<&Type>) -> Value {
    let mut out = Map::new();
    for child in elements(node) {
        let name = child.tag_name().name();
        let known = ty.and_then(|ty| ty.child(name));
        let inner = known.and_then(|child| match child.holds {
            Holds::Complex(ty) => schema::get(ty),
            Holds::Text | Holds::Unknown => None,
        });
        let value = if content(child) == Content::Elements {
            object(child, inner)
        } else {
            leaf(child)
        };
        let list = known.is_some_and(|child| child.list);
        match out.get_mut(name) {
            Some(Value::Array(items)) => items.push(value),
            Some(first) => *first = json!([first.take(), value]),
            None => {
                out.insert(name.to_owned(), if list { json!([value]) } else { value });
            }
        }
    }
    Value::Object(out)
}

/// A plain value: booleans and whole numbers are told by their look.
fn leaf(node: Node<'_, '_>) -> Value {
    if node.attribute((XSI, "nil")) == Some("true") {
        return Value::Null;
    }
    let text = leaf_text(node);
    match &*text {
        "true" => json!(true),
        "false" => json!(false),
        number if number.parse::<i64>().is_ok_and(|n| n.to_string() == number) => json!(number.parse::<i64>().ok()),
        text => json!(text),
    }
}

/// A file of that type from such a value.
pub(crate) fn file(type_name: &str, value: &Value) -> String {
    let mut out = String::new();
    out.push_str(&format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{type_name} xmlns=\"http://soap.sforce.com/2006/04/metadata\">\n"
    ));
    if let Value::Object(fields) = value {
        for (name, value) in fields {
            element(&mut out, name, value, 1);
        }
    }
    out.push_str(&format!("</{type_name}>\n"));
    out
}

fn element(out: &mut String, name: &str, value: &Value, depth: usize) {
    let indent = "    ".repeat(depth);
    match value {
        // A blank is an element that is not there.
        Value::Null => {}
        Value::Array(items) => items.iter().for_each(|item| element(out, name, item, depth)),
        Value::Object(fields) => {
            out.push_str(&format!("{indent}<{name}>\n"));
            for (name, value) in fields {
                element(out, name, value, depth + 1);
            }
            out.push_str(&format!("{indent}</{name}>\n"));
        }
        Value::String(text) => out.push_str(&format!("{indent}<{name}>{}</{name}>\n", escape(text))),
        Value::Bool(_) | Value::Number(_) => out.push_str(&format!("{indent}<{name}>{value}</{name}>\n")),
    }
}

/// The text at a path of elements, `valueSet/valueSetName`.
pub(crate) fn text<'v>(value: &'v Value, path: &str) -> Option<&'v str> {
    at(value, path)?.as_str()
}

/// The boolean at a path.
pub(crate) fn flag(value: &Value, path: &str) -> Option<bool> {
    at(value, path)?.as_bool()
}

/// The number at a path.
pub(crate) fn number(value: &Value, path: &str) -> Option<u32> {
    u32::try_from(at(value, path)?.as_u64()?).ok()
}

/// The text of whatever plain value stands at a path.
pub(crate) fn plain(value: &Value, path: &str) -> Option<String> {
    match at(value, path)? {
        Value::String(text) => Some(text.clone()),
        other @ (Value::Bool(_) | Value::Number(_)) => Some(other.to_string()),
        _ => None,
    }
}

/// The items at a path; one where no list stands.
pub(crate) fn items<'v>(value: &'v Value, path: &str) -> &'v [Value] {
    match at(value, path) {
        Some(Value::Array(items)) => items,
        Some(Value::Null) | None => &[],
        Some(one) => std::slice::from_ref(one),
    }
}

fn at<'v>(value: &'v Value, path: &str) -> Option<&'v Value> {
    path.split('/').try_fold(value, |value, name| value.get(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        let xml =
            "<RemoteSiteSetting><isActive>true</isActive><url>https://a.example/?a=1&amp;b</url></RemoteSiteSetting>";
        let value = of(xml, "RemoteSiteSetting");
        assert_eq!(value, json!({ "isActive": true, "url": "https://a.example/?a=1&b" }));
        assert_eq!(of(&file("RemoteSiteSetting", &value), "RemoteSiteSetting"), value);
        let one = of(
            "<Profile><userPermissions><name>A</name></userPermissions></Profile>",
            "Profile",
        );
        assert_eq!(one, json!({ "userPermissions": [{ "name": "A" }] }));
    }
}
