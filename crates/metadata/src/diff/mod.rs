//! What changed between two versions of a file, by meaning.
//!
//! The order of unordered lists, white space, quoting and line ends are no change.

mod elements;
mod text;
mod words;

use crate::component::ComponentId;
use crate::path::ElementPath;
use crate::xml::{self, Document, XmlError};

/// One change inside a component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ElementChange {
    /// The element; the component itself for a file as a whole.
    pub path: ElementPath,
    /// What happened to it.
    pub kind: ChangeKind,
    /// The value before: the text of a leaf, the XML of an element with children, or lines of text.
    pub from: Option<String>,
    /// The value after.
    pub to: Option<String>,
}

/// What happened to an element or a component.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChangeKind {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// Its value is another.
    Changed,
    /// It stands at another place of a list whose order means something.
    Moved,
}

impl ChangeKind {
    /// The word for it, also in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Changed => "changed",
            Self::Moved => "moved",
        }
    }
}

/// Why two versions cannot be compared.
#[derive(Debug, thiserror::Error)]
#[error("cannot read {path}")]
pub struct DiffError {
    /// The file.
    pub path: String,
    /// What is wrong with it.
    #[source]
    pub source: XmlError,
}

/// Compares two versions of a file. A file that exists on one side only is one change of the whole component.
pub fn diff(
    component: &ComponentId,
    path: &str,
    from: Option<&[u8]>,
    to: Option<&[u8]>,
) -> Result<Vec<ElementChange>, DiffError> {
    let whole = |kind, from: Option<&[u8]>, to: Option<&[u8]>| ElementChange {
        path: ElementPath::root(component.clone()),
        kind,
        from: from.map(describe),
        to: to.map(describe),
    };
    let (old, new) = match (from, to) {
        (None, None) => return Ok(Vec::new()),
        (Some(old), None) => return Ok(vec![whole(ChangeKind::Removed, Some(old), None)]),
        (None, Some(new)) => return Ok(vec![whole(ChangeKind::Added, None, Some(new))]),
        (Some(old), Some(new)) if old == new => return Ok(Vec::new()),
        (Some(old), Some(new)) => (old, new),
    };
    if path.ends_with("-meta.xml") || xml::is_metadata(old) || xml::is_metadata(new) {
        let read = |bytes| {
            Document::parse(bytes).map_err(|source| DiffError {
                path: path.to_owned(),
                source,
            })
        };
        let (old, new) = (read(old)?, read(new)?);
        return Ok(elements::compare(component, &old, &new));
    }
    match (std::str::from_utf8(old), std::str::from_utf8(new)) {
        (Ok(a), Ok(b)) if !a.contains('\0') && !b.contains('\0') => Ok(text::compare(component, a, b)),
        _ => Ok(vec![whole(ChangeKind::Changed, Some(old), Some(new))]),
    }
}

/// Whether two versions of a file mean the same. Files that cannot be read are the same only byte for byte.
pub fn same(path: &str, from: &[u8], to: &[u8]) -> bool {
    if from == to {
        return true;
    }
    if !(path.ends_with("-meta.xml") || xml::is_metadata(from)) {
        return false;
    }
    match (Document::parse(from), Document::parse(to)) {
        (Ok(a), Ok(b)) => xml::digest(a.root(), a.root_type()) == xml::digest(b.root(), b.root_type()),
        _ => false,
    }
}

/// A whole file in a few words.
fn describe(bytes: &[u8]) -> String {
    match bytes.len() {
        1 => "1 byte".to_owned(),
        n => format!("{n} bytes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(type_name: &str, from: &str, to: &str) -> String {
        let wrap =
            |body: &str| format!("<{type_name} xmlns=\"http://soap.sforce.com/2006/04/metadata\">{body}</{type_name}>");
        let id = ComponentId::new(type_name, "Admin");
        let changes = diff(
            &id,
            "x-meta.xml",
            Some(wrap(from).as_bytes()),
            Some(wrap(to).as_bytes()),
        )
        .unwrap();
        for change in &changes {
            assert_eq!(change.path.to_string().parse(), Ok(change.path.clone()));
        }
        changes.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    }

    fn permission(field: &str, editable: bool) -> String {
        format!("<fieldPermissions><editable>{editable}</editable><field>{field}</field></fieldPermissions>")
    }

    #[test]
    fn keyed_elements() {
        let (a, b) = (permission("Account.Rating", false), permission("Account.Site", true));
        let changed = permission("Account.Rating", true);
        assert_eq!(
            words("Profile", &format!("{a}{b}"), &format!("{b}{changed}")),
            "Profile Admin › fieldPermissions Account.Rating › editable: false → true"
        );
        assert_eq!(
            words("Profile", &a, &format!("{a}\n<!-- new -->{b}")),
            "Profile Admin › comment new: added\nProfile Admin › fieldPermissions Account.Site: added"
        );
        assert_eq!(
            words("Profile", &format!("{a}{b}"), &a),
            "Profile Admin › fieldPermissions Account.Site: removed"
        );
        assert_eq!(
            words(
                "Profile",
                &format!("{a}{b}"),
                &format!("{b}\r\n  {a}").replace("false", "<![CDATA[false]]>")
            ),
            ""
        );
    }

    #[test]
    fn plain_values_and_order() {
        assert_eq!(
            words(
                "Package",
                "<types><members>A</members><members>B</members><name>ApexClass</name></types>",
                "<types><members>B</members><members>C</members><name>ApexClass</name></types>"
            ),
            "Package Admin › types ApexClass › members A: removed A\nPackage Admin › types ApexClass › members C: added C"
        );
        let columns = |names: &[&str]| {
            names
                .iter()
                .map(|n| format!("<columns>{n}</columns>"))
                .collect::<String>()
        };
        assert_eq!(
            words("ListView", &columns(&["A", "B", "C"]), &columns(&["C", "A", "B"])),
            "ListView Admin › columns C: moved from place 3 to place 1"
        );
    }

    #[test]
    fn formulas_with_their_items() {
        let filter = |value: &str| {
            format!("<filters><field>F</field><operation>equals</operation><value>{value}</value></filters>")
        };
        let old = format!("<booleanFilter>1 AND 2</booleanFilter>{}{}", filter("a"), filter("b"));
        let new = format!("<booleanFilter>1 OR 2</booleanFilter>{}{}", filter("a"), filter("c"));
        assert_eq!(
            words("ListView", &old, &new),
            "ListView Admin › booleanFilter: 1 AND 2 → 1 OR 2\nListView Admin › filters F equals b: removed\nListView Admin › filters F equals c: added"
        );
    }

    #[test]
    fn hostile_names() {
        let (a, b) = (
            permission("A\u{202e}b\u{7f}", false),
            permission("A\u{202e}b\u{7f}", true),
        );
        assert_eq!(
            words("Profile", &a, &b),
            "Profile Admin › fieldPermissions A�b� › editable: false → true"
        );
    }

    #[test]
    fn lines_of_text() {
        let id = ComponentId::new("ApexClass", "A");
        let changes = diff(&id, "A.cls", Some(b"a\nb\nc\n"), Some(b"a\nx\ny\nc\n")).unwrap();
        assert_eq!(changes[0].to_string(), "ApexClass A › lines 2: 1 removed, 2 added");
    }
}
