//! What a deployment may do (Metadata API Developer Guide, "DeployOptions").

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::super::tag;

/// Which Apex tests run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum TestLevel {
    /// None.
    NoTestRun,
    /// Those that are named.
    RunSpecifiedTests,
    /// All but those of installed packages.
    RunLocalTests,
    /// All.
    RunAllTestsInOrg,
    /// Those that the org finds to matter; version 66 and later.
    RunRelevantTests,
}

impl TestLevel {
    /// All levels.
    pub const ALL: [Self; 5] = [
        Self::NoTestRun,
        Self::RunSpecifiedTests,
        Self::RunLocalTests,
        Self::RunAllTestsInOrg,
        Self::RunRelevantTests,
    ];

    /// The name in the API.
    pub fn name(self) -> &'static str {
        match self {
            Self::NoTestRun => "NoTestRun",
            Self::RunSpecifiedTests => "RunSpecifiedTests",
            Self::RunLocalTests => "RunLocalTests",
            Self::RunAllTestsInOrg => "RunAllTestsInOrg",
            Self::RunRelevantTests => "RunRelevantTests",
        }
    }
}

impl fmt::Display for TestLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for TestLevel {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL
            .into_iter()
            .find(|level| level.name().eq_ignore_ascii_case(text));
        found.ok_or_else(|| {
            let names: Vec<&str> = Self::ALL.iter().map(|level| level.name()).collect();
            format!("`{text}` is no test level; they are {}", names.join(", "))
        })
    }
}

/// The options of a deployment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeployOptions {
    /// Files that package.xml names may be missing.
    pub allow_missing_files: bool,
    /// Files that package.xml does not name are deployed too.
    pub auto_update_package: bool,
    /// Only try; change nothing.
    pub check_only: bool,
    /// Warnings do not fail the deployment.
    pub ignore_warnings: bool,
    /// Retrieve afterwards what was deployed.
    pub perform_retrieve: bool,
    /// Deleted components do not go to the recycle bin; not in production.
    pub purge_on_delete: bool,
    /// All or nothing; production knows only that.
    pub rollback_on_error: bool,
    /// Names of test classes, for [`TestLevel::RunSpecifiedTests`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub run_tests: Vec<String>,
    /// package.xml stands at the top of the zip.
    pub single_package: bool,
    /// Which tests run; without it the org decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_level: Option<TestLevel>,
}

impl Default for DeployOptions {
    /// All or nothing, warnings do not fail it, package.xml at the top.
    fn default() -> Self {
        Self {
            allow_missing_files: false,
            auto_update_package: false,
            check_only: false,
            ignore_warnings: true,
            perform_retrieve: false,
            purge_on_delete: false,
            rollback_on_error: true,
            run_tests: Vec::new(),
            single_package: true,
            test_level: None,
        }
    }
}

impl DeployOptions {
    /// The XML of the SOAP call, in the order of the WSDL.
    pub(super) fn xml(&self) -> String {
        let mut xml = String::from("<DeployOptions>");
        for (name, value) in [
            ("allowMissingFiles", self.allow_missing_files),
            ("autoUpdatePackage", self.auto_update_package),
            ("checkOnly", self.check_only),
            ("ignoreWarnings", self.ignore_warnings),
            ("performRetrieve", self.perform_retrieve),
            ("purgeOnDelete", self.purge_on_delete),
            ("rollbackOnError", self.rollback_on_error),
        ] {
            xml.push_str(&tag(name, value));
        }
        for test in &self.run_tests {
            xml.push_str(&tag("runTests", test));
        }
        xml.push_str(&tag("singlePackage", self.single_package));
        if let Some(level) = self.test_level {
            xml.push_str(&tag("testLevel", level));
        }
        xml + "</DeployOptions>"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_have_names() {
        for level in TestLevel::ALL {
            assert_eq!(level.name().parse(), Ok(level));
            assert_eq!(serde_json::to_value(level).unwrap(), level.name());
        }
        assert!("runlocaltests".parse::<TestLevel>().is_ok());
        assert!("Some".parse::<TestLevel>().unwrap_err().contains("RunRelevantTests"));
    }

    #[test]
    fn as_xml_and_as_json() {
        let options = DeployOptions {
            check_only: true,
            run_tests: vec!["A".to_owned(), "B".to_owned()],
            test_level: Some(TestLevel::RunSpecifiedTests),
            ..DeployOptions::default()
        };
        assert_eq!(
            options.xml(),
            "<DeployOptions><allowMissingFiles>false</allowMissingFiles><autoUpdatePackage>false</autoUpdatePackage>\
             <checkOnly>true</checkOnly><ignoreWarnings>true</ignoreWarnings><performRetrieve>false</performRetrieve>\
             <purgeOnDelete>false</purgeOnDelete><rollbackOnError>true</rollbackOnError><runTests>A</runTests><runTests>B</runTests>\
             <singlePackage>true</singlePackage><testLevel>RunSpecifiedTests</testLevel></DeployOptions>"
        );
        let json = serde_json::to_value(DeployOptions::default()).unwrap();
        assert_eq!(json["singlePackage"], true);
        assert!(json.get("testLevel").is_none() && json.get("runTests").is_none());
    }
}
