//! Apex tests in an org.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use syncline_salesforce::metadata::polling;
use syncline_salesforce::tooling::{TestRun, TestsToRun};
use syncline_salesforce::{Connection, Id};

use super::error::OrgError;

/// What became of the tests.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TestReport {
    /// The id of the run, `707…`.
    pub id: String,
    /// Each method that ran.
    pub methods: Vec<TestMethod>,
    /// Coverage of the whole org in percent, where the org tells.
    pub org_coverage: Option<u32>,
    /// Coverage of classes and triggers.
    pub coverage: Vec<Covered>,
}

/// A test method that ran.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TestMethod {
    /// The class.
    pub class: String,
    /// The method.
    pub method: String,
    /// `Pass`, `Fail`, `CompileFail` or `Skip`.
    pub outcome: String,
    /// Milliseconds.
    pub run_time: Option<u64>,
    /// Why it failed.
    pub message: Option<String>,
    /// Where it failed.
    pub stack_trace: Option<String>,
}

/// How much of a class or trigger ran.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Covered {
    /// The class or trigger.
    pub name: String,
    /// Lines that ran.
    pub covered: u32,
    /// Lines that did not.
    pub uncovered: u32,
}

impl TestReport {
    /// Methods that did not pass; skipped ones are none.
    pub fn failures(&self) -> impl Iterator<Item = &TestMethod> {
        self.methods
            .iter()
            .filter(|method| !matches!(method.outcome.as_str(), "Pass" | "Skip"))
    }
}

/// Runs tests and waits: those of the classes, or all but those of packages. `progress` is told methods done.
pub async fn run(
    connection: &Connection,
    classes: &[String],
    progress: &mut (dyn FnMut(u64) + Send),
) -> Result<TestReport, OrgError> {
    let names = names(connection).await?;
    let tests = match classes {
        [] => TestsToRun::Local,
        classes => TestsToRun::Named(named(connection, classes, &names)?),
    };
    let job = connection.start_tests(&tests, false).await?;
    let ended = |run: &Option<TestRun>| {
        let Some(run) = run else {
            return false;
        };
        progress(run.methods_completed.map_or(0, u64::from));
        run.is_final()
    };
    connection
        .wait("wait for tests", polling(), || connection.test_run(&job), ended)
        .await?;
    let name = |id: &Id| names.get(id.as_str()).cloned().unwrap_or_else(|| id.to_string());
    let results = connection.test_results(&job).await?;
    let mut methods: Vec<TestMethod> = results
        .into_iter()
        .map(|result| TestMethod {
            class: name(&result.apex_class_id),
            method: result.method_name,
            outcome: format!("{:?}", result.outcome),
            run_time: result.run_time,
            message: result.message,
            stack_trace: result.stack_trace,
        })
        .collect();
    methods.sort_by(|a, b| (&a.class, &a.method).cmp(&(&b.class, &b.method)));
    let coverage = connection.coverage().await?;
    let mut coverage: Vec<Covered> = coverage
        .into_iter()
        .map(|row| Covered {
            name: name(&row.apex_class_or_trigger_id),
            covered: row.num_lines_covered,
            uncovered: row.num_lines_uncovered,
        })
        .collect();
    coverage.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(TestReport {
        id: job.to_string(),
        methods,
        org_coverage: connection.org_coverage().await?,
        coverage,
    })
}

/// Names of classes and triggers by id.
async fn names(connection: &Connection) -> Result<BTreeMap<String, String>, OrgError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Row {
        id: Id,
        name: String,
    }
    let mut names = BTreeMap::new();
    for object in ["ApexClass", "ApexTrigger"] {
        let soql = format!("SELECT Id, Name FROM {object}");
        let rows: Vec<Row> = connection.tooling_query(&soql).rows().await?;
        names.extend(rows.into_iter().map(|row| (row.id.to_string(), row.name)));
    }
    Ok(names)
}

fn named(
    connection: &Connection,
    classes: &[String],
    names: &BTreeMap<String, String>,
) -> Result<Vec<(Id, Vec<String>)>, OrgError> {
    classes
        .iter()
        .map(|class| {
            let found = names.iter().find(|(_, name)| name.eq_ignore_ascii_case(class));
            let (id, _) = found.ok_or_else(|| OrgError::Argument {
                what: format!("there is no class {class} in {}", connection.name()),
                hint: "`syncline org query ORG 'SELECT Name FROM ApexClass' --tooling` lists them",
            })?;
            Ok((id.parse()?, Vec::new()))
        })
        .collect()
}
