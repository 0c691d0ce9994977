//! References in markup: Visualforce, Aura and Lightning templates, and text with merge fields.
//!
//! Markup is scanned, not parsed: Visualforce need not be well-formed XML.

use std::ops::Range;

use super::resolve::{Finder, Place, Text};
use super::{ReferenceKind, script};

/// An opening tag.
struct Tag<'t> {
    name: &'t str,
    range: Range<usize>,
    attributes: Vec<Attribute<'t>>,
}

struct Attribute<'t> {
    name: &'t str,
    value: &'t str,
    range: Range<usize>,
}

/// Reads a Visualforce page or component.
pub(super) fn read_visualforce(found: &mut Finder<'_>, text: &str) {
    let tags = tags(text);
    let mut object = None;
    for tag in &tags {
        if let Some(name) = tag.name.strip_prefix("c:") {
            found.component("ApexComponent", name, &place(&tag.range, "c:"));
        }
        for attribute in &tag.attributes {
            let here = |via: &'static str| place(&attribute.range, via);
            let attribute_name = attribute.name.to_ascii_lowercase();
            match (tag.name.to_ascii_lowercase().as_str(), attribute_name.as_str()) {
                ("apex:page" | "apex:component", "controller") => {
                    found.component("ApexClass", attribute.value, &here("controller"));
                }
                ("apex:page", "extensions") => {
                    for (class, range) in listed(attribute) {
                        found.component("ApexClass", class, &place(&range, "extensions"));
                    }
                }
                ("apex:page", "standardcontroller") => {
                    found.object(attribute.value, &here("standardController"));
                    object.get_or_insert(attribute.value);
                }
                ("apex:include", "pagename") | ("apex:composition", "template") => {
                    found.component("ApexPage", attribute.value, &here("include"));
                }
                ("flow:interview", "name") => found.component("Flow", attribute.value, &here("flow:interview")),
                ("apex:attribute", "type") => typed(found, attribute),
                _ => {}
            }
        }
    }
    let whole = place(&(0..text.len()), "merge field");
    found.merge(at_start(text), object, &whole);
}

/// Reads a markup file of an Aura bundle.
pub(super) fn read_aura(found: &mut Finder<'_>, text: &str) {
    for tag in tags(text) {
        for attribute in &tag.attributes {
            match attribute.name.to_ascii_lowercase().as_str() {
                "controller" => found.component("ApexClass", attribute.value, &place(&attribute.range, "controller")),
                "type" if tag.name == "aura:attribute" => typed(found, attribute),
                "sobjecttype" | "objectapiname" | "sobject" | "entityapiname" => candidate_object(found, attribute),
                _ => {}
            }
        }
    }
    script::aura_names(found, text);
}

/// Reads a template of a Lightning web component.
pub(super) fn read_lightning(found: &mut Finder<'_>, text: &str) {
    let mut object = None;
    for tag in tags(text) {
        if let Some(name) = tag.name.strip_prefix("c-") {
            found.component("LightningComponentBundle", &camel(name), &place(&tag.range, "c-"));
        }
        for attribute in &tag.attributes {
            match attribute.name.to_ascii_lowercase().as_str() {
                "object-api-name" if !attribute.value.starts_with('{') => {
                    candidate_object(found, attribute);
                    object = Some(attribute.value);
                }
                "object-api-name" => object = None,
                "field-name" => {
                    if let Some(object) = object {
                        found.field(object, attribute.value, &place(&attribute.range, "field-name"));
                    }
                }
                _ => {}
            }
        }
    }
}

/// Reads a text whose merge fields are filled when it is used, an e-mail template: nothing fails without them.
pub(super) fn read_merge_text(found: &mut Finder<'_>, text: &str) {
    let whole = Place {
        kind: ReferenceKind::Optional,
        ..place(&(0..text.len()), "merge field")
    };
    found.merge(at_start(text), None, &whole);
}

/// An Apex class or an object as the type of an attribute: `Order__c[]`, `List<Rates>`, `Rates`.
fn typed(found: &mut Finder<'_>, attribute: &Attribute<'_>) {
    for name in attribute
        .value
        .split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
    {
        let here = place(&attribute.range, "type");
        if super::names::custom_object(name).is_some() {
            found.object(name, &here);
        } else if found
            .context
            .known
            .is_some_and(|known| known.contains("ApexClass", name))
        {
            found.component("ApexClass", name, &here);
        }
    }
}

fn candidate_object(found: &mut Finder<'_>, attribute: &Attribute<'_>) {
    let here = Place {
        kind: ReferenceKind::Candidate,
        ..place(&attribute.range, "object")
    };
    found.object(attribute.value, &here);
}

fn listed<'t>(attribute: &Attribute<'t>) -> Vec<(&'t str, Range<usize>)> {
    let mut at = attribute.range.start;
    let mut found = Vec::new();
    for part in attribute.value.split(',') {
        let start = at + (part.len() - part.trim_start().len());
        let name = part.trim();
        found.push((name, start..start + name.len()));
        at += part.len() + 1;
    }
    found
}

/// `other-comp` → `otherComp`: the tag of a component is its name in kebab case.
fn camel(name: &str) -> String {
    let mut result = String::with_capacity(name.len());
    let mut upper = false;
    for c in name.chars() {
        match (c, upper) {
            ('-', _) => upper = true,
            (c, true) => {
                result.push(c.to_ascii_uppercase());
                upper = false;
            }
            (c, false) => result.push(c),
        }
    }
    result
}

fn at_start(text: &str) -> Text<'_> {
    Text { text, start: Some(0) }
}

fn place(range: &Range<usize>, via: &'static str) -> Place<'static> {
    Place {
        range: range.clone(),
        via,
        kind: ReferenceKind::Required,
    }
}

/// The opening tags of a text, without those in comments.
fn tags(text: &str) -> Vec<Tag<'_>> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(start) = memchr::memchr(b'<', &bytes[at..]).map(|i| at + i) {
        if bytes[start..].starts_with(b"<!--") {
            match text[start + 4..].find("-->") {
                Some(end) => {
                    at = start + 4 + end + 3;
                    continue;
                }
                None => break,
            }
        }
        let name = start + 1..name_end(bytes, start + 1);
        if name.is_empty() {
            at = start + 1;
            continue;
        }
        let (attributes, end) = attributes(text, name.end);
        found.push(Tag {
            name: &text[name.clone()],
            range: name,
            attributes,
        });
        at = end;
    }
    found
}

fn name_end(bytes: &[u8], mut at: usize) -> usize {
    while bytes
        .get(at)
        .is_some_and(|b| b.is_ascii_alphanumeric() || matches!(b, b':' | b'-' | b'_' | b'.'))
    {
        at += 1;
    }
    at
}

/// The attributes behind a tag's name, and where the tag ends.
fn attributes(text: &str, start: usize) -> (Vec<Attribute<'_>>, usize) {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut at = start;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'>' => return (found, at + 1),
            b'<' => return (found, at),
            _ if byte.is_ascii_alphabetic() => {
                let name = at..name_end(bytes, at);
                let mut next = blank_end(bytes, name.end);
                if bytes.get(next) != Some(&b'=') {
                    at = name.end;
                    continue;
                }
                next = blank_end(bytes, next + 1);
                let value = match bytes.get(next) {
                    Some(&quote @ (b'"' | b'\'')) => {
                        let Some(end) = memchr::memchr(quote, &bytes[next + 1..]) else {
                            return (found, bytes.len());
                        };
                        at = next + 1 + end + 1;
                        next + 1..next + 1 + end
                    }
                    _ => {
                        let mut end = next;
                        while bytes
                            .get(end)
                            .is_some_and(|b| !b.is_ascii_whitespace() && !matches!(b, b'>' | b'<'))
                        {
                            end += 1;
                        }
                        at = end;
                        next..end
                    }
                };
                found.push(Attribute {
                    name: &text[name],
                    value: &text[value.clone()],
                    range: value,
                });
            }
            _ => at += 1,
        }
    }
    (found, bytes.len())
}

fn blank_end(bytes: &[u8], mut at: usize) -> usize {
    while bytes.get(at).is_some_and(u8::is_ascii_whitespace) {
        at += 1;
    }
    at
}
