//! Apex tests of a deployment: which run, and whether they and their coverage suffice.

use super::is_production;
use super::options::Options;
use crate::error::ApiError;
use crate::http::Call;
use crate::metadata::apex::{self, Coverage, Outcome};
use crate::metadata::store::Item;
use serde_json::{Map, Value, json};

/// Percent that tests must cover.
const REQUIRED: f64 = 75.0;

/// Which tests run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    None,
    Specified,
    Relevant,
    Local,
    All,
}

/// What the tests of a deployment gave.
#[derive(Debug, Default)]
pub(super) struct Tested {
    /// Tests were asked for and ran.
    pub ran: bool,
    /// Each method.
    pub outcomes: Vec<Outcome>,
    /// Coverage of classes and triggers.
    pub coverage: Vec<Coverage>,
    /// Too little coverage: name of the class, if it is one, and text.
    pub warnings: Vec<(Option<Coverage>, String)>,
    /// A test class that is not there.
    pub missing: Vec<String>,
}

impl Tested {
    /// Methods that failed, and classes that are not there.
    pub(super) fn failures(&self) -> usize {
        self.outcomes.iter().filter(|outcome| outcome.is_failure()).count() + self.missing.len()
    }

    /// Whether the deployment fails for it.
    pub(super) fn failed(&self) -> bool {
        self.failures() > 0 || !self.warnings.is_empty()
    }

    /// A `RunTestsResult`. Source: Metadata API Developer Guide, RunTestsResult.
    pub(super) fn json(&self) -> Value {
        let mut out = Map::new();
        if !self.coverage.is_empty() {
            out.insert(
                "codeCoverage".to_owned(),
                self.coverage.iter().map(Coverage::json).collect(),
            );
        }
        let warnings: Vec<Value> = self
            .warnings
            .iter()
            .map(|(coverage, message)| {
                let mut warning = Map::new();
                if let Some(coverage) = coverage {
                    warning.insert("id".to_owned(), json!(coverage.record_id));
                }
                warning.insert("message".to_owned(), json!(message));
                if let Some(coverage) = coverage {
                    warning.insert("name".to_owned(), json!(coverage.name));
                }
                Value::Object(warning)
            })
            .collect();
        if !warnings.is_empty() {
            out.insert("codeCoverageWarnings".to_owned(), json!(warnings));
        }
        let (failed, passed): (Vec<&Outcome>, Vec<&Outcome>) =
            self.outcomes.iter().partition(|outcome| outcome.is_failure());
        let mut failures: Vec<Value> = failed.iter().map(|outcome| outcome.json()).collect();
        failures.extend(self.missing.iter().map(|name| {
            json!({ "message": format!("The class {name} named in runTests does not exist"), "methodName": null, "name": name, "packageName": name, "time": 0, "type": "Class" })
        }));
        if !failures.is_empty() {
            out.insert("failures".to_owned(), json!(failures));
        }
        out.insert("numFailures".to_owned(), json!(self.failures()));
        out.insert("numTestsRun".to_owned(), json!(self.outcomes.len()));
        if !passed.is_empty() {
            out.insert(
                "successes".to_owned(),
                passed.iter().map(|outcome| outcome.json()).collect(),
            );
        }
        let time: u32 = self.outcomes.iter().map(|outcome| outcome.time).sum();
        out.insert("totalTime".to_owned(), json!(f64::from(time)));
        Value::Object(out)
    }
}

fn is_apex(item: &Item) -> bool {
    matches!(&*item.id.type_name, "ApexClass" | "ApexTrigger")
}

/// The level of a deployment. Production runs the local tests when the package has Apex.
pub(super) fn level(call: &Call<'_>, options: &Options, items: &[Item]) -> Result<Level, ApiError> {
    let apex = items.iter().any(is_apex);
    let production = is_production(call);
    Ok(match options.test_level.as_deref() {
        Some("NoTestRun") if production && apex => {
            return Err(ApiError::new(
                "INVALID_OPERATION",
                "testLevel of NoTestRun cannot be used in production organizations",
            ));
        }
        Some("NoTestRun") => Level::None,
        Some("RunSpecifiedTests") => Level::Specified,
        Some("RunLocalTests") => Level::Local,
        Some("RunAllTestsInOrg") => Level::All,
        Some("RunRelevantTests") => Level::Relevant,
        _ if options.run_all_tests => Level::All,
        _ if !options.run_tests.is_empty() => Level::Specified,
        _ if production && apex => Level::Local,
        _ => Level::None,
    })
}

/// Runs the tests of a level after the components of the package are in.
pub(super) fn run(call: &Call<'_>, level: Level, named: &[String], items: &[Item]) -> Result<Tested, ApiError> {
    if level == Level::None {
        return Ok(Tested::default());
    }
    let all = apex::test_classes(call)?;
    let in_package = |name: &str| {
        items
            .iter()
            .any(|item| is_apex(item) && item.id.full_name.eq_ignore_ascii_case(name))
    };
    let wanted: Vec<&apex::TestClass> = match level {
        Level::None => Vec::new(),
        Level::All => all.iter().collect(),
        Level::Local => all.iter().filter(|class| class.namespace.is_none()).collect(),
        Level::Specified => all
            .iter()
            .filter(|class| named.iter().any(|name| name.eq_ignore_ascii_case(&class.name)))
            .collect(),
        Level::Relevant => all
            .iter()
            .filter(|class| {
                in_package(&class.name)
                    || items
                        .iter()
                        .any(|item| is_apex(item) && class.body.contains(&*item.id.full_name))
            })
            .collect(),
    };
    let mut tested = Tested {
        ran: true,
        coverage: apex::coverage(call)?,
        ..Tested::default()
    };
    if level == Level::Specified {
        tested.missing = named
            .iter()
            .filter(|name| !all.iter().any(|class| class.name.eq_ignore_ascii_case(name)))
            .cloned()
            .collect();
    }
    for class in wanted {
        tested.outcomes.extend(apex::run_class(call, class, &[]));
    }
    let each = matches!(level, Level::Specified | Level::Relevant);
    if each {
        tested.coverage.retain(|coverage| in_package(&coverage.name));
    }
    tested.warnings = if each {
        each_short(&tested.coverage)
    } else {
        org_short(&tested.coverage)
    };
    Ok(tested)
}

/// Each class and trigger of the package needs its share.
fn each_short(coverage: &[Coverage]) -> Vec<(Option<Coverage>, String)> {
    coverage
        .iter()
        .filter(|one| one.percent() < REQUIRED)
        .map(|one| {
            let kind = if one.trigger { "Apex Trigger" } else { "Apex Class" };
            let percent = (one.percent() * 1000.0).round() / 1000.0;
            let text =
                format!("Test coverage of selected {kind} is {percent}%, at least 75% test coverage is required");
            (Some(one.clone()), text)
        })
        .collect()
}

/// The org as a whole needs its share, and each trigger some.
fn org_short(coverage: &[Coverage]) -> Vec<(Option<Coverage>, String)> {
    let mut warnings = Vec::new();
    let percent = apex::average(coverage);
    if percent < REQUIRED {
        let text = format!(
            "Average test coverage across all Apex Classes and Triggers is {}%, at least 75% test coverage is required.",
            percent.floor()
        );
        warnings.push((None, text));
    }
    for one in coverage
        .iter()
        .filter(|one| one.trigger && one.lines > 0 && one.covered == 0)
    {
        let text = "Test coverage of selected Apex Trigger is 0%, at least 1% test coverage is required".to_owned();
        warnings.push((Some(one.clone()), text));
    }
    warnings
}
