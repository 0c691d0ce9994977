//! Gathers the files of a retrieval.

use super::request::Request;
use super::{scope, view};
use crate::error::ApiError;
use crate::http::Call;
use crate::metadata::archive::Files;
use crate::metadata::properties::{self, Properties};
use crate::metadata::store::{self, Component};
use crate::metadata::{package, standard};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use syncline_metadata::component::ComponentId;
use syncline_metadata::package::PackageManifest;
use syncline_metadata::table::registry::Registry;

/// What a retrieval gives out.
#[derive(Debug, Default)]
pub(super) struct Collected {
    /// Files of the zip.
    pub files: Files,
    /// `FileProperties` of each.
    pub properties: Vec<Value>,
    /// What was not found: file and text.
    pub messages: Vec<(String, String)>,
}

/// A set of components that goes into one folder.
#[derive(Debug, Default)]
struct Wanted {
    /// Whole components, containers with all their children.
    whole: BTreeSet<ComponentId>,
    /// Children asked for by name, by container.
    parts: BTreeMap<ComponentId, BTreeSet<ComponentId>>,
}

pub(super) fn collect(call: &Call<'_>, request: &Request) -> Result<Collected, ApiError> {
    let mut collected = Collected::default();
    let mut sets = Vec::new();
    // Outbound change sets live in the org they were made in and do not come back with a copy.
    let gone = call
        .db
        .prepare_cached("SELECT 1 FROM _value WHERE name = 'change_sets' AND value = 'gone'")?
        .exists([])?;
    for name in &request.package_names {
        let members = call
            .world
            .config
            .change_sets
            .iter()
            .find(|set| !gone && set.name == *name && set.org == call.org.name)
            .ok_or_else(|| {
                ApiError::new(
                    "INVALID_CROSS_REFERENCE_KEY",
                    format!("No package named '{name}' found."),
                )
            })?;
        let types = members
            .members
            .iter()
            .filter_map(|member| member.split_once(':'))
            .map(|(kind, member)| (kind.to_owned(), vec![member.to_owned()]))
            .collect();
        sets.push((format!("{name}/"), types));
    }
    if let Some(types) = &request.unpackaged {
        let at_root = request.single_package && request.package_names.is_empty();
        sets.push((if at_root { "" } else { "unpackaged/" }.to_owned(), types.clone()));
    }
    for (folder, types) in sets {
        let wanted = resolve(call, &folder, &types, &mut collected.messages)?;
        write(call, request, &folder, &wanted, &mut collected)?;
    }
    if !request.specific_files.is_empty() {
        collected
            .files
            .retain(|path, _| request.specific_files.iter().any(|file| file == path) || path.ends_with("package.xml"));
    }
    Ok(collected)
}

/// Finds what is asked for.
fn resolve(
    call: &Call<'_>,
    folder: &str,
    types: &[(String, Vec<String>)],
    messages: &mut Vec<(String, String)>,
) -> Result<Wanted, ApiError> {
    let registry = Registry::standard();
    let mut wanted = Wanted::default();
    let file = format!("{folder}package.xml");
    for (kind, members) in types {
        let child = registry.child(kind);
        if registry.by_name(kind).is_none() && child.is_none() {
            messages.push((file.clone(), format!("Entity type '{kind}' is unknown")));
            continue;
        }
        for member in members {
            if member == "*" {
                // Contents of folders and children of objects have no wildcard.
                let in_folder = registry.by_name(kind).is_some_and(|kind| kind.in_folder);
                let named_alone = child.is_none_or(|(_, child)| child.no_parent_name);
                if !in_folder && named_alone {
                    store::list(call.db, kind)?
                        .into_iter()
                        .filter(|component| component.namespace.is_none())
                        .for_each(|component| wanted.add(component));
                }
                continue;
            }
            let mut found = None;
            for id in package::meant(kind, member) {
                found = found.or(standard::find(call, &id)?);
            }
            match found {
                Some(component) => wanted.add(component),
                None => messages.push((
                    file.clone(),
                    format!("Entity of type '{kind}' named '{member}' cannot be found"),
                )),
            }
        }
    }
    Ok(wanted)
}

impl Wanted {
    fn add(&mut self, component: Component) {
        match component.parent {
            Some(parent) => {
                self.parts.entry(parent).or_default().insert(component.id);
            }
            None => {
                self.whole.insert(component.id);
            }
        }
    }
}

/// Writes the files of one set below its folder.
fn write(
    call: &Call<'_>,
    request: &Request,
    folder: &str,
    wanted: &Wanted,
    collected: &mut Collected,
) -> Result<(), ApiError> {
    let mut manifest = PackageManifest {
        version: Some(format!("{}.0", request.version).into()),
        ..PackageManifest::default()
    };
    let mut present: BTreeSet<ComponentId> = wanted.whole.clone();
    present.extend(wanted.parts.values().flatten().cloned());
    let roots: BTreeSet<&ComponentId> = wanted.whole.iter().chain(wanted.parts.keys()).collect();
    for id in roots {
        let all = store::children(call.db, id)?;
        let whole = wanted.whole.contains(id);
        let parts = wanted.parts.get(id);
        let children: Vec<Component> = all
            .into_iter()
            .filter(|child| whole || parts.is_some_and(|parts| parts.contains(&child.id)))
            .collect();
        let files = if whole {
            standard::whole(call, id, &children)?
        } else {
            parts_only(call, id, &children)?
        };
        let mut told: Vec<Component> = Vec::new();
        if whole {
            manifest.insert(package::named_by(&id.type_name), &id.full_name);
            told.extend(standard::find(call, id)?);
        }
        for child in children
            .into_iter()
            .filter(|child| parts.is_some_and(|parts| parts.contains(&child.id)))
        {
            manifest.insert(&child.id.type_name, &child.id.full_name);
            told.push(child);
        }
        let paths: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
        for component in &told {
            for path in properties::files_of(component, &paths) {
                let properties = Properties::of(call, component, &format!("{folder}{path}"))?;
                collected.properties.push(properties.json());
            }
        }
        let root = id.type_name.to_string();
        for file in files {
            let content = if view::is_printed(&file.content) {
                view::print(&file.content, &|element, entry| {
                    !scope::is_scoped(&root) || scope::keeps(&root, element, entry, &present)
                })
            } else {
                file.content
            };
            collected.files.insert(format!("{folder}{}", file.path), content);
        }
    }
    let path = format!("{folder}package.xml");
    collected.properties.push(properties::manifest(call, &path));
    collected.files.insert(path, manifest.to_string().into_bytes());
    Ok(())
}

/// A container with only some children and nothing of its own.
fn parts_only(call: &Call<'_>, id: &ComponentId, children: &[Component]) -> Result<Vec<store::File>, ApiError> {
    let nothing = ComponentId::new(id.type_name.clone(), "");
    store::whole(call.db, &nothing, children)
}
