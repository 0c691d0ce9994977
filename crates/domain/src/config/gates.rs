//! What must hold before something is deployed.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::policy::Role;
use crate::time::Duration;

/// The gates of a way, where every rule is settled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Gates {
    /// The package is validated check-only first.
    pub validate: bool,
    /// The Apex tests that run with it.
    pub tests: Option<TestLevel>,
    /// Least coverage of the package's Apex in percent.
    pub coverage: Option<u8>,
    /// How many people of which role agree.
    pub approvals: BTreeMap<Role, u32>,
    /// How long the change has been in the environment below.
    pub soak: Option<Duration>,
    /// Static analysis.
    pub analysis: Option<Analysis>,
    /// Scripted functional tests.
    pub functional: Vec<Functional>,
    /// What a person must attach.
    pub evidence: Vec<String>,
}

impl Default for Gates {
    fn default() -> Self {
        Self {
            validate: true,
            tests: None,
            coverage: None,
            approvals: BTreeMap::new(),
            soak: None,
            analysis: None,
            functional: Vec::new(),
            evidence: Vec::new(),
        }
    }
}

/// A table of gates as it is written: what it does not say, the one above it says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct GateRules {
    /// See [`Gates::validate`].
    pub validate: Option<bool>,
    /// See [`Gates::tests`].
    pub tests: Option<TestLevel>,
    /// See [`Gates::coverage`].
    pub coverage: Option<Percent>,
    /// See [`Gates::approvals`].
    pub approvals: Option<BTreeMap<Role, u32>>,
    /// See [`Gates::soak`].
    pub soak: Option<Duration>,
    /// See [`Gates::analysis`].
    pub analysis: Option<Analysis>,
    /// See [`Gates::functional`].
    pub functional: Option<Vec<Functional>>,
    /// See [`Gates::evidence`].
    pub evidence: Option<Vec<String>>,
}

impl GateRules {
    /// These rules over others: each key that is given here counts.
    pub fn over(&self, gates: &Gates) -> Gates {
        Gates {
            validate: self.validate.unwrap_or(gates.validate),
            tests: self.tests.clone().or_else(|| gates.tests.clone()),
            coverage: self.coverage.map(|percent| percent.0).or(gates.coverage),
            approvals: self.approvals.clone().unwrap_or_else(|| gates.approvals.clone()),
            soak: self.soak.or(gates.soak),
            analysis: self.analysis.clone().or_else(|| gates.analysis.clone()),
            functional: self.functional.clone().unwrap_or_else(|| gates.functional.clone()),
            evidence: self.evidence.clone().unwrap_or_else(|| gates.evidence.clone()),
        }
    }
}

/// A whole number from 0 to 100.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "i64")]
pub struct Percent(pub u8);

impl TryFrom<i64> for Percent {
    type Error = String;

    fn try_from(number: i64) -> Result<Self, Self::Error> {
        u8::try_from(number)
            .ok()
            .filter(|percent| *percent <= 100)
            .map(Self)
            .ok_or_else(|| format!("{number} is no percentage; write a whole number from 0 to 100"))
    }
}

/// Which Apex tests a deployment runs. In files one of the platform's names, or a list of test classes.
/// Source: Metadata API guide, `DeployOptions.testLevel`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "TestsText", into = "TestsText")]
pub enum TestLevel {
    /// None; production refuses that where the package has Apex.
    NoTestRun,
    /// All but those of installed packages.
    RunLocalTests,
    /// All.
    RunAllTestsInOrg,
    /// Those that the org finds to matter.
    RunRelevantTests,
    /// These classes: `RunSpecifiedTests`.
    RunSpecifiedTests(Vec<String>),
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum TestsText {
    Name(String),
    Classes(Vec<String>),
}

impl TestLevel {
    /// The platform's name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::NoTestRun => "NoTestRun",
            Self::RunLocalTests => "RunLocalTests",
            Self::RunAllTestsInOrg => "RunAllTestsInOrg",
            Self::RunRelevantTests => "RunRelevantTests",
            Self::RunSpecifiedTests(_) => "RunSpecifiedTests",
        }
    }
}

impl fmt::Display for TestLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        match self {
            Self::RunSpecifiedTests(classes) => write!(f, " {}", classes.join(", ")),
            _ => Ok(()),
        }
    }
}

impl TryFrom<TestsText> for TestLevel {
    type Error = String;

    fn try_from(text: TestsText) -> Result<Self, Self::Error> {
        let named = [
            Self::NoTestRun,
            Self::RunLocalTests,
            Self::RunAllTestsInOrg,
            Self::RunRelevantTests,
        ];
        match text {
            TestsText::Classes(classes) if !classes.is_empty() => Ok(Self::RunSpecifiedTests(classes)),
            TestsText::Classes(_) => Err("the list of test classes is empty; write `NoTestRun`, or name classes".to_owned()),
            TestsText::Name(name) => named.into_iter().find(|level| level.name() == name).ok_or_else(|| {
                format!(
                    "`{name}` is no test level; write `NoTestRun`, `RunLocalTests`, `RunAllTestsInOrg`, `RunRelevantTests` or a list of test classes"
                )
            }),
        }
    }
}

impl From<TestLevel> for TestsText {
    fn from(level: TestLevel) -> Self {
        match level {
            TestLevel::RunSpecifiedTests(classes) => Self::Classes(classes),
            level => Self::Name(level.name().to_owned()),
        }
    }
}

/// A program that looks at the package and writes SARIF.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all(deserialize = "kebab-case"))]
pub struct Analysis {
    /// The program and its arguments.
    pub command: Command,
    /// The file that it writes, from the folder that it runs in.
    pub sarif: String,
    /// The least severity of a finding that closes the gate.
    #[serde(default)]
    pub fail_on: Severity,
    /// How long it may run.
    #[serde(default = "ten_minutes")]
    pub timeout: Duration,
}

/// The levels of SARIF 2.1.0, section 3.27.10, without `none`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// A remark.
    Note,
    /// A problem.
    Warning,
    /// A serious problem.
    #[default]
    Error,
}

/// A scripted test: it passes when the program ends with 0.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Functional {
    /// How people call it.
    pub name: String,
    /// The program and its arguments.
    pub command: Command,
    /// How long it may run.
    #[serde(default = "ten_minutes")]
    pub timeout: Duration,
}

/// A program and its arguments; never empty, and never read by a shell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<String>", into = "Vec<String>")]
pub struct Command(Vec<String>);

impl Command {
    /// The program.
    pub fn program(&self) -> &str {
        &self.0[0]
    }

    /// What it is given.
    pub fn arguments(&self) -> &[String] {
        &self.0[1..]
    }
}

impl TryFrom<Vec<String>> for Command {
    type Error = &'static str;

    fn try_from(words: Vec<String>) -> Result<Self, Self::Error> {
        match words.first() {
            Some(program) if !program.is_empty() => Ok(Self(words)),
            _ => Err("a command needs a program; write a list such as `[\"./smoke.sh\", \"--quick\"]`"),
        }
    }
}

impl From<Command> for Vec<String> {
    fn from(command: Command) -> Self {
        command.0
    }
}

fn ten_minutes() -> Duration {
    Duration::from_millis(600_000)
}
