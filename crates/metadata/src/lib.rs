//! Salesforce metadata as values: parse, identify, compare, merge. Pure: no IO, no clock, no randomness.

mod align;
pub mod check;
pub mod component;
pub mod conflict;
pub mod diff;
pub mod merge;
mod order;
pub mod package;
pub mod path;
pub mod references;
pub mod table;
pub mod xml;
