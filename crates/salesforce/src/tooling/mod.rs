//! The Tooling API: code, flows, tests, source tracking, sandboxes.

mod apex;
mod code;
mod coverage;
mod dependency;
mod deploy_request;
mod sandbox;
mod sandbox_status;
mod source_member;
mod tests;
mod tooling_record;

pub use apex::Executed;
pub use code::{CodeObject, CodeRow, FlowDefinition, FlowVersion};
pub use coverage::Coverage;
pub use dependency::Dependency;
pub use deploy_request::DeployRequest;
pub use sandbox::{SandboxAuth, SandboxProcess};
pub use sandbox_status::SandboxStatus;
pub use source_member::SourceMember;
pub use tests::{SyncFailure, SyncTests, TestOutcome, TestResult, TestRun, TestsToRun};
