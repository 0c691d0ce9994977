//! Findings of a static analysis, counted from its SARIF 2.1.0.

use serde::{Deserialize, Serialize};

use crate::config::Severity;

/// How many findings of each severity there are, without those that are suppressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Serious problems.
    pub error: u64,
    /// Problems.
    pub warning: u64,
    /// Remarks.
    pub note: u64,
}

impl Counts {
    /// Findings of at least a severity.
    pub fn at_least(&self, severity: Severity) -> u64 {
        match severity {
            Severity::Error => self.error,
            Severity::Warning => self.error + self.warning,
            Severity::Note => self.error + self.warning + self.note,
        }
    }
}

/// The file says nothing about findings.
#[derive(Debug, thiserror::Error)]
pub enum SarifError {
    /// It is no SARIF.
    #[error("the analysis wrote no SARIF 2.1.0")]
    Form(#[source] serde_json::Error),
    /// Nothing was analysed.
    #[error("the SARIF of the analysis holds no run with results; look at what the program wrote")]
    Empty,
    /// The program says that it broke.
    #[error("{tool} says in its SARIF that it did not end well; look at what it wrote")]
    Broken {
        /// The program.
        tool: String,
    },
}

#[derive(Deserialize)]
struct Log {
    runs: Vec<Run>,
}

#[derive(Deserialize)]
struct Run {
    tool: Tool,
    #[serde(default)]
    invocations: Vec<Invocation>,
    results: Option<Vec<Finding>>,
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
struct Invocation {
    execution_successful: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    id: String,
    default_configuration: Option<Configuration>,
}

#[derive(Deserialize)]
struct Configuration {
    level: Option<Level>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Finding {
    level: Option<Level>,
    kind: Option<String>,
    rule_id: Option<String>,
    rule_index: Option<i64>,
    baseline_state: Option<String>,
    #[serde(default)]
    suppressions: Vec<Suppression>,
}

#[derive(Deserialize)]
struct Suppression {
    status: Option<String>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Level {
    None,
    Note,
    Warning,
    Error,
}

/// Counts the findings in the text of a SARIF file. A finding without a level has that of its rule, else `warning`
/// (SARIF 2.1.0, 3.27.10).
pub fn count(text: &str) -> Result<Counts, SarifError> {
    let log: Log = serde_json::from_str(text.trim_start_matches('\u{feff}')).map_err(SarifError::Form)?;
    let mut counts = Counts::default();
    let mut analysed = false;
    for run in log.runs {
        if run
            .invocations
            .iter()
            .any(|invocation| !invocation.execution_successful)
        {
            return Err(SarifError::Broken {
                tool: run.tool.driver.name,
            });
        }
        let Some(results) = run.results else { continue };
        analysed = true;
        for finding in results.iter().filter(|finding| finding.counts()) {
            match finding.level(&run.tool.driver.rules) {
                Level::None => {}
                Level::Note => counts.note += 1,
                Level::Warning => counts.warning += 1,
                Level::Error => counts.error += 1,
            }
        }
    }
    if analysed { Ok(counts) } else { Err(SarifError::Empty) }
}

impl Finding {
    fn counts(&self) -> bool {
        let suppressed = |s: &Suppression| s.status.as_deref().is_none_or(|status| status == "accepted");
        self.kind.as_deref().is_none_or(|kind| kind == "fail")
            && self.baseline_state.as_deref() != Some("absent")
            && !self.suppressions.iter().any(suppressed)
    }

    fn level(&self, rules: &[Rule]) -> Level {
        let by_index = || rules.get(usize::try_from(self.rule_index?).ok()?);
        let by_id = || {
            let id = self.rule_id.as_deref()?;
            // `CA1000/1` is a part of the rule `CA1000`.
            let is_part =
                |rule: &&Rule| id == rule.id || id.strip_prefix(&*rule.id).is_some_and(|rest| rest.starts_with('/'));
            rules.iter().find(is_part)
        };
        let of_rule = || by_index().or_else(by_id)?.default_configuration.as_ref()?.level;
        self.level.or_else(of_rule).unwrap_or(Level::Warning)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts() {
        let check = |results: &str, expect: (u64, u64, u64)| {
            let text = format!(
                "{{\"version\":\"2.1.0\",\"runs\":[{{\"tool\":{{\"driver\":{{\"name\":\"pmd\",\"rules\":[\
                 {{\"id\":\"A\",\"defaultConfiguration\":{{\"level\":\"error\"}}}},{{\"id\":\"B\"}}]}}}},\"results\":[{results}]}}]}}"
            );
            let counts = count(&text).expect(results);
            assert_eq!((counts.error, counts.warning, counts.note), expect, "{results}");
        };
        check("", (0, 0, 0));
        check(r#"{"level":"error"},{"level":"note"},{"level":"none"},{}"#, (1, 1, 1));
        check(
            r#"{"ruleId":"A"},{"ruleId":"A/1"},{"ruleIndex":0},{"ruleId":"AB"},{"ruleId":"B"}"#,
            (3, 2, 0),
        );
        check(r#"{"level":"error","suppressions":[{"kind":"inSource"}]}"#, (0, 0, 0));
        check(r#"{"level":"error","suppressions":[{"status":"rejected"}]}"#, (1, 0, 0));
        check(
            r#"{"kind":"pass"},{"kind":"fail"},{"level":"error","baselineState":"absent"}"#,
            (0, 1, 0),
        );
        let counts = Counts {
            error: 1,
            warning: 2,
            note: 4,
        };
        let sums = [Severity::Error, Severity::Warning, Severity::Note].map(|severity| counts.at_least(severity));
        assert_eq!(sums, [1, 3, 7]);
    }

    #[test]
    fn what_says_nothing_passes_nothing() {
        let check = |text: &str, expect: &str| assert_eq!(count(text).expect_err(text).to_string(), expect);
        check("", "the analysis wrote no SARIF 2.1.0");
        check(
            r#"{"runs":[]}"#,
            "the SARIF of the analysis holds no run with results; look at what the program wrote",
        );
        let run = |rest: &str| format!(r#"{{"runs":[{{"tool":{{"driver":{{"name":"pmd"}}}}{rest}}}]}}"#);
        check(
            &run(""),
            "the SARIF of the analysis holds no run with results; look at what the program wrote",
        );
        check(
            &run(r#","results":[],"invocations":[{"executionSuccessful":false}]"#),
            "pmd says in its SARIF that it did not end well; look at what it wrote",
        );
    }
}
