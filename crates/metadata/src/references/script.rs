//! References in JavaScript and style sheets of Lightning bundles.

use std::ops::Range;

use super::ReferenceKind;
use super::resolve::{Finder, Place};

/// A string literal and the word in front of it.
struct Literal<'t> {
    text: &'t str,
    range: Range<usize>,
    /// The last word before it, a parenthesis between them left out.
    after: &'t str,
}

/// Reads a script or style sheet of a Lightning web component.
///
/// Source: Lightning Web Components Developer Guide, "@salesforce Modules".
pub(super) fn read_lightning(found: &mut Finder<'_>, text: &str) {
    for literal in literals(text) {
        if let Some(module) = literal.text.strip_prefix("@salesforce/") {
            salesforce_module(found, module, &literal.range);
        } else if let Some(name) = literal.text.strip_prefix("c/") {
            if matches!(literal.after, "from" | "import") {
                let name = name.split(['/', '.']).next().unwrap_or_default();
                found.component("LightningComponentBundle", name, &place(&literal.range, "import"));
            }
        } else if literal.text.starts_with("c__") {
            found.lightning(literal.text, &place(&literal.range, "componentName"));
        }
    }
}

/// Reads a script of an Aura bundle.
pub(super) fn read_aura(found: &mut Finder<'_>, text: &str) {
    aura_names(found, text);
}

/// `c:name`, `$Label.c.X` and `$Resource.X` anywhere in a file of an Aura bundle.
pub(super) fn aura_names(found: &mut Finder<'_>, text: &str) {
    for (at, name) in behind(text, "c:") {
        let before = text.as_bytes()[..at].last();
        if !before.is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_') {
            let range = at..at + 2 + name.len();
            found.lightning(&text[range.clone()], &place(&range, "c:"));
        }
    }
    for (at, name) in behind(text, "$Label.c.") {
        found.component("CustomLabel", name, &place(&(at..at + 9 + name.len()), "$Label"));
    }
    for (at, name) in behind(text, "$Resource.") {
        found.component("StaticResource", name, &place(&(at..at + 10 + name.len()), "$Resource"));
    }
}

fn salesforce_module(found: &mut Finder<'_>, module: &str, range: &Range<usize>) {
    let Some((kind, name)) = module.split_once('/') else {
        return;
    };
    let parts: Vec<&str> = name.split('.').collect();
    let here = |via: &'static str| place(range, via);
    match (kind, parts.as_slice()) {
        ("schema", [object, fields @ ..]) => {
            found.object(object, &here("@salesforce/schema"));
            found.path(object, fields, &here("@salesforce/schema"));
        }
        ("apex" | "apexContinuation", [class, _] | [_, class, _]) => {
            found.component("ApexClass", class, &here("@salesforce/apex"));
        }
        ("label", [.., name]) => found.component("CustomLabel", name, &here("@salesforce/label")),
        ("resourceUrl", [name, ..]) => found.component("StaticResource", name, &here("@salesforce/resourceUrl")),
        ("contentAssetUrl", [name, ..]) => found.component("ContentAsset", name, &here("@salesforce/contentAssetUrl")),
        ("customPermission", [name]) => {
            found.component("CustomPermission", name, &here("@salesforce/customPermission"));
        }
        ("messageChannel", [name]) => {
            let name = name.strip_suffix("__c").unwrap_or(name);
            found.component("LightningMessageChannel", name, &here("@salesforce/messageChannel"));
        }
        _ => {}
    }
}

fn place(range: &Range<usize>, via: &'static str) -> Place<'static> {
    Place {
        range: range.clone(),
        via,
        kind: ReferenceKind::Required,
    }
}

/// Each place of `mark` with the name behind it.
fn behind<'t>(text: &'t str, mark: &'static str) -> impl Iterator<Item = (usize, &'t str)> {
    text.match_indices(mark).filter_map(move |(at, _)| {
        let rest = &text[at + mark.len()..];
        let end = rest
            .bytes()
            .take_while(|b| b.is_ascii_alphanumeric() || *b == b'_')
            .count();
        let name = &rest[..end];
        name.starts_with(|c: char| c.is_ascii_alphabetic())
            .then_some((at, name))
    })
}

/// The strings of a script in single or double quotes; comments, templates and regular expressions are passed over.
fn literals(text: &str) -> Vec<Literal<'_>> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut after = "";
    let mut last = b'(';
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'/' if bytes.get(at + 1) == Some(&b'/') => {
                at = memchr::memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |end| at + end);
            }
            b'/' if bytes.get(at + 1) == Some(&b'*') => {
                at = text[at + 2..].find("*/").map_or(bytes.len(), |end| at + end + 4);
            }
            b'"' | b'\'' => {
                let end = quoted_end(bytes, at, true);
                let inner = at + 1..end.saturating_sub(1).max(at + 1);
                if let Some(content) = text.get(inner.clone()) {
                    found.push(Literal {
                        text: content,
                        range: inner,
                        after,
                    });
                }
                at = end;
                last = byte;
                after = "";
            }
            b'`' => {
                at = quoted_end(bytes, at, false);
                last = byte;
            }
            b'/' if starts_expression(last, after) => {
                at = regex_end(bytes, at);
                last = byte;
            }
            _ if byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'$') => {
                let start = at;
                while bytes
                    .get(at)
                    .is_some_and(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'$'))
                {
                    at += 1;
                }
                after = &text[start..at];
                last = b'a';
            }
            _ => {
                if !byte.is_ascii_whitespace() {
                    if byte != b'(' {
                        after = "";
                    }
                    last = byte;
                }
                at += 1;
            }
        }
    }
    found
}

/// Whether a slash behind this begins a regular expression and is no division.
fn starts_expression(last: u8, after: &str) -> bool {
    matches!(
        last,
        b'(' | b',' | b'=' | b':' | b'[' | b'!' | b'&' | b'|' | b'?' | b'{' | b'}' | b';' | b'+' | b'>' | b'<'
    ) || matches!(after, "return" | "typeof" | "case")
}

fn regex_end(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    let mut class = false;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 1,
            b'\n' => return start + 1,
            b'[' => class = true,
            b']' => class = false,
            b'/' if !class => return at + 1,
            _ => {}
        }
        at += 1;
    }
    start + 1
}

/// Behind the closing quote; a string of one line ends with its line.
fn quoted_end(bytes: &[u8], start: usize, one_line: bool) -> usize {
    let quote = bytes[start];
    let mut at = start + 1;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 2,
            b'\n' if one_line => return at,
            _ if byte == quote => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}
