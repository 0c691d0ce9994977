//! Results of orgs as checks.

use syncline_salesforce::metadata::{DeployMessage, DeployResult};

use super::{Check, Checks, Finding, Level, Outcome};
use crate::org::tests::TestReport;

impl Checks {
    /// A deployment: its tests are checks, components that failed are findings.
    pub fn of_deployment(org: &str, result: &DeployResult) -> Self {
        let what = if result.check_only {
            "Validation in"
        } else {
            "Deployment to"
        };
        let mut checks = Self {
            title: format!("{what} {org}"),
            numbers: vec![
                ("deployment".to_owned(), result.id.clone()),
                ("status".to_owned(), result.status.to_string()),
                (
                    "components".to_owned(),
                    format!(
                        "{} of {}, {} failed",
                        result.number_components_deployed,
                        result.number_components_total,
                        result.number_component_errors
                    ),
                ),
            ],
            ..Self::default()
        };
        let run = &result.details.run_test_result;
        for passed in &run.successes {
            checks.group(&passed.name).checks.push(Check {
                name: passed.method_name.clone(),
                milliseconds: passed.time,
                outcome: Outcome::Passed,
            });
        }
        for failed in &run.failures {
            checks.group(&failed.name).checks.push(Check {
                name: failed.method_name.clone().unwrap_or_else(|| "(class)".to_owned()),
                milliseconds: failed.time,
                outcome: Outcome::Failed {
                    message: failed.message.clone(),
                    details: failed.stack_trace.clone().unwrap_or_default(),
                },
            });
        }
        let details = &result.details;
        for message in &details.component_failures {
            checks.findings.push(finding(message, Level::Error));
        }
        for message in &details.component_successes {
            if message.problem_type.as_deref() == Some("Warning") {
                checks.findings.push(finding(message, Level::Warning));
            }
        }
        for warning in &run.code_coverage_warnings {
            let name = warning.name.as_deref().filter(|name| !name.is_empty());
            checks.findings.push(Finding {
                rule: "deploy/coverage".to_owned(),
                level: if result.succeeded() {
                    Level::Warning
                } else {
                    Level::Error
                },
                message: name.map_or_else(
                    || warning.message.clone(),
                    |name| format!("{name}: {}", warning.message),
                ),
                path: None,
                line: None,
            });
        }
        // A deployment that failed as a whole says so, whatever its parts say.
        if !result.succeeded() && checks.passed() {
            for message in result.problems() {
                checks.findings.push(Finding {
                    rule: "deploy/failed".to_owned(),
                    level: Level::Error,
                    message,
                    path: None,
                    line: None,
                });
            }
        }
        let (lines, missed) = run.code_coverage.iter().fold((0, 0), |(lines, missed), row| {
            (lines + row.num_locations, missed + row.num_locations_not_covered)
        });
        if lines > 0 {
            let percent = 100.0 * (lines - missed.min(lines)) as f64 / lines as f64;
            checks.numbers.push(("coverage".to_owned(), format!("{percent:.1} %")));
        }
        checks
    }

    /// A run of Apex tests.
    pub fn of_tests(org: &str, report: &TestReport) -> Self {
        let mut checks = Self {
            title: format!("Apex tests in {org}"),
            numbers: vec![("test run".to_owned(), report.id.clone())],
            ..Self::default()
        };
        for method in &report.methods {
            let outcome = match method.outcome.as_str() {
                "Pass" => Outcome::Passed,
                "Skip" => Outcome::Skipped,
                other => Outcome::Failed {
                    message: method.message.clone().unwrap_or_else(|| other.to_owned()),
                    details: method.stack_trace.clone().unwrap_or_default(),
                },
            };
            checks.group(&method.class).checks.push(Check {
                name: method.method.clone(),
                milliseconds: method.run_time.unwrap_or_default() as f64,
                outcome,
            });
        }
        if let Some(percent) = report.org_coverage {
            checks
                .numbers
                .push(("coverage of the org".to_owned(), format!("{percent} %")));
        }
        checks
    }
}

fn finding(message: &DeployMessage, level: Level) -> Finding {
    Finding {
        rule: format!("deploy/{}", message.component_type.as_deref().unwrap_or("package")),
        level,
        message: format!(
            "{}: {}",
            message.full_name,
            message.problem.as_deref().unwrap_or("no reason given")
        ),
        path: message.file_name.clone(),
        line: message.line_number,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_deployment_never_looks_passed() {
        let check = |json: &str, expect: &[&str]| {
            let result: DeployResult = serde_json::from_str(json).unwrap();
            let checks = Checks::of_deployment("uat", &result);
            assert!(!checks.passed(), "{json}");
            let messages: Vec<_> = checks.findings.iter().map(|found| found.message.as_str()).collect();
            assert_eq!(messages, expect);
        };
        check(
            r#"{"status": "Failed", "details": {"componentFailures": [{"fullName": "A", "componentType": "ApexClass", "problem": "no"}]}}"#,
            &["A: no"],
        );
        check(
            r#"{"status": "Failed", "details": {"runTestResult": {"codeCoverageWarnings": [{"message": "too little"}]}}}"#,
            &["too little"],
        );
        check(
            r#"{"status": "Failed", "errorMessage": "UNKNOWN_EXCEPTION: 5"}"#,
            &["UNKNOWN_EXCEPTION: 5"],
        );
        check(
            r#"{"status": "Failed", "details": {"runTestResult": {"failures": [{"name": "T", "message": "m", "time": 1}]}}}"#,
            &[],
        );
    }
}
