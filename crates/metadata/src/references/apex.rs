//! References in Apex classes and triggers.
//!
//! Apex is not compiled here: names are matched against the components that exist, with the types of declared
//! variables as a guide. What stays ambiguous is left out.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use super::names::{custom_field, custom_object, lookup_field, standard_object};
use super::resolve::{Finder, Place};
use super::{ReferenceKind, soql};

/// A piece of Apex.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token<'t> {
    /// `a.b.c`; `after_dot` when it goes on after a call or an index: `f().b`.
    Name {
        parts: Vec<&'t str>,
        after_dot: bool,
        range: Range<usize>,
    },
    /// A string literal.
    Text,
    /// Any other character.
    Mark(u8),
}

/// Words that never name a component. Source: Apex Developer Guide, "Reserved Keywords".
const KEYWORDS: [&str; 74] = [
    "abstract",
    "after",
    "and",
    "as",
    "asc",
    "before",
    "blob",
    "boolean",
    "break",
    "catch",
    "class",
    "continue",
    "date",
    "datetime",
    "decimal",
    "delete",
    "desc",
    "do",
    "double",
    "else",
    "enum",
    "extends",
    "false",
    "final",
    "finally",
    "for",
    "get",
    "global",
    "id",
    "if",
    "implements",
    "in",
    "inherited",
    "insert",
    "instanceof",
    "integer",
    "interface",
    "list",
    "long",
    "map",
    "merge",
    "new",
    "not",
    "null",
    "object",
    "on",
    "or",
    "override",
    "private",
    "protected",
    "public",
    "return",
    "set",
    "sharing",
    "static",
    "string",
    "super",
    "switch",
    "testmethod",
    "this",
    "throw",
    "time",
    "transient",
    "trigger",
    "true",
    "try",
    "undelete",
    "update",
    "upsert",
    "virtual",
    "void",
    "webservice",
    "while",
    "with",
];

/// Keywords that may stand for the type of a variable.
const TYPE_KEYWORDS: [&str; 14] = [
    "blob", "boolean", "date", "datetime", "decimal", "double", "id", "integer", "list", "long", "map", "object",
    "set", "string",
];

/// Splits Apex into tokens. Unterminated strings end with their line, unterminated comments with the text.
pub(super) fn tokens(text: &str) -> Vec<Token<'_>> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    let mut after_dot = false;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'/' if bytes.get(at + 1) == Some(&b'/') => at = line_end(bytes, at),
            b'/' if bytes.get(at + 1) == Some(&b'*') => {
                at = text[at + 2..].find("*/").map_or(bytes.len(), |end| at + end + 4);
            }
            b'\'' => {
                at = string_end(bytes, at);
                found.push(Token::Text);
                after_dot = false;
            }
            b'0'..=b'9' => {
                while bytes.get(at).is_some_and(u8::is_ascii_alphanumeric) {
                    at += 1;
                }
                found.push(Token::Mark(b'0'));
                after_dot = false;
            }
            _ if byte.is_ascii_alphabetic() || byte == b'_' => {
                let (parts, end) = chain(text, at);
                found.push(Token::Name {
                    parts,
                    after_dot,
                    range: at..end,
                });
                after_dot = false;
                at = end;
            }
            _ if byte.is_ascii_whitespace() => at += 1,
            _ => {
                after_dot = byte == b'.';
                found.push(Token::Mark(byte));
                at += 1;
            }
        }
    }
    found
}

/// The names of a file without keywords.
pub(super) fn names(text: &str) -> Vec<(&str, Range<usize>)> {
    tokens(text)
        .into_iter()
        .filter_map(|token| match token {
            Token::Name { parts, range, .. } if parts.len() > 1 || !is_keyword(parts[0]) => {
                Some((&text[range.clone()], range))
            }
            _ => None,
        })
        .collect()
}

/// Reads one class or trigger.
pub(super) fn read(found: &mut Finder<'_>, text: &str) {
    let tokens = tokens(text);
    let declared = Declared::read(&tokens);
    let mut calls: Vec<Option<&str>> = Vec::new();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        match token {
            Token::Mark(b'[') if soql::starts(&tokens[at + 1..]) => {
                at = soql::read(found, &tokens, at + 1, &mut |found, parts, range| {
                    chain_references(found, &declared, parts, range);
                });
                continue;
            }
            Token::Mark(b'(') => calls.push(constructed(&tokens, at)),
            Token::Mark(b')') => {
                calls.pop();
            }
            Token::Name {
                parts,
                after_dot,
                range,
            } => {
                let before = at.checked_sub(1).and_then(|i| tokens.get(i));
                let next = tokens.get(at + 1);
                let assigned = next == Some(&Token::Mark(b'=')) && tokens.get(at + 2) != Some(&Token::Mark(b'='));
                if before == Some(&Token::Mark(b'@')) {
                    // An annotation.
                } else if *after_dot {
                    fields(found, None, parts, range);
                } else if let (true, [field], Some(Some(object))) = (assigned, parts.as_slice(), calls.last()) {
                    fields(found, Some((*object).to_owned()), &[field], range);
                } else if on_trigger(&tokens, at) {
                    let place = place(range, "trigger", ReferenceKind::Required);
                    found.object(parts[0], &place);
                } else {
                    let called = next == Some(&Token::Mark(b'(')) && parts.len() == 1;
                    let created = matches!(before, Some(Token::Name { parts, .. }) if is(parts, "new"));
                    if !called || created {
                        chain_references(found, &declared, parts, range);
                    }
                }
            }
            _ => {}
        }
        at += 1;
    }
}

/// What a file declares: types of variables, and types of its own.
struct Declared<'t> {
    /// Lower-case name → spelling and type; no type when it is declared with different ones.
    variables: HashMap<String, (&'t str, Option<&'t str>)>,
    types: HashSet<String>,
}

impl<'t> Declared<'t> {
    fn read(tokens: &[Token<'t>]) -> Self {
        let mut declared = Self {
            variables: HashMap::new(),
            types: HashSet::new(),
        };
        let mut query = 0usize;
        for (i, token) in tokens.iter().enumerate() {
            match token {
                Token::Mark(b'[') if query > 0 || soql::starts(&tokens[i + 1..]) => query += 1,
                Token::Mark(b']') => query = query.saturating_sub(1),
                _ => {}
            }
            let Token::Name {
                parts,
                after_dot: false,
                ..
            } = token
            else {
                continue;
            };
            if query > 0 {
                continue;
            }
            let [name] = parts.as_slice() else { continue };
            let type_name = match i.checked_sub(1).and_then(|i| tokens.get(i)) {
                Some(Token::Name { parts, .. }) => {
                    let last = parts.last().copied().unwrap_or_default();
                    if ["class", "interface", "enum"]
                        .iter()
                        .any(|word| last.eq_ignore_ascii_case(word))
                    {
                        declared.types.insert(name.to_ascii_lowercase());
                        continue;
                    }
                    last
                }
                // `List<Order__c> orders` and `Order__c[] orders`: the elements' type is of use.
                Some(Token::Mark(b'>' | b']')) => match last_name(&tokens[..i - 1]) {
                    Some(last) => last,
                    None => continue,
                },
                _ => continue,
            };
            let is_type =
                !is_keyword(type_name) || TYPE_KEYWORDS.iter().any(|word| type_name.eq_ignore_ascii_case(word));
            if !is_type || is_keyword(name) {
                continue;
            }
            declared
                .variables
                .entry(name.to_ascii_lowercase())
                .and_modify(|(_, known)| {
                    if known.is_some_and(|known| !known.eq_ignore_ascii_case(type_name)) {
                        *known = None;
                    }
                })
                .or_insert((name, Some(type_name)));
        }
        declared
    }

    fn variable(&self, name: &str) -> Option<&(&'t str, Option<&'t str>)> {
        self.variables.get(&name.to_ascii_lowercase())
    }
}

fn last_name<'t>(tokens: &[Token<'t>]) -> Option<&'t str> {
    tokens
        .iter()
        .rev()
        .take_while(|token| matches!(token, Token::Name { .. } | Token::Mark(b'>' | b'[' | b']')))
        .find_map(|token| match token {
            Token::Name { parts, .. } => parts.last().copied(),
            _ => None,
        })
}

fn chain_references(found: &mut Finder<'_>, declared: &Declared<'_>, parts: &[&str], range: &Range<usize>) {
    let known = found.context.known;
    let [first, rest @ ..] = parts else { return };
    let variable = declared.variable(first);
    let lower = first.to_ascii_lowercase();
    if variable.is_none() || rest.is_empty() {
        match (lower.as_str(), rest) {
            ("label", [name, ..]) => return label(found, rest, name, range),
            ("system", [word, names @ ..]) if word.eq_ignore_ascii_case("label") => {
                if let Some(name) = names.first() {
                    label(found, names, name, range);
                }
                return;
            }
            ("page", [name, ..]) => {
                found.component("ApexPage", name, &place(range, "Page", ReferenceKind::Required));
                return;
            }
            ("schema", [word, names @ ..]) if word.eq_ignore_ascii_case("sobjecttype") => {
                return described(found, names, range);
            }
            ("sobjecttype", names) => return described(found, names, range),
            ("schema", names @ [_, ..]) => return chain_references(found, declared, names, range),
            _ => {}
        }
    }
    let class = known.and_then(|known| known.named("ApexClass", first));
    if let Some(class) = class
        && !declared.types.contains(&lower)
        && (variable.is_none_or(|(spelling, _)| spelling != first) || class == *first)
        && !(is_keyword(first))
    {
        found.component("ApexClass", class, &place(range, "class", ReferenceKind::Required));
        return;
    }
    if let Some((_, type_name)) = variable {
        let object =
            type_name.and_then(|name| custom_object(name).or_else(|| standard_object(name).then(|| name.to_owned())));
        fields(found, object, rest, range);
        return;
    }
    if custom_object(first).is_some() {
        object(found, first, range);
        fields(found, Some((*first).to_owned()), rest, range);
    } else if !rest.is_empty() {
        let object = standard_object(first).then(|| (*first).to_owned());
        fields(found, object, rest, range);
    } else if known.is_some_and(|known| known.contains("CustomObject", first)) {
        found.object(first, &place(range, "object", ReferenceKind::Optional));
    }
}

fn label(found: &mut Finder<'_>, names: &[&str], name: &str, range: &Range<usize>) {
    let named = found
        .context
        .known
        .and_then(|known| names.iter().take(2).find_map(|name| known.named("CustomLabel", name)));
    let place = place(range, "Label", ReferenceKind::Required);
    found.component("CustomLabel", named.unwrap_or(name), &place);
}

/// `SObjectType.Order__c.Fields.Total__c`, `SObjectType.Order__c.FieldSets.Short`.
fn described(found: &mut Finder<'_>, names: &[&str], range: &Range<usize>) {
    let Some(name) = names.first() else { return };
    object(found, name, range);
    if let [_, list, member, ..] = names {
        if list.eq_ignore_ascii_case("fields") {
            fields(found, Some((*name).to_owned()), &[member], range);
        } else if list.eq_ignore_ascii_case("fieldsets") {
            let place = place(range, "FieldSets", ReferenceKind::Required);
            found.component("FieldSet", &format!("{name}.{member}"), &place);
        }
    }
}

/// An object's name alone: certain when it exists, else it may be a field.
fn object(found: &mut Finder<'_>, name: &str, range: &Range<usize>) {
    let exists = found
        .context
        .known
        .is_some_and(|known| custom_object(name).is_some_and(|object| known.contains("CustomObject", &object)));
    let kind = match exists {
        true => ReferenceKind::Required,
        false => ReferenceKind::Candidate,
    };
    found.object(name, &place(range, "object", kind));
}

/// Fields one behind the other, starting at `object`; where the object is not known, the only one that has the field.
fn fields(found: &mut Finder<'_>, object: Option<String>, parts: &[&str], range: &Range<usize>) {
    let mut object = object;
    for part in parts {
        let Some((field, person)) = custom_field(part).or_else(|| lookup_field(part)) else {
            object =
                object.and_then(|object| found.hop(&object, part, &place(range, "field", ReferenceKind::Optional)));
            continue;
        };
        let known = found.context.known;
        if person {
            object = Some("Contact".to_owned());
        }
        let certain = object.as_ref().filter(|object| {
            let owner = found.rules.alias(object);
            known.is_none_or(|known| known.contains("CustomField", &format!("{owner}.{field}")))
        });
        let (owner, kind) = match (certain, known.and_then(|known| known.only_object_with(&field))) {
            (Some(owner), _) => (Some(owner.clone()), ReferenceKind::Required),
            (None, Some(only)) if object.is_none() => (Some(only.to_owned()), ReferenceKind::Required),
            (None, _) => (object.clone(), ReferenceKind::Candidate),
        };
        let Some(owner) = owner else {
            object = None;
            continue;
        };
        let place = place(range, "field", kind);
        found.field(&owner, &field, &place);
        object = found.hop(&owner, part, &place);
    }
}

fn place(range: &Range<usize>, via: &'static str, kind: ReferenceKind) -> Place<'static> {
    Place {
        range: range.clone(),
        via,
        kind,
    }
}

/// The object that `new Order__c(` at this parenthesis makes.
fn constructed<'t>(tokens: &[Token<'t>], at: usize) -> Option<&'t str> {
    let [.., Token::Name { parts: word, .. }, Token::Name { parts, .. }] = &tokens[..at] else {
        return None;
    };
    is(word, "new").then(|| parts.last().copied()).flatten()
}

/// Whether the name at `at` is the object of `trigger Name on Object`.
fn on_trigger(tokens: &[Token<'_>], at: usize) -> bool {
    match &tokens[..at] {
        [
            ..,
            Token::Name { parts: word, .. },
            Token::Name { .. },
            Token::Name { parts: on, .. },
        ] => is(word, "trigger") && is(on, "on"),
        _ => false,
    }
}

fn is(parts: &[&str], word: &str) -> bool {
    matches!(parts, [one] if one.eq_ignore_ascii_case(word))
}

fn is_keyword(name: &str) -> bool {
    KEYWORDS.binary_search(&name.to_ascii_lowercase().as_str()).is_ok()
}

/// The dotted name that starts at `start`, and where it ends.
fn chain(text: &str, start: usize) -> (Vec<&str>, usize) {
    let bytes = text.as_bytes();
    let mut parts = Vec::new();
    let mut at = start;
    loop {
        let mut end = at;
        while bytes.get(end).is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_') {
            end += 1;
        }
        parts.push(&text[at..end]);
        let mut next = blank_end(bytes, end);
        if bytes.get(next) == Some(&b'?') {
            next += 1;
        }
        if bytes.get(next) != Some(&b'.') {
            return (parts, end);
        }
        next = blank_end(bytes, next + 1);
        if !bytes.get(next).is_some_and(|b| b.is_ascii_alphabetic() || *b == b'_') {
            return (parts, end);
        }
        at = next;
    }
}

fn blank_end(bytes: &[u8], mut at: usize) -> usize {
    while bytes.get(at).is_some_and(u8::is_ascii_whitespace) {
        at += 1;
    }
    at
}

fn line_end(bytes: &[u8], at: usize) -> usize {
    memchr::memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |end| at + end)
}

fn string_end(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 2,
            b'\'' => return at + 1,
            b'\n' => return at,
            _ => at += 1,
        }
    }
    bytes.len()
}
