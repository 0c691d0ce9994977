//! Use cases of Syncline: what people ask for, joined from git and the metadata kernel. No terminal, no colours: results
//! are values that serialise, errors say what to do.

pub mod back_promote;
pub mod config;
pub mod conflicts;
pub mod init;
pub mod problem;
pub mod project;
pub mod resolution;
pub mod state;
pub mod wire;
