//! Apex tests in an org.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use syncline_salesforce::metadata::Polling;
use syncline_salesforce::soql::{quote, quote_list};
use syncline_salesforce::{Connection, Error, Request};

use super::error::OrgError;
use super::query::{self, Place};

/// What became of the tests.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TestReport {
    /// The id of the run, `707…`.
    pub id: String,
    /// Each method that ran.
    pub methods: Vec<TestMethod>,
    /// Coverage of the whole org in percent, where the org tells.
    pub org_coverage: Option<u64>,
    /// Coverage of classes and triggers.
    pub coverage: Vec<Coverage>,
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
pub struct Coverage {
    /// The class or trigger.
    pub name: String,
    /// Lines that ran.
    pub covered: u64,
    /// Lines that did not.
    pub uncovered: u64,
}

impl TestReport {
    /// Methods that did not pass; skipped ones are none.
    pub fn failures(&self) -> impl Iterator<Item = &TestMethod> {
        self.methods
            .iter()
            .filter(|method| !matches!(method.outcome.as_str(), "Pass" | "Skip"))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Job {
    status: String,
    #[serde(default)]
    methods_completed: Option<u64>,
    #[serde(default)]
    methods_enqueued: Option<u64>,
}

const FINAL: [&str; 5] = ["Completed", "Failed", "Aborted", "Passed", "Skipped"];

/// Runs tests and waits: those of the classes, or all but those of packages. `progress` is told methods done and in all.
pub async fn run(
    connection: &Connection,
    classes: &[String],
    progress: &mut (dyn FnMut(u64, u64) + Send),
) -> Result<TestReport, OrgError> {
    let body = match classes {
        [] => json!({"testLevel": "RunLocalTests"}),
        classes => json!({
            "tests": class_ids(connection, classes).await?.iter().map(|id| json!({"classId": id})).collect::<Vec<_>>(),
            "testLevel": "RunSpecifiedTests",
        }),
    };
    let request = Request::post("run tests", "tooling/runTestsAsynchronous").json(&body)?;
    // The answer is nothing but the id, as a JSON string.
    let id: String = connection.send(request).await?.json()?;
    let quoted = quote(&id);
    let soql = format!(
        "SELECT Status, MethodsCompleted, MethodsEnqueued FROM ApexTestRunResult WHERE AsyncApexJobId = {quoted} LIMIT 1"
    );
    let ended = |rows: &Vec<Job>| {
        let Some(job) = rows.first() else {
            return false;
        };
        progress(job.methods_completed.unwrap_or(0), job.methods_enqueued.unwrap_or(0));
        FINAL.contains(&job.status.as_str())
    };
    let ask = || typed::<Job>(connection, &soql);
    connection
        .wait("wait for tests", Polling::default(), ask, ended)
        .await?;
    let methods = methods(connection, &quoted).await?;
    let (org_coverage, coverage) = coverage(connection).await?;
    Ok(TestReport {
        id,
        methods,
        org_coverage,
        coverage,
    })
}

async fn class_ids(connection: &Connection, classes: &[String]) -> Result<Vec<String>, OrgError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Class {
        id: String,
        name: String,
    }
    let names = quote_list(classes.iter().map(String::as_str));
    let soql = format!("SELECT Id, Name FROM ApexClass WHERE Name IN {names}");
    let found: Vec<Class> = typed(connection, &soql).await?;
    let found: BTreeMap<String, String> = found
        .into_iter()
        .map(|class| (class.name.to_lowercase(), class.id))
        .collect();
    classes
        .iter()
        .map(|name| {
            found
                .get(&name.to_lowercase())
                .cloned()
                .ok_or_else(|| OrgError::Argument {
                    what: format!("there is no class {name} in {}", connection.name()),
                    hint: "`syncline org query ORG 'SELECT Name FROM ApexClass' --tooling` lists them",
                })
        })
        .collect()
}

async fn methods(connection: &Connection, job: &str) -> Result<Vec<TestMethod>, OrgError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Row {
        apex_class: Option<Named>,
        method_name: String,
        outcome: String,
        run_time: Option<u64>,
        message: Option<String>,
        stack_trace: Option<String>,
    }
    let soql = format!(
        "SELECT ApexClass.Name, MethodName, Outcome, RunTime, Message, StackTrace FROM ApexTestResult WHERE AsyncApexJobId = {job}"
    );
    let rows: Vec<Row> = typed(connection, &soql).await?;
    let mut methods: Vec<TestMethod> = rows
        .into_iter()
        .map(|row| TestMethod {
            class: row.apex_class.map(|class| class.name).unwrap_or_default(),
            method: row.method_name,
            outcome: row.outcome,
            run_time: row.run_time,
            message: row.message,
            stack_trace: row.stack_trace,
        })
        .collect();
    methods.sort_by(|a, b| (&a.class, &a.method).cmp(&(&b.class, &b.method)));
    Ok(methods)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Named {
    name: String,
}

async fn coverage(connection: &Connection) -> Result<(Option<u64>, Vec<Coverage>), OrgError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Row {
        apex_class_or_trigger: Option<Named>,
        num_lines_covered: u64,
        num_lines_uncovered: u64,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Whole {
        percent_covered: u64,
    }
    let rows: Vec<Row> = typed(
        connection,
        "SELECT ApexClassOrTrigger.Name, NumLinesCovered, NumLinesUncovered FROM ApexCodeCoverageAggregate",
    )
    .await?;
    let whole: Vec<Whole> = typed(connection, "SELECT PercentCovered FROM ApexOrgWideCoverage").await?;
    let coverage = rows
        .into_iter()
        .map(|row| Coverage {
            name: row.apex_class_or_trigger.map(|named| named.name).unwrap_or_default(),
            covered: row.num_lines_covered,
            uncovered: row.num_lines_uncovered,
        })
        .collect();
    Ok((whole.into_iter().next().map(|row| row.percent_covered), coverage))
}

/// Rows of the Tooling API as values.
async fn typed<T: serde::de::DeserializeOwned>(
    connection: &Connection,
    soql: &str,
) -> syncline_salesforce::Result<Vec<T>> {
    let rows = query::rows(connection, soql, Place::Tooling, &mut |_, _| {}).await;
    let rows = rows.map_err(|error| match error {
        OrgError::Salesforce(error) => error,
        other => Error::Internal {
            what: other.to_string(),
        },
    })?;
    let rows = rows.records.into_iter().map(Value::Object).collect();
    serde_json::from_value(Value::Array(rows)).map_err(|error| Error::Unexpected {
        attempted: "read the rows of a query".to_owned(),
        what: error.to_string(),
    })
}
