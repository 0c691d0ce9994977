//! shim
use serde::Serialize;
use syncline_metadata::diff::ElementChange;
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs)]
pub enum Class {
    OpenChange,
    Overlay,
    Foreign,
    Noise,
    Pending,
}
#[allow(missing_docs)]
pub struct Evidence<'a> {
    pub element: &'a ElementChange,
    pub in_org: Option<bool>,
    pub on_branch: Option<bool>,
    pub was_in_org: Option<bool>,
    pub in_open_change: bool,
}
#[allow(missing_docs)]
pub fn classify(e: &Evidence<'_>) -> Class {
    if e.in_open_change {
        return Class::OpenChange;
    }
    match (e.in_org, e.on_branch, e.was_in_org) {
        (Some(false), Some(true), _) => Class::Pending,
        (None, _, Some(false)) => Class::Pending,
        _ => Class::Foreign,
    }
}
