//! Use cases: what people, CI and later the server ask for, one file or folder each. They join the pure crates with git and
//! files, and return values that serialise; nothing here writes to a terminal.

pub mod audit;
pub mod back_promote;
pub mod branch;
pub mod command;
pub mod compare;
pub mod config;
pub mod conflicts;
pub mod deployment;
pub mod init;
pub mod operation;
pub mod org;
pub mod problem;
pub mod project;
pub mod report;
pub mod resolution;
pub mod server_key;
pub mod source;
pub mod state;
pub mod wire;
pub mod worker;

pub use syncline_domain::{policy, time};
pub use syncline_store as store;
