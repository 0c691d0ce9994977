//! Two versions of a file that both tell only a part, united by key.
//!
//! A profile holds entries only for components that were retrieved with it. So an entry that is missing in the newer version is
//! gone only if its component was in the manifest; else nothing is known about it, and the older entry stays.

use std::collections::BTreeSet;

use roxmltree::Node;
use syncline_metadata::table::schema::{self, Type};

use super::access::{About, about};
use super::plan::Chunk;
use crate::org::OrgError;
use crate::org::convert::splice;

/// The file with everything that is known: all of `new`, and of `old` what `new` could not know.
pub fn unite(path: &str, type_name: &str, old: &[u8], new: &[u8], manifest: &Chunk) -> Result<Vec<u8>, OrgError> {
    if old == new {
        return Ok(new.to_owned());
    }
    let (old_text, old_document) = splice::parse(path, old)?;
    let (new_text, new_document) = splice::parse(path, new)?;
    let (old_root, new_root) = (old_document.root_element(), new_document.root_element());
    if old_root.tag_name().name() != new_root.tag_name().name() {
        return Err(OrgError::Union {
            path: path.to_owned(),
            why: "their roots differ".to_owned(),
        });
    }
    let table = schema::get(new_root.tag_name().name());
    let asked = |kind: &str, name: &str| {
        manifest
            .get(kind)
            .is_some_and(|members| members.contains(name) || members.contains("*"))
    };
    let fresh: Vec<Entry<'_>> = entries(new_text, new_root, table);
    let keys: BTreeSet<(&str, &str)> = fresh.iter().map(|entry| (entry.name, entry.key.as_str())).collect();
    let stale = |entry: &Entry<'_>| {
        keys.contains(&(entry.name, entry.key.as_str()))
            || match about(type_name, entry.node) {
                About::Itself => true,
                About::Component(kind, name) => asked(kind, &name),
                // A single value is known by its element.
                About::Unknown => !entry.list && keys.iter().any(|(name, _)| *name == entry.name),
            }
    };
    let kept: Vec<Entry<'_>> = entries(old_text, old_root, table)
        .into_iter()
        .filter(|entry| !stale(entry))
        .collect();
    if kept.is_empty() {
        return Ok(new.to_owned());
    }
    let Some((first, last)) = fresh.first().zip(fresh.last()) else {
        return Ok(old.to_owned());
    };
    let (start, end) = (first.start, last.end);
    let mut all: Vec<&Entry<'_>> = fresh.iter().chain(&kept).collect();
    all.sort_by_key(|entry| (entry.name, entry.key.as_str()));
    let mut made = new_text[..start].to_owned();
    for entry in all {
        made.push_str(entry.text);
    }
    made.push_str(&new_text[end..]);
    Ok(made.into_bytes())
}

/// An element below the root.
pub(crate) struct Entry<'a> {
    pub(crate) name: &'a str,
    /// By which it is known among those of its name.
    pub(crate) key: String,
    pub(crate) list: bool,
    /// With the white space in front.
    pub(crate) text: &'a str,
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) node: Node<'a, 'a>,
}

/// The elements below the root.
pub(crate) fn entries<'a>(text: &'a str, root: Node<'a, 'a>, table: Option<&'static Type>) -> Vec<Entry<'a>> {
    root.children()
        .filter(Node::is_element)
        .map(|node| {
            let name = node.tag_name().name();
            let child = table.and_then(|table| table.child(name));
            let key: Vec<&str> = child
                .map(|child| child.key.as_slice())
                .unwrap_or_default()
                .iter()
                .filter_map(|field| find(node, field))
                .collect();
            let range = splice::with_space(text, node);
            Entry {
                name,
                // Without a key an entry is known by all it holds.
                key: match key.is_empty() {
                    true if child.is_some_and(|child| child.list) => text[node.range()].to_owned(),
                    _ => key.join("\0"),
                },
                list: child.is_some_and(|child| child.list),
                text: &text[range.clone()],
                start: range.start,
                end: range.end,
                node,
            }
        })
        .collect()
}

/// The text of a field; `a/b` reaches one level down.
fn find<'a>(node: Node<'a, 'a>, field: &str) -> Option<&'a str> {
    let mut at = node;
    for part in field.split('/') {
        at = at.children().find(|child| child.tag_name().name() == part)?;
    }
    at.text()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile(entries: &str) -> Vec<u8> {
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Profile xmlns=\"http://soap.sforce.com/2006/04/metadata\">{entries}\n</Profile>\n"
        )
        .into_bytes()
    }

    fn class(name: &str, enabled: bool) -> String {
        format!(
            "\n    <classAccesses>\n        <apexClass>{name}</apexClass>\n        <enabled>{enabled}</enabled>\n    </classAccesses>"
        )
    }

    fn permission(name: &str) -> String {
        format!(
            "\n    <userPermissions>\n        <enabled>true</enabled>\n        <name>{name}</name>\n    </userPermissions>"
        )
    }

    fn check(old: &str, new: &str, asked: &[&str], expect: &str) {
        let members = asked.iter().map(|name| (*name).to_owned()).collect();
        let manifest: Chunk = [("ApexClass".to_owned(), members)].into();
        let united = unite("p", "Profile", &profile(old), &profile(new), &manifest).expect("united");
        assert_eq!(
            String::from_utf8(united).expect("UTF-8"),
            String::from_utf8(profile(expect)).expect("UTF-8")
        );
    }

    #[test]
    fn an_entry_that_was_not_asked_for_is_unknown() {
        let (a, b, c) = (class("A", true), class("B", true), class("C", true));
        check(&(a.clone() + &c), &b, &["B"], &(a.clone() + &b + &c));
        // C was asked for and is not there: it is gone.
        check(&(a.clone() + &c), &b, &["B", "C"], &(a + &b));
    }

    #[test]
    fn the_newer_entry_counts() {
        check(&class("A", true), &class("A", false), &["A"], &class("A", false));
        check(&class("A", true), &class("A", false), &[], &class("A", false));
    }

    #[test]
    fn permissions_are_always_known() {
        check(
            &permission("Old"),
            &(class("A", true) + &permission("New")),
            &["A"],
            &(class("A", true) + &permission("New")),
        );
    }
}
