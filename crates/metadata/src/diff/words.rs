//! Changes and paths in words a person reads.

use std::fmt;

use super::{ChangeKind, ElementChange};
use crate::path::{ElementPath, Selector, Step};

/// Values longer than this many characters are cut.
const LONGEST: usize = 60;

impl fmt::Display for ElementChange {
    /// `Profile Admin › fieldPermissions Account.Rating › editable: false → true`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.path.words())?;
        let is_text = self
            .path
            .steps
            .first()
            .is_some_and(|s| &*s.name == "lines" && matches!(s.selector, Selector::Position(_)));
        match (self.kind, &self.from, &self.to) {
            (_, from, to) if is_text && self.path.steps.len() == 1 => {
                let count = |side: &Option<String>| side.as_deref().map_or(0, |t| t.split_inclusive('\n').count());
                write!(f, "{} removed, {} added", count(from), count(to))
            }
            (ChangeKind::Added, _, Some(value)) if is_short(value) => write!(f, "added {}", Value(value)),
            (ChangeKind::Removed, Some(value), _) if is_short(value) => write!(f, "removed {}", Value(value)),
            (ChangeKind::Added, ..) => f.write_str("added"),
            (ChangeKind::Removed, ..) => f.write_str("removed"),
            (ChangeKind::Moved, Some(from), Some(to)) => write!(f, "moved from {from} to {to}"),
            (_, from, to) => {
                let value = |side: &Option<String>| Value(side.as_deref().unwrap_or_default()).to_string();
                write!(f, "{} → {}", value(from), value(to))
            }
        }
    }
}

impl ElementPath {
    /// The path in words: `Profile Admin › fieldPermissions Account.Rating › editable`.
    pub fn words(&self) -> String {
        let mut out = format!("{} {}", self.component.type_name, Printable(&self.component.full_name));
        for step in &self.steps {
            out.push_str(" › ");
            out.push_str(&step_words(step));
        }
        out
    }
}

fn step_words(step: &Step) -> String {
    let name = match &*step.name {
        "#comment" => "comment",
        name => name,
    };
    let (text, occurrence) = match &step.selector {
        Selector::Only => return Printable(name).to_string(),
        Selector::Position(n) => return format!("{} {n}", Printable(name)),
        Selector::Value(value, n) => (value.to_string(), *n),
        Selector::Key(fields, n) => {
            let values: Vec<String> = fields
                .iter()
                .map(|(_, value)| without_tags(value))
                .filter(|value| !value.is_empty())
                .collect();
            (values.join(" "), *n)
        }
    };
    let again = if occurrence > 1 {
        format!(" ({occurrence})")
    } else {
        String::new()
    };
    format!("{} {}{again}", Printable(name), Value(&text))
}

/// The text of a key field that is an element with children, without its tags.
fn without_tags(value: &str) -> String {
    if !value.starts_with('<') {
        return value.to_owned();
    }
    let texts = value
        .split('<')
        .filter_map(|part| part.split_once('>'))
        .map(|(_, text)| text.trim());
    texts.filter(|text| !text.is_empty()).collect::<Vec<_>>().join(" ")
}

/// A value that is worth showing beside "added".
fn is_short(value: &str) -> bool {
    !value.starts_with('<') && !value.is_empty() && value.chars().count() <= LONGEST && !value.contains('\n')
}

/// A value on one line, cut where it is long.
struct Value<'a>(&'a str);

impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = self.0.split_whitespace().collect::<Vec<_>>().join(" ");
        if line.is_empty() {
            return f.write_str("(empty)");
        }
        let cut: String = line.chars().take(LONGEST).collect();
        let more = if cut.len() < line.len() { "…" } else { "" };
        write!(f, "{}{more}", Printable(&cut))
    }
}

/// Text without control characters, so that a name cannot drive a terminal.
struct Printable<'a>(&'a str);

impl fmt::Display for Printable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write;
        self.0
            .chars()
            .try_for_each(|c| f.write_char(if c.is_control() || is_bidi(c) { '\u{fffd}' } else { c }))
    }
}

/// Characters that turn the reading direction and can hide what a line says.
fn is_bidi(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
