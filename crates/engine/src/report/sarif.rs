//! SARIF 2.1.0, the form in which static analysis tells what it found. Source: OASIS, "Static Analysis Results Interchange Format".

use std::collections::{BTreeMap, BTreeSet};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Checks, Finding, Outcome};

/// How bad a finding is, as SARIF names it; the order is from harmless to bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// For the record.
    None,
    /// A remark.
    Note,
    /// Better otherwise.
    Warning,
    /// Wrong.
    Error,
}

/// A file is no SARIF.
#[derive(Debug, thiserror::Error)]
pub enum SarifError {
    /// No JSON, or not of the form.
    #[error("it is no SARIF: {0}")]
    Syntax(#[from] serde_json::Error),
    /// Another version of the format.
    #[error("it is SARIF {version}, but only 2.1.0 is read")]
    Version {
        /// Its version.
        version: String,
    },
    /// The tool says itself that it did not come to its end.
    #[error("the analysis did not come to its end: {reason}")]
    Unfinished {
        /// What it says.
        reason: String,
    },
}

/// How many findings of each level there are; suppressed ones do not count.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Findings by level.
    pub levels: BTreeMap<Level, usize>,
    /// Findings that somebody has accepted.
    pub suppressed: usize,
}

impl Tally {
    /// Findings of a level or worse.
    pub fn at_least(&self, level: Level) -> usize {
        self.levels.range(level..).map(|(_, count)| count).sum()
    }
}

#[derive(Deserialize)]
struct Log {
    version: String,
    #[serde(default)]
    runs: Vec<Run>,
}

#[derive(Deserialize)]
struct Run {
    tool: Tool,
    /// Null means that the results were not computed.
    #[serde(default)]
    results: Option<Vec<Found>>,
    #[serde(default)]
    invocations: Vec<Invocation>,
}

#[derive(Deserialize)]
struct Tool {
    driver: Driver,
}

#[derive(Deserialize)]
struct Driver {
    name: String,
    #[serde(default)]
    rules: Vec<Rule>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    id: String,
    #[serde(default)]
    default_configuration: Configuration,
}

#[derive(Default, Deserialize)]
struct Configuration {
    level: Option<Level>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Invocation {
    execution_successful: Option<bool>,
    exit_code_description: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Found {
    rule_id: Option<String>,
    rule_index: Option<usize>,
    level: Option<Level>,
    kind: Option<String>,
    message: Message,
    #[serde(default)]
    locations: Vec<Location>,
    #[serde(default)]
    suppressions: Option<Vec<Suppression>>,
}

#[derive(Deserialize)]
struct Suppression {
    status: Option<String>,
}

#[derive(Deserialize)]
struct Message {
    #[serde(default)]
    text: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Location {
    physical_location: Option<Physical>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Physical {
    artifact_location: Option<Artifact>,
    region: Option<Region>,
}

#[derive(Deserialize)]
struct Artifact {
    uri: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    start_line: Option<u64>,
}

/// Reads what an analysis found. A run that failed, or that has no results at all, is an error, never "nothing found".
pub fn read(text: &str) -> Result<(Tally, Vec<Finding>), SarifError> {
    let log: Log = serde_json::from_str(text.trim_start_matches('\u{feff}'))?;
    if log.version != "2.1.0" {
        return Err(SarifError::Version { version: log.version });
    }
    let unfinished = |reason: String| SarifError::Unfinished { reason };
    if log.runs.is_empty() {
        return Err(unfinished("it holds no run".to_owned()));
    }
    let mut tally = Tally::default();
    let mut findings = Vec::new();
    for run in log.runs {
        if let Some(failed) = run
            .invocations
            .iter()
            .find(|invocation| invocation.execution_successful == Some(false))
        {
            let why = failed.exit_code_description.clone();
            return Err(unfinished(why.unwrap_or_else(|| {
                format!("{} says that its execution was not successful", run.tool.driver.name)
            })));
        }
        let results = run
            .results
            .ok_or_else(|| unfinished(format!("the run of {} has no results", run.tool.driver.name)))?;
        for result in results {
            if matches!(
                result.kind.as_deref(),
                Some("pass" | "notApplicable" | "informational" | "open" | "review")
            ) {
                continue;
            }
            let accepted = |suppressed: &Suppression| matches!(suppressed.status.as_deref(), None | Some("accepted"));
            if result.suppressions.iter().flatten().any(accepted) {
                tally.suppressed += 1;
                continue;
            }
            let rules = &run.tool.driver.rules;
            let rule = match (result.rule_index, &result.rule_id) {
                (Some(index), _) if index < rules.len() => rules.get(index),
                (_, Some(id)) => rules.iter().find(|rule| rule.id == *id),
                _ => None,
            };
            // The standard's order: the result's own level, its rule's, else a warning.
            let level = result
                .level
                .or_else(|| rule.and_then(|rule| rule.default_configuration.level))
                .unwrap_or(Level::Warning);
            *tally.levels.entry(level).or_default() += 1;
            let place = result.locations.into_iter().find_map(|place| place.physical_location);
            findings.push(Finding {
                rule: result
                    .rule_id
                    .or_else(|| rule.map(|rule| rule.id.clone()))
                    .unwrap_or_else(|| run.tool.driver.name.clone()),
                level,
                message: result.message.text,
                line: place
                    .as_ref()
                    .and_then(|place| place.region.as_ref())
                    .and_then(|region| region.start_line),
                path: place
                    .and_then(|place| place.artifact_location)
                    .and_then(|file| file.uri),
            });
        }
    }
    Ok((tally, findings))
}

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

    fn log(results: &str) -> String {
        format!(
            r#"{{"version": "2.1.0", "runs": [{{"tool": {{"driver": {{"name": "PMD", "rules": [
                {{"id": "Bad", "defaultConfiguration": {{"level": "error"}}}}, {{"id": "Odd"}}]}}}}, "results": {results}}}]}}"#
        )
    }

    #[test]
    fn levels_come_from_the_result_then_the_rule_then_are_warnings() {
        let text = log(r#"[
            {"ruleId": "Bad", "level": "note", "message": {"text": "a"}},
            {"ruleId": "Bad", "message": {"text": "b"}},
            {"ruleIndex": 0, "message": {"text": "c"}},
            {"ruleId": "Odd", "message": {"text": "d"}},
            {"message": {"text": "e"}, "locations": [{"physicalLocation": {"artifactLocation": {"uri": "classes/A.cls"}, "region": {"startLine": 3}}}]},
            {"ruleId": "Bad", "kind": "pass", "message": {"text": "no finding"}},
            {"ruleId": "Bad", "message": {"text": "accepted"}, "suppressions": [{"kind": "inSource"}]},
            {"ruleId": "Bad", "message": {"text": "rejected"}, "suppressions": [{"kind": "external", "status": "rejected"}]}
        ]"#);
        let (tally, findings) = read(&text).unwrap();
        let levels: Vec<_> = tally.levels.into_iter().collect();
        assert_eq!(levels, [(Level::Note, 1), (Level::Warning, 2), (Level::Error, 3)]);
        assert_eq!(tally.suppressed, 1);
        assert_eq!(
            (findings[4].path.as_deref(), findings[4].line),
            (Some("classes/A.cls"), Some(3))
        );
        assert_eq!(findings[4].rule, "PMD");
    }

    #[test]
    fn counts_from_a_level_on() {
        let (tally, _) = read(&log(
            r#"[{"level": "note", "message": {}}, {"level": "error", "message": {}}]"#,
        ))
        .unwrap();
        let at_least = [Level::None, Level::Note, Level::Warning, Level::Error].map(|level| tally.at_least(level));
        assert_eq!(at_least, [2, 2, 1, 1]);
    }

    #[test]
    fn an_analysis_that_failed_is_no_analysis_without_findings() {
        let check = |text: &str, expect: &str| assert_eq!(read(text).unwrap_err().to_string(), expect);
        let failed = log("[]").replace(
            "\"results\"",
            "\"invocations\": [{\"executionSuccessful\": false}], \"results\"",
        );
        check(
            &failed,
            "the analysis did not come to its end: PMD says that its execution was not successful",
        );
        check(
            &log("null"),
            "the analysis did not come to its end: the run of PMD has no results",
        );
        check(
            r#"{"version": "2.1.0", "runs": []}"#,
            "the analysis did not come to its end: it holds no run",
        );
        check(
            r#"{"version": "2.0.0", "runs": []}"#,
            "it is SARIF 2.0.0, but only 2.1.0 is read",
        );
        assert!(matches!(read("<pmd/>"), Err(SarifError::Syntax(_))));
    }

    #[test]
    fn what_is_written_is_read_again() {
        let value = sarif(&samples::checks(), "1.0");
        let (tally, findings) = read(&value.to_string()).unwrap();
        assert_eq!(tally.at_least(Level::Error), 2);
        assert_eq!(findings[0].message, "Field `A|B` has\nno type");
        assert_eq!(findings[0].path.as_deref(), Some("objects/A%20b.object"));
        assert_eq!(findings[1].message, "BillingTest.rounds: expected <1> & got \"2\"\u{1}");
    }
}
