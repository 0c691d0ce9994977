//! The metadata types: folder, suffix, file layout and children of each, with the presets of a project.
//!
//! Facts of npm `@salesforce/source-deploy-retrieve`, kept in `table/registry.txt`; see `table/README.md`.

use std::sync::LazyLock;

const TABLE: &str = include_str!("../../table/registry.txt");

/// How the files of a type are laid out in source format.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Adapter {
    /// One XML file: `Foo.tab-meta.xml`.
    #[default]
    Xml,
    /// A content file with an XML descriptor beside it: `Foo.cls`, `Foo.cls-meta.xml`.
    MatchingContent,
    /// A folder of its own for each component: `lwc/foo/…`.
    Bundle,
    /// A folder of its own, below it the children in files: `objects/Foo__c/fields/…`.
    Decomposed,
    /// A descriptor beside a file or a folder of any content: `staticresources/foo/…`.
    MixedContent,
    /// `digitalExperiences/<base type>/<space>/<content type>/<content>/…`.
    DigitalExperience,
    /// A bundle whose descriptor carries the type's suffix: `uiBundles/foo/foo.uibundle-meta.xml`.
    UiBundle,
    /// XML with one element taken out into a file beside it: an external service's schema.
    PartlyDecomposed,
}

/// Where the children of a decomposed type lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decomposition {
    /// In a folder for each child type.
    FolderPerType,
    /// In the component's own folder.
    TopLevel,
}

/// A metadata type. Texts are as in the table; a fact that does not apply is `None` or `false`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MetadataType {
    /// Metadata API name, `CustomObject`.
    pub name: &'static str,
    /// Folder in a package, `objects`. Empty for children that have none.
    pub directory: &'static str,
    /// File suffix without the dot, `object`. None for bundles.
    pub suffix: Option<&'static str>,
    /// A wrong suffix that existing repositories carry.
    pub legacy_suffix: Option<&'static str>,
    /// Name of the descriptor file where it is not `-meta.xml`.
    pub meta_file: Option<&'static str>,
    /// How files are laid out.
    pub adapter: Adapter,
    /// Where the children of a decomposed type lie.
    pub decomposition: Option<Decomposition>,
    /// Components lie in folders, which are part of the full name.
    pub in_folder: bool,
    /// For a type in folders, the type of the folder.
    pub folder_type: Option<&'static str>,
    /// For a folder type, the type of what it holds.
    pub folder_content: Option<&'static str>,
    /// Files count only inside the type's directory.
    pub strict: bool,
    /// package.xml may hold `*` and names of this type together.
    pub wildcard: bool,
    /// Single files of a component can be deleted.
    pub partial_delete: bool,
    /// The full name is always the type's name, whatever the file is called (CustomLabels).
    pub fixed_name: bool,
    /// Another type stands for this one.
    pub alias_for: Option<&'static str>,
    /// Between name and version number in the full name of a version type.
    pub version_separator: Option<&'static str>,
    /// Child types, in files of their own or inside the parent's XML.
    pub children: Vec<ChildType>,
}

/// A type whose components are part of a component of another type.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChildType {
    /// Metadata API name, `CustomField`.
    pub name: &'static str,
    /// Folder inside the parent's folder, `fields`.
    pub directory: &'static str,
    /// File suffix without the dot, `field`.
    pub suffix: Option<&'static str>,
    /// A wrong suffix that existing repositories carry.
    pub legacy_suffix: Option<&'static str>,
    /// List element of the parent's XML that holds the children, `fields`. The directory's name when not given.
    pub element: &'static str,
    /// Element of the child that names it, `fullName` when not given.
    pub key: &'static str,
    /// package.xml can name it. The decomposed parts of a permission set cannot be named.
    pub addressable: bool,
    /// The full name has no parent in front (CustomLabel).
    pub no_parent_name: bool,
    /// Name of the descriptor file where it is not `-meta.xml`.
    pub meta_file: Option<&'static str>,
}

/// A value of `sourceBehaviorOptions` in sfdx-project.json: it changes how types are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Preset(&'static str);

impl Preset {
    /// All seven presets.
    pub const ALL: [Self; 7] = [
        Self("decomposeCustomLabelsBeta"),
        Self("decomposeCustomLabelsBeta2"),
        Self("decomposeExternalServiceRegistrationBeta"),
        Self("decomposePermissionSetBeta"),
        Self("decomposePermissionSetBeta2"),
        Self("decomposeSharingRulesBeta"),
        Self("decomposeWorkflowBeta"),
    ];

    /// The preset of this name, as sfdx-project.json writes it.
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|preset| preset.0 == name)
    }

    /// Name as in sfdx-project.json.
    pub fn name(self) -> &'static str {
        self.0
    }
}

/// All types, as a project's presets lay them out.
#[derive(Clone, Debug)]
pub struct Registry {
    /// Sorted by name.
    types: Vec<MetadataType>,
    /// `(suffix, type or child type)`, sorted by suffix.
    suffixes: Vec<(&'static str, &'static str)>,
    /// `(directory, index of the type)`, sorted by directory.
    directories: Vec<(&'static str, u16)>,
    /// `(child type, index of the parent)`, sorted by name.
    children: Vec<(&'static str, u16)>,
}

static STANDARD: LazyLock<Registry> = LazyLock::new(|| Registry::with_presets(&[]));

impl Registry {
    /// The types without any preset. Parsed at the first use.
    pub fn standard() -> &'static Self {
        &STANDARD
    }

    /// The types with presets applied in the given order.
    pub fn with_presets(presets: &[Preset]) -> Self {
        let mut types = Vec::new();
        let mut suffixes = Vec::new();
        for (title, body) in sections() {
            match title.strip_prefix("preset ").and_then(|rest| rest.split_once(' ')) {
                None if title == "types" => types = parse_types(body),
                None => suffixes = parse_suffixes(body),
                Some(_) => break,
            }
        }
        for preset in presets {
            for (title, body) in sections() {
                match title.strip_prefix("preset ").and_then(|rest| rest.split_once(' ')) {
                    Some((name, "types")) if name == preset.0 => override_types(&mut types, parse_types(body)),
                    Some((name, "suffixes")) if name == preset.0 => {
                        override_suffixes(&mut suffixes, parse_suffixes(body));
                    }
                    _ => {}
                }
            }
        }
        let mut directories: Vec<_> = (0u16..)
            .zip(&types)
            .map(|(index, kind)| (kind.directory, index))
            .collect();
        directories.sort_unstable();
        // A preset can make a child a type of its own: then it is no child any more.
        let mut children: Vec<_> = (0u16..)
            .zip(&types)
            .flat_map(|(index, kind)| kind.children.iter().map(move |child| (child.name, index)))
            .filter(|(name, _)| types.binary_search_by_key(name, |kind| kind.name).is_err())
            .collect();
        children.sort_unstable();
        Self {
            types,
            suffixes,
            directories,
            children,
        }
    }

    /// All types, sorted by name; child types are inside their parents.
    pub fn types(&self) -> &[MetadataType] {
        &self.types
    }

    /// The type of this name (exact case). Child types are found with [`Registry::child`].
    pub fn by_name(&self, name: &str) -> Option<&MetadataType> {
        let index = self.types.binary_search_by_key(&name, |kind| kind.name).ok()?;
        self.types.get(index)
    }

    /// The parent type and the child type of this name.
    pub fn child(&self, name: &str) -> Option<(&MetadataType, &ChildType)> {
        let index = self.children.binary_search_by_key(&name, |(child, _)| child).ok()?;
        let parent = &self.types[usize::from(self.children[index].1)];
        Some((parent, parent.children.iter().find(|child| child.name == name)?))
    }

    /// The name of the type or child type that the registry gives to a file suffix, whatever the folder.
    pub fn by_suffix(&self, suffix: &str) -> Option<&'static str> {
        let index = self.suffixes.binary_search_by_key(&suffix, |(known, _)| known).ok()?;
        Some(self.suffixes[index].1)
    }

    /// The types whose components lie in a folder of this name (several share `wave`, `email`, `settings`…).
    pub fn by_directory(&self, directory: &str) -> impl Iterator<Item = &MetadataType> {
        let start = self.directories.partition_point(|(known, _)| *known < directory);
        self.directories[start..]
            .iter()
            .take_while(move |(known, _)| *known == directory)
            .map(|(_, index)| &self.types[usize::from(*index)])
    }

    /// The types of a folder whose files count only there, for example `lwc` or `objects`.
    pub fn by_strict_directory(&self, directory: &str) -> impl Iterator<Item = &MetadataType> {
        self.by_directory(directory).filter(|kind| kind.strict)
    }

    /// The child type kept in a list element of a parent's XML: `CustomObject` and `fields` give `CustomField`.
    pub fn child_by_element(&self, parent: &str, element: &str) -> Option<&ChildType> {
        self.by_name(parent)?
            .children
            .iter()
            .find(|child| child.element == element)
    }
}

impl MetadataType {
    /// Whether a file suffix (without dot) is this type's.
    pub fn has_suffix(&self, suffix: &str) -> bool {
        self.suffix == Some(suffix) || self.legacy_suffix == Some(suffix)
    }

    /// The child type of a file suffix; where several share one, the type of that very name.
    pub fn child_by_suffix(&self, suffix: &str) -> Option<&ChildType> {
        let mut matching = self.children.iter().filter(|child| child.has_suffix(suffix));
        let first = matching.next()?;
        Some(
            matching
                .find(|child| child.name.eq_ignore_ascii_case(suffix))
                .unwrap_or(first),
        )
    }
}

impl ChildType {
    /// Whether a file suffix (without dot) is this type's.
    pub fn has_suffix(&self, suffix: &str) -> bool {
        self.suffix == Some(suffix) || self.legacy_suffix == Some(suffix)
    }
}

/// `(title, body)` of each `[title]` section.
fn sections() -> impl Iterator<Item = (&'static str, &'static str)> {
    TABLE
        .split("\n[")
        .skip(1)
        .filter_map(|section| section.split_once("]\n"))
}

fn parse_types(body: &'static str) -> Vec<MetadataType> {
    let mut types: Vec<MetadataType> = Vec::with_capacity(body.len() / 64);
    for line in body.lines() {
        match line.strip_prefix("  ") {
            Some(child) => {
                if let Some(parent) = types.last_mut() {
                    parent.children.push(parse_child(child));
                }
            }
            None if line.is_empty() => {}
            None => types.push(parse_type(line)),
        }
    }
    types
}

fn parse_type(line: &'static str) -> MetadataType {
    let mut words = line.split(' ');
    let mut kind = MetadataType {
        name: words.next().unwrap_or_default(),
        ..MetadataType::default()
    };
    for word in words {
        match word.split_once('=') {
            Some((key, value)) => match key {
                "dir" => kind.directory = value,
                "suffix" => kind.suffix = Some(value),
                "legacy-suffix" => kind.legacy_suffix = Some(value),
                "meta-file" => kind.meta_file = Some(value),
                "folder-type" => kind.folder_type = Some(value),
                "folder-content" => kind.folder_content = Some(value),
                "alias-for" => kind.alias_for = Some(value),
                "version-separator" => kind.version_separator = Some(value),
                "adapter" => kind.adapter = adapter(value),
                "decomposition" => kind.decomposition = decomposition(value),
                _ => {}
            },
            None => match word {
                "in-folder" => kind.in_folder = true,
                "strict" => kind.strict = true,
                "wildcard" => kind.wildcard = true,
                "partial-delete" => kind.partial_delete = true,
                "fixed-name" => kind.fixed_name = true,
                _ => {}
            },
        }
    }
    kind
}

fn parse_child(line: &'static str) -> ChildType {
    let mut words = line.split(' ');
    let mut child = ChildType {
        name: words.next().unwrap_or_default(),
        key: "fullName",
        addressable: true,
        ..ChildType::default()
    };
    for word in words {
        match word.split_once('=') {
            Some(("dir", value)) => child.directory = value,
            Some(("suffix", value)) => child.suffix = Some(value),
            Some(("legacy-suffix", value)) => child.legacy_suffix = Some(value),
            Some(("meta-file", value)) => child.meta_file = Some(value),
            Some(("element", value)) => child.element = value,
            Some(("key", value)) => child.key = value,
            None if word == "not-addressable" => child.addressable = false,
            None if word == "no-parent-name" => child.no_parent_name = true,
            _ => {}
        }
    }
    if child.element.is_empty() {
        child.element = child.directory;
    }
    child
}

fn adapter(word: &str) -> Adapter {
    match word {
        "matchingContentFile" => Adapter::MatchingContent,
        "bundle" => Adapter::Bundle,
        "decomposed" => Adapter::Decomposed,
        "mixedContent" => Adapter::MixedContent,
        "digitalExperience" => Adapter::DigitalExperience,
        "uiBundles" => Adapter::UiBundle,
        "partiallyDecomposed" => Adapter::PartlyDecomposed,
        _ => Adapter::Xml,
    }
}

fn decomposition(word: &str) -> Option<Decomposition> {
    match word {
        "folderPerType" => Some(Decomposition::FolderPerType),
        "topLevel" => Some(Decomposition::TopLevel),
        _ => None,
    }
}

fn parse_suffixes(body: &'static str) -> Vec<(&'static str, &'static str)> {
    let mut suffixes = Vec::with_capacity(body.len() / 32);
    suffixes.extend(body.lines().filter_map(|line| line.split_once(' ')));
    suffixes
}

fn override_types(types: &mut Vec<MetadataType>, overrides: Vec<MetadataType>) {
    for kind in overrides {
        match types.binary_search_by_key(&kind.name, |known| known.name) {
            Ok(index) => types[index] = kind,
            Err(index) => types.insert(index, kind),
        }
    }
}

fn override_suffixes(suffixes: &mut Vec<(&'static str, &'static str)>, overrides: Vec<(&'static str, &'static str)>) {
    for (suffix, name) in overrides {
        match suffixes.binary_search_by_key(&suffix, |(known, _)| known) {
            Ok(index) => suffixes[index].1 = name,
            Err(index) => suffixes.insert(index, (suffix, name)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_table_is_read() {
        let registry = Registry::standard();
        assert_eq!(registry.types.len(), 539);
        assert_eq!(registry.children.len(), 36);
        assert_eq!(registry.suffixes.len(), 535);
        assert_eq!(registry.types.iter().filter(|kind| kind.strict).count(), 36);
        assert!(registry.types.is_sorted_by_key(|kind| kind.name));
        assert!(registry.suffixes.is_sorted());
    }

    #[test]
    fn every_word_of_the_table_is_known() {
        const WORDS: [&str; 26] = [
            "dir",
            "suffix",
            "legacy-suffix",
            "meta-file",
            "folder-type",
            "folder-content",
            "alias-for",
            "version-separator",
            "adapter",
            "decomposition",
            "element",
            "key",
            "id",
            "in-folder",
            "strict",
            "wildcard",
            "partial-delete",
            "fixed-name",
            "not-addressable",
            "no-parent-name",
            // Known and not needed for identity.
            "transformer",
            "recomposition",
            "needs-parent",
            "",
            "types",
            "suffixes",
        ];
        for (title, body) in sections() {
            if title.ends_with("types") {
                for word in body.lines().flat_map(|line| line.trim_start().split(' ').skip(1)) {
                    let key = word.split_once('=').map_or(word, |(key, _)| key);
                    assert!(WORDS.contains(&key), "{word}");
                }
            }
        }
    }

    #[test]
    fn every_preset_has_its_sections() {
        for preset in Preset::ALL {
            let changed = Registry::with_presets(&[preset]);
            assert_ne!(changed.types, Registry::standard().types, "{}", preset.name());
            assert_eq!(Preset::by_name(preset.name()), Some(preset));
        }
        assert_eq!(Preset::by_name("decomposeEverything"), None);
    }

    #[test]
    fn children_by_element() {
        let check = |parent: &str, element: &str, expect: Option<(&str, &str)>| {
            let found = Registry::standard().child_by_element(parent, element);
            assert_eq!(found.map(|child| (child.name, child.key)), expect, "{parent} {element}");
        };
        check("CustomObject", "fields", Some(("CustomField", "fullName")));
        check("CustomObject", "indexes", Some(("Index", "fullName")));
        check("CustomObject", "actionOverrides", None);
        check("Workflow", "alerts", Some(("WorkflowAlert", "fullName")));
        check(
            "Workflow",
            "knowledgePublishes",
            Some(("WorkflowKnowledgePublish", "fullName")),
        );
        check("CustomLabels", "labels", Some(("CustomLabel", "fullName")));
        check(
            "SharingRules",
            "sharingOwnerRules",
            Some(("SharingOwnerRule", "fullName")),
        );
        check("MatchingRules", "matchingRules", Some(("MatchingRule", "fullName")));
        check(
            "AssignmentRules",
            "assignmentRule",
            Some(("AssignmentRule", "fullName")),
        );
        check("Bot", "botVersions", Some(("BotVersion", "fullName")));
        check("ManagedTopics", "managedTopic", Some(("ManagedTopic", "fullName")));
        check(
            "CustomObjectTranslation",
            "fields",
            Some(("CustomFieldTranslation", "name")),
        );
        check("ApexClass", "fields", None);
    }

    #[test]
    fn lookups() {
        let registry = Registry::standard();
        assert_eq!(registry.by_suffix("cls"), Some("ApexClass"));
        assert_eq!(registry.by_suffix("workflowAlert"), Some("WorkflowAlert"));
        assert_eq!(registry.by_suffix("nothing"), None);
        let names: Vec<_> = registry.by_directory("email").map(|kind| kind.name).collect();
        assert_eq!(names, ["EmailFolder", "EmailTemplate", "EmailTemplateFolder"]);
        assert_eq!(registry.by_strict_directory("lwc").count(), 1);
        assert_eq!(registry.by_strict_directory("classes").count(), 0);
        assert_eq!(
            registry.child("CustomField").map(|(parent, _)| parent.name),
            Some("CustomObject")
        );
        let labels = Registry::with_presets(
            &Preset::by_name("decomposeCustomLabelsBeta2")
                .into_iter()
                .collect::<Vec<_>>(),
        );
        assert!(labels.child("CustomLabel").is_none());
        assert!(labels.by_name("CustomLabel").is_some());
    }
}
