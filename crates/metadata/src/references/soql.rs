//! Queries inside square brackets of Apex.

use std::ops::Range;

use super::ReferenceKind;
use super::apex::Token;
use super::resolve::{Finder, Place};

/// Words behind `FROM Object` that are no alias. Source: SOQL and SOSL Reference, "SELECT".
const CLAUSES: [&str; 16] = [
    "all", "and", "as", "for", "group", "having", "limit", "not", "offset", "or", "order", "tracking", "update",
    "using", "where", "with",
];

/// A variable behind `:`, read as Apex.
type Bound<'c> = dyn FnMut(&mut Finder<'_>, &[&str], &Range<usize>) + 'c;

/// Whether a bracket holds a query.
pub(super) fn starts(tokens: &[Token<'_>]) -> bool {
    tokens
        .first()
        .is_some_and(|token| is_word(token, "select") || is_word(token, "find"))
}

/// Reads the query that starts at `at`; the result is the position behind its closing bracket.
pub(super) fn read(found: &mut Finder<'_>, tokens: &[Token<'_>], at: usize, bound: &mut Bound<'_>) -> usize {
    let mut depth = 0usize;
    let mut end = at;
    while let Some(token) = tokens.get(end) {
        match token {
            Token::Mark(b'[') => depth += 1,
            Token::Mark(b']') if depth == 0 => break,
            Token::Mark(b']') => depth -= 1,
            _ => {}
        }
        end += 1;
    }
    query(found, &tokens[at..end], None, bound, 0);
    (end + 1).min(tokens.len())
}

/// Queries inside queries deeper than this are not read; the platform allows two levels.
const MAX_NESTING: usize = 6;

fn query(found: &mut Finder<'_>, tokens: &[Token<'_>], parent: Option<&str>, bound: &mut Bound<'_>, nesting: usize) {
    if tokens.first().is_some_and(|token| is_word(token, "find")) {
        return returning(found, tokens);
    }
    let from = top_level(tokens).find(|at| is_word(&tokens[*at], "from"));
    let source = from.and_then(|at| match tokens.get(at + 1) {
        Some(Token::Name { parts, range, .. }) => Some((parts, range)),
        _ => None,
    });
    let Some((parts, range)) = source else { return };
    let name = parts.join(".");
    let object = match parent {
        Some(parent) => found.object_at(&format!("{parent}.{name}")),
        None => Some(name),
    };
    if let (Some(object), None) = (&object, parent) {
        let place = place(range, "FROM");
        found.object(object, &place);
    }
    let from = from.unwrap_or_default();
    let alias = match tokens.get(from + 2) {
        Some(Token::Name { parts, .. }) => match parts.as_slice() {
            [one] if !CLAUSES.iter().any(|word| word.eq_ignore_ascii_case(one)) => Some(*one),
            _ => None,
        },
        _ => None,
    };
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        match token {
            Token::Mark(b'(') if tokens.get(at + 1).is_some_and(|token| is_word(token, "select")) => {
                let end = closing(tokens, at);
                if nesting < MAX_NESTING {
                    // In the list of fields it is a list of children, in a condition an object of its own.
                    let parent = (at < from).then_some(object.as_deref()).flatten();
                    if at > from || parent.is_some() {
                        query(found, &tokens[at + 1..end], parent, bound, nesting + 1);
                    }
                }
                at = end;
            }
            Token::Name { parts, range, .. } if at != from + 1 => {
                let behind_colon = at > 0 && tokens.get(at - 1) == Some(&Token::Mark(b':'));
                if behind_colon {
                    bound(found, parts, range);
                } else if let Some(object) = &object {
                    let place = place(range, "SOQL");
                    match (parts.as_slice(), alias) {
                        ([first, rest @ ..], Some(alias)) if first.eq_ignore_ascii_case(alias) => {
                            found.path(object, rest, &place);
                        }
                        ([first, rest @ ..], _) if !rest.is_empty() && first.eq_ignore_ascii_case(object) => {
                            found.path(object, rest, &place);
                        }
                        (parts, _) => found.path(object, parts, &place),
                    }
                }
            }
            _ => {}
        }
        at += 1;
    }
}

/// `FIND … RETURNING Order__c(Total__c)`: objects with their fields.
fn returning(found: &mut Finder<'_>, tokens: &[Token<'_>]) {
    let Some(start) = tokens.iter().position(|token| is_word(token, "returning")) else {
        return;
    };
    let mut at = start + 1;
    while let Some(token) = tokens.get(at) {
        at += 1;
        let Token::Name { parts, range, .. } = token else {
            continue;
        };
        let ([object], Some(Token::Mark(b'('))) = (parts.as_slice(), tokens.get(at)) else {
            continue;
        };
        found.object(object, &place(range, "RETURNING"));
        let end = closing(tokens, at);
        for token in &tokens[at..end] {
            if let Token::Name { parts, range, .. } = token {
                found.path(object, parts, &place(range, "SOSL"));
            }
        }
        at = end;
    }
}

/// Positions outside parentheses.
fn top_level<'t>(tokens: &'t [Token<'t>]) -> impl Iterator<Item = usize> + 't {
    let mut depth = 0usize;
    tokens.iter().enumerate().filter_map(move |(at, token)| {
        match token {
            Token::Mark(b'(') => depth += 1,
            Token::Mark(b')') => depth = depth.saturating_sub(1),
            _ => {}
        }
        (depth == 0).then_some(at)
    })
}

/// The position of the parenthesis that closes the one at `open`, or the end.
fn closing(tokens: &[Token<'_>], open: usize) -> usize {
    let mut depth = 0usize;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        match token {
            Token::Mark(b'(') => depth += 1,
            Token::Mark(b')') => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return at;
                }
            }
            _ => {}
        }
    }
    tokens.len()
}

fn place(range: &Range<usize>, via: &'static str) -> Place<'static> {
    Place {
        range: range.clone(),
        via,
        kind: ReferenceKind::Required,
    }
}

fn is_word(token: &Token<'_>, word: &str) -> bool {
    matches!(token, Token::Name { parts, after_dot: false, .. } if matches!(parts.as_slice(), [one] if one.eq_ignore_ascii_case(word)))
}
