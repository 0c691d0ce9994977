//! Getting an org's metadata: what there is, in which retrieves, and united into files.

pub(crate) mod access;
mod facts;
mod folder;
mod inventory;
mod place;
mod plan;
mod run;
mod snapshot;
mod trail;
mod unite;

pub use facts::{Fact, Facts, Head};
pub use folder::{Written, into_folder, into_state};
pub use inventory::{Inventory, Scope, inventory};
pub use plan::{Chunk, DEPENDENT, MOST, Part, Plan, plan};
pub use run::{Fetched, Progress, fetch};
pub use snapshot::{ORG, PROJECT, PROJECT_FILES, Snapshot, Taken, origin, snapshot, snapshot_ref};
pub use trail::{Copy, Member, TrailEntry, User};
pub use unite::unite;
pub(crate) use unite::{Entry, entries};
