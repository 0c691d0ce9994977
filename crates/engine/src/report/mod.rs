//! Results in the forms that CI systems read: JUnit, SARIF and Markdown.

mod junit;
mod markdown;
mod of_org;
mod sarif;

use serde::Serialize;

pub use junit::junit;
pub use markdown::markdown;
pub use sarif::sarif;

/// What was checked, and what came out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Checks {
    /// What it was, as a heading.
    pub title: String,
    /// Checks that pass or fail, by group.
    pub groups: Vec<Group>,
    /// What is wrong, and where.
    pub findings: Vec<Finding>,
    /// Numbers worth knowing: what, how much.
    pub numbers: Vec<(String, String)>,
}

/// Checks that belong together, as the methods of a test class.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// The checks.
    pub checks: Vec<Check>,
}

/// One check.
#[derive(Clone, Debug, PartialEq)]
pub struct Check {
    /// Its name.
    pub name: String,
    /// How long it took, in milliseconds.
    pub milliseconds: f64,
    /// What came out.
    pub outcome: Outcome,
}

/// What came out of a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It holds.
    Passed,
    /// It does not.
    Failed {
        /// Why, in a line.
        message: String,
        /// More, as a stack trace.
        details: String,
    },
    /// It was not made.
    Skipped,
}

/// How bad a finding is, as SARIF names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// Better otherwise.
    Warning,
    /// Wrong.
    Error,
}

/// Something wrong at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The rule that it breaks.
    pub rule: String,
    /// How bad it is.
    pub level: Level,
    /// What is wrong.
    pub message: String,
    /// The file, relative to the root of the repository or the package.
    pub path: Option<String>,
    /// The line, from 1.
    pub line: Option<u64>,
}

impl Checks {
    /// How many checks there are, failed and were not made.
    pub fn count(&self) -> (usize, usize, usize) {
        let checks = || self.groups.iter().flat_map(|group| &group.checks);
        let failed = checks().filter(|check| matches!(check.outcome, Outcome::Failed { .. }));
        let skipped = checks().filter(|check| check.outcome == Outcome::Skipped);
        (checks().count(), failed.count(), skipped.count())
    }

    /// Whether no check failed and no finding is an error.
    pub fn passed(&self) -> bool {
        self.count().1 == 0 && !self.findings.iter().any(|finding| finding.level == Level::Error)
    }

    fn group(&mut self, name: &str) -> &mut Group {
        let at = match self.groups.iter().position(|group| group.name == name) {
            Some(at) => at,
            None => {
                self.groups.push(Group {
                    name: name.to_owned(),
                    checks: Vec::new(),
                });
                self.groups.len() - 1
            }
        };
        &mut self.groups[at]
    }
}

#[cfg(test)]
pub(crate) mod samples {
    use super::*;

    /// One of each.
    pub(crate) fn checks() -> Checks {
        let check = |name: &str, outcome| Check {
            name: name.to_owned(),
            milliseconds: 1500.0,
            outcome,
        };
        Checks {
            title: "Deployment to uat".to_owned(),
            groups: vec![Group {
                name: "BillingTest".to_owned(),
                checks: vec![
                    check("adds", Outcome::Passed),
                    check(
                        "rounds",
                        Outcome::Failed {
                            message: "expected <1> & got \"2\"\u{1}".to_owned(),
                            details: "Class.BillingTest.rounds: line 3 ]]> | end".to_owned(),
                        },
                    ),
                    check("later", Outcome::Skipped),
                ],
            }],
            findings: vec![Finding {
                rule: "deploy/CustomField".to_owned(),
                level: Level::Error,
                message: "Field `A|B` has\nno type".to_owned(),
                path: Some("objects/A b.object".to_owned()),
                line: Some(7),
            }],
            numbers: vec![("components".to_owned(), "12".to_owned())],
        }
    }
}
