//! From the files of a zip to components.

use super::archive::Files;
use super::dependencies::as_file;
use super::message::Message;
use super::store::{File, Item, inner_children};
use std::collections::BTreeMap;
use std::sync::LazyLock;
use syncline_metadata::component::{ComponentId, Located, NotMetadata, Project, Role, children_of};
use syncline_metadata::table::registry::{Adapter, MetadataType, Registry};
use syncline_metadata::xml::{self, Document, XmlError};

/// Where a package's files lie: at the root.
pub(crate) static LAYOUT: LazyLock<Project> = LazyLock::new(|| Project::metadata_api([""], None));

/// The manifest of every package.
pub(crate) const MANIFEST: &str = "package.xml";
/// The manifests of deletions, in the order they run; the first two before the additions.
pub(crate) const DESTRUCTIVE: [&str; 3] = ["destructiveChangesPre.xml", "destructiveChanges.xml", DESTRUCTIVE_POST];
/// The deletions that run after the additions.
pub(crate) const DESTRUCTIVE_POST: &str = "destructiveChangesPost.xml";

/// Whether a file is content of a component rather than its XML.
pub(crate) fn is_content(path: &str) -> bool {
    matches!(
        LAYOUT.locate(path).component().map(|file| file.role),
        Some(Role::Content | Role::BundleMember)
    )
}

/// The components that a member of a manifest may be: the component of that type, or a folder, which is named among its contents,
/// with or without a slash at the end.
pub(crate) fn meant(kind: &str, member: &str) -> impl Iterator<Item = ComponentId> {
    let folders = Registry::standard()
        .types()
        .iter()
        .filter(move |folder| folder.folder_content == Some(kind));
    let mut meant = vec![ComponentId::new(kind, member)];
    meant.extend(folders.map(|folder| ComponentId::new(folder.name, member.trim_end_matches('/'))));
    meant.into_iter()
}

/// The type that a component is named by in a manifest: a folder's is that of its contents.
pub(crate) fn named_by(kind: &str) -> &str {
    Registry::standard()
        .by_name(kind)
        .and_then(|kind| kind.folder_content)
        .unwrap_or(kind)
}

/// The components in the files of a package.
#[derive(Debug, Default)]
pub(crate) struct Contents {
    /// In the order of the files; a container in front of its children.
    pub items: Vec<Item>,
    /// Files that may name other components, as they came.
    pub sources: Vec<Source>,
    /// Files that cannot be read or belong to no type.
    pub failures: Vec<Message>,
}

/// A file as it came: a container's with its children.
#[derive(Debug)]
pub(crate) struct Source {
    /// The component; for a file with children their container.
    pub id: ComponentId,
    /// Path below the package's root.
    pub path: String,
    /// Text.
    pub text: String,
    /// It is the component's XML.
    pub xml: bool,
}

impl Source {
    /// The files of a component to be written; a child's element as a file of its type.
    pub(crate) fn of(item: &Item) -> Vec<Self> {
        item.files
            .iter()
            .filter_map(|file| {
                let text = std::str::from_utf8(&file.content).ok()?;
                let child = file.path.is_empty();
                Some(Self {
                    id: item.id.clone(),
                    path: file.path.clone(),
                    text: if child {
                        as_file(&item.id.type_name, text)
                    } else {
                        text.to_owned()
                    },
                    xml: child || !is_content(&file.path),
                })
            })
            .collect()
    }
}

/// Reads components from files, whose paths begin at the package's root.
pub(crate) fn contents(files: &Files) -> Contents {
    let mut contents = Contents::default();
    let mut whole: Vec<Item> = Vec::new();
    let mut index: BTreeMap<ComponentId, usize> = BTreeMap::new();
    for (path, content) in files {
        if path == MANIFEST || DESTRUCTIVE.contains(&path.as_str()) {
            continue;
        }
        let located = match LAYOUT.locate(path) {
            Located::Component(file) => file,
            Located::NotMetadata(NotMetadata::Documentation | NotMetadata::ToolConfiguration | NotMetadata::Test)
            | Located::Ignored(_) => continue,
            Located::NotMetadata(_) | Located::Unknown(_) => {
                contents.failures.push(Message::failure(
                    "",
                    "",
                    path,
                    "Could not infer a metadata type from this file",
                ));
                continue;
            }
        };
        if matches!(located.role, Role::Whole | Role::Descriptor)
            && let Err(error) = Document::parse(content)
        {
            contents.failures.push(malformed(&located.id, path, &error));
            continue;
        }
        if let Ok(text) = std::str::from_utf8(content) {
            contents.sources.push(Source {
                id: located.id.clone(),
                path: path.clone(),
                text: text.to_owned(),
                xml: matches!(located.role, Role::Whole | Role::Descriptor),
            });
        }
        let at = *index.entry(located.id.clone()).or_insert_with(|| {
            whole.push(Item {
                path: main_path(&located.id, path),
                parent: located.parent,
                id: located.id,
                files: Vec::new(),
            });
            whole.len() - 1
        });
        whole[at].files.push(File {
            path: path.clone(),
            content: content.clone(),
        });
    }
    for item in whole {
        match Registry::standard().by_name(&item.id.type_name) {
            Some(kind) if inner_children(kind).next().is_some() => contents.items.extend(split(item)),
            _ => contents.items.push(item),
        }
    }
    contents
}

fn malformed(id: &ComponentId, path: &str, error: &XmlError) -> Message {
    let (line, column, problem) = match error {
        XmlError::Malformed { line, column, problem } => (*line, *column, format!("Error parsing file: {problem}")),
        XmlError::NotUtf8 { line }
        | XmlError::Dtd { line }
        | XmlError::Markers { line }
        | XmlError::TooDeep { line } => (*line, 1, format!("Error parsing file: {error}")),
        XmlError::TooLarge { .. } => (1, 1, format!("Error parsing file: {error}")),
    };
    Message::failure(&id.type_name, &id.full_name, path, &problem).at(line, column)
}

/// The path that stands for a component: its content file, its folder, its only file.
pub(crate) fn main_path(id: &ComponentId, path: &str) -> String {
    let Some(kind) = Registry::standard().by_name(&id.type_name) else {
        return path.to_owned();
    };
    match kind.adapter {
        Adapter::Bundle | Adapter::UiBundle => folder(kind, path).unwrap_or(path).to_owned(),
        _ if kind.folder_content.is_some() => path.to_owned(),
        Adapter::MatchingContent | Adapter::MixedContent => path.strip_suffix("-meta.xml").unwrap_or(path).to_owned(),
        _ => path.to_owned(),
    }
}

/// `lwc/foo` of `lwc/foo/foo.js`.
fn folder<'a>(kind: &MetadataType, path: &'a str) -> Option<&'a str> {
    let start = path.find(&format!("{}/", kind.directory))? + kind.directory.len() + 1;
    let end = path[start..].find('/')? + start;
    Some(&path[..end])
}

/// Takes the children out of a container.
pub(crate) fn split(mut item: Item) -> Vec<Item> {
    let Some(file) = item.files.first_mut() else {
        return vec![item];
    };
    let text = String::from_utf8_lossy(&file.content).into_owned();
    // The text has been parsed before.
    let found = children_of(&item.id, &text).unwrap_or_default();
    let mut header = String::with_capacity(text.len());
    let mut at = 0;
    let mut children: Vec<Item> = Vec::with_capacity(found.len());
    for (id, range) in found {
        header.push_str(text[at..range.start].trim_end());
        at = range.end;
        let mut element = text[range].to_owned();
        // A prefix that the root declares is needed in the element too.
        if element.contains("xsi:")
            && !element.contains("xmlns:xsi")
            && let Some(end) = element.find(['>', '/'])
        {
            element.insert_str(end, " xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"");
        }
        children.push(Item {
            id,
            parent: Some(item.id.clone()),
            path: item.path.clone(),
            files: vec![File {
                path: String::new(),
                content: element.into_bytes(),
            }],
        });
    }
    header.push_str(&text[at..]);
    file.content = header.into_bytes();
    let mut all = vec![item];
    all.extend(children);
    all
}

/// Whether the header of a container says anything itself.
pub(crate) fn is_bare(item: &Item) -> bool {
    item.files.first().is_some_and(|file| {
        Document::parse(&file.content).is_ok_and(|document| xml::elements(document.root()).next().is_none())
    })
}
