//! Which component a file belongs to.

mod id;

pub use id::ComponentId;
