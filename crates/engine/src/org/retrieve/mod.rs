//! Getting an org's metadata: what there is, in which retrieves, and united into files.

pub(crate) mod access;
mod inventory;
mod plan;
mod run;
mod snapshot;
mod unite;

pub use inventory::{Inventory, Scope, inventory};
pub use plan::{Chunk, DEPENDENT, MOST, Part, Plan, plan};
pub use run::{Fetched, Progress, Written, fetch, into_folder, into_state};
pub use snapshot::{PROJECT, Snapshot, Taken, snapshot};
pub use unite::unite;
pub(crate) use unite::{Entry, entries};
