//! Metadata: deploy, retrieve, list, describe, single components, Apex.

#![allow(clippy::unwrap_used)]

mod apex;
mod change_sets;
mod client;
mod components;
mod deletions;
mod deploy;
mod effects;
mod list;
mod locks;
mod retrieve;
mod round_trip;
mod soap;
mod tooling;
