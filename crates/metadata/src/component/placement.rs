//! Where the file of a new component goes: the reverse of `locate` for types that have one XML file.

use super::id::ComponentId;
use super::located::Format;
use super::name::{escape, escape_segments};
use super::project::Project;
use crate::table::registry::{Adapter, Decomposition, MetadataType, Registry};

impl Project {
    /// The path, from the root of the repository, of the one XML file of a component.
    ///
    /// `package_dir` is an index into [`Project::package_directories`]. Source format in a project with
    /// sfdx-project.json goes below `main/default`, as the Salesforce command line does it. None for a type whose
    /// components have several files (bundles, content with a descriptor), for a child that lies inside its
    /// parent's file in this format, and for an unknown type or directory.
    pub fn path_for(&self, id: &ComponentId, format: Format, package_dir: usize) -> Option<String> {
        let directory = self.package_directories().get(package_dir)?;
        let inside = inside(self.registry(), id, format)?;
        let mut path = directory.path.to_string();
        let layout = match format {
            Format::Source if self.has_project_file() && !path.ends_with("main/default") => "main/default",
            _ => "",
        };
        for part in [layout, &inside] {
            if !part.is_empty() {
                if !path.is_empty() {
                    path.push('/');
                }
                path.push_str(part);
            }
        }
        Some(path)
    }
}

/// The path below the folder that holds the types' folders.
fn inside(registry: &Registry, id: &ComponentId, format: Format) -> Option<String> {
    let ending = match format {
        Format::Source => "-meta.xml",
        Format::MetadataApi => "",
    };
    let Some(kind) = registry.by_name(&id.type_name) else {
        return child(registry, id, format);
    };
    let directory = kind.directory;
    let suffix = kind.suffix?;
    if kind.folder_content.is_some() {
        let name = escape_segments(&id.full_name);
        return Some(match format {
            Format::Source => format!("{directory}/{name}.{suffix}-meta.xml"),
            Format::MetadataApi => format!("{directory}/{name}-meta.xml"),
        });
    }
    match kind.adapter {
        Adapter::Decomposed if format == Format::Source => {
            let name = escape(&id.full_name);
            Some(format!("{directory}/{name}/{name}.{suffix}-meta.xml"))
        }
        Adapter::Xml | Adapter::Decomposed => {
            let name = match kind.folder_type {
                None => escape(&id.full_name),
                Some(folder_type) if folder_type == kind.name => {
                    let name = escape(&id.full_name);
                    format!("{name}/{name}")
                }
                Some(_) if kind.in_folder => escape_segments(&id.full_name),
                Some(folder_type) => return in_model(registry.by_name(folder_type)?, kind, id, ending),
            };
            Some(format!("{directory}/{name}.{suffix}{ending}"))
        }
        _ => None,
    }
}

/// Territories and their rules: `territory2Models/Model/rules/Rule.territory2Rule`.
fn in_model(model: &MetadataType, kind: &MetadataType, id: &ComponentId, ending: &str) -> Option<String> {
    let (model_name, name) = id.full_name.split_once('.')?;
    Some(format!(
        "{}/{}/{}/{}.{}{ending}",
        model.directory,
        escape(model_name),
        kind.directory,
        escape(name),
        kind.suffix?
    ))
}

fn child(registry: &Registry, id: &ComponentId, format: Format) -> Option<String> {
    let (parent, child) = registry.child(&id.type_name)?;
    if parent.adapter != Adapter::Decomposed || format != Format::Source {
        return None;
    }
    let (parent_name, name) = match id.full_name.split_once('.') {
        Some(names) => names,
        None if parent.name == "CustomLabels" => (parent.name, &*id.full_name),
        None => return None,
    };
    let suffix = child.suffix?;
    let (directory, parent_name, name) = (parent.directory, escape(parent_name), escape(name));
    Some(match parent.decomposition? {
        Decomposition::FolderPerType => {
            format!("{directory}/{parent_name}/{}/{name}.{suffix}-meta.xml", child.directory)
        }
        Decomposition::TopLevel => format!("{directory}/{parent_name}/{name}.{suffix}-meta.xml"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::registry::Preset;

    fn project(options: &str) -> Project {
        let text = format!(r#"{{"packageDirectories":[{{"path":"app"}}],"sourceBehaviorOptions":[{options}]}}"#);
        Project::parse("", &text, None).expect("valid project")
    }

    fn check(id: &str, source: Option<&str>, metadata_api: Option<&str>) {
        let id: ComponentId = id.parse().expect("component");
        let project = project("");
        assert_eq!(project.path_for(&id, Format::Source, 0).as_deref(), source, "{id}");
        let flat = Project::metadata_api(["src"], None);
        assert_eq!(
            flat.path_for(&id, Format::MetadataApi, 0).as_deref(),
            metadata_api,
            "{id}"
        );
    }

    #[test]
    fn places() {
        check(
            "Layout:Account-My (x) Layout",
            Some("app/main/default/layouts/Account-My %28x%29 Layout.layout-meta.xml"),
            Some("src/layouts/Account-My %28x%29 Layout.layout"),
        );
        check(
            "CustomField:A__c.B__c",
            Some("app/main/default/objects/A__c/fields/B__c.field-meta.xml"),
            None,
        );
        check(
            "CustomObject:A__c",
            Some("app/main/default/objects/A__c/A__c.object-meta.xml"),
            Some("src/objects/A__c.object"),
        );
        check(
            "ReportFolder:F/G",
            Some("app/main/default/reports/F/G.reportFolder-meta.xml"),
            Some("src/reports/F/G-meta.xml"),
        );
        check(
            "Report:F/R",
            Some("app/main/default/reports/F/R.report-meta.xml"),
            Some("src/reports/F/R.report"),
        );
        check("ApexClass:A", None, None);
        check("WorkflowAlert:A.B", None, None);
        check("Nothing:A", None, None);
    }

    #[test]
    fn located_where_placed() {
        let mut placed = 0;
        let options = Preset::ALL.map(|preset| format!("\"{}\"", preset.name()));
        for options in ["".to_owned()].iter().chain(&options) {
            let project = project(options);
            for kind in project.registry().types() {
                let name = match (kind.fixed_name, kind.in_folder) {
                    (true, _) => kind.name,
                    (_, true) => "Folder/A (b) & c",
                    _ if kind.name == "CustomMetadata" => "Type.A (b) & c",
                    _ if kind.folder_type.is_some_and(|folder_type| folder_type != kind.name) => "Model.A (b) & c",
                    _ => "A (b) & c",
                };
                let children = kind.children.iter().filter(|child| child.addressable);
                let ids = [ComponentId::new(kind.name, name)]
                    .into_iter()
                    .chain(children.map(|child| ComponentId::new(child.name, format!("{name}.X%41"))));
                for id in ids {
                    for format in [Format::Source, Format::MetadataApi] {
                        let Some(path) = project.path_for(&id, format, 0) else {
                            continue;
                        };
                        if kind.alias_for.is_some() {
                            continue;
                        }
                        placed += 1;
                        let located = project.locate(&path);
                        assert_eq!(
                            located.component().map(|file| &file.id),
                            Some(&id),
                            "{path}: {located:?}"
                        );
                        let found = located.component().map(|file| file.format);
                        assert_eq!(found, Some(format), "{path}");
                    }
                }
            }
        }
        assert!(placed > 7_000, "{placed}");
    }
}
