//! What Syncline remembers, in SQLite or PostgreSQL, with one text of SQL for both.
//!
//! One file for each table. Every write carries the version of the row that was seen, or the epoch of a worker's lease; what
//! happened is noted in the audit chain in the same transaction.

mod approval;
mod audit;
mod backup;
mod dialect;
mod environment;
mod error;
mod evidence;
mod lease;
mod open;
mod operation;
mod person;
mod schedule;
pub mod seal;
mod secret;
mod setting;
mod signal;
mod step;
mod step_once;

pub use approval::Approval;
pub use backup::all_columns as columns;
pub use environment::EnvironmentState;
pub use error::StoreError;
pub use evidence::Evidence;
pub use lease::{Interim, StepEnd};
pub use open::Store;
pub use operation::{Claim, Filter, NewOperation, Operation, about};
pub use person::Assignment;
pub use schedule::Schedule;
pub use setting::Setting;
pub use signal::Signal;
pub use step::StepRun;
pub use step_once::StepOnce;

/// What a function of the store returns.
pub type Result<T> = std::result::Result<T, StoreError>;
