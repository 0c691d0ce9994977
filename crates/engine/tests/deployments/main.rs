//! Packages between states: sent to simulated orgs, looked at, and brought back.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod chunks;
mod files;
mod losses;
mod others;
#[path = "../org_proofs/sandbox.rs"]
mod sandbox;
mod support;
mod there_and_back;
