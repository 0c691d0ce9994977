//! Use cases: what people, CI and later the server ask for, one folder each. They join the pure crates with git and files,
//! and return values; nothing here writes to a terminal.

pub mod compare;
pub mod project;
pub mod source;
