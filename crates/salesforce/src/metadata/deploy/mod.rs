//! deploy: a zip of components into the org, sent once.

mod options;
mod result;
mod send;

pub use options::{DeployOptions, TestLevel};
pub use result::{
    CodeCoverage, CoverageWarning, DeployDetails, DeployExtension, DeployMessage, DeployNotification, DeployResult,
    DeployStatus, FlowCoverageWarning, TestFailure, TestRun, TestSuccess,
};
pub use send::{DeployIntent, OnIntent};
