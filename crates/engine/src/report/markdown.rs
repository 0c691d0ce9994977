//! Markdown for the summary of a CI run or a pull request.

use std::fmt::Write;

use super::{Checks, Outcome};

/// Rows that a table shows; the rest is counted.
const MOST: usize = 100;

/// Writes checks as Markdown: a heading with the verdict, numbers, then what failed. What passed is only counted.
pub fn markdown(checks: &Checks) -> String {
    let (all, failed, skipped) = checks.count();
    let verdict = if checks.passed() { "passed" } else { "failed" };
    let mut text = format!("## {}: {verdict}\n\n", cell(&checks.title));
    let mut numbers = checks.numbers.clone();
    if all > 0 {
        numbers.push((
            "checks".to_owned(),
            format!("{all}, {failed} failed, {skipped} skipped"),
        ));
    }
    table(
        &mut text,
        ["", ""],
        numbers.iter().map(|(what, number)| [cell(what), cell(number)]),
    );
    let failures = checks.groups.iter().flat_map(|group| {
        group.checks.iter().filter_map(move |check| match &check.outcome {
            Outcome::Failed { message, .. } => {
                Some([format!("{}.{}", cell(&group.name), cell(&check.name)), cell(message)])
            }
            _ => None,
        })
    });
    table(&mut text, ["failed", "why"], failures);
    let findings = checks.findings.iter().map(|finding| {
        let place = match (&finding.path, finding.line) {
            (Some(path), Some(line)) => format!("{path}:{line}"),
            (Some(path), None) => path.clone(),
            (None, _) => finding.rule.clone(),
        };
        [cell(&place), cell(&finding.message)]
    });
    table(&mut text, ["place", "finding"], findings);
    text
}

fn table<const N: usize>(text: &mut String, head: [&str; N], rows: impl Iterator<Item = [String; N]>) {
    let mut count = 0;
    for row in rows {
        if count == 0 {
            let _ = writeln!(text, "| {} |\n|{}", head.join(" | "), " --- |".repeat(N));
        }
        count += 1;
        if count <= MOST {
            let _ = writeln!(text, "| {} |", row.join(" | "));
        }
    }
    if count > MOST {
        let _ = writeln!(text, "\n… and {} more", count - MOST);
    }
    if count > 0 {
        text.push('\n');
    }
}

/// Text inside a cell: one line, and nothing in it is markup, a link or HTML.
fn cell(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\r' | '\t' => escaped.push(' '),
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '@' => escaped.push_str("&#64;"),
            '|' | '\\' | '`' | '*' | '_' | '[' | ']' | '~' | '#' => {
                escaped.push('\\');
                escaped.push(c);
            }
            other if other.is_control() => escaped.push('\u{fffd}'),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Check, Group, samples};

    #[test]
    fn tells_what_failed() {
        let expect = r#"## Deployment to uat: failed

|  |  |
| --- | --- |
| components | 12 |
| checks | 3, 1 failed, 1 skipped |

| failed | why |
| --- | --- |
| BillingTest.rounds | expected &lt;1> &amp; got "2"� |

| place | finding |
| --- | --- |
| objects/A b.object:7 | Field \`A\|B\` has no type |

"#;
        assert_eq!(markdown(&samples::checks()), expect);
    }

    #[test]
    fn hostile_names_stay_text() {
        assert_eq!(
            cell("[x](javascript:y)<img src=z>@all"),
            "\\[x\\](javascript:y)&lt;img src=z>&#64;all"
        );
    }

    #[test]
    fn long_tables_end() {
        let failed = || Check {
            name: "m".to_owned(),
            milliseconds: 0.0,
            outcome: Outcome::Failed {
                message: String::new(),
                details: String::new(),
            },
        };
        let checks = Checks {
            groups: vec![Group {
                name: "T".to_owned(),
                checks: (0..150).map(|_| failed()).collect(),
            }],
            ..Checks::default()
        };
        let text = markdown(&checks);
        assert_eq!(text.matches("| T.m |").count(), 100);
        assert!(text.contains("… and 50 more"));
    }
}
