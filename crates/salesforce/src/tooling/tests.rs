//! Running Apex tests.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::connection::Connection;
use crate::error::{Error, Result};
use crate::id::Id;
use crate::poll::Poll;
use crate::request::Request;
use crate::soql::quote;

/// Which tests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TestsToRun {
    /// All that are not of packages.
    Local,
    /// All.
    All,
    /// Classes, and of each some methods; none named means all.
    Named(Vec<(Id, Vec<String>)>),
}

/// A run of tests.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct TestRun {
    /// Its job.
    pub async_apex_job_id: Id,
    /// `Queued`, `Preparing`, `Processing`, `Aborted`, `Completed`, `Failed`, `Passed` or `Skipped`.
    pub status: String,
    /// Classes to run.
    pub classes_enqueued: Option<u32>,
    /// Classes that ran.
    pub classes_completed: Option<u32>,
    /// Methods that ran.
    pub methods_completed: Option<u32>,
    /// Methods that failed.
    pub methods_failed: Option<u32>,
}

impl TestRun {
    /// Whether nothing runs any more.
    pub fn is_final(&self) -> bool {
        ["Aborted", "Completed", "Failed", "Passed", "Skipped"].contains(&self.status.as_str())
    }
}

/// How a test method ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum TestOutcome {
    /// It passed.
    Pass,
    /// It failed.
    Fail,
    /// It did not compile.
    CompileFail,
    /// It did not run.
    Skip,
}

/// The result of a test method.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct TestResult {
    /// The class.
    pub apex_class_id: Id,
    /// The method.
    pub method_name: String,
    /// How it ended.
    pub outcome: TestOutcome,
    /// Why it failed.
    pub message: Option<String>,
    /// Where it failed.
    pub stack_trace: Option<String>,
    /// Milliseconds.
    pub run_time: Option<u64>,
}

/// The answer of a run that was waited for in one request.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SyncTests {
    /// Tests that ran.
    pub num_tests_run: u32,
    /// Tests that failed.
    pub num_failures: u32,
    /// The failures.
    #[serde(default)]
    pub failures: Vec<SyncFailure>,
    /// Milliseconds.
    pub total_time: f64,
    /// What Salesforce says about coverage that is too low.
    #[serde(default)]
    pub code_coverage_warnings: Vec<Value>,
}

/// A failed test.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SyncFailure {
    /// The class.
    pub name: String,
    /// The method.
    pub method_name: String,
    /// Why.
    pub message: Option<String>,
    /// Where.
    pub stack_trace: Option<String>,
}

impl TestsToRun {
    fn body(&self, skip_coverage: bool) -> Value {
        match self {
            Self::Local => json!({"testLevel": "RunLocalTests", "skipCodeCoverage": skip_coverage}),
            Self::All => json!({"testLevel": "RunAllTestsInOrg", "skipCodeCoverage": skip_coverage}),
            Self::Named(classes) => {
                let tests: Vec<Value> = classes
                    .iter()
                    .map(|(class, methods)| {
                        let mut test = json!({"classId": class});
                        if !methods.is_empty() {
                            test["testMethods"] = json!(methods);
                        }
                        test
                    })
                    .collect();
                json!({"tests": tests, "testLevel": "RunSpecifiedTests", "skipCodeCoverage": skip_coverage})
            }
        }
    }
}

impl Connection {
    /// Starts tests and gives the id of their job.
    ///
    /// # Errors
    /// `unknown_outcome` when no answer came: look with [`Connection::test_run`] or in the org before it is started again.
    pub async fn start_tests(&self, tests: &TestsToRun, skip_coverage: bool) -> Result<Id> {
        let request = Request::post("start tests", "tooling/runTestsAsynchronous");
        self.send(request.json(&tests.body(skip_coverage))?).await?.json()
    }

    /// Runs the tests of one class and waits for them in one request.
    pub async fn run_class_tests(&self, class: &Id, methods: &[String]) -> Result<SyncTests> {
        let tests = TestsToRun::Named(vec![(class.clone(), methods.to_vec())]);
        let mut body = tests.body(false);
        // One class only is run this way, and there is no level.
        if let Some(members) = body.as_object_mut() {
            members.shift_remove("testLevel");
        }
        let request = Request::post("run the tests of a class", "tooling/runTestsSynchronous");
        self.send(request.json(&body)?).await?.json()
    }

    /// Where a run stands; `None` before Salesforce made its row.
    pub async fn test_run(&self, job: &Id) -> Result<Option<TestRun>> {
        let fields = "AsyncApexJobId, Status, ClassesEnqueued, ClassesCompleted, MethodsCompleted, MethodsFailed";
        let of = quote(job.as_str());
        let soql = format!("SELECT {fields} FROM ApexTestRunResult WHERE AsyncApexJobId = {of}");
        let rows: Vec<TestRun> = self.tooling_query(&soql).rows().await?;
        Ok(rows.into_iter().next())
    }

    /// Waits until a run ends.
    pub async fn wait_for_tests(&self, job: &Id, poll: &Poll) -> Result<TestRun> {
        let mut waiting = poll.begin(self.clock(), format!("wait for the tests of job {job}"));
        loop {
            if let Some(run) = self.test_run(job).await?.filter(TestRun::is_final) {
                return Ok(run);
            }
            waiting.wait().await?;
        }
    }

    /// The results of a run, by method.
    pub async fn test_results(&self, job: &Id) -> Result<Vec<TestResult>> {
        let fields = "ApexClassId, MethodName, Outcome, Message, StackTrace, RunTime";
        let of = quote(job.as_str());
        let soql = format!("SELECT {fields} FROM ApexTestResult WHERE AsyncApexJobId = {of}");
        self.tooling_query(&soql).rows().await
    }

    /// Ends a run: what did not begin yet is aborted.
    pub async fn abort_tests(&self, job: &Id) -> Result<()> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Queued {
            id: Id,
        }
        let of = quote(job.as_str());
        let soql = format!(
            "SELECT Id FROM ApexTestQueueItem WHERE ParentJobId = {of} AND Status IN ('Holding','Queued','Preparing')"
        );
        let items: Vec<Queued> = self.tooling_query(&soql).rows().await?;
        for item in items {
            let fields = crate::rest::Record::from_iter([("Status".to_owned(), json!("Aborted"))]);
            match self.tooling_update("ApexTestQueueItem", &item.id, &fields).await {
                // It began or ended in the meantime.
                Err(Error::Answered { .. }) => {}
                other => other?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn what_is_asked_for() {
        let class: Id = "01pD000000IRt53".parse().unwrap();
        let named = TestsToRun::Named(vec![(class.clone(), vec!["a".to_owned()]), (class.clone(), Vec::new())]);
        let expected = json!({
            "tests": [{"classId": class, "testMethods": ["a"]}, {"classId": class}],
            "testLevel": "RunSpecifiedTests", "skipCodeCoverage": true,
        });
        assert_eq!(named.body(true), expected);
    }
}
