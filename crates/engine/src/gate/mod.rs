//! Gates that run programs: static analysis and functional tests.

pub mod analysis;
pub mod command;
pub mod functional;

pub use command::{Allowed, Command, CommandError, Ran};
