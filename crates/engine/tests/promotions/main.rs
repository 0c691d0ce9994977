//! Promotion to simulated orgs, as operations that a worker runs.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod approvals;
mod around;
mod bench;
mod checkpoints;
#[path = "../deployments/files.rs"]
mod files;
mod gates;
mod meanwhile;
mod once;
mod overlays;
mod packages;
mod refused;
mod revert;
mod rules;
mod scope;
mod secrets;
mod story;
