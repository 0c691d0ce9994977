//! Options of a deployment, from SOAP or JSON.

use crate::error::ApiError;
use crate::soap::xml;
use roxmltree::Node;
use serde::{Deserialize, Serialize};

/// `DeployOptions`. Source: Metadata API Developer Guide, deploy().
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Options {
    /// A member of package.xml without a file is no error.
    pub allow_missing_files: bool,
    /// Has no effect any more.
    pub auto_update_package: bool,
    /// Nothing is kept.
    pub check_only: bool,
    /// Warnings do not fail the deployment.
    pub ignore_warnings: bool,
    /// Has no effect without a package.
    pub perform_retrieve: bool,
    /// Deleted components do not go to the recycle bin.
    pub purge_on_delete: bool,
    /// One failure undoes all.
    pub rollback_on_error: bool,
    /// Test classes of `RunSpecifiedTests`.
    pub run_tests: Vec<String>,
    /// package.xml lies at the root of the zip.
    pub single_package: bool,
    /// `NoTestRun` and so on; none for the default.
    pub test_level: Option<String>,
    /// Older form of `RunAllTestsInOrg`.
    pub run_all_tests: bool,
}

/// The levels there are, with the first API version.
const LEVELS: &[(&str, u16)] = &[
    ("NoTestRun", 34),
    ("RunSpecifiedTests", 34),
    ("RunLocalTests", 34),
    ("RunAllTestsInOrg", 34),
    ("RunRelevantTests", 66),
];

impl Options {
    /// Reads the element of a SOAP request.
    pub(crate) fn from_node(node: Option<Node<'_, '_>>) -> Self {
        let Some(node) = node else { return Self::default() };
        let flag = |name| xml::flag(node, name).unwrap_or_default();
        Self {
            allow_missing_files: flag("allowMissingFiles"),
            auto_update_package: flag("autoUpdatePackage"),
            check_only: flag("checkOnly"),
            ignore_warnings: flag("ignoreWarnings"),
            perform_retrieve: flag("performRetrieve"),
            purge_on_delete: flag("purgeOnDelete"),
            rollback_on_error: flag("rollbackOnError"),
            run_tests: xml::texts(node, "runTests"),
            single_package: flag("singlePackage"),
            test_level: xml::text(node, "testLevel"),
            run_all_tests: flag("runAllTests"),
        }
    }

    /// Refuses what the org does not take.
    pub(crate) fn check(&self, version: u16, production: bool) -> Result<(), ApiError> {
        if let Some(level) = &self.test_level
            && !LEVELS.iter().any(|(name, since)| name == level && version >= *since)
        {
            return Err(ApiError::new(
                "INVALID_OPERATION",
                format!("'{level}' is not a valid value for the enum 'TestLevel'"),
            ));
        }
        let specified = self.test_level.as_deref() == Some("RunSpecifiedTests");
        if specified && self.run_tests.is_empty() {
            return Err(ApiError::new(
                "INVALID_OPERATION",
                "runTests must not be empty when testLevel is RunSpecifiedTests",
            ));
        }
        if !specified && !self.run_tests.is_empty() && self.test_level.is_some() {
            return Err(ApiError::new(
                "INVALID_OPERATION",
                "runTests can be used only when testLevel is RunSpecifiedTests",
            ));
        }
        if production && !self.rollback_on_error {
            return Err(ApiError::new(
                "INVALID_OPERATION",
                "rollbackOnError must be set to true when deploying to a production organization",
            ));
        }
        if production && self.purge_on_delete {
            return Err(ApiError::new(
                "INVALID_OPERATION",
                "purgeOnDelete can be used only in Developer Edition and sandbox organizations",
            ));
        }
        Ok(())
    }
}
