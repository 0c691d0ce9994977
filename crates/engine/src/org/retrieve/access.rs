//! What entries of profiles and permission sets tell about: then their absence means something only if it was retrieved too.

/// What an entry tells about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum About {
    /// Nothing else: the entry is there or is not.
    Itself,
    /// A component of this type and name.
    Component(&'static str, String),
    /// We do not know.
    Unknown,
}

/// Types whose entries give access.
pub(crate) const ACCESS: [&str; 3] = ["Profile", "PermissionSet", "MutingPermissionSet"];

/// What part of the key names the component.
#[derive(Clone, Copy)]
enum Name {
    Whole,
    BeforeDot,
    BeforeDash,
}

/// Element, its child that names, the type, what part of the name (Metadata API Developer Guide, "Profile" and "PermissionSet").
const ABOUT: &[(&str, &str, &str, Name)] = &[
    (
        "applicationVisibilities",
        "application",
        "CustomApplication",
        Name::Whole,
    ),
    ("classAccesses", "apexClass", "ApexClass", Name::Whole),
    ("customMetadataTypeAccesses", "name", "CustomObject", Name::Whole),
    ("customPermissions", "name", "CustomPermission", Name::Whole),
    ("customSettingAccesses", "name", "CustomObject", Name::Whole),
    (
        "externalCredentialPrincipalAccesses",
        "externalCredentialPrincipal",
        "ExternalCredential",
        Name::BeforeDash,
    ),
    (
        "externalDataSourceAccesses",
        "externalDataSource",
        "ExternalDataSource",
        Name::Whole,
    ),
    ("fieldPermissions", "field", "CustomObject", Name::BeforeDot),
    ("flowAccesses", "flow", "Flow", Name::Whole),
    ("layoutAssignments", "layout", "Layout", Name::Whole),
    ("objectPermissions", "object", "CustomObject", Name::Whole),
    ("pageAccesses", "apexPage", "ApexPage", Name::Whole),
    ("recordTypeVisibilities", "recordType", "CustomObject", Name::BeforeDot),
    ("tabSettings", "tab", "CustomTab", Name::Whole),
    ("tabVisibilities", "tab", "CustomTab", Name::Whole),
];

/// Whether entries may tell about components of a type.
pub(crate) fn tells_about(type_name: &str) -> bool {
    ABOUT.iter().any(|(_, _, kind, _)| *kind == type_name)
}

/// Entries that are about nothing else.
const ITSELF: &[&str] = &[
    "activationRequired",
    "custom",
    "description",
    "fullName",
    "hasActivationRequired",
    "label",
    "license",
    "loginFlows",
    "loginHours",
    "loginIpRanges",
    "userLicense",
    "userPermissions",
];

/// What an entry of a document of this type tells about.
pub(crate) fn about(type_name: &str, entry: roxmltree::Node<'_, '_>) -> About {
    if !ACCESS.contains(&type_name) {
        return About::Unknown;
    }
    let element = entry.tag_name().name();
    if ITSELF.contains(&element) {
        return About::Itself;
    }
    let Some((_, naming, kind, part)) = ABOUT.iter().find(|(name, ..)| *name == element) else {
        return About::Unknown;
    };
    let Some(text) = entry
        .children()
        .find(|node| node.tag_name().name() == *naming)
        .and_then(|node| node.text())
    else {
        return About::Unknown;
    };
    // Tabs of standard objects are no components.
    if text.starts_with("standard-") || text.starts_with("standard__") {
        return About::Unknown;
    }
    let name = match part {
        Name::Whole => text,
        Name::BeforeDot => text.split('.').next().unwrap_or(text),
        Name::BeforeDash => text.split('-').next().unwrap_or(text),
    };
    About::Component(kind, name.to_owned())
}
