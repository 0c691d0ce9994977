//! JUnit's XML, as the CI systems read it: `testsuites`, `testsuite`, `testcase` with `failure` or `skipped`.

use std::fmt::Write;

use super::{Checks, Outcome};

/// Writes checks as JUnit. Findings are a suite of their own, each a failed case, since many readers know nothing else.
pub fn junit(checks: &Checks) -> String {
    let (all, failed, skipped) = checks.count();
    let found = checks.findings.len();
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let mut line = |indent: usize, part: String| {
        let _ = writeln!(text, "{:indent$}{part}", "");
    };
    line(
        0,
        format!(
            "<testsuites name=\"{}\" tests=\"{}\" failures=\"{}\" skipped=\"{skipped}\">",
            escape(&checks.title),
            all + found,
            failed + found
        ),
    );
    for group in &checks.groups {
        let count = |wanted: fn(&Outcome) -> bool| group.checks.iter().filter(|check| wanted(&check.outcome)).count();
        let time: f64 = group.checks.iter().map(|check| check.milliseconds).sum();
        line(
            2,
            format!(
                "<testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" skipped=\"{}\" time=\"{:.3}\">",
                escape(&group.name),
                group.checks.len(),
                count(|outcome| matches!(outcome, Outcome::Failed { .. })),
                count(|outcome| *outcome == Outcome::Skipped),
                time / 1000.0
            ),
        );
        for check in &group.checks {
            let head = format!(
                "<testcase classname=\"{}\" name=\"{}\" time=\"{:.3}\"",
                escape(&group.name),
                escape(&check.name),
                check.milliseconds / 1000.0
            );
            let inner = match &check.outcome {
                Outcome::Passed => {
                    line(4, format!("{head}/>"));
                    continue;
                }
                Outcome::Skipped => "<skipped/>".to_owned(),
                Outcome::Failed { message, details } => {
                    format!("<failure message=\"{}\">{}</failure>", escape(message), escape(details))
                }
            };
            line(4, format!("{head}>{inner}</testcase>"));
        }
        line(2, "</testsuite>".to_owned());
    }
    if found > 0 {
        line(
            2,
            format!("<testsuite name=\"findings\" tests=\"{found}\" failures=\"{found}\">"),
        );
        for finding in &checks.findings {
            let place = match (&finding.path, finding.line) {
                (Some(path), Some(at)) => format!("{path}:{at}"),
                (Some(path), None) => path.clone(),
                (None, _) => finding.rule.clone(),
            };
            line(
                4,
                format!(
                    "<testcase classname=\"{}\" name=\"{}\"><failure message=\"{}\"/></testcase>",
                    escape(&finding.rule),
                    escape(&place),
                    escape(&finding.message)
                ),
            );
        }
        line(2, "</testsuite>".to_owned());
    }
    line(0, "</testsuites>".to_owned());
    text
}

/// Text as it may stand in an attribute or between tags. What XML 1.0 cannot hold becomes U+FFFD.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' => escaped.push_str("&#10;"),
            '\r' => escaped.push_str("&#13;"),
            '\t' => escaped.push_str("&#9;"),
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples;

    #[test]
    fn is_read_by_an_xml_parser_as_it_was_meant() {
        let text = junit(&samples::checks());
        let document = roxmltree::Document::parse(&text).unwrap();
        let root = document.root_element();
        let attribute = |name: &str| root.attribute(name).map(str::to_owned);
        assert_eq!(
            [attribute("tests"), attribute("failures"), attribute("skipped")],
            [Some("4".to_owned()), Some("2".to_owned()), Some("1".to_owned())]
        );
        let failures: Vec<_> = document
            .descendants()
            .filter(|node| node.has_tag_name("failure"))
            .map(|node| (node.attribute("message"), node.text()))
            .collect();
        assert_eq!(
            failures,
            [
                (
                    Some("expected <1> & got \"2\"\u{fffd}"),
                    Some("Class.BillingTest.rounds: line 3 ]]> | end")
                ),
                (Some("Field `A|B` has\nno type"), None),
            ]
        );
        let cases: Vec<_> = document
            .descendants()
            .filter(|node| node.has_tag_name("testcase"))
            .filter_map(|node| node.attribute("name"))
            .collect();
        assert_eq!(cases, ["adds", "rounds", "later", "objects/A b.object:7"]);
    }

    #[test]
    fn nothing_is_a_document_too() {
        let text = junit(&Checks::default());
        assert_eq!(
            roxmltree::Document::parse(&text)
                .unwrap()
                .root_element()
                .attribute("tests"),
            Some("0")
        );
    }
}
