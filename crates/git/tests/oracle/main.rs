//! Everything is compared with what the `git` program itself does to repositories that it made.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "these are tests; the lint only knows functions marked as such"
)]

mod batches;
mod commits;
mod histories;
mod merges;
mod random;
mod refs;
mod remotes;
mod repositories;
mod sandbox;
mod trees;
