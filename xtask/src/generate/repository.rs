//! A generated repository in memory: files as elements, rendered in source or in metadata-API format.

use super::xml::Element;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Version of the API that the repository is written for.
pub const API_VERSION: &str = "62.0";

/// How files are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `force-app/main/default`, objects decomposed, `-meta.xml`.
    Source,
    /// `src` with `package.xml`, fields and the like inside `.object`.
    Mdapi,
}

/// All files of a repository.
#[derive(Clone, Debug, Default)]
pub struct Repository {
    /// In the order of generation.
    pub files: Vec<File>,
}

/// One file of the source format.
#[derive(Clone, Debug)]
pub struct File {
    /// Metadata type and full name of the component that the file belongs to.
    pub component: (&'static str, Arc<str>),
    /// Where it lies.
    pub place: Place,
    /// What it holds.
    pub content: Content,
}

/// Where a file lies in both formats, relative to the package directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// Same path in both formats.
    Both(String),
    /// Path without `-meta.xml`, which only the source format appends.
    Xml(String),
    /// Two paths.
    Split {
        /// Path in source format.
        source: String,
        /// Path in metadata-API format.
        mdapi: String,
    },
    /// A child with a file of its own in source format and a list entry of its owner's file in metadata-API format.
    Child {
        /// Path in source format.
        source: String,
        /// Path of the owner's file in metadata-API format.
        owner: String,
        /// Element of the owner's file.
        list: &'static str,
    },
}

/// What a file holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// Metadata.
    Xml(Element),
    /// Code or other text.
    Text(String),
    /// Anything else.
    Binary(Vec<u8>),
}

impl Repository {
    /// Adds a file.
    pub fn add(&mut self, component: (&'static str, &str), place: Place, content: Content) {
        self.files.push(File {
            component: (component.0, component.1.into()),
            place,
            content,
        });
    }

    /// Adds a component that is one XML file: `folder/full name.suffix`.
    pub fn xml(&mut self, kind: &'static str, name: &str, folder: &str, suffix: &str, root: Element) {
        self.add(
            (kind, name),
            Place::Xml(format!("{folder}/{name}.{suffix}")),
            Content::Xml(root),
        );
    }

    /// Adds a component with a content file and its `-meta.xml`.
    pub fn with_meta(&mut self, kind: &'static str, name: &str, path: &str, content: Content, meta: Element) {
        self.add((kind, name), Place::Both(path.to_owned()), content);
        self.add(
            (kind, name),
            Place::Both(format!("{path}-meta.xml")),
            Content::Xml(meta),
        );
    }

    /// Number of components: an object's field or record type counts as one, its folder's files not.
    #[must_use]
    pub fn components(&self) -> usize {
        self.names().values().map(BTreeSet::len).sum()
    }

    /// Full names by metadata type.
    #[must_use]
    pub fn names(&self) -> BTreeMap<&'static str, BTreeSet<&str>> {
        let mut names: BTreeMap<&'static str, BTreeSet<&str>> = BTreeMap::new();
        for file in &self.files {
            names.entry(file.component.0).or_default().insert(&file.component.1);
        }
        names
    }

    /// For each path of the written repository the indices of the files that make it.
    #[must_use]
    pub fn outputs(&self, format: Format) -> BTreeMap<String, Vec<usize>> {
        let mut outputs: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (index, file) in self.files.iter().enumerate() {
            outputs.entry(file.place.path(format)).or_default().push(index);
        }
        outputs
    }

    /// Files that belong to no component: project file, ignore files, manifest.
    #[must_use]
    pub fn project_files(&self, format: Format) -> Vec<(String, Vec<u8>)> {
        let manifest = self.manifest().document().into_bytes();
        match format {
            Format::Mdapi => vec![("src/package.xml".to_owned(), manifest)],
            Format::Source => vec![
                ("sfdx-project.json".to_owned(), project_json().into_bytes()),
                (
                    ".forceignore".to_owned(),
                    b"**/jsconfig.json\n**/.eslintrc.json\n**/__tests__/**\n".to_vec(),
                ),
                (".gitignore".to_owned(), b".sf/\n.sfdx/\nnode_modules/\n".to_vec()),
                ("manifest/package.xml".to_owned(), manifest),
            ],
        }
    }

    fn manifest(&self) -> Element {
        let types = self.names().into_iter().map(|(kind, members)| {
            // The manifest names folders and what is in them by the type of the content.
            Element::new("types").leaves("members", members).leaf("name", kind)
        });
        let merged = merge_folders(types.collect());
        Element::new("Package").all(merged).leaf("version", API_VERSION)
    }
}

impl Place {
    /// Path in the written repository.
    #[must_use]
    pub fn path(&self, format: Format) -> String {
        match (self, format) {
            (Self::Both(path), Format::Source) => format!("{SOURCE_ROOT}{path}"),
            (Self::Both(path) | Self::Xml(path), Format::Mdapi) => format!("{MDAPI_ROOT}{path}"),
            (Self::Xml(path), Format::Source) => format!("{SOURCE_ROOT}{path}-meta.xml"),
            (Self::Split { source, .. } | Self::Child { source, .. }, Format::Source) => {
                format!("{SOURCE_ROOT}{source}")
            }
            (Self::Split { mdapi, .. } | Self::Child { owner: mdapi, .. }, Format::Mdapi) => {
                format!("{MDAPI_ROOT}{mdapi}")
            }
        }
    }
}

/// The bytes of one written file from the files that make it; more than one for an object in metadata-API format.
#[must_use]
pub fn render(files: &[&File]) -> Vec<u8> {
    match files {
        [one] => one.content.bytes(),
        many => merge_children(many),
    }
}

impl Content {
    /// The bytes of the file.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Xml(root) => root.document().into_bytes(),
            Self::Text(text) => text.clone().into_bytes(),
            Self::Binary(bytes) => bytes.clone(),
        }
    }
}

const SOURCE_ROOT: &str = "force-app/main/default/";
const MDAPI_ROOT: &str = "src/";

/// Report folders are members of `Report`, and so for the other types in folders.
const FOLDERS: &[(&str, &str)] = &[
    ("ReportFolder", "Report"),
    ("DashboardFolder", "Dashboard"),
    ("DocumentFolder", "Document"),
    ("EmailFolder", "EmailTemplate"),
];

fn merge_folders(types: Vec<Element>) -> Vec<Element> {
    let mut members: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for entry in types {
        let kind = entry.text_of("name").unwrap_or_default();
        let kind = FOLDERS
            .iter()
            .find(|(folder, _)| *folder == kind)
            .map_or(kind, |(_, content)| content);
        let names = entry
            .children()
            .iter()
            .filter(|child| child.name == "members")
            .filter_map(|child| match &child.body {
                super::xml::Body::Text(text) => Some(text.clone()),
                super::xml::Body::Children(_) => None,
            });
        members.entry(kind.to_owned()).or_default().extend(names);
    }
    members
        .into_iter()
        .map(|(kind, names)| Element::new("types").leaves("members", names).leaf("name", kind))
        .collect()
}

fn merge_children(files: &[&File]) -> Vec<u8> {
    let mut root = files
        .iter()
        .find_map(|file| match (&file.place, &file.content) {
            (Place::Child { .. }, _) | (_, Content::Text(_) | Content::Binary(_)) => None,
            (_, Content::Xml(root)) => Some(root.clone()),
        })
        .unwrap_or_else(|| Element::new("CustomObject"));
    for file in files {
        if let (Place::Child { list, .. }, Content::Xml(child)) = (&file.place, &file.content) {
            root.push(Element {
                name: (*list).into(),
                ..child.clone()
            });
        }
    }
    if let Some(children) = root.children_mut() {
        children.sort_by(|left, right| left.name.cmp(&right.name));
    }
    root.document().into_bytes()
}

fn project_json() -> String {
    format!(
        "{{\n  \"packageDirectories\": [\n    {{\n      \"path\": \"force-app\",\n      \"default\": true\n    }}\n  ],\n  \
         \"name\": \"generated\",\n  \"namespace\": \"\",\n  \"sourceApiVersion\": \"{API_VERSION}\"\n}}\n"
    )
}
