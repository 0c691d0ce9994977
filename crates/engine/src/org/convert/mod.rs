//! Files from source format to Metadata API format and back. Text is never printed anew: elements are cut out and put in.

mod compose;
mod content;
mod decompose;
pub(crate) mod splice;

use std::collections::BTreeMap;

use syncline_metadata::component::{ComponentFile, Format, Located, Project, Role};
use syncline_metadata::table::registry::{Adapter, MetadataType, Registry};

/// Files by path, with `/`.
pub type Files = BTreeMap<String, Vec<u8>>;

/// Files cannot be brought to the other format.
#[derive(Debug, thiserror::Error)]
pub enum ConvertError {
    /// A file is laid out as we cannot convert.
    #[error("{path}: {why}")]
    Layout {
        /// The file.
        path: String,
        /// What is wrong.
        why: String,
    },
    /// A file is no XML.
    #[error("{path}")]
    Xml {
        /// The file.
        path: String,
        /// Where and why.
        source: roxmltree::Error,
    },
    /// Two files would become one.
    #[error("{path}: two files of the project would become this one file")]
    Twice {
        /// The path in the other format.
        path: String,
    },
    /// An archive cannot be read or written.
    #[error("{path}: {why}")]
    Archive {
        /// The file.
        path: String,
        /// Why.
        why: String,
    },
}

fn layout(path: &str, why: impl Into<String>) -> ConvertError {
    ConvertError::Layout {
        path: path.to_owned(),
        why: why.into(),
    }
}

/// What came of a conversion.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Converted {
    /// The files.
    pub files: Files,
    /// Files that were left out, and why.
    pub left: Vec<(String, String)>,
}

/// Brings the files of a project to Metadata API format; paths are then below the folder with package.xml.
///
/// # Errors
/// A file that is laid out as we cannot convert: it is never left out silently.
pub fn to_metadata_api(project: &Project, files: &Files) -> Result<Converted, ConvertError> {
    let mut made = Converted::default();
    let mut parts = compose::Parts::default();
    let mut resources = content::Folders::default();
    for (path, bytes) in files {
        let file = match project.locate(path) {
            Located::Component(file) => file,
            Located::NotMetadata(_) => continue,
            Located::Ignored(rule) => {
                made.left.push((path.clone(), format!("{rule:?}")));
                continue;
            }
            Located::Unknown(unknown) => return Err(layout(path, unknown.to_string())),
        };
        let kind = kind_of(project.registry(), path, &file)?;
        if file.format == Format::MetadataApi {
            put(&mut made.files, below(path, kind)?.to_owned(), bytes.clone())?;
        } else if kind.adapter == Adapter::Decomposed {
            parts.add(project.registry(), path, &file, bytes)?;
        } else if kind.adapter == Adapter::MixedContent && ["StaticResource", "Document"].contains(&kind.name) {
            resources.add(kind, path, &file, bytes)?;
        } else {
            put(&mut made.files, in_package(path, kind, &file)?, bytes.clone())?;
        }
    }
    for (path, bytes) in parts.compose()?.into_iter().chain(resources.pack()?) {
        put(&mut made.files, path, bytes)?;
    }
    Ok(made)
}

/// Brings files in Metadata API format, below the folder with package.xml, to the source format of a project; paths are then from
/// the root of the repository. package.xml is left out.
pub fn to_source(project: &Project, files: &Files) -> Result<Converted, ConvertError> {
    let package_dir = project.default_directory().unwrap_or_default();
    let flat = Project::metadata_api([""], None);
    let root = source_root(project, package_dir);
    let mut made = Converted::default();
    for (path, bytes) in files {
        let file = match flat.locate(path) {
            Located::Component(file) => file,
            Located::NotMetadata(_) => continue,
            Located::Ignored(rule) => {
                made.left.push((path.clone(), format!("{rule:?}")));
                continue;
            }
            // A type of a later release: kept as it came.
            Located::Unknown(unknown) => {
                made.left.push((path.clone(), unknown.to_string()));
                continue;
            }
        };
        let kind = kind_of(flat.registry(), path, &file)?;
        let written = match kind.adapter {
            Adapter::Decomposed => decompose::split(project, package_dir, kind, &file, path, bytes)?,
            Adapter::MixedContent if ["StaticResource", "Document"].contains(&kind.name) => {
                content::to_source(files, kind, path, bytes)?
                    .into_iter()
                    .map(|(path, bytes)| (format!("{root}{path}"), bytes))
                    .collect()
            }
            _ => {
                let placed = (file.role == Role::Whole)
                    .then(|| project.path_for(&file.id, Format::Source, package_dir))
                    .flatten();
                vec![(placed.unwrap_or_else(|| format!("{root}{path}")), bytes.clone())]
            }
        };
        for (path, bytes) in written {
            put(&mut made.files, path, bytes)?;
        }
    }
    Ok(made)
}

/// The folder of the types' folders in a package directory, with a slash at the end.
fn source_root(project: &Project, package_dir: usize) -> String {
    let id = syncline_metadata::component::ComponentId::new("Layout", "x");
    let path = project.path_for(&id, Format::Source, package_dir).unwrap_or_default();
    path.strip_suffix("layouts/x.layout-meta.xml")
        .unwrap_or_default()
        .to_owned()
}

fn put(files: &mut Files, path: String, bytes: Vec<u8>) -> Result<(), ConvertError> {
    match files.entry(path) {
        std::collections::btree_map::Entry::Vacant(place) => {
            place.insert(bytes);
            Ok(())
        }
        std::collections::btree_map::Entry::Occupied(place) => Err(ConvertError::Twice {
            path: place.key().clone(),
        }),
    }
}

/// The type whose folder a file lies in: the parent's for a child.
fn kind_of<'a>(registry: &'a Registry, path: &str, file: &ComponentFile) -> Result<&'a MetadataType, ConvertError> {
    let name = file
        .parent
        .as_ref()
        .map_or(&file.id.type_name, |parent| &parent.type_name);
    let kind = registry
        .by_name(name)
        .or_else(|| registry.child(name).map(|(parent, _)| parent));
    kind.ok_or_else(|| layout(path, format!("the type {name} is unknown")))
}

/// The path from the type's own folder on.
fn below<'a>(path: &'a str, kind: &MetadataType) -> Result<&'a str, ConvertError> {
    let inside = format!("/{}/", kind.directory);
    if path.starts_with(&inside[1..]) {
        return Ok(path);
    }
    path.find(&inside)
        .map(|at| &path[at + 1..])
        .ok_or_else(|| layout(path, format!("it does not lie in a folder `{}`", kind.directory)))
}

/// The path of a file in a package.
fn in_package(path: &str, kind: &MetadataType, file: &ComponentFile) -> Result<String, ConvertError> {
    let flat = Project::metadata_api([""], None);
    if file.role == Role::Whole
        && let Some(placed) = flat.path_for(&file.id, Format::MetadataApi, 0)
    {
        return Ok(placed);
    }
    let tail = below(path, kind)?;
    // Content may lie in folders for people; a package knows them only where they are part of the name.
    Ok(match (kind.adapter, tail.rsplit_once('/')) {
        (Adapter::MatchingContent, Some((_, base))) if !kind.in_folder => format!("{}/{base}", kind.directory),
        _ => tail.to_owned(),
    })
}

#[cfg(test)]
mod tests;
