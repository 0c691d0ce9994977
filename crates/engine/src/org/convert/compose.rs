//! Components whose children lie in files of their own become one file.

use std::collections::BTreeMap;

use syncline_metadata::component::{ComponentFile, ComponentId, Format, Project, Role};
use syncline_metadata::table::registry::Registry;

use super::splice::{self, document};
use super::{ConvertError, layout};

/// The parts of components, as they are found.
#[derive(Default)]
pub(super) struct Parts {
    components: BTreeMap<ComponentId, Component>,
}

#[derive(Default)]
struct Component {
    /// The component's own file.
    own: Option<(String, Vec<u8>)>,
    /// Element and content of each child, sorted.
    children: Vec<(&'static str, String)>,
}

impl Parts {
    pub(super) fn add(
        &mut self,
        registry: &Registry,
        path: &str,
        file: &ComponentFile,
        bytes: &[u8],
    ) -> Result<(), ConvertError> {
        let child_type = match file.role {
            Role::Part { child_type } => Some(child_type),
            _ => file.parent.as_ref().map(|_| &*file.id.type_name),
        };
        let parent = file.parent.as_ref().unwrap_or(&file.id);
        let component = self.components.entry(parent.clone()).or_default();
        let Some(child_type) = child_type else {
            component.own = Some((path.to_owned(), bytes.to_owned()));
            return Ok(());
        };
        let parts = || {
            let why = format!(
                "parts of {} in files of their own cannot be deployed yet",
                parent.type_name
            );
            layout(path, why)
        };
        let kind = registry.by_name(&parent.type_name).ok_or_else(parts)?;
        let child = kind
            .children
            .iter()
            .find(|child| child.name == child_type)
            .ok_or_else(parts)?;
        let (text, parsed) = splice::parse(path, bytes)?;
        let root = parsed.root_element();
        if root.tag_name().name() != child.name {
            return Err(parts());
        }
        component
            .children
            .push((child.element, splice::inner(text, root, true)));
        Ok(())
    }

    /// One file for each component.
    pub(super) fn compose(self) -> Result<Vec<(String, Vec<u8>)>, ConvertError> {
        let flat = Project::metadata_api([""], None);
        let mut files = Vec::new();
        for (id, component) in self.components {
            let path = flat
                .path_for(&id, Format::MetadataApi, 0)
                .ok_or_else(|| layout(&id.to_string(), "its file in a package is unknown"))?;
            let text = component.compose(&id)?;
            files.push((path, text.into_bytes()));
        }
        Ok(files)
    }
}

impl Component {
    fn compose(self, id: &ComponentId) -> Result<String, ConvertError> {
        let mut children = String::new();
        let mut sorted = self.children;
        sorted.sort_by_key(|(element, _)| *element);
        for (element, content) in &sorted {
            children.push_str(&format!("\n    <{element}>{content}</{element}>"));
        }
        let Some((path, bytes)) = self.own else {
            // Standard objects need no file of their own.
            return Ok(document(&id.type_name, &format!("{children}\n")));
        };
        let (text, parsed) = splice::parse(&path, &bytes)?;
        let root = parsed.root_element();
        let Some(last) = root.last_child() else {
            // `<CustomObject …/>` or nothing between the tags.
            return Ok(document(&id.type_name, &format!("{children}\n")));
        };
        let end = if last.is_text() {
            last.range().start
        } else {
            last.range().end
        };
        Ok(format!("{}{children}{}", &text[..end], &text[end..]))
    }
}
