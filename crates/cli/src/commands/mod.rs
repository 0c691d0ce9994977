//! The verbs, one file each.
//!
//! A verb's file holds, in this order: the `Args` struct, whose doc comment is the help; `run(args, &mut Output)`, which
//! returns a [`Status`](crate::Status) or a [`CommandError`](crate::error::CommandError); its helpers; its tests. To add a verb, add its file here,
//! and in `cli.rs` its variant, its arm and its name in a group. A test tells when one of them is missing.

pub mod admin;
pub mod advise;
pub mod audit;
pub mod back_promote;
pub mod baseline;
pub mod conflicts;
pub mod demo;
pub mod diff;
pub mod drift;
pub mod env;
mod environment;
pub mod init;
pub mod merge_driver;
pub mod merge_file;
mod operating;
pub mod operation;
pub mod org;
pub mod pipeline;
pub mod promote;
pub mod rollback;
pub mod simulator;
pub mod snapshot;
pub mod status;
pub mod work;
pub mod worker;
