//! Use cases: what people, CI and later the server ask for, one file or folder each. They join the pure crates with git and
//! files, and return values that serialise; nothing here writes to a terminal.

pub mod admin;
pub mod advise;
pub mod audit;
pub mod back_promote;
pub mod baseline;
pub mod branch;
pub mod command;
pub mod compare;
pub mod config;
pub mod conflicts;
pub mod deployment;
pub mod drift;
pub mod environment;
pub mod environments;
pub mod init;
pub mod init_from_orgs;
pub mod operation;
pub mod org;
pub mod permission;
pub mod pipeline;
pub mod problem;
pub mod project;
pub mod report;
pub mod resolution;
pub mod scope;
pub mod server_key;
pub mod snapshot;
pub mod source;
pub mod state;
pub mod status;
pub mod wire;
pub mod work;
pub mod worker;

pub use syncline_domain::{policy, time};
pub use syncline_store as store;
