//! From the path inside a package directory to the component: the rules of each file layout, in order.
//!
//! The layouts are those of npm `@salesforce/source-deploy-retrieve`; where this module differs on purpose,
//! `e2e/identity/deviations.tsv` says why.

use std::sync::LazyLock;

use super::id::ComponentId;
use super::located::{ComponentFile, Format, Located, NotMetadata, Role, Unknown, UnknownReason};
use super::name::decode;
use crate::table::registry::{Adapter, MetadataType, Preset, Registry};

/// Files that belong to a tool or to people, by name.
const OTHER_FILES: [(&str, NotMetadata); 12] = [
    ("jsconfig.json", NotMetadata::ToolConfiguration),
    ("tsconfig.json", NotMetadata::ToolConfiguration),
    ("package.json", NotMetadata::ToolConfiguration),
    ("package-lock.json", NotMetadata::ToolConfiguration),
    ("yarn.lock", NotMetadata::ToolConfiguration),
    ("jest.config.js", NotMetadata::ToolConfiguration),
    ("eslint.config.js", NotMetadata::ToolConfiguration),
    ("sfdx-project.json", NotMetadata::ToolConfiguration),
    ("license", NotMetadata::Documentation),
    ("license.txt", NotMetadata::Documentation),
    ("readme", NotMetadata::Documentation),
    ("readme.txt", NotMetadata::Documentation),
];

/// Folders whose files are never deployed.
const TEST_FOLDERS: [&str; 3] = ["__tests__", "__mocks__", "jest-mocks"];

/// A path taken apart.
struct Place<'a> {
    registry: &'a Registry,
    /// The folders between the package directory and the file.
    folders: Vec<&'a str>,
    /// The file's name.
    file: &'a str,
    /// The file's name without `-meta.xml`.
    base: &'a str,
    /// The name ends in `-meta.xml`.
    descriptor: bool,
    /// `base` before its last dot.
    stem: &'a str,
    /// `base` behind its last dot.
    suffix: Option<&'a str>,
    /// The format of files that look alike in both.
    format: Format,
}

/// What the file `path` below a package directory is.
///
/// `own_name` is the last folder of the package directory: some projects name `…/objects` itself.
pub(super) fn resolve(registry: &Registry, own_name: &str, path: &str, format: Format) -> Located {
    let place = Place::new(registry, own_name, path, format);
    match place.find() {
        Ok((file, _)) => Located::Component(file),
        Err(other) => other,
    }
}

/// The folder that holds the type's folder of a file, and the file's format; None when the file is no metadata.
pub(super) fn root_of<'a>(registry: &Registry, path: &'a str) -> Option<(&'a str, Format)> {
    let hidden = path.split('/').any(|part| part.starts_with('.'));
    let place = Place::new(registry, "", path, Format::MetadataApi);
    if hidden || TEST_FOLDERS.iter().any(|folder| place.folders.contains(folder)) {
        return None;
    }
    let (file, type_folder) = place.find().ok()?;
    let index = type_folder?;
    let length = place.folders[..index]
        .iter()
        .map(|folder| folder.len() + 1)
        .sum::<usize>();
    Some((path[..length].trim_end_matches('/'), file.format))
}

/// A component's file and the index of the type's folder, or why there is none.
type Found = Result<(ComponentFile, Option<usize>), Located>;

impl<'a> Place<'a> {
    fn new(registry: &'a Registry, own_name: &'a str, path: &'a str, format: Format) -> Self {
        let mut folders: Vec<&str> = path.split('/').collect();
        let file = folders.pop().unwrap_or_default();
        if registry.by_directory(own_name).next().is_some() {
            folders.insert(0, own_name);
        }
        let (base, descriptor) = match file.strip_suffix("-meta.xml") {
            Some(base) => (base, true),
            None => (file, false),
        };
        let (stem, suffix) = match base.rsplit_once('.') {
            Some((stem, suffix)) => (stem, Some(suffix)),
            None => (base, None),
        };
        Self {
            registry,
            folders,
            file,
            base,
            descriptor,
            stem,
            suffix,
            format,
        }
    }

    fn find(&self) -> Found {
        if self.folders.iter().any(|folder| TEST_FOLDERS.contains(folder)) && !self.in_static_resource() {
            return Err(Located::NotMetadata(NotMetadata::Test));
        }
        if let Some(found) = self.bundle() {
            return found;
        }
        if let Some(reason) = self.other_file() {
            return Err(Located::NotMetadata(reason));
        }
        if let Some(found) = self.in_folder() {
            return found;
        }
        if let Some(found) = self.decomposed() {
            return found;
        }
        self.by_suffix()
    }

    fn in_static_resource(&self) -> bool {
        self.folders.contains(&"staticresources")
    }

    /// Types whose components own a folder, or a file of any suffix: the outermost such folder decides.
    fn bundle(&self) -> Option<Found> {
        let owns_all = |kind: &&MetadataType| match kind.adapter {
            Adapter::Bundle | Adapter::UiBundle | Adapter::DigitalExperience => true,
            Adapter::MixedContent => !kind.in_folder,
            _ => false,
        };
        let (first, kind) = self
            .folders
            .iter()
            .enumerate()
            .find_map(|(index, folder)| Some((index, self.registry.by_directory(folder).find(owns_all)?)))?;
        Some(match kind.adapter {
            Adapter::MixedContent => self.mixed_content(kind, first),
            Adapter::DigitalExperience => self.digital_experience(kind, first),
            _ => {
                // `lwc/group/lwc/foo/foo.js`: the last folder of that name that has a folder below.
                let last = (first..self.folders.len().saturating_sub(1))
                    .rev()
                    .find(|index| self.folders[*index] == kind.directory)
                    .unwrap_or(first);
                self.bundle_member(kind, last)
            }
        })
    }

    fn bundle_member(&self, kind: &MetadataType, index: usize) -> Found {
        let Some(name) = self.folders.get(index + 1) else {
            return Err(match self.other_file() {
                Some(reason) => Located::NotMetadata(reason),
                None => self.unknown(UnknownReason::OutsideBundle { type_name: kind.name }),
            });
        };
        let descriptor = self.descriptor || kind.meta_file == Some(self.file);
        let role = if descriptor {
            Role::Descriptor
        } else {
            Role::BundleMember
        };
        self.found(kind.name, decode(name), None, self.format, role, index)
    }

    fn mixed_content(&self, kind: &MetadataType, index: usize) -> Found {
        let (name, role) = match self.folders.get(index + 1) {
            Some(folder) => (*folder, Role::BundleMember),
            None if self.descriptor => (self.stem, Role::Descriptor),
            None => match self.other_file() {
                Some(reason) => return Err(Located::NotMetadata(reason)),
                None => (self.base.split('.').next().unwrap_or(self.base), Role::Content),
            },
        };
        self.found(kind.name, decode(name), None, self.format, role, index)
    }

    fn digital_experience(&self, kind: &MetadataType, index: usize) -> Found {
        let outside = || Err(self.unknown(UnknownReason::OutsideBundle { type_name: kind.name }));
        match &self.folders[index + 1..] {
            [base_type, space, inner @ ..] => {
                let bundle = ComponentId::new(kind.name, format!("{}/{}", decode(base_type), decode(space)));
                match (inner, kind.children.first()) {
                    ([], _) if self.descriptor => {
                        self.found(kind.name, bundle.full_name, None, self.format, Role::Descriptor, index)
                    }
                    ([content_type, content, deeper @ ..], Some(child)) => {
                        let name = format!("{}.{}/{}", bundle.full_name, decode(content_type), decode(content));
                        let descriptor = deeper.is_empty() && child.meta_file == Some(self.file);
                        let role = if descriptor {
                            Role::Descriptor
                        } else {
                            Role::BundleMember
                        };
                        self.found(child.name, name, Some(bundle), self.format, role, index)
                    }
                    _ => outside(),
                }
            }
            _ => outside(),
        }
    }

    /// Reports, dashboards, e-mail templates and documents, and their folders.
    fn in_folder(&self) -> Option<Found> {
        let (index, folder_type) = self.folders.iter().enumerate().rev().find_map(|(index, folder)| {
            let mut types = self.registry.by_directory(folder);
            Some((
                index,
                types.find(|kind| kind.folder_content.is_some() && kind.alias_for.is_none())?,
            ))
        })?;
        let above = &self.folders[index + 1..];
        let directory = folder_type.directory;
        let is_folder = |suffix: &str| {
            let mut types = self.registry.by_directory(directory);
            types.any(|kind| kind.folder_content.is_some() && kind.has_suffix(suffix))
        };
        match self.suffix {
            None if self.descriptor => {
                let name = nested(above, self.base);
                return Some(self.found(folder_type.name, name, None, Format::MetadataApi, Role::Whole, index));
            }
            Some(suffix) if is_folder(suffix) => {
                let name = nested(above, self.stem);
                return Some(self.found(folder_type.name, name, None, self.xml_format(), Role::Whole, index));
            }
            _ => {}
        }
        let kind = self.registry.by_name(folder_type.folder_content?)?;
        let role = match kind.adapter {
            Adapter::Xml => Role::Whole,
            _ if self.descriptor => Role::Descriptor,
            _ => Role::Content,
        };
        match kind.adapter {
            // A document's suffix may be any. The descriptor does not always repeat it, so it is no part of the name.
            Adapter::MixedContent if above.is_empty() => {
                Some(Err(self.unknown(UnknownReason::OutsideBundle { type_name: kind.name })))
            }
            Adapter::MixedContent => {
                Some(self.found(kind.name, nested(above, self.stem), None, self.format, role, index))
            }
            _ if self.suffix.is_some_and(|suffix| kind.has_suffix(suffix)) => {
                let format = if kind.adapter == Adapter::Xml {
                    self.xml_format()
                } else {
                    self.format
                };
                Some(self.found(kind.name, nested(above, self.stem), None, format, role, index))
            }
            _ => None,
        }
    }

    /// Objects, their translations, bots, and what the presets take apart.
    fn decomposed(&self) -> Option<Found> {
        let suffix = self.suffix?;
        let (index, kind) = self.folders.iter().enumerate().rev().find_map(|(index, folder)| {
            let mut types = self.registry.by_directory(folder);
            Some((index, types.find(|kind| kind.adapter == Adapter::Decomposed)?))
        })?;
        let above = &self.folders[index + 1..];
        if kind.has_suffix(suffix) {
            if !self.descriptor && !above.is_empty() {
                return Some(Err(self.wrong_directory(kind)));
            }
            return Some(self.found(
                kind.name,
                decode(self.stem),
                None,
                self.xml_format(),
                Role::Whole,
                index,
            ));
        }
        let child = kind.child_by_suffix(suffix).filter(|_| self.descriptor)?;
        // A preset's child type may be one that the API knows by itself (CustomLabel).
        let known = Registry::standard().child(child.name).map_or(child, |(_, known)| known);
        let parent_name = match above.first() {
            Some(folder) => decode(folder),
            None if known.no_parent_name => kind.name.into(),
            None => return Some(Err(self.unknown(UnknownReason::OutsideParent { type_name: child.name }))),
        };
        let parent = ComponentId::new(kind.name, parent_name);
        if !known.addressable {
            let role = Role::Part { child_type: child.name };
            return Some(self.found(kind.name, parent.full_name, None, Format::Source, role, index));
        }
        let name = decode(self.stem);
        let full_name = if known.no_parent_name {
            name
        } else {
            format!("{}.{name}", parent.full_name).into()
        };
        Some(self.found(child.name, full_name, Some(parent), Format::Source, Role::Whole, index))
    }

    /// Everything else: the suffix tells the type, the folder decides between types that share it.
    fn by_suffix(&self) -> Found {
        let Some(suffix) = self.suffix else {
            return Err(self.unknown(UnknownReason::UnknownSuffix));
        };
        let by_folder = self.folders.iter().enumerate().rev().find_map(|(index, folder)| {
            let mut types = self.registry.by_directory(folder);
            Some((types.find(|kind| kind.has_suffix(suffix))?, Some(index)))
        });
        let (kind, index) = match by_folder {
            Some(found) => found,
            None => (self.type_without_folder(suffix)?, None),
        };
        let last = self.folders.len().checked_sub(1);
        match kind.adapter {
            Adapter::MatchingContent => {
                let role = if self.descriptor {
                    Role::Descriptor
                } else {
                    Role::Content
                };
                self.found_at(kind, self.full_name(kind, index)?, self.format, role, index)
            }
            Adapter::PartlyDecomposed if !kind.has_suffix(suffix) => {
                self.found_at(kind, decode(self.stem), Format::Source, Role::Content, index)
            }
            Adapter::Xml | Adapter::PartlyDecomposed => {
                // Without `-meta.xml` only the type's own folder tells that the file is metadata.
                let nested_model = kind.folder_type == Some(kind.name);
                let at_home =
                    index.is_some() && (index == last || (nested_model && index.map(|index| index + 1) == last));
                if !self.descriptor && !at_home {
                    return Err(self.wrong_directory(kind));
                }
                self.found_at(
                    kind,
                    self.full_name(kind, index)?,
                    self.xml_format(),
                    Role::Whole,
                    index,
                )
            }
            _ => Err(self.wrong_directory(kind)),
        }
    }

    /// The type that a suffix belongs to when no folder of the path is the type's.
    fn type_without_folder(&self, suffix: &str) -> Result<&'a MetadataType, Located> {
        let Some(name) = self.registry.by_suffix(suffix) else {
            return Err(self.preset_or(suffix, UnknownReason::UnknownSuffix));
        };
        if let Some(kind) = self.registry.by_name(name) {
            // `xml` is a type's suffix, but every other XML file has it too.
            return match (kind.strict, suffix) {
                (true, "xml") => Err(self.unknown(UnknownReason::UnknownSuffix)),
                (true, _) => Err(self.wrong_directory(kind)),
                (false, _) => Ok(kind),
            };
        }
        match self.registry.child(name) {
            // The part of an external service that its preset takes out of the XML.
            Some((parent, _)) if parent.adapter == Adapter::PartlyDecomposed => {
                if self.folders.contains(&parent.directory) && !self.descriptor {
                    Ok(parent)
                } else {
                    Err(self.unknown(UnknownReason::UnknownSuffix))
                }
            }
            Some((_, child)) => Err(self.preset_or(suffix, UnknownReason::OutsideParent { type_name: child.name })),
            None => Err(self.unknown(UnknownReason::UnknownSuffix)),
        }
    }

    /// Unknown; when a preset would explain the file, that preset.
    fn preset_or(&self, suffix: &str, reason: UnknownReason) -> Located {
        let explains = |layout: &&PresetLayout| layout.suffix == suffix && self.folders.contains(&layout.directory);
        self.unknown(match PRESET_LAYOUTS.iter().find(explains) {
            Some(layout) if !self.has_layout(layout) => UnknownReason::NeedsPreset {
                type_name: layout.type_name,
                preset: layout.preset,
            },
            _ => reason,
        })
    }

    fn has_layout(&self, layout: &PresetLayout) -> bool {
        let own = self.registry.by_name(layout.parent);
        own.is_some_and(|kind| matches!(kind.adapter, Adapter::Decomposed | Adapter::PartlyDecomposed))
    }

    fn full_name(&self, kind: &MetadataType, index: Option<usize>) -> Result<Box<str>, Located> {
        if kind.fixed_name {
            return Ok(kind.name.into());
        }
        let name = decode(self.stem);
        match kind.folder_type.filter(|folder_type| *folder_type != kind.name) {
            None => Ok(name),
            // Territory2 and Territory2Rule lie below the folder of their model.
            Some(folder_type) => {
                let model = self.registry.by_name(folder_type).and_then(|model| {
                    let at = self.folders[..index.unwrap_or_default()]
                        .iter()
                        .rposition(|folder| *folder == model.directory)?;
                    self.folders.get(at + 1).filter(|_| Some(at + 1) != index)
                });
                match model {
                    Some(model) => Ok(format!("{}.{name}", decode(model)).into()),
                    None => Err(self.unknown(UnknownReason::OutsideParent { type_name: kind.name })),
                }
            }
        }
    }

    fn other_file(&self) -> Option<NotMetadata> {
        if self.descriptor {
            return None;
        }
        let name = self.file.to_ascii_lowercase();
        if name.ends_with("package.xml") || (name.starts_with("destructivechanges") && name.ends_with(".xml")) {
            return Some(NotMetadata::Manifest);
        }
        if let Some((_, reason)) = OTHER_FILES.iter().find(|(known, _)| *known == name) {
            return Some(*reason);
        }
        // `md` is also the suffix of custom metadata records, whose names have a dot: `Type.Record.md`.
        let record = self.folders.last() == Some(&"customMetadata") && self.stem.contains('.');
        (self.suffix == Some("md") && !record).then_some(NotMetadata::Documentation)
    }

    /// The format of a file that is nothing but the component's XML.
    fn xml_format(&self) -> Format {
        if self.descriptor {
            Format::Source
        } else {
            Format::MetadataApi
        }
    }

    fn found(
        &self,
        type_name: &str,
        full_name: impl Into<Box<str>>,
        parent: Option<ComponentId>,
        format: Format,
        role: Role,
        index: usize,
    ) -> Found {
        let file = ComponentFile {
            id: ComponentId::new(type_name, full_name),
            parent,
            format,
            role,
            package_dir: 0,
        };
        Ok((file, Some(index)))
    }

    fn found_at(&self, kind: &MetadataType, name: Box<str>, format: Format, role: Role, index: Option<usize>) -> Found {
        let (file, _) = self.found(kind.name, name, None, format, role, 0)?;
        Ok((file, index))
    }

    fn wrong_directory(&self, kind: &MetadataType) -> Located {
        self.unknown(UnknownReason::WrongDirectory {
            type_name: kind.name,
            directory: kind.directory,
        })
    }

    fn unknown(&self, reason: UnknownReason) -> Located {
        Located::Unknown(Unknown {
            suffix: self.suffix.unwrap_or_default().into(),
            reason,
        })
    }
}

fn nested(folders: &[&str], name: &str) -> Box<str> {
    let mut full_name = String::new();
    for folder in folders {
        full_name.push_str(&decode(folder));
        full_name.push('/');
    }
    full_name.push_str(&decode(name));
    full_name.into()
}

/// A file that only a preset explains.
struct PresetLayout {
    suffix: &'static str,
    type_name: &'static str,
    parent: &'static str,
    /// The folder of the parent type.
    directory: &'static str,
    preset: Preset,
}

/// What each preset gives a file of its own; made when the first unknown suffix is met.
static PRESET_LAYOUTS: LazyLock<Vec<PresetLayout>> = LazyLock::new(|| {
    let mut layouts = Vec::new();
    for preset in Preset::ALL {
        let registry = Registry::with_presets(&[preset]);
        let decomposed = registry
            .types()
            .iter()
            .filter(|kind| Registry::standard().by_name(kind.name) != Some(*kind));
        for parent in decomposed {
            let own = (parent.children.is_empty())
                .then_some((parent.suffix, parent.name))
                .into_iter();
            let children = parent.children.iter().map(|child| (child.suffix, child.name));
            layouts.extend(own.chain(children).filter_map(|(suffix, type_name)| {
                Some(PresetLayout {
                    suffix: suffix?,
                    type_name,
                    parent: parent.name,
                    directory: parent.directory,
                    preset,
                })
            }));
        }
    }
    layouts
});
