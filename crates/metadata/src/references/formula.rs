//! Names in Salesforce formulas and in `{!…}` merge text.

use std::ops::Range;

/// A name in a formula: `Parent__r.Field__c`, `$Label.Greeting`, `Owner:User.Rank__c`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Name<'t> {
    /// The parts between the dots.
    pub(super) parts: Vec<&'t str>,
    /// Bytes in the text.
    pub(super) range: Range<usize>,
}

/// The names in a formula, without functions, strings, numbers and comments.
///
/// Syntax: Salesforce Help, "Elements of a Formula". Strings have `"` or `'` and backslash escapes; an
/// unterminated string or comment ends with the text.
pub(super) fn names(text: &str) -> Vec<Name<'_>> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' | b'\'' => at = string_end(bytes, at),
            b'/' if bytes.get(at + 1) == Some(&b'*') => {
                at = text[at + 2..].find("*/").map_or(bytes.len(), |end| at + 2 + end + 2);
            }
            b'0'..=b'9' => {
                while bytes.get(at).is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'.') {
                    at += 1;
                }
            }
            _ if starts_name(byte) || bytes[at..].starts_with(b"%%%") => {
                let (name, end) = name(text, at);
                let called = bytes[end..].iter().find(|b| !b.is_ascii_whitespace()) == Some(&b'(');
                if !(called && name.parts.len() == 1) {
                    found.push(name);
                }
                at = end;
            }
            _ => at += 1,
        }
    }
    found
}

/// The formulas inside `{!…}`, as byte ranges of the text between the braces.
pub(super) fn merge_fields(text: &str) -> Vec<Range<usize>> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(start) = text.get(at..).and_then(|rest| rest.find("{!")).map(|i| at + i + 2) {
        let mut end = start;
        while let Some(&byte) = bytes.get(end) {
            match byte {
                b'}' => break,
                b'"' | b'\'' => end = string_end(bytes, end),
                _ => end += 1,
            }
        }
        if end >= bytes.len() {
            // No closing brace behind a quote: the quote was text. Take the next brace there is.
            match text[start..].find('}') {
                Some(close) => end = start + close,
                None => break,
            }
        }
        found.push(start..end);
        at = end;
    }
    found
}

fn starts_name(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || byte == b'$'
}

fn part_end(bytes: &[u8], mut at: usize) -> usize {
    if bytes.get(at) == Some(&b'$') {
        at += 1;
    }
    // `%%%NAMESPACE%%%` belongs to the name behind it.
    while bytes.get(at).is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_')
        || bytes[at.min(bytes.len())..].starts_with(b"%%%")
    {
        at += if bytes[at] == b'%' { 3 } else { 1 };
    }
    at
}

/// The name that starts at `at`, and where it ends.
fn name(text: &str, at: usize) -> (Name<'_>, usize) {
    let bytes = text.as_bytes();
    let mut parts = Vec::new();
    let mut start = at;
    let mut end = part_end(bytes, at);
    loop {
        // `Owner:User` is one part: a relationship to several objects, limited to one.
        if bytes.get(end) == Some(&b':') && bytes.get(end + 1).is_some_and(u8::is_ascii_alphabetic) {
            end = part_end(bytes, end + 1);
        }
        parts.push(&text[start..end]);
        let more = matches!(bytes.get(end), Some(b'.' | b'$'))
            && bytes
                .get(end + 1)
                .is_some_and(|b| starts_name(*b) || matches!(b, b'%' | b'0'..=b'9'));
        if !more {
            break;
        }
        start = end + 1;
        end = part_end(bytes, start);
        if end == start {
            break;
        }
    }
    let end = end.max(at + 1);
    (Name { parts, range: at..end }, end)
}

fn string_end(bytes: &[u8], start: usize) -> usize {
    let quote = bytes[start];
    let mut at = start + 1;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 2,
            _ if byte == quote => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: &[&str]) {
        let found: Vec<String> = names(text).iter().map(|n| n.parts.join(".")).collect();
        assert_eq!(found, expect, "{text}");
    }

    #[test]
    fn finds_names() {
        check("IF(ISBLANK(A__c), 'B__c \\' C__c', D__r.E__c)", &["A__c", "D__r.E__c"]);
        check("/* X__c */ $Label.Hi & \"Y__c\" & 1.5e3", &["$Label.Hi"]);
        check(
            "Owner:User.Rank__c = $User.Rank__c",
            &["Owner:User.Rank__c", "$User.Rank__c"],
        );
        check("$CustomMetadata.T__mdt.R.F__c", &["$CustomMetadata.T__mdt.R.F__c"]);
        check("Boat__c.Price__c:SUM", &["Boat__c.Price__c:SUM"]);
        check("é__c + ' unterminated", &["__c"]);
        check("/* unterminated", &[]);
        check("$", &["$"]);
        check("%%%NS%%%A__c + r.%%%NS%%%B__c %", &["%%%NS%%%A__c", "r.%%%NS%%%B__c"]);
    }

    #[test]
    fn finds_merge_fields() {
        let of = |text: &'static str| -> Vec<&str> { merge_fields(text).into_iter().map(|r| &text[r]).collect() };
        assert_eq!(of("a {!B} c {!IF(x, '}', y)} d"), ["B", "IF(x, '}', y)"]);
        assert_eq!(of("it {!B's} {!C}"), ["B's", "C"]);
        assert_eq!(of("{!"), Vec::<&str>::new());
    }
}
