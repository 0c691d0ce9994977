//! Which component a file belongs to.

mod forceignore;
mod id;
mod located;
mod project;
mod resolve;

pub use forceignore::{ForceIgnore, IgnoreRule};
pub use id::ComponentId;
pub use located::{ComponentFile, Format, Located, NotMetadata, Role, Unknown, UnknownReason};
pub use project::{PackageDirectory, Project, ProjectError};
