//! Getting an org's metadata: what there is, in which retrieves, and united into files.

mod access;
mod folder;
mod inventory;
mod plan;
mod run;
mod snapshot;
mod unite;

pub use folder::{Written, into_folder, into_state};
pub use inventory::{Inventory, Scope, inventory};
pub use plan::{Chunk, MOST, Part, Plan, plan};
pub use run::{Fetched, Progress, fetch};
pub use snapshot::{PROJECT, Snapshot, Taken, snapshot};
pub use unite::unite;
