//! Back-promotion on real repositories made by the git program.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod crashes;
mod decisions;
mod files;
mod histories;
mod laws;
mod requests;
mod sandbox;
mod selections;
