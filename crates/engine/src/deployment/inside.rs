//! Components that lie inside the file of another: labels, alerts of a workflow, sharing rules. Only those that changed are sent.

use std::collections::BTreeSet;

use syncline_metadata::component::{ComponentId, children_of};

use super::DeploymentError;
use crate::org::convert::splice;

/// The file without the children that are not to be sent. What the file says besides them stays.
pub(super) fn only(
    parent: &ComponentId,
    path: &str,
    bytes: &[u8],
    wanted: &BTreeSet<ComponentId>,
) -> Result<Vec<u8>, DeploymentError> {
    let (text, document) = splice::parse(path, bytes)?;
    let Ok(children) = children_of(parent, text) else {
        // The org says what is wrong with it.
        return Ok(bytes.to_owned());
    };
    let unwanted: Vec<usize> = children
        .into_iter()
        .filter(|(id, _)| !wanted.contains(id))
        .map(|(_, range)| range.start)
        .collect();
    let mut made = String::with_capacity(text.len());
    let mut at = 0;
    for node in document.root_element().children().filter(roxmltree::Node::is_element) {
        if unwanted.contains(&node.range().start) {
            let range = splice::with_space(text, node);
            made.push_str(&text[at..range.start]);
            at = range.end;
        }
    }
    made.push_str(&text[at..]);
    Ok(made.into_bytes())
}

/// A file with nothing but these children of it.
pub(super) fn children(
    parent: &ComponentId,
    path: &str,
    bytes: &[u8],
    wanted: &BTreeSet<ComponentId>,
) -> Result<Vec<u8>, DeploymentError> {
    let (text, document) = splice::parse(path, bytes)?;
    let found = children_of(parent, text).unwrap_or_default();
    let starts: Vec<usize> = found
        .into_iter()
        .filter(|(id, _)| wanted.contains(id))
        .map(|(_, range)| range.start)
        .collect();
    let nodes = document.root_element().children().filter(roxmltree::Node::is_element);
    let content: String = nodes
        .filter(|node| starts.contains(&node.range().start))
        .map(|node| &text[splice::with_space(text, node)])
        .collect();
    Ok(splice::document(document.root_element().tag_name().name(), &format!("{content}\n")).into_bytes())
}

/// The file of a component that holds no children.
pub(super) fn none(id: &ComponentId) -> String {
    splice::document(&id.type_name, "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_labels_are_left_out() {
        let label = |name: &str| {
            format!("\n    <labels>\n        <fullName>{name}</fullName>\n        <value>x</value>\n    </labels>")
        };
        let file = |labels: &str| splice::document("CustomLabels", &format!("{labels}\n"));
        let id = ComponentId::new("CustomLabels", "CustomLabels");
        let wanted = BTreeSet::from([ComponentId::new("CustomLabel", "B")]);
        let whole = file(&(label("A") + &label("B") + &label("C")));
        let found = only(&id, "p", whole.as_bytes(), &wanted).expect("parted");
        assert_eq!(String::from_utf8(found).expect("UTF-8"), file(&label("B")));
    }
}
