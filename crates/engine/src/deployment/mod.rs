//! What is sent to an org to bring it from one state to another, what would bring it back, and how both are proved.
//!
//! States are trees of the repository in the project's format: the snapshot that a merge used, and its result. `package` makes the
//! files to send, `reverse` those that would undo them, `dependencies` tells what they lack, `look` compares the org with a state
//! before and after, `rehearse` tries forward and back on a simulated org, `export` keeps the data of fields
//! that are deleted.

mod access;
mod chunk;
mod deletion;
pub mod dependencies;
mod error;
pub mod export;
pub mod flows;
mod inside;
mod look;
mod package;
pub mod rehearse;
mod reverse;
mod state;

pub use chunk::{Chunk, Limits};
pub use dependencies::{Missing, missing};
pub use error::DeploymentError;
pub use look::{Difference, Look, Seen, look};
pub use package::{Options, Package, flows_between, package};
pub use reverse::{Irreversible, Loss, Reverse, irreversible, reverse};
