//! Kinds of sandboxes. Source: Salesforce API reference, "Sandbox types".

use crate::clock::Millis;
use crate::switches::{PartialSpelling, PerformanceAllotment, Switches};

/// Minutes in milliseconds.
pub(crate) const MINUTE: Millis = 60_000;
/// Days in milliseconds.
pub(crate) const DAY: Millis = 24 * 60 * MINUTE;

/// What a template may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Template {
    Forbidden,
    Optional,
    Required,
}

/// Which records come along.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Data {
    None,
    Sample,
    All,
}

/// A kind of sandbox.
#[derive(Debug)]
pub(crate) struct License {
    /// As in answers: `PARTIAL`.
    pub(crate) name: &'static str,
    /// As in the Connect API's `sandboxType`: `PartialCopy`.
    pub(crate) kind: &'static str,
    /// As in the Connect API's `license`: `Partial Copy`.
    pub(crate) label: &'static str,
    /// Days between refreshes.
    pub(crate) interval: i64,
    /// Data and file storage in MB; none: as production.
    pub(crate) storage: Option<u32>,
    /// Data storage in MB with the feature `SandboxStorage`.
    pub(crate) more_storage: Option<u32>,
    pub(crate) template: Template,
    pub(crate) data: Data,
    /// Minutes that a copy takes.
    pub(crate) minutes: i64,
    /// Licences of Professional, Enterprise and Unlimited Edition.
    pub(crate) allotment: [u32; 3],
}

pub(crate) const LICENSES: &[License] = &[
    License {
        name: "DEVELOPER",
        kind: "Developer",
        label: "Developer",
        interval: 1,
        storage: Some(200),
        more_storage: Some(400),
        template: Template::Forbidden,
        data: Data::None,
        minutes: 30,
        allotment: [10, 25, 100],
    },
    License {
        name: "DEVELOPER_PRO",
        kind: "DeveloperPro",
        label: "Developer Pro",
        interval: 1,
        storage: Some(1024),
        more_storage: Some(2048),
        template: Template::Forbidden,
        data: Data::None,
        minutes: 45,
        allotment: [0, 0, 5],
    },
    License {
        name: "PARTIAL",
        kind: "PartialCopy",
        label: "Partial Copy",
        interval: 5,
        storage: Some(5120),
        more_storage: None,
        template: Template::Required,
        data: Data::Sample,
        minutes: 180,
        allotment: [0, 1, 1],
    },
    License {
        name: "FULL",
        kind: "Full",
        label: "Full",
        interval: 29,
        storage: None,
        more_storage: None,
        template: Template::Optional,
        data: Data::All,
        minutes: 600,
        allotment: [0, 0, 1],
    },
];

/// The kind of sandbox of a name as answers write it.
pub(crate) fn of(name: &str) -> Option<&'static License> {
    LICENSES.iter().find(|license| license.name == name)
}

/// The kind of sandbox that a request names: in any case, with the spellings that the switch allows.
pub(crate) fn asked(text: &str, switches: &Switches) -> Option<&'static License> {
    let name = text.to_uppercase();
    let spelling = switches.partial_spelling;
    match name.as_str() {
        "PARTIAL_COPY" if spelling != PartialSpelling::Partial => of("PARTIAL"),
        "PARTIAL" if spelling == PartialSpelling::PartialCopy => None,
        other => of(other),
    }
}

impl License {
    /// Licences that come with an edition (`Organization.OrganizationType`).
    pub(crate) fn allotted(&self, edition: &str, switches: &Switches) -> u32 {
        let column = match edition {
            "Professional Edition" => 0,
            "Enterprise Edition" => 1,
            "Unlimited Edition" => 2,
            "Performance Edition" => match switches.performance_allotment {
                PerformanceAllotment::AsUnlimited => 2,
                PerformanceAllotment::AsEnterprise => 1,
            },
            _ => return 0,
        };
        self.allotment[column]
    }
}
