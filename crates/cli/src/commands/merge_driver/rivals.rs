//! Attribute lines of others that choose a merge driver for the same files. Pure.

/// A line that sets `merge` for files that syncline's lines are for too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rival {
    /// Counted from 1.
    pub line: usize,
    /// Byte position of the line.
    pub at: usize,
    /// The line.
    pub text: String,
}

/// The lines of a file of attributes that choose another driver for files of `patterns`.
pub(super) fn rivals(text: &[u8], patterns: &[&str]) -> Vec<Rival> {
    let (mut found, mut at) = (Vec::new(), 0);
    for (number, line) in (1..).zip(text.split_inclusive(|byte| *byte == b'\n')) {
        let shown = String::from_utf8_lossy(line);
        let shown = shown.trim_start_matches('\u{feff}').trim();
        if sets_merge(shown) {
            let name = last_part(&pattern_of(shown));
            if patterns.iter().any(|pattern| overlap(&last_part(pattern), &name)) {
                let text = shown.to_owned();
                found.push(Rival { line: number, at, text });
            }
        }
        at += line.len();
    }
    found
}

/// Whether some name matches both patterns. `*` and `?` are understood; a class `[…]` counts as any one character.
pub(super) fn overlap(a: &str, b: &str) -> bool {
    let (a, b) = (symbols(a), symbols(b));
    // reach[j]: the patterns read so far of a, and b up to j, can match one name.
    let mut reach = vec![false; b.len() + 1];
    reach[0] = true;
    for j in 0..b.len() {
        reach[j + 1] = reach[j] && b[j] == Symbol::Many;
    }
    for x in &a {
        let mut next = vec![false; b.len() + 1];
        next[0] = reach[0] && *x == Symbol::Many;
        for (j, y) in b.iter().enumerate() {
            next[j + 1] = if *x == Symbol::Many || *y == Symbol::Many {
                reach[j + 1] || next[j]
            } else {
                reach[j] && x.meets(*y)
            };
        }
        reach = next;
    }
    reach[b.len()]
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Symbol {
    Char(char),
    One,
    Many,
}

impl Symbol {
    fn meets(self, other: Self) -> bool {
        self == Self::One || other == Self::One || self == other
    }
}

fn symbols(pattern: &str) -> Vec<Symbol> {
    let mut symbols = Vec::new();
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        symbols.push(match c {
            '*' if symbols.last() == Some(&Symbol::Many) => continue,
            '*' => Symbol::Many,
            '?' => Symbol::One,
            '[' => {
                // A bracket right behind the opening one is a member.
                let inside = chars.as_str().strip_prefix(['!', '^']).unwrap_or(chars.as_str());
                match inside
                    .get(1..)
                    .and_then(|rest| rest.find(']').map(|end| &rest[end + 1..]))
                {
                    Some(rest) => {
                        chars = rest.chars();
                        Symbol::One
                    }
                    None => Symbol::Char('['),
                }
            }
            '\\' => Symbol::Char(chars.next().unwrap_or('\\')),
            c => Symbol::Char(c),
        });
    }
    symbols
}

/// Whether a line gives files a value of `merge` that is not ours.
fn sets_merge(line: &str) -> bool {
    let words = || rest_of(line).split_ascii_whitespace();
    !line.starts_with(['#', '['])
        && words().any(|word| {
            let name = word.trim_start_matches(['-', '!']);
            name == "binary" || name == "merge" || name.starts_with("merge=") && name != "merge=syncline"
        })
}

/// The pattern of a line, without quotes.
fn pattern_of(line: &str) -> String {
    match quoted(line) {
        Some((pattern, _)) => pattern,
        None => line.split_ascii_whitespace().next().unwrap_or_default().to_owned(),
    }
}

/// The attributes of a line.
fn rest_of(line: &str) -> &str {
    match quoted(line) {
        Some((_, rest)) => rest,
        None => line
            .split_once(|c: char| c.is_ascii_whitespace())
            .map_or("", |(_, rest)| rest),
    }
}

fn quoted(line: &str) -> Option<(String, &str)> {
    let inside = line.strip_prefix('"')?;
    let mut pattern = String::new();
    let mut chars = inside.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((pattern, &inside[at + 1..])),
            '\\' => pattern.extend(chars.next().map(|(_, c)| c)),
            c => pattern.push(c),
        }
    }
    None
}

/// What a pattern says of the file's own name.
fn last_part(pattern: &str) -> String {
    pattern.rsplit('/').next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_overlap() {
        let check = |a: &str, b: &str, expect: bool| {
            assert_eq!(overlap(a, b), expect, "{a} {b}");
            assert_eq!(overlap(b, a), expect, "{b} {a}");
        };
        check("*-meta.xml", "*.profile-meta.xml", true);
        check("*-meta.xml", "*.xml", true);
        check("*-meta.xml", "Admin*", true);
        check("*-meta.xml", "*", true);
        check("*-meta.xml", "*.cls", false);
        check("*-meta.xml", "pom.xml", false);
        check("package.xml", "pack?ge.[xy]ml", true);
        check("package.xml", "package.xml2", false);
        check("*.*Definition", "*.aiAgentDefinition", true);
        check("a*b", "*c", false);
        check("", "*", true);
        check("", "a", false);
    }

    #[test]
    fn lines_of_others() {
        let check = |line: &str, expect: bool| {
            assert_eq!(
                !rivals(line.as_bytes(), &["*-meta.xml", "**/settings/*.settings"]).is_empty(),
                expect,
                "{line}"
            );
        };
        check("*.profile-meta.xml merge=union", true);
        check("*.profile-meta.xml text -merge eol=lf", true);
        check("\"a b/*-meta.xml\" !merge", true);
        check("* binary", true);
        check("# * merge=x", false);
        check("*-meta.xml merge=syncline", false);
        check("*-meta.xml text", false);
        check("*.cls merge=union", false);
        check("docs/ merge=union", false);
        check("x.settings merge=union", true);
        check("[attr]mine merge=union", false);
        check("\u{feff}*.xml merge=ours", true);
    }
}
