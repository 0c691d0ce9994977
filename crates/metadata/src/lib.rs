//! Salesforce metadata as values: parse, identify, compare, merge. Pure: no IO, no clock, no randomness.

pub mod component;
pub mod package;
pub mod path;
pub mod table;
pub mod xml;
