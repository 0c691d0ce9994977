//! The component that a single path belongs to, without a project around it.

use syncline_metadata::component::{ComponentId, Project};
use syncline_metadata::merge::Sides;
use syncline_metadata::xml;

/// The component of the file at `path`. When the path does not tell, the type is the XML root's name, or `File`, and the full
/// name what the file's name says.
pub fn component_of(path: &str, sides: Sides<'_>) -> ComponentId {
    let path = path.replace('\\', "/");
    let path = path.trim_start_matches(['/', '.']);
    let located = |project: Project| Some(project.locate(path).component()?.id.clone());
    if let Some(id) = located(Project::detect([path], None)) {
        return id;
    }
    let root = [sides.ours, sides.theirs, sides.base]
        .into_iter()
        .flatten()
        .find_map(root_name);
    if root.is_some() || path.ends_with("-meta.xml") {
        // Without its folder, the file's suffix may still tell.
        if let Some(id) = located(Project::metadata_api([""], None)) {
            return id;
        }
    }
    let name = path.rsplit('/').next().unwrap_or_default();
    let name = name.strip_suffix("-meta.xml").unwrap_or(name);
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let full_name = match stem {
        "" => "unnamed",
        stem => stem,
    };
    ComponentId::new(root.as_deref().unwrap_or("File"), full_name)
}

/// Name of the first element, without reading further than that.
fn root_name(bytes: &[u8]) -> Option<String> {
    if !xml::is_metadata(bytes) {
        return None;
    }
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(4096)]);
    head.split('<').skip(1).find_map(|part| {
        let name: String = part.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        (!name.is_empty()).then_some(name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, ours: &str, expect: &str) {
        let sides = Sides {
            base: None,
            ours: Some(ours.as_bytes()),
            theirs: None,
        };
        assert_eq!(component_of(path, sides).to_string(), expect, "{path}");
    }

    #[test]
    fn the_path_names_the_component_and_the_content_what_it_does_not() {
        let flow = "<?xml version=\"1.0\"?>\n<!-- x -->\n<Flow xmlns=\"http://soap.sforce.com/2006/04/metadata\"/>";
        check(
            "force-app/main/default/profiles/Admin.profile-meta.xml",
            "",
            "Profile:Admin",
        );
        check("src/profiles/Custom%3A Sales.profile", "", "Profile:Custom: Sales");
        check("Admin.profile-meta.xml", "", "Profile:Admin");
        check("./Admin.profile", &flow.replace("Flow", "Profile"), "Profile:Admin");
        check(
            "a/objects/Account/fields/Rating__c.field-meta.xml",
            "",
            "CustomField:Account.Rating__c",
        );
        check("C:\\work\\ours.xml", flow, "Flow:ours");
        check("ours.xml", "text", "File:ours");
        check("", "", "File:unnamed");
    }
}
