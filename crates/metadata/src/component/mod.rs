//! Which component a file belongs to.

mod children;
mod forceignore;
mod id;
mod located;
pub(crate) mod name;
mod placement;
mod project;
mod resolve;

pub use children::{Child, ChildrenError, child_at, children_of};
pub use forceignore::{ForceIgnore, IgnoreRule};
pub use id::{ComponentId, ComponentIdError};
pub use located::{ComponentFile, Format, Located, NotMetadata, Role, Unknown, UnknownReason};
pub use name::decode;
pub use project::{PackageDirectory, Project, ProjectError};
