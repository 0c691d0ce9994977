//! The rules of a `.forceignore` file: gitignore syntax, case-insensitive as in the Salesforce command line.

/// Rules that always hold, as the Salesforce command line has them.
const BUILT_IN: [&str; 4] = [
    "**/*.dup",
    "**/.*",
    "**/package2-descriptor.json",
    "**/package2-manifest.json",
];

/// One rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IgnoreRule {
    /// Line in `.forceignore`, from 1; none for a rule that always holds.
    pub line: Option<u32>,
    /// The rule as written.
    pub pattern: Box<str>,
}

/// The rules of a `.forceignore` file behind those that always hold; a later rule wins over an earlier one.
#[derive(Clone, Debug)]
pub struct ForceIgnore {
    rules: Vec<Rule>,
}

#[derive(Clone, Debug)]
struct Rule {
    source: IgnoreRule,
    negated: bool,
    directory_only: bool,
    /// Path segments in lower case; a rule without a slash starts with `**`.
    segments: Vec<Segment>,
}

#[derive(Clone, Debug)]
enum Segment {
    /// `**`: any number of folders.
    AnyDepth,
    /// No wildcard.
    Literal(Box<str>),
    /// `*`, `?`, `[…]` or an escape.
    Glob(Vec<Token>),
}

#[derive(Clone, Debug)]
enum Token {
    Char(char),
    AnyChar,
    AnyText,
    Class { negated: bool, ranges: Vec<(char, char)> },
}

impl ForceIgnore {
    /// Reads the rules. Every text is a valid list of rules: a line that means nothing matches nothing, as in git.
    pub fn parse(text: &str) -> Self {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let built_in = BUILT_IN.iter().filter_map(|pattern| parse_rule(pattern, None));
        let own = (1u32..)
            .zip(text.lines())
            .filter_map(|(line, pattern)| parse_rule(pattern, Some(line)));
        Self {
            rules: built_in.chain(own).collect(),
        }
    }

    /// The rule that leaves a file out, if any. `path` is relative to the folder of `.forceignore`, with `/`.
    ///
    /// A file below a folder that is left out cannot be brought back.
    pub fn rule_for(&self, path: &str) -> Option<&IgnoreRule> {
        let lower = path.to_lowercase();
        let segments: Vec<&str> = lower.split('/').collect();
        for depth in 1..=segments.len() {
            let directory = depth < segments.len();
            let rule = self
                .rules
                .iter()
                .rev()
                .find(|rule| (directory || !rule.directory_only) && matches(&rule.segments, &segments[..depth]));
            if let Some(rule) = rule.filter(|rule| !rule.negated) {
                return Some(&rule.source);
            }
        }
        None
    }
}

fn parse_rule(line: &str, number: Option<u32>) -> Option<Rule> {
    let written = line.trim_end_matches('\r');
    let text = trim_spaces(written);
    if text.is_empty() || text.starts_with('#') {
        return None;
    }
    let (negated, text) = text.strip_prefix('!').map_or((false, text), |rest| (true, rest));
    let (directory_only, text) = text.strip_suffix('/').map_or((false, text), |rest| (true, rest));
    let anchored = text.contains('/');
    let lower = text.strip_prefix('/').unwrap_or(text).to_lowercase();
    if lower.is_empty() {
        return None;
    }
    let mut segments = Vec::new();
    if !anchored {
        segments.push(Segment::AnyDepth);
    }
    for part in lower.split('/') {
        segments.push(segment(part)?);
    }
    Some(Rule {
        source: IgnoreRule {
            line: number,
            pattern: written.into(),
        },
        negated,
        directory_only,
        segments,
    })
}

/// Spaces at the end do not count unless escaped.
fn trim_spaces(text: &str) -> &str {
    let trimmed = text.trim_end_matches(' ');
    if trimmed.ends_with('\\') && trimmed.len() < text.len() {
        &text[..=trimmed.len()]
    } else {
        trimmed
    }
}

/// None for a class that does not end: git lets such a rule match nothing.
fn segment(part: &str) -> Option<Segment> {
    if part == "**" {
        return Some(Segment::AnyDepth);
    }
    if !part.contains(['*', '?', '[', '\\']) {
        return Some(Segment::Literal(part.into()));
    }
    let mut tokens = Vec::new();
    let mut rest = part.chars();
    while let Some(next) = rest.next() {
        tokens.push(match next {
            '*' => Token::AnyText,
            '?' => Token::AnyChar,
            '\\' => Token::Char(rest.next().unwrap_or('\\')),
            '[' => {
                let (token, after) = class(rest.as_str())?;
                rest = after.chars();
                token
            }
            other => Token::Char(other),
        });
    }
    Some(Segment::Glob(tokens))
}

/// The class behind `[`, and the text behind `]`.
fn class(text: &str) -> Option<(Token, &str)> {
    let (negated, body) = match text.strip_prefix(['!', '^']) {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    // A `]` in the first place is a member.
    let end = body.char_indices().skip(1).find(|(_, c)| *c == ']')?.0;
    let members: Vec<char> = body[..end].chars().collect();
    let mut ranges = Vec::new();
    let mut at = 0;
    while at < members.len() {
        if members.get(at + 1) == Some(&'-') && at + 2 < members.len() {
            ranges.push((members[at], members[at + 2]));
            at += 3;
        } else {
            ranges.push((members[at], members[at]));
            at += 1;
        }
    }
    Some((Token::Class { negated, ranges }, &body[end + 1..]))
}

fn matches(rule: &[Segment], path: &[&str]) -> bool {
    match rule.split_first() {
        None => path.is_empty(),
        // At the end `**` means everything inside, not the folder itself.
        Some((Segment::AnyDepth, [])) => !path.is_empty(),
        Some((Segment::AnyDepth, rest)) if !rest.iter().any(|part| matches!(part, Segment::AnyDepth)) => {
            // What follows has a fixed length: it can only fit at the end.
            (path.len().checked_sub(rest.len())).is_some_and(|skip| matches(rest, &path[skip..]))
        }
        Some((Segment::AnyDepth, rest)) => (0..path.len()).any(|skip| matches(rest, &path[skip..])),
        Some((Segment::Literal(text), rest)) => path
            .split_first()
            .is_some_and(|(first, path)| **first == **text && matches(rest, path)),
        Some((Segment::Glob(tokens), rest)) => path
            .split_first()
            .is_some_and(|(first, path)| matches_glob(tokens, first) && matches(rest, path)),
    }
}

fn matches_glob(tokens: &[Token], text: &str) -> bool {
    let chars: Vec<char> = text.chars().collect();
    let (mut token, mut at) = (0, 0);
    // Where to go on when the text behind the last `*` does not fit: linear in practice, no recursion.
    let mut retry: Option<(usize, usize)> = None;
    loop {
        let step = match (tokens.get(token), chars.get(at)) {
            (None, None) => return true,
            (Some(Token::AnyText), _) => {
                retry = Some((token + 1, at));
                token += 1;
                continue;
            }
            (Some(Token::Char(expected)), Some(found)) => expected == found,
            (Some(Token::AnyChar), Some(_)) => true,
            (Some(Token::Class { negated, ranges }), Some(found)) => {
                ranges.iter().any(|(low, high)| low <= found && found <= high) != *negated
            }
            _ => false,
        };
        if step {
            token += 1;
            at += 1;
        } else {
            match retry {
                Some((after, from)) if from < chars.len() => {
                    retry = Some((after, from + 1));
                    token = after;
                    at = from + 1;
                }
                _ => return false,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(rules: &str, path: &str, expect: bool) {
        let found = ForceIgnore::parse(rules).rule_for(path).is_some();
        assert_eq!(found, expect, "{rules:?} on {path}");
    }

    #[test]
    fn gitignore_semantics() {
        // Each line agrees with `git -c core.ignorecase=true check-ignore --no-index`.
        check("", "force-app/a.cls", false);
        check("", "force-app/.hidden/a.cls", true);
        check("", "force-app/a.dup", true);
        check("# comment\n\n", "# comment", false);
        check("*.cls", "force-app/classes/A.cls", true);
        check("*.CLS", "force-app/classes/a.cls", true);
        check("/*.cls", "force-app/classes/A.cls", false);
        check("classes/*.cls", "force-app/classes/A.cls", false);
        check("**/classes/*.cls", "force-app/classes/A.cls", true);
        check("**/classes/**", "force-app/classes/deep/A.cls", true);
        check("classes/", "force-app/classes/A.cls", true);
        check("classes/", "force-app/classes", false);
        check("classes", "force-app/classes", true);
        check("a/**/b", "a/b", true);
        check("a/**/b", "a/x/y/b", true);
        check("a/**", "a", false);
        check(
            "**/profiles/**\n!**/profiles/Admin.profile",
            "x/profiles/Admin.profile",
            false,
        );
        check("profiles/\n!profiles/Admin.profile", "profiles/Admin.profile", true);
        check("A[bc]d.xml", "Abd.xml", true);
        check("A[!bc]d.xml", "Abd.xml", false);
        check("A[a-c]d.xml", "Acd.xml", true);
        check("a?c", "abc", true);
        check("a?c", "a/c", false);
        check("a*c", "a/c", false);
        check("\\#x", "#x", true);
        check("\\!x", "!x", true);
        check("x ", "x", true);
        check("x\\ ", "x ", true);
        check("a[", "a[", false);
        check("foo\r\nbar\r\n", "foo", true);
        check("*-admin*.*", "my-admin-x.profile", true);
        check("/", "x", false);
    }

    #[test]
    fn names_the_rule() {
        let rules = ForceIgnore::parse("*.cls\n*.page");
        assert_eq!(
            rules.rule_for("a/B.page"),
            Some(&IgnoreRule {
                line: Some(2),
                pattern: "*.page".into()
            })
        );
        assert_eq!(rules.rule_for(".x").and_then(|rule| rule.line), None);
    }
}
