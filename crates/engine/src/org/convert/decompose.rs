//! One file becomes the component's own file and one for each child.

use syncline_metadata::component::{ComponentFile, ComponentId, Format, Project};
use syncline_metadata::table::registry::{ChildType, MetadataType};

use super::splice::{self, document};
use super::{ConvertError, layout};

/// The files of a component in source format.
pub(super) fn split(
    project: &Project,
    package_dir: usize,
    kind: &MetadataType,
    file: &ComponentFile,
    path: &str,
    bytes: &[u8],
) -> Result<Vec<(String, Vec<u8>)>, ConvertError> {
    let placed = |id: &ComponentId| {
        project
            .path_for(id, Format::Source, package_dir)
            .ok_or_else(|| layout(path, format!("the place of {id} in the project is unknown")))
    };
    let (text, parsed) = splice::parse(path, bytes)?;
    let root = parsed.root_element();
    let mut rest = String::new();
    let mut at = 0;
    let mut files = Vec::new();
    for node in root.children().filter(roxmltree::Node::is_element) {
        let Some(child) = kind
            .children
            .iter()
            .find(|child| child.element == node.tag_name().name())
        else {
            continue;
        };
        let naming = node.children().find(|inner| inner.tag_name().name() == child.key);
        let Some(name) = naming.and_then(|inner| inner.text()).map(str::trim) else {
            continue;
        };
        files.push((place(project, package_dir, file, child, name, &placed)?, {
            let content = splice::inner(text, node, false);
            document(child.name, &content).into_bytes()
        }));
        let range = splice::with_space(text, node);
        rest.push_str(&text[at..range.start]);
        at = range.end;
    }
    rest.push_str(&text[at..]);
    let has_own = root.children().filter(roxmltree::Node::is_element).count() > files.len();
    // A standard object of which only children are there has no file of its own.
    if has_own || files.is_empty() {
        files.push((placed(&file.id)?, rest.into_bytes()));
    }
    Ok(files)
}

fn place(
    project: &Project,
    package_dir: usize,
    file: &ComponentFile,
    child: &ChildType,
    name: &str,
    placed: &impl Fn(&ComponentId) -> Result<String, ConvertError>,
) -> Result<String, ConvertError> {
    let id = ComponentId::new(child.name, format!("{}.{name}", file.id.full_name));
    match project.path_for(&id, Format::Source, package_dir) {
        Some(path) => Ok(path),
        // Parts that package.xml cannot name lie beside the component's own file.
        None => {
            let own = placed(&file.id)?;
            let folder = own.rsplit_once('/').map_or("", |(folder, _)| folder);
            let suffix = child.suffix.unwrap_or(child.directory);
            Ok(format!("{folder}/{name}.{suffix}-meta.xml"))
        }
    }
}
