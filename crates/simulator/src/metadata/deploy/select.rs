//! What of a package is deployed: the components that package.xml names.

use super::options::Options;
use crate::metadata::archive::Files;
use crate::metadata::message::Message;
use crate::metadata::package::{self, DESTRUCTIVE, MANIFEST, Source};
use crate::metadata::store::Item;
use std::collections::BTreeSet;
use syncline_metadata::component::ComponentId;
use syncline_metadata::package::PackageManifest;
use syncline_metadata::table::registry::Registry;

/// A package taken apart.
#[derive(Debug, Default)]
pub(super) struct Selection {
    /// Top folder with `/` at the end, or empty.
    pub prefix: String,
    /// What to write.
    pub items: Vec<Item>,
    /// The files of the package as they came.
    pub sources: Vec<Source>,
    /// What to delete, each with its manifest.
    pub deletions: Vec<(&'static str, PackageManifest)>,
    /// Problems, warnings, and the successes of the manifests.
    pub messages: Vec<Message>,
}

/// Finds the package root: the root of the zip, or its only top folder.
fn root(files: &Files, single: bool) -> Option<String> {
    if single {
        return files.contains_key(MANIFEST).then(String::new);
    }
    let mut tops: BTreeSet<&str> = files
        .keys()
        .filter_map(|path| path.split_once('/'))
        .map(|(top, _)| top)
        .collect();
    // A zip of an operating system's file manager brings its own folder.
    tops.remove("__MACOSX");
    let top = tops.first().filter(|_| tops.len() == 1)?;
    files
        .contains_key(&format!("{top}/{MANIFEST}"))
        .then(|| format!("{top}/"))
}

/// Reads a package.
pub(super) fn select(files: Files, options: &Options) -> Selection {
    let mut selection = Selection::default();
    let Some(prefix) = root(&files, options.single_package) else {
        let text = "No package.xml found";
        selection.messages.push(Message::failure("", MANIFEST, MANIFEST, text));
        return selection;
    };
    let files: Files = files
        .into_iter()
        .filter_map(|(path, content)| Some((path.strip_prefix(&prefix)?.to_owned(), content)))
        .collect();
    selection.prefix = prefix;
    let Some(manifest) = manifest(&files, MANIFEST, &mut selection.messages) else {
        return selection;
    };
    for name in DESTRUCTIVE {
        if files.contains_key(name)
            && let Some(deletions) = self::manifest(&files, name, &mut selection.messages)
        {
            selection.deletions.push((name, deletions));
        }
    }
    let contents = package::contents(&files);
    let broken: BTreeSet<String> = contents.failures.iter().map(|failure| failure.path.clone()).collect();
    selection.messages.extend(contents.failures);
    unknown_types(&manifest, MANIFEST, &mut selection.messages);
    missing(&manifest, &contents.items, &broken, options, &mut selection.messages);
    selection.sources = contents.sources;
    selection.items = named(contents.items, &manifest, options, &mut selection.messages);
    selection
}

/// Reads a manifest; its own success or failure is told.
fn manifest(files: &Files, name: &str, messages: &mut Vec<Message>) -> Option<PackageManifest> {
    let text = String::from_utf8_lossy(files.get(name)?);
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    match PackageManifest::parse(text) {
        Ok(manifest) => {
            messages.push(Message::success("", name, name));
            Some(manifest)
        }
        Err(error) => {
            let told = error.to_string();
            let (line, problem) = told
                .strip_prefix("line ")
                .and_then(|rest| rest.split_once(": "))
                .and_then(|(line, problem)| Some((line.parse().ok()?, problem)))
                .unwrap_or((1, told.as_str()));
            let problem = format!("Error parsing {name}: {problem}");
            messages.push(Message::failure("", name, name, &problem).at(line, 1));
            None
        }
    }
}

/// Whether the platform knows a type.
pub(crate) fn is_type(name: &str) -> bool {
    let registry = Registry::standard();
    registry.by_name(name).is_some() || registry.child(name).is_some_and(|(_, child)| child.addressable)
}

/// Tells the unknown types of a manifest.
pub(super) fn unknown_types(manifest: &PackageManifest, file: &str, messages: &mut Vec<Message>) {
    for name in manifest.types.keys().filter(|name| !is_type(name)) {
        let problem = format!("Unknown type name '{name}' specified in {file}");
        messages.push(Message::failure("", file, file, &problem));
    }
}

/// Tells the members without a file.
fn missing(
    manifest: &PackageManifest,
    items: &[Item],
    broken: &BTreeSet<String>,
    options: &Options,
    messages: &mut Vec<Message>,
) {
    let there: BTreeSet<(String, String)> = items.iter().map(|item| folded(&item.id)).collect();
    for (kind, members) in manifest.types.iter().filter(|(kind, _)| is_type(kind)) {
        for member in members.iter().filter(|member| &***member != "*") {
            let found = package::meant(kind, member).any(|id| {
                let is_in_broken = |path: &String| {
                    let located = package::LAYOUT.locate(path);
                    located.component().is_some_and(|file| folded(&file.id) == folded(&id))
                };
                there.contains(&folded(&id)) || broken.iter().any(is_in_broken)
            });
            if found || options.allow_missing_files {
                continue;
            }
            let problem = format!(
                "An object '{member}' of type {kind} was named in {MANIFEST}, but was not found in zipped directory"
            );
            messages.push(Message::failure("", member, MANIFEST, &problem));
        }
    }
}

/// Names without regard to case.
pub(super) fn folded(id: &ComponentId) -> (String, String) {
    (id.type_name.to_string(), id.full_name.to_lowercase())
}

/// The components that are named, directly or by their container. A file none of whose components is named is an error, or is taken as
/// named with `autoUpdatePackage`.
fn named(items: Vec<Item>, manifest: &PackageManifest, options: &Options, messages: &mut Vec<Message>) -> Vec<Item> {
    let wanted: BTreeSet<(String, String)> = manifest
        .types
        .iter()
        .flat_map(|(kind, members)| {
            members
                .iter()
                .flat_map(|member| package::meant(kind, member))
                .map(|id| folded(&id))
        })
        .collect();
    let is_named =
        |id: &ComponentId| wanted.contains(&(id.type_name.to_string(), "*".to_owned())) || wanted.contains(&folded(id));
    let chosen: Vec<bool> = items
        .iter()
        .map(|item| is_named(&item.id) || item.parent.as_ref().is_some_and(is_named))
        .collect();
    let used: BTreeSet<String> = items
        .iter()
        .zip(&chosen)
        .filter(|(_, chosen)| **chosen)
        .map(|(item, _)| item.path.clone())
        .collect();
    let is_added = |item: &Item| options.auto_update_package && !used.contains(&item.path);
    for item in items
        .iter()
        .filter(|item| item.parent.is_none() && !used.contains(&item.path) && !is_added(item))
    {
        let (kind, name) = (&item.id.type_name, &item.id.full_name);
        messages.push(Message::failure(kind, name, &item.path, "Not in package.xml"));
    }
    items
        .into_iter()
        .zip(chosen)
        .filter_map(|(item, chosen)| (chosen || is_added(&item)).then_some(item))
        .collect()
}
