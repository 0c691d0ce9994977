//! Functions that SQLite lacks, given to every org's database.

use rusqlite::Connection;
use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::ValueRef;

/// Registers `soql_fold(text)` and `soql_found(word, text…)`.
pub fn register(db: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    db.create_scalar_function("soql_fold", 1, flags, |context| {
        Ok(text(context, 0).map(str::to_lowercase))
    })?;
    db.create_scalar_function("soql_found", -1, flags, |context| {
        let word = text(context, 0).unwrap_or_default().to_lowercase();
        Ok((1..context.len()).any(|at| text(context, at).is_some_and(|text| stands_in(&word, &text.to_lowercase()))))
    })
}

fn text<'c>(context: &'c Context<'_>, at: usize) -> Option<&'c str> {
    match context.get_raw(at) {
        ValueRef::Text(bytes) => std::str::from_utf8(bytes).ok(),
        _ => None,
    }
}

/// Whether a searched word, with `*` and `?`, is a word of the text; one of several words stands there as a phrase.
fn stands_in(word: &str, text: &str) -> bool {
    let is_part = |c: &char| c.is_alphanumeric();
    let wild: Vec<char> = word.chars().collect();
    let chars: Vec<char> = text.chars().collect();
    (0..chars.len()).any(|start| {
        let begins = start == 0 || !is_part(&chars[start - 1]);
        begins && matches(&wild, &chars[start..])
    })
}

/// Whether the pattern fits the beginning of the text up to the end of a word.
fn matches(pattern: &[char], text: &[char]) -> bool {
    match pattern.split_first() {
        None => text.first().is_none_or(|c| !c.is_alphanumeric()),
        Some(('*', [])) => true,
        Some(('*', rest)) => {
            let word = text.iter().take_while(|c| c.is_alphanumeric()).count();
            (0..=word).any(|skip| matches(rest, &text[skip..]))
        }
        Some((wanted, rest)) => text
            .split_first()
            .is_some_and(|(c, text)| (c == wanted || *wanted == '?') && matches(rest, text)),
    }
}

#[cfg(test)]
mod tests {
    use super::stands_in;

    #[test]
    fn words_are_found_whole_or_by_wildcard() {
        for (word, text, found) in [
            ("acme", "the acme inc", true),
            ("acm", "the acme inc", false),
            ("acm*", "the acme inc", true),
            ("a?me", "acme", true),
            ("*me", "acme", true),
            ("acme inc", "the acme inc", true),
            ("cme", "acme", false),
            ("acme", "info@acme.example", true),
        ] {
            assert_eq!(stands_in(word, text), found, "{word} in {text}");
        }
    }
}
