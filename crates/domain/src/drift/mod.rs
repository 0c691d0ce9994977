//! Why an org differs from its branch.

mod attribution;
mod grant;
mod noise;

use std::collections::BTreeMap;

use serde::Serialize;
use syncline_metadata::path::ElementPath;

pub use attribution::{Attribution, LastModified, Member, Source, TrailRow, attribute};
pub use grant::{grants_nothing, off};
pub use noise::{Change, Noise, NoiseError, NoiseRule};

use crate::overlay::Overlays;

/// What an element contains: the text of a leaf or the XML of an element, with equal text for equal content. Where no rule for
/// noise looks at it, as for whole components, a digest does as well.
pub type Content<'a> = Option<&'a str>;

/// An element that the org's snapshot and the branch have differently.
#[derive(Clone, Debug)]
pub struct Difference<'a> {
    /// The element, or a whole component.
    pub element: &'a ElementPath,
    /// What the branch has; `None` for nothing.
    pub branch: Content<'a>,
    /// What both had when they last agreed; the outer `None` where they never did.
    pub base: Option<Content<'a>>,
    /// What the org has.
    pub org: Content<'a>,
}

/// A change that is on its way: a work item's branch, or an operation that writes to the org.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OpenChange {
    /// The id of the work item or operation.
    pub id: String,
    /// What it gives to the elements that it changes; `None` for a deletion.
    pub elements: BTreeMap<ElementPath, Option<String>>,
}

impl OpenChange {
    /// What it gives to an element; the outer `None` where it does not touch it.
    fn gives(&self, element: &ElementPath) -> Option<Content<'_>> {
        self.elements.get(element).map(Option::as_deref)
    }

    fn touches_component(&self, element: &ElementPath) -> bool {
        self.elements.keys().any(|other| other.component == element.component)
    }
}

/// Why an element differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "class", rename_all = "snake_case")]
pub enum Class {
    /// The environment has its own value there.
    Overlay,
    /// It says nothing.
    Noise {
        /// Why not.
        reason: String,
    },
    /// The branch went on; the org does not have it yet.
    Pending,
    /// The org has what an open change has: it was captured.
    Captured {
        /// The change.
        change: String,
    },
    /// An open change is about the component, with another content.
    OpenChange {
        /// The change.
        change: String,
    },
    /// The org has it, and git never had: it was never managed.
    Unmanaged,
    /// Somebody changed the org directly.
    Foreign {
        /// Whether the branch went on as well, so that both have to be merged.
        branch_too: bool,
    },
}

impl Class {
    /// Its name in JSON.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Overlay => "overlay",
            Self::Noise { .. } => "noise",
            Self::Pending => "pending",
            Self::Captured { .. } => "captured",
            Self::OpenChange { .. } => "open_change",
            Self::Unmanaged => "unmanaged",
            Self::Foreign { .. } => "foreign",
        }
    }

    /// Whether somebody should look at it.
    pub fn is_drift(&self) -> bool {
        matches!(self, Self::Foreign { .. })
    }
}

/// Says why the org has an element differently; `None` where it does not.
///
/// The first that fits counts: an overlay, noise, what is pending here, what an open change holds, what git never had, and only
/// then a change made directly.
pub fn classify(difference: &Difference<'_>, overlays: &Overlays, noise: &Noise, open: &[OpenChange]) -> Option<Class> {
    let Difference {
        element,
        branch,
        base,
        org,
    } = difference;
    if branch == org {
        return None;
    }
    if overlays.owns(element) {
        return Some(Class::Overlay);
    }
    if let Some(rule) = noise.find(element, *branch, *org) {
        return Some(Class::Noise {
            reason: rule.reason.clone(),
        });
    }
    match base {
        // The org is as it was, so the branch went on.
        Some(base) if base == org => return Some(Class::Pending),
        // Only the branch ever had it.
        None if org.is_none() => return Some(Class::Pending),
        _ => {}
    }
    if let Some(change) = open.iter().find(|change| change.gives(element) == Some(*org)) {
        return Some(Class::Captured {
            change: change.id.clone(),
        });
    }
    if let Some(change) = open.iter().find(|change| change.touches_component(element)) {
        return Some(Class::OpenChange {
            change: change.id.clone(),
        });
    }
    match base {
        None if branch.is_none() => Some(Class::Unmanaged),
        None => Some(Class::Foreign { branch_too: false }),
        Some(base) => Some(Class::Foreign {
            branch_too: base != branch,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes() {
        let overlays = Overlays::check(
            "uat",
            "[[overlay]]\npath = \"NamedCredential:Erp/endpoint\"\nvalue = \"x\"",
        )
        .unwrap();
        let element = |path: &str| -> ElementPath { path.parse().unwrap() };
        let open = [OpenChange {
            id: "BILL-7".to_owned(),
            elements: BTreeMap::from([
                (element("Flow:A/label"), Some("new".to_owned())),
                (element("Flow:A/description"), None),
            ]),
        }];
        let check = |path: &str, branch: Content<'_>, base: Option<Content<'_>>, org: Content<'_>, expect: &str| {
            let element = element(path);
            let difference = Difference {
                element: &element,
                branch,
                base,
                org,
            };
            let class = classify(&difference, &overlays, Noise::standard(), &open);
            let shown = class.map_or("same".to_owned(), |class| serde_json::to_string(&class).unwrap());
            assert_eq!(shown, expect, "{path}");
        };
        let class = "ApexClass:A";
        check(class, Some("a"), Some(Some("a")), Some("a"), "same");
        check(class, Some("b"), Some(Some("a")), Some("a"), r#"{"class":"pending"}"#);
        check(class, None, Some(Some("a")), Some("a"), r#"{"class":"pending"}"#);
        check(class, Some("a"), Some(None), None, r#"{"class":"pending"}"#);
        check(class, Some("a"), None, None, r#"{"class":"pending"}"#);
        check(class, None, None, Some("a"), r#"{"class":"unmanaged"}"#);
        check(
            class,
            None,
            Some(None),
            Some("a"),
            r#"{"class":"foreign","branch_too":false}"#,
        );
        check(
            class,
            Some("a"),
            Some(Some("a")),
            None,
            r#"{"class":"foreign","branch_too":false}"#,
        );
        check(
            class,
            Some("a"),
            Some(Some("a")),
            Some("b"),
            r#"{"class":"foreign","branch_too":false}"#,
        );
        check(
            class,
            Some("b"),
            Some(Some("a")),
            Some("c"),
            r#"{"class":"foreign","branch_too":true}"#,
        );
        check(
            class,
            Some("a"),
            None,
            Some("b"),
            r#"{"class":"foreign","branch_too":false}"#,
        );
        check(
            "Flow:A/label",
            Some("a"),
            Some(Some("a")),
            Some("new"),
            r#"{"class":"captured","change":"BILL-7"}"#,
        );
        check(
            "Flow:A/description",
            Some("a"),
            Some(Some("a")),
            None,
            r#"{"class":"captured","change":"BILL-7"}"#,
        );
        check(
            "Flow:A/label",
            Some("a"),
            Some(Some("a")),
            Some("other"),
            r#"{"class":"open_change","change":"BILL-7"}"#,
        );
        check(
            "Flow:A/status",
            Some("a"),
            Some(Some("a")),
            Some("b"),
            r#"{"class":"open_change","change":"BILL-7"}"#,
        );
        check(
            "NamedCredential:Erp/endpoint",
            Some("a"),
            Some(Some("a")),
            Some("x"),
            r#"{"class":"overlay"}"#,
        );
        // A component with an overlay in it is not all overlay.
        check(
            "NamedCredential:Erp",
            Some("a"),
            Some(Some("a")),
            None,
            r#"{"class":"foreign","branch_too":false}"#,
        );
        check(
            "Flow:B/start/locationX",
            Some("1"),
            Some(Some("1")),
            Some("2"),
            r#"{"class":"noise","reason":"the place of an element on the canvas"}"#,
        );
    }
}
