//! Who may do what, and why.

mod actor;

pub use actor::{Actor, ActorKind, Grant, Role};
