//! The answer to "what is this file?".

use std::fmt;

use super::forceignore::IgnoreRule;
use super::id::ComponentId;
use crate::table::registry::Preset;

/// What a file of a project is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Located {
    /// The file belongs to a component.
    Component(ComponentFile),
    /// The file is no metadata and needs no handling.
    NotMetadata(NotMetadata),
    /// A rule of `.forceignore`, or a rule that always holds, leaves the file out.
    Ignored(IgnoreRule),
    /// The file lies where metadata lies and no rule explains it. It must be reported, never dropped.
    Unknown(Unknown),
}

/// A file that belongs to a component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ComponentFile {
    /// The component that package.xml can name: the field for a field's own file, the permission set for a part of it.
    pub id: ComponentId,
    /// For a child component, the component it is part of.
    pub parent: Option<ComponentId>,
    /// The file's format.
    pub format: Format,
    /// What the file is to the component.
    pub role: Role,
    /// Index into [`Project::package_directories`](super::Project::package_directories).
    pub package_dir: usize,
}

/// The two ways metadata is laid out in files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Format {
    /// Salesforce DX source format: `-meta.xml` files, objects in many files.
    Source,
    /// Metadata API format: package.xml, objects in one file.
    MetadataApi,
}

/// What a file is to its component.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// The component's XML; the only file, or the one beside the files of its children.
    Whole,
    /// A part of the component's XML in a file of its own, of a child type that package.xml cannot name.
    Part {
        /// The child type, for example `CustomFieldTranslation`.
        child_type: &'static str,
    },
    /// Content that has a descriptor beside it: `Foo.cls`.
    Content,
    /// The descriptor of content: `Foo.cls-meta.xml`, `foo.js-meta.xml`.
    Descriptor,
    /// A file in the component's own folder.
    BundleMember,
}

/// Why a file is no metadata.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NotMetadata {
    /// Outside all package directories.
    OutsidePackageDirectories,
    /// package.xml or a destructive changes file.
    Manifest,
    /// README, licence and other text for people.
    Documentation,
    /// Settings of a tool: jsconfig.json, package.json, jest.config.js.
    ToolConfiguration,
    /// Tests that are never deployed: `__tests__`, jest mocks.
    Test,
}

/// A file that no rule explains.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unknown {
    /// What stands behind the last dot, without `-meta.xml`; empty when there is no dot.
    pub suffix: Box<str>,
    /// What is wrong.
    pub reason: UnknownReason,
}

/// Why no rule explains a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnknownReason {
    /// No metadata type has this suffix.
    UnknownSuffix,
    /// The suffix belongs to a type, but the file is not in the folder the type asks for.
    WrongDirectory {
        /// The type.
        type_name: &'static str,
        /// The folder it belongs in.
        directory: &'static str,
    },
    /// The file lies in the folder of a bundle type, but in no bundle.
    OutsideBundle {
        /// The bundle type.
        type_name: &'static str,
    },
    /// A child component in a file of its own, but not below a folder of its parent.
    OutsideParent {
        /// The child type.
        type_name: &'static str,
    },
    /// A child component in a file of its own, which only a preset allows.
    NeedsPreset {
        /// The child type.
        type_name: &'static str,
        /// A preset to name in `sourceBehaviorOptions`.
        preset: Preset,
    },
}

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.reason {
            UnknownReason::UnknownSuffix if self.suffix.is_empty() => {
                f.write_str("the name has no suffix that tells a metadata type")
            }
            UnknownReason::UnknownSuffix => write!(f, "no metadata type has the suffix `{}`", self.suffix),
            UnknownReason::WrongDirectory { type_name, directory } => {
                write!(f, "a {type_name} must lie in a folder `{directory}`")
            }
            UnknownReason::OutsideBundle { type_name } => {
                write!(f, "each {type_name} needs a folder of its own")
            }
            UnknownReason::OutsideParent { type_name } => {
                write!(
                    f,
                    "a {type_name} must lie below the folder of the component it is part of"
                )
            }
            UnknownReason::NeedsPreset { type_name, preset } => write!(
                f,
                "a {type_name} has a file of its own only when sfdx-project.json names `{}` in sourceBehaviorOptions",
                preset.name()
            ),
        }
    }
}

impl Located {
    /// The component's file, if it is one.
    pub fn component(&self) -> Option<&ComponentFile> {
        match self {
            Self::Component(file) => Some(file),
            _ => None,
        }
    }
}
