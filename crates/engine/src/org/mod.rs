//! Orgs: logins, queries, imports, retrieves, deployments, tests.

pub mod convert;
pub mod deploy;
pub mod error;
pub mod import;
pub mod login;
mod problem;
pub mod query;
pub mod retrieve;
pub mod seal;
pub mod tests;
pub mod vault;

pub use error::OrgError;
