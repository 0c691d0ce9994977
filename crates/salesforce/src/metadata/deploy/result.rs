//! What became of a deployment (Metadata API Developer Guide, "DeployResult").

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

/// Where a deployment stands.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum DeployStatus {
    /// It waits for others.
    #[default]
    Pending,
    /// It runs.
    InProgress,
    /// Components are deployed, and the org completes them.
    Finalizing,
    /// The org could not complete it.
    FinalizingFailed,
    /// Done.
    Succeeded,
    /// Done, but for some components.
    SucceededPartial,
    /// Failed.
    Failed,
    /// It is being cancelled.
    Canceling,
    /// Cancelled.
    Canceled,
    /// A status of a later version: neither good nor bad, waiting tells.
    Other(String),
}

const STATUSES: [(&str, DeployStatus); 9] = [
    ("Pending", DeployStatus::Pending),
    ("InProgress", DeployStatus::InProgress),
    ("Finalizing", DeployStatus::Finalizing),
    ("FinalizingFailed", DeployStatus::FinalizingFailed),
    ("Succeeded", DeployStatus::Succeeded),
    ("SucceededPartial", DeployStatus::SucceededPartial),
    ("Failed", DeployStatus::Failed),
    ("Canceling", DeployStatus::Canceling),
    ("Canceled", DeployStatus::Canceled),
];

impl From<String> for DeployStatus {
    fn from(text: String) -> Self {
        let known = STATUSES.iter().find(|(name, _)| *name == text);
        known.map_or(Self::Other(text), |(_, status)| status.clone())
    }
}

impl From<DeployStatus> for String {
    fn from(status: DeployStatus) -> Self {
        status.to_string()
    }
}

impl fmt::Display for DeployStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = STATUSES.iter().find(|(_, status)| status == self);
        match (known, self) {
            (Some((name, _)), _) => f.write_str(name),
            (None, Self::Other(text)) => f.write_str(text),
            (None, _) => f.write_str("unknown"),
        }
    }
}

impl DeployStatus {
    /// Whether it stays so.
    pub fn is_final(&self) -> bool {
        matches!(
            self,
            Self::FinalizingFailed | Self::Succeeded | Self::SucceededPartial | Self::Failed | Self::Canceled
        )
    }
}

/// A deployment's result, of REST and SOAP.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct DeployResult {
    /// `0Af…`
    pub id: String,
    /// Where it stands.
    pub status: DeployStatus,
    /// Whether it succeeded.
    pub success: bool,
    /// Whether it is done.
    pub done: bool,
    /// Whether it was only tried.
    pub check_only: bool,
    /// What it does now.
    pub state_detail: Option<String>,
    /// Who deployed.
    pub created_by_name: Option<String>,
    /// When it was asked for.
    pub created_date: Option<String>,
    /// When it began.
    pub start_date: Option<String>,
    /// When it ended.
    pub completed_date: Option<String>,
    /// Who cancelled it.
    pub canceled_by_name: Option<String>,
    /// Components in all.
    pub number_components_total: u64,
    /// Components deployed.
    pub number_components_deployed: u64,
    /// Components that failed.
    pub number_component_errors: u64,
    /// Test methods in all.
    pub number_tests_total: u64,
    /// Test methods run.
    pub number_tests_completed: u64,
    /// Test methods that failed.
    pub number_test_errors: u64,
    /// Files in the zip.
    pub number_files: Option<u64>,
    /// Bytes of the zip.
    pub zip_size: Option<u64>,
    /// Why it failed as a whole.
    pub error_message: Option<String>,
    /// The code of that.
    pub error_status_code: Option<String>,
    /// Components and tests one by one.
    #[serde(deserialize_with = "or_default")]
    pub details: DeployDetails,
    /// What the org tells beside it; version 67 and later.
    #[serde(deserialize_with = "or_default")]
    pub notifications: Vec<DeployNotification>,
    /// What extensions do with it; version 67 and later.
    #[serde(deserialize_with = "or_default")]
    pub deploy_extension_results: Vec<DeployExtension>,
}

/// `null` is what is missing.
fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(deserializer: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// Components and tests one by one.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct DeployDetails {
    /// Deployed components, package.xml among them.
    #[serde(deserialize_with = "or_default")]
    pub component_successes: Vec<DeployMessage>,
    /// Components that failed; one component may stand here several times.
    #[serde(deserialize_with = "or_default")]
    pub component_failures: Vec<DeployMessage>,
    /// What the tests did.
    #[serde(deserialize_with = "or_default")]
    pub run_test_result: TestRun,
}

/// What became of a component.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct DeployMessage {
    /// The type; none for package.xml.
    pub component_type: Option<String>,
    /// The full name.
    pub full_name: String,
    /// The path in the zip.
    pub file_name: Option<String>,
    /// Whether it succeeded.
    pub success: bool,
    /// Whether it changed.
    pub changed: bool,
    /// Whether it is new.
    pub created: bool,
    /// Whether it was deleted.
    pub deleted: bool,
    /// What is wrong with it.
    pub problem: Option<String>,
    /// `Warning`, `Error` or `Info`.
    pub problem_type: Option<String>,
    /// The line of the problem.
    pub line_number: Option<u64>,
    /// The column of the problem.
    pub column_number: Option<u64>,
}

/// What the Apex tests of a deployment did.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TestRun {
    /// Methods run.
    pub num_tests_run: u64,
    /// Methods that failed.
    pub num_failures: u64,
    /// Milliseconds in all.
    pub total_time: f64,
    /// Methods that passed.
    #[serde(deserialize_with = "or_default")]
    pub successes: Vec<TestSuccess>,
    /// Methods that failed.
    #[serde(deserialize_with = "or_default")]
    pub failures: Vec<TestFailure>,
    /// Coverage of each class and trigger.
    #[serde(deserialize_with = "or_default")]
    pub code_coverage: Vec<CodeCoverage>,
    /// Why the coverage does not do. These fail a deployment whose counters all are zero.
    #[serde(deserialize_with = "or_default")]
    pub code_coverage_warnings: Vec<CoverageWarning>,
    /// The same of flows.
    #[serde(deserialize_with = "or_default")]
    pub flow_coverage_warnings: Vec<FlowCoverageWarning>,
}

/// A test method that passed.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TestSuccess {
    /// The class.
    pub name: String,
    /// The method.
    pub method_name: String,
    /// Milliseconds.
    pub time: f64,
}

/// A test method that failed.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TestFailure {
    /// The class.
    pub name: String,
    /// The method.
    pub method_name: Option<String>,
    /// The text.
    pub message: String,
    /// Where it happened.
    pub stack_trace: Option<String>,
    /// Milliseconds.
    pub time: f64,
}

/// How much of a class or trigger the tests ran.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct CodeCoverage {
    /// The class or trigger.
    pub name: String,
    /// Lines that count.
    pub num_locations: u64,
    /// Those that did not run.
    pub num_locations_not_covered: u64,
}

/// Coverage that does not do.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct CoverageWarning {
    /// The class or trigger; none for the org as a whole.
    pub name: Option<String>,
    /// The text.
    pub message: String,
}

/// Coverage of a flow that does not do.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct FlowCoverageWarning {
    /// The flow; none for the org as a whole.
    pub flow_name: Option<String>,
    /// The text.
    pub message: String,
}

/// Something the org tells beside a deployment.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct DeployNotification {
    /// A code.
    pub message_code: String,
    /// The text.
    pub message_text: String,
}

/// What an extension does with a deployment.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct DeployExtension {
    /// Which extension.
    #[serde(rename = "type")]
    pub type_name: String,
    /// `New`, `InProgress`, `Succeeded` or `Failed`.
    pub status: String,
    /// The text.
    pub message: Option<String>,
}

impl DeployResult {
    /// Whether nothing more will happen: a final status, or `done` with a status that we do not know.
    pub fn is_final(&self) -> bool {
        self.status.is_final() || (self.done && matches!(self.status, DeployStatus::Other(_)))
    }

    /// Whether everything was deployed, or would be.
    pub fn succeeded(&self) -> bool {
        self.status == DeployStatus::Succeeded || (matches!(self.status, DeployStatus::Other(_)) && self.success)
    }

    /// Every reason why it did not succeed, in words; empty when it did. A failed deployment has at least one.
    pub fn problems(&self) -> Vec<String> {
        if self.succeeded() {
            return Vec::new();
        }
        let tests = &self.details.run_test_result;
        let mut problems: Vec<String> = self.error_message.iter().cloned().collect();
        problems.extend(self.details.component_failures.iter().map(ToString::to_string));
        // With `ignoreWarnings` off a warning of a success fails it.
        let warned = |message: &&DeployMessage| message.problem_type.as_deref() == Some("Warning");
        if problems.is_empty() {
            problems.extend(
                self.details
                    .component_successes
                    .iter()
                    .filter(warned)
                    .map(ToString::to_string),
            );
        }
        problems.extend(tests.failures.iter().map(ToString::to_string));
        problems.extend(tests.code_coverage_warnings.iter().map(|warning| {
            match warning.name.as_deref().filter(|name| !name.is_empty()) {
                Some(name) => format!("{name}: {}", warning.message),
                None => warning.message.clone(),
            }
        }));
        problems.extend(
            tests
                .flow_coverage_warnings
                .iter()
                .map(|warning| match warning.flow_name.as_deref() {
                    Some(name) => format!("{name}: {}", warning.message),
                    None => warning.message.clone(),
                }),
        );
        problems.extend(
            self.deploy_extension_results
                .iter()
                .filter(|extension| extension.status == "Failed")
                .map(|extension| {
                    let message = extension.message.as_deref().unwrap_or("failed");
                    format!("extension {}: {message}", extension.type_name)
                }),
        );
        if problems.is_empty() {
            problems.push(match (&self.status, &self.canceled_by_name) {
                (DeployStatus::Canceled, Some(name)) => format!("cancelled by {name}"),
                (DeployStatus::Canceled, None) => "cancelled".to_owned(),
                (status, _) => match self.state_detail.as_deref() {
                    Some(detail) => format!("it ended as {status}: {detail}"),
                    None => format!("it ended as {status}, and the org does not say why"),
                },
            });
        }
        problems
    }
}

impl fmt::Display for DeployMessage {
    /// `ApexClass Foo (classes/Foo.cls:3:7): text`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(kind) = self.component_type.as_deref().filter(|kind| !kind.is_empty()) {
            write!(f, "{kind} ")?;
        }
        f.write_str(&self.full_name)?;
        if let Some(file) = self.file_name.as_deref().filter(|file| !file.is_empty()) {
            write!(f, " ({file}")?;
            for number in [self.line_number, self.column_number].into_iter().flatten() {
                write!(f, ":{number}")?;
            }
            f.write_str(")")?;
        }
        write!(f, ": {}", self.problem.as_deref().unwrap_or("failed"))
    }
}

impl fmt::Display for TestFailure {
    /// `Test.method: text`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        if let Some(method) = &self.method_name {
            write!(f, ".{method}")?;
        }
        write!(f, ": {}", self.message)
    }
}

#[cfg(test)]
#[path = "result_tests.rs"]
mod tests;
