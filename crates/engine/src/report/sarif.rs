//! SARIF 2.1.0, the form in which static analysis tells what it found. Source: OASIS, "Static Analysis Results Interchange Format".

use std::collections::BTreeSet;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::{Checks, Finding, Level, Outcome};

/// Writes findings and failed checks as SARIF, for code scanning of CI systems.
pub fn sarif(checks: &Checks, version: &str) -> Value {
    let mut findings = checks.findings.clone();
    for group in &checks.groups {
        for check in &group.checks {
            if let Outcome::Failed { message, .. } = &check.outcome {
                findings.push(Finding {
                    rule: "test/failed".to_owned(),
                    level: Level::Error,
                    message: format!("{}.{}: {message}", group.name, check.name),
                    path: None,
                    line: None,
                });
            }
        }
    }
    let rules: BTreeSet<&str> = findings.iter().map(|finding| finding.rule.as_str()).collect();
    let results: Vec<Value> = findings.iter().map(result).collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "syncline",
                "version": version,
                "rules": rules.iter().map(|id| json!({"id": id})).collect::<Vec<_>>(),
            }},
            "results": results,
        }],
    })
}

fn result(finding: &Finding) -> Value {
    let mut value = json!({
        "ruleId": finding.rule,
        "level": finding.level,
        "message": {"text": finding.message},
    });
    if let Some(path) = &finding.path {
        let mut place = json!({"artifactLocation": {"uri": utf8_percent_encode(path, PATH).to_string()}});
        if let Some(line) = finding.line.filter(|line| *line > 0) {
            place["region"] = json!({"startLine": line});
        }
        value["locations"] = json!([{"physicalLocation": place}]);
    }
    value
}

/// What may stand in a relative reference as it is, by RFC 3986.
const PATH: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples;

    #[test]
    fn findings_and_failed_checks_are_results() {
        let value = sarif(&samples::checks(), "1.0");
        let results = &value["runs"][0]["results"];
        assert_eq!(
            results[0],
            json!({
                "ruleId": "deploy/CustomField",
                "level": "error",
                "message": {"text": "Field `A|B` has\nno type"},
                "locations": [{"physicalLocation": {
                    "artifactLocation": {"uri": "objects/A%20b.object"},
                    "region": {"startLine": 7},
                }}],
            })
        );
        assert_eq!(
            results[1]["message"]["text"],
            "BillingTest.rounds: expected <1> & got \"2\"\u{1}"
        );
        assert_eq!(
            value["runs"][0]["tool"]["driver"]["rules"],
            json!([{"id": "deploy/CustomField"}, {"id": "test/failed"}])
        );
    }
}
