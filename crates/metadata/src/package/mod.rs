//! package.xml: which components a retrieve or a deployment names, and the packages between two states.

mod delta;
mod manifest;

pub use delta::{Change, DeltaPackage, Note, NoteReason};
pub use manifest::{ManifestError, PackageManifest};
