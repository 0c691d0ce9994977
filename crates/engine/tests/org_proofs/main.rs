//! Proofs of what the client does with orgs, against simulated ones and generated repositories.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod chunks;
mod convert;
mod faults;
mod limits;
mod round_trip;
mod sandbox;
mod selections;
mod support;
