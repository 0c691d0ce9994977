//! A project: its package directories, presets and ignore rules, read from sfdx-project.json and .forceignore.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::OnceLock;

use serde_json::Value;

use super::forceignore::ForceIgnore;
use super::located::{Format, Located, NotMetadata};
use super::resolve::{self, resolve};
use crate::table::registry::{Preset, Registry};

/// A folder of a project that holds metadata.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackageDirectory {
    /// Path from the root of the repository, with `/`, without one at the end; empty for the root.
    pub path: Box<str>,
    /// New components go here.
    pub default: bool,
    /// The format of content that looks alike in both.
    pub format: Format,
}

/// What must be known of a repository to tell which component a path belongs to.
///
/// Pure: made from the text of the project's files, asks no file system.
#[derive(Debug)]
pub struct Project {
    /// Folder of sfdx-project.json with a `/` at the end, or empty.
    folder: Box<str>,
    directories: Vec<PackageDirectory>,
    presets: Vec<Preset>,
    registry: OnceLock<Cow<'static, Registry>>,
    ignore_text: Box<str>,
    ignore: OnceLock<ForceIgnore>,
    customized: Vec<Box<str>>,
    api_version: Option<Box<str>>,
    project_file: bool,
}

/// sfdx-project.json cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ProjectError {
    /// Not JSON.
    #[error("sfdx-project.json line {}: {source}", .source.line())]
    Json {
        /// Where and why.
        source: serde_json::Error,
    },
    /// No package directory is named.
    #[error(
        "sfdx-project.json: `packageDirectories` names no `path`; add `\"packageDirectories\": [{{\"path\": \"force-app\", \"default\": true}}]`"
    )]
    NoPackageDirectories,
    /// An entry of `packageDirectories` is no folder.
    #[error("sfdx-project.json: entry {0} of `packageDirectories` has no `path`; add one or remove the entry")]
    NoPath(usize),
    /// A package directory leaves the project.
    #[error("sfdx-project.json: the package directory `{0}` lies outside the project; name a folder inside it")]
    Outside(Box<str>),
    /// A layout of files that this version does not know.
    #[error("sfdx-project.json: unknown value `{0}` in `sourceBehaviorOptions`; known are {known}", known = preset_names())]
    UnknownPreset(Box<str>),
}

fn preset_names() -> String {
    Preset::ALL.map(Preset::name).join(", ")
}

impl Project {
    /// A project with sfdx-project.json.
    ///
    /// `folder` is the folder of that file from the root of the repository, empty for the root itself.
    pub fn parse(folder: &str, sfdx_project: &str, forceignore: Option<&str>) -> Result<Self, ProjectError> {
        let text = sfdx_project.strip_prefix('\u{feff}').unwrap_or(sfdx_project);
        let json: Value = serde_json::from_str(text).map_err(|source| ProjectError::Json { source })?;
        let folder = with_slash(&normal(folder).unwrap_or_default());
        let mut directories = Vec::new();
        for (number, entry) in (1..).zip(json["packageDirectories"].as_array().into_iter().flatten()) {
            let path = entry["path"].as_str().ok_or(ProjectError::NoPath(number))?;
            let inside = normal(path).ok_or_else(|| ProjectError::Outside(path.into()))?;
            directories.push(PackageDirectory {
                path: format!("{folder}{inside}").trim_end_matches('/').into(),
                default: entry["default"] == true,
                format: Format::Source,
            });
        }
        match directories.as_mut_slice() {
            [] => return Err(ProjectError::NoPackageDirectories),
            [only] => only.default = true,
            _ => {}
        }
        let mut presets = Vec::new();
        for key in ["registryPresets", "sourceBehaviorOptions"] {
            for name in json[key].as_array().into_iter().flatten().filter_map(Value::as_str) {
                let preset = Preset::by_name(name).ok_or_else(|| ProjectError::UnknownPreset(name.into()))?;
                if !presets.contains(&preset) {
                    presets.push(preset);
                }
            }
        }
        let customized = json["registryCustomizations"]["types"]
            .as_object()
            .into_iter()
            .flat_map(|types| types.keys())
            .map(|name| name.as_str().into())
            .collect();
        Ok(Self {
            presets,
            customized,
            api_version: json["sourceApiVersion"].as_str().map(Into::into),
            project_file: true,
            ..Self::new(folder, directories, forceignore)
        })
    }

    /// A repository without sfdx-project.json, whose metadata lies in the given folders in Metadata API format.
    pub fn metadata_api<'a>(folders: impl IntoIterator<Item = &'a str>, forceignore: Option<&str>) -> Self {
        let directories = (folders.into_iter())
            .filter_map(normal)
            .map(|path| PackageDirectory {
                path: path.into(),
                default: false,
                format: Format::MetadataApi,
            })
            .collect();
        let mut project = Self::new("".into(), directories, forceignore);
        if let Some(first) = project.directories.first_mut() {
            first.default = true;
        }
        project
    }

    /// A repository without sfdx-project.json: the folders of metadata are found by what lies in them.
    ///
    /// `paths` are all files of the repository. A folder counts when a file below it lies in a type's own folder
    /// and is of that type: `src/objects/Account.object` tells `src`.
    pub fn detect<'a>(paths: impl IntoIterator<Item = &'a str>, forceignore: Option<&str>) -> Self {
        let registry = Registry::standard();
        let mut source = BTreeSet::new();
        let mut metadata_api = BTreeSet::new();
        for path in paths {
            if let Some((root, format)) = resolve::root_of(registry, path) {
                match format {
                    Format::Source => source.insert(root),
                    Format::MetadataApi => metadata_api.insert(root),
                };
            }
        }
        metadata_api.retain(|root| !source.contains(root));
        let directory = |format| {
            move |path: &&str| PackageDirectory {
                path: (*path).into(),
                default: false,
                format,
            }
        };
        let mut directories: Vec<_> = source.iter().map(directory(Format::Source)).collect();
        directories.extend(metadata_api.iter().map(directory(Format::MetadataApi)));
        directories.sort_unstable_by(|a, b| a.path.cmp(&b.path));
        if let Some(first) = directories.first_mut() {
            first.default = true;
        }
        Self::new("".into(), directories, forceignore)
    }

    fn new(folder: Box<str>, directories: Vec<PackageDirectory>, forceignore: Option<&str>) -> Self {
        Self {
            folder,
            directories,
            presets: Vec::new(),
            registry: OnceLock::new(),
            ignore_text: forceignore.unwrap_or_default().into(),
            ignore: OnceLock::new(),
            customized: Vec::new(),
            api_version: None,
            project_file: false,
        }
    }

    /// The package directories in the order of sfdx-project.json.
    pub fn package_directories(&self) -> &[PackageDirectory] {
        &self.directories
    }

    /// The index of the directory that new components go to.
    pub fn default_directory(&self) -> Option<usize> {
        let marked = self.directories.iter().position(|directory| directory.default);
        marked.or((!self.directories.is_empty()).then_some(0))
    }

    /// The presets in `sourceBehaviorOptions`.
    pub fn presets(&self) -> &[Preset] {
        &self.presets
    }

    /// Types that `registryCustomizations` adds or changes. They are not supported: their files are unknown or
    /// taken for what the standard registry says. The caller should tell the user.
    pub fn unsupported_customizations(&self) -> &[Box<str>] {
        &self.customized
    }

    /// Whether there is an sfdx-project.json.
    pub fn has_project_file(&self) -> bool {
        self.project_file
    }

    /// `sourceApiVersion`, for example `67.0`.
    pub fn api_version(&self) -> Option<&str> {
        self.api_version.as_deref()
    }

    /// The metadata types as the project's presets lay them out.
    pub fn registry(&self) -> &Registry {
        self.registry.get_or_init(|| {
            if self.presets.is_empty() {
                Cow::Borrowed(Registry::standard())
            } else {
                Cow::Owned(Registry::with_presets(&self.presets))
            }
        })
    }

    /// The ignore rules.
    pub fn forceignore(&self) -> &ForceIgnore {
        self.ignore.get_or_init(|| ForceIgnore::parse(&self.ignore_text))
    }

    /// What the file at `path` is. `path` is from the root of the repository, with `/`.
    ///
    /// Only the path is looked at; the file need not exist. A path with `.`, `..` or an empty part is outside.
    pub fn locate(&self, path: &str) -> Located {
        let plain = !path.split('/').any(|part| matches!(part, "" | "." | ".."));
        let Some((index, inside)) = self.directory_of(path).filter(|_| plain) else {
            return Located::NotMetadata(NotMetadata::OutsidePackageDirectories);
        };
        let from_project = path.strip_prefix(&*self.folder).unwrap_or(path);
        if let Some(rule) = self.forceignore().rule_for(from_project) {
            return Located::Ignored(rule.clone());
        }
        let directory = &self.directories[index];
        let own_name = directory.path.rsplit('/').next().unwrap_or_default();
        match resolve(self.registry(), own_name, inside, directory.format) {
            Located::Component(mut file) => {
                file.package_dir = index;
                Located::Component(file)
            }
            other => other,
        }
    }

    /// The innermost package directory around a path, and the rest of the path.
    fn directory_of<'a>(&self, path: &'a str) -> Option<(usize, &'a str)> {
        (self.directories.iter().enumerate())
            .filter_map(|(index, directory)| {
                let rest = match &*directory.path {
                    "" => path,
                    folder => path.strip_prefix(folder)?.strip_prefix('/')?,
                };
                Some((directory.path.len(), index, rest))
            })
            .max_by_key(|(length, _, _)| *length)
            .map(|(_, index, rest)| (index, rest))
    }
}

/// A path without `.`, doubled or final slashes; `\` counts as `/`. None when it leaves the root.
fn normal(path: &str) -> Option<String> {
    let mut parts = Vec::new();
    for part in path.split(['/', '\\']) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

fn with_slash(folder: &str) -> Box<str> {
    if folder.is_empty() {
        "".into()
    } else {
        format!("{folder}/").into()
    }
}
