//! Profiles and permission sets, element by element.
//!
//! A profile is merged with what the org has: only changed entries are sent, and an entry that is gone is sent as one that grants
//! nothing. A permission set replaces what the org has from API version 40 on ("PermissionSet", Metadata API Developer Guide): it is
//! sent as a whole, with the entries that are gone as ones that grant nothing.

use std::collections::{BTreeMap, BTreeSet};

use roxmltree::Node;
use syncline_domain::drift::{self, off};
use syncline_metadata::component::ComponentId;
use syncline_metadata::table::schema;

use super::DeploymentError;
use crate::org::convert::splice;
use crate::org::retrieve::access::{About, about};
use crate::org::retrieve::{Entry, entries};

/// Types that are sent element by element.
pub(super) const TYPES: &[&str] = &["Profile", "PermissionSet", "MutingPermissionSet"];
/// The one that the platform merges with what is there; the others replace it.
const MERGED: &str = "Profile";

/// Types that entries of permission sets tell about.
pub(super) const ABOUT_TYPES: [&str; 10] = [
    "ApexClass",
    "ApexPage",
    "CustomApplication",
    "CustomObject",
    "CustomPermission",
    "CustomTab",
    "ExternalCredential",
    "ExternalDataSource",
    "Flow",
    "Layout",
];

/// Elements that every file of the type keeps: the platform knows the component by them.
const ALWAYS: &[&str] = &["custom", "fullName", "userLicense"];

/// Lists of which a part says something false: which element, and by what part of which field they belong together.
const TOGETHER: &[(&str, Option<&str>)] = &[
    // Of an object's record types exactly one is the default.
    ("recordTypeVisibilities", Some("recordType")),
    // Of all applications one is.
    ("applicationVisibilities", None),
    ("loginIpRanges", None),
    ("loginHours", None),
];

/// Entries about parts of an object: element, field that names the part, its type.
const PARTS: &[(&str, &str, &str)] = &[
    ("fieldPermissions", "field", "CustomField"),
    ("recordTypeVisibilities", "recordType", "RecordType"),
];

/// What is sent of a component.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Sent {
    /// The file; none when nothing has to be sent.
    pub(super) file: Option<Vec<u8>>,
    /// The components that the sent entries tell about: they have to be retrieved with it to see the entries.
    pub(super) about: BTreeSet<(String, String)>,
    /// Entries that stay in the org because nothing can take them away.
    pub(super) stays: Vec<String>,
}

/// What has to be sent to bring a component from one version to another. `gone` tells which components the package deletes: their
/// entries go with them.
pub(super) fn sent(
    id: &ComponentId,
    path: &str,
    before: Option<&[u8]>,
    after: &[u8],
    gone: &dyn Fn(&str, &str) -> bool,
) -> Result<Sent, DeploymentError> {
    let kind = &*id.type_name;
    let (after_text, after_document) = splice::parse(path, after)?;
    let after_root = after_document.root_element();
    let table = schema::get(kind);
    let now = entries(after_text, after_root, table);
    let Some(before) = before else {
        let about = now.iter().filter_map(|entry| component(kind, entry.node)).collect();
        return Ok(Sent {
            file: Some(after.to_owned()),
            about,
            stays: Vec::new(),
        });
    };
    let (before_text, before_document) = splice::parse(path, before)?;
    let old = entries(before_text, before_document.root_element(), table);
    let known: BTreeMap<(&str, &str), String> = old
        .iter()
        .map(|entry| ((entry.name, entry.key.as_str()), meaning(entry.node)))
        .collect();
    let there: BTreeSet<(&str, &str)> = now.iter().map(|entry| (entry.name, entry.key.as_str())).collect();
    let changed = |entry: &&Entry<'_>| {
        known
            .get(&(entry.name, entry.key.as_str()))
            .is_none_or(|old| *old != meaning(entry.node))
    };
    let mut made = Sent::default();
    let mut groups: BTreeSet<(&str, String)> = BTreeSet::new();
    let mut lines: Vec<(&str, &str, String)> = Vec::new();
    let mut any = false;
    for entry in now.iter().filter(changed) {
        any = true;
        groups.extend(group(entry));
        made.about.extend(component(kind, entry.node));
    }
    for entry in &old {
        if there.contains(&(entry.name, entry.key.as_str())) || grants_nothing(entry.node) {
            continue;
        }
        let about = component(kind, entry.node);
        let named = about.iter().map(|(kind, name)| (kind.as_str(), name.as_str()));
        if named.chain(part(entry.node)).any(|(kind, name)| gone(kind, name)) {
            continue;
        }
        match denial(before_text, entry) {
            Some(text) => {
                any = true;
                groups.extend(group(entry));
                made.about.extend(about);
                lines.push((entry.name, &entry.key, text));
            }
            // Another layout for the same record type takes its place; a value without a list is replaced or stays.
            None if there.iter().any(|(name, _)| *name == entry.name) || kind != MERGED => any = true,
            None => made.stays.push(format!("{id}: {}", entry.text.trim())),
        }
    }
    if !any {
        return Ok(made);
    }
    for entry in &now {
        let whole = kind != MERGED || ALWAYS.contains(&entry.name);
        let together = group(entry).is_some_and(|group| groups.contains(&group));
        if whole || together || changed(&entry) {
            made.about.extend(component(kind, entry.node));
            lines.push((entry.name, &entry.key, entry.text.to_owned()));
        }
    }
    lines.sort_by(|a, b| (a.0, a.1).cmp(&(b.0, b.1)));
    let content: String = lines.into_iter().map(|(_, _, text)| text).collect();
    made.file = Some(splice::document(after_root.tag_name().name(), &format!("{content}\n")).into_bytes());
    Ok(made)
}

/// The component that an entry tells about.
fn component(kind: &str, entry: Node<'_, '_>) -> Option<(String, String)> {
    match about(kind, entry) {
        About::Component(kind, name) => Some((kind.to_owned(), name)),
        About::Itself | About::Unknown => None,
    }
}

/// The part of an object that an entry tells about.
fn part<'a>(entry: Node<'a, '_>) -> Option<(&'static str, &'a str)> {
    let (_, field, kind) = PARTS.iter().find(|(name, ..)| entry.tag_name().name() == *name)?;
    let leaf = entry.children().find(|node| node.tag_name().name() == *field)?;
    Some((kind, leaf.text()?))
}

/// The entries that are sent together with this one.
fn group<'a>(entry: &Entry<'a>) -> Option<(&'a str, String)> {
    let (_, by) = TOGETHER.iter().find(|(name, _)| *name == entry.name)?;
    let part = by.and_then(|by| {
        let text = entry
            .node
            .children()
            .find(|node| node.tag_name().name() == by)?
            .text()?;
        Some(text.split('.').next().unwrap_or(text).to_owned())
    });
    Some((entry.name, part.unwrap_or_default()))
}

/// The leaves of an entry that say whether something is granted, with the value that grants nothing.
fn grants<'a, 'i>(entry: Node<'a, 'i>) -> Vec<(Node<'a, 'i>, &'static str)> {
    let name = entry.tag_name().name();
    let leaves = entry.children().filter(Node::is_element);
    leaves
        .filter_map(|leaf| {
            let text = leaf.text().unwrap_or_default().trim();
            Some((leaf, off(name, leaf.tag_name().name(), text)?))
        })
        .collect()
}

fn grants_nothing(entry: Node<'_, '_>) -> bool {
    let leaves = entry.children().filter(Node::is_element);
    let leaves = leaves.map(|leaf| (leaf.tag_name().name(), leaf.text().unwrap_or_default()));
    drift::grants_nothing(entry.tag_name().name(), leaves)
}

/// The entry as one that grants nothing; none when it cannot be said so.
fn denial(text: &str, entry: &Entry<'_>) -> Option<String> {
    let grants = grants(entry.node);
    if grants.is_empty() {
        return None;
    }
    let mut made = String::new();
    let mut at = entry.start;
    for (leaf, nothing) in grants {
        let value = leaf.first_child()?.range();
        made.push_str(&text[at..value.start]);
        made.push_str(nothing);
        at = value.end;
    }
    made.push_str(&text[at..entry.end]);
    Some(made)
}

/// What an entry says, whatever the order of its fields.
fn meaning(node: Node<'_, '_>) -> String {
    let mut parts: Vec<String> = node.children().filter(Node::is_element).map(meaning).collect();
    parts.sort();
    let own = match parts.is_empty() {
        true => node.text().unwrap_or_default().trim(),
        false => "",
    };
    format!("<{}>{own}{}", node.tag_name().name(), parts.concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(root: &str, entries: &str) -> Vec<u8> {
        splice::document(root, &format!("{entries}\n")).into_bytes()
    }

    fn class(name: &str, enabled: bool) -> String {
        format!(
            "\n    <classAccesses>\n        <apexClass>{name}</apexClass>\n        <enabled>{enabled}</enabled>\n    </classAccesses>"
        )
    }

    fn app(name: &str, default: bool) -> String {
        format!(
            "\n    <applicationVisibilities>\n        <application>{name}</application>\n        <default>{default}</default>\n        \
             <visible>true</visible>\n    </applicationVisibilities>"
        )
    }

    const CUSTOM: &str = "\n    <custom>true</custom>";

    fn check(kind: &str, before: &str, after: &str, gone: &[&str], expect: Option<&str>) {
        let id = ComponentId::new(kind, "P");
        let gone = |_: &str, name: &str| gone.contains(&name);
        let (before, after) = (file(kind, before), file(kind, after));
        let sent = sent(&id, "p", Some(&before), &after, &gone).expect("sent");
        let found = sent.file.map(|file| String::from_utf8(file).expect("UTF-8"));
        let expect = expect.map(|text| String::from_utf8(file(kind, text)).expect("UTF-8"));
        assert_eq!(found, expect);
    }

    #[test]
    fn a_profile_sends_what_changed() {
        let (a, b, c) = (class("A", true), class("B", false), class("C", true));
        let before = a.clone() + &b + CUSTOM;
        let after = a.clone() + &class("B", true) + &c + CUSTOM;
        let sent = class("B", true) + &c + CUSTOM;
        check("Profile", &before, &after, &[], Some(&sent));
        check("Profile", &before, &before, &[], None);
    }

    #[test]
    fn an_entry_that_is_gone_grants_nothing() {
        let (a, b) = (class("A", true), class("B", true));
        let before = a.clone() + &b + CUSTOM;
        check(
            "Profile",
            &before,
            &(a.clone() + CUSTOM),
            &[],
            Some(&(class("B", false) + CUSTOM)),
        );
        // It goes with its component.
        check("Profile", &before, &(a.clone() + CUSTOM), &["B"], None);
        // It granted nothing.
        check("Profile", &(class("B", false) + CUSTOM), CUSTOM, &[], None);
    }

    #[test]
    fn the_default_application_comes_with_the_others() {
        let before = app("A", true) + &app("B", false) + &app("C", false) + CUSTOM;
        let after = app("A", false) + &app("B", true) + &app("C", false) + CUSTOM;
        check("Profile", &before, &after, &[], Some(&after));
    }

    #[test]
    fn a_permission_set_is_sent_whole() {
        let (a, b, c) = (class("A", true), class("B", true), class("C", true));
        let before = a.clone() + &b;
        let sent = a.clone() + &class("B", false) + &c;
        check("PermissionSet", &before, &(a.clone() + &c), &[], Some(&sent));
        check("PermissionSet", &before, &before, &[], None);
    }

    #[test]
    fn what_nothing_takes_away_is_told() {
        let range = "\n    <loginIpRanges>\n        <endAddress>10.0.0.9</endAddress>\n        <startAddress>10.0.0.1</startAddress>\n    </loginIpRanges>";
        let id = ComponentId::new("Profile", "P");
        let (before, after) = (file("Profile", range), file("Profile", CUSTOM));
        let sent = sent(&id, "p", Some(&before), &after, &|_, _| false).expect("sent");
        assert_eq!(sent.stays.len(), 1);
        assert!(sent.stays[0].contains("10.0.0.9"));
    }
}
