//! Components that are rows of an object: which object, and which field comes from where.

use super::{Subject, Told};
use crate::error::ApiError;
use crate::http::Call;
use crate::metadata::rows::{self, flag, text};
use crate::metadata::store::{self, Component};
use crate::metadata::value;
use crate::org::records;
use rusqlite::types::Value;

/// Where the value of a field comes from.
#[derive(Debug, Clone, Copy)]
enum Source {
    /// The full name.
    FullName,
    /// The name behind the parent's.
    OwnName,
    /// The parent's name.
    Parent,
    /// Text of an element.
    Text(&'static str),
    /// Text of an element, else the own name.
    TextOrName(&'static str),
    /// A boolean element with the value it has when missing.
    Flag(&'static str, bool),
    /// A number.
    Number(&'static str),
    /// Always this.
    Is(&'static str),
    /// Always true.
    Yes,
    /// The bytes of the content file.
    Content,
    /// How many bytes that are.
    Length,
    /// The whole XML as a value.
    Metadata,
}

use Source::{Content, Flag, FullName, Is, Length, Metadata, Number, OwnName, Parent, Text, TextOrName, Yes};

/// Metadata type, object, and the object's fields.
type Row = (&'static str, &'static str, &'static [(&'static str, Source)]);

const UNMANAGED: (&str, Source) = ("ManageableState", Is("unmanaged"));

const ROWS: &[Row] = &[
    (
        "ApexClass",
        "ApexClass",
        &[
            ("Name", FullName),
            ("ApiVersion", Number("apiVersion")),
            ("Status", Text("status")),
            ("IsValid", Yes),
            ("FullName", FullName),
            ("Metadata", Metadata),
            UNMANAGED,
        ],
    ),
    (
        "ApexTrigger",
        "ApexTrigger",
        &[
            ("Name", FullName),
            ("ApiVersion", Number("apiVersion")),
            ("Status", Text("status")),
            ("IsValid", Yes),
            ("FullName", FullName),
            ("Metadata", Metadata),
            UNMANAGED,
        ],
    ),
    (
        "CustomField",
        "CustomField",
        &[
            ("TableEnumOrId", Parent),
            ("EntityDefinitionId", Parent),
            ("DeveloperName", OwnName),
            ("Length", Number("length")),
            ("Precision", Number("precision")),
            ("Scale", Number("scale")),
            ("RelationshipLabel", Text("relationshipLabel")),
            ("SummaryOperation", Text("summaryOperation")),
            ("InlineHelpText", Text("inlineHelpText")),
            ("Description", Text("description")),
            ("FullName", FullName),
            ("Metadata", Metadata),
            UNMANAGED,
        ],
    ),
    (
        "CustomObject",
        "CustomObject",
        &[
            ("DeveloperName", FullName),
            ("Description", Text("description")),
            ("SharingModel", Text("sharingModel")),
            UNMANAGED,
        ],
    ),
    (
        "DashboardFolder",
        "Folder",
        &[
            ("Name", TextOrName("name")),
            ("DeveloperName", FullName),
            ("AccessType", Is("Shared")),
            ("Type", Is("Dashboard")),
        ],
    ),
    (
        "Document",
        "Document",
        &[
            ("Name", TextOrName("name")),
            ("Body", Content),
            ("BodyLength", Length),
            ("Description", Text("description")),
            ("Keywords", Text("keywords")),
        ],
    ),
    (
        "DocumentFolder",
        "Folder",
        &[
            ("Name", TextOrName("name")),
            ("DeveloperName", FullName),
            ("AccessType", Is("Shared")),
            ("Type", Is("Document")),
        ],
    ),
    (
        "EmailFolder",
        "Folder",
        &[
            ("Name", TextOrName("name")),
            ("DeveloperName", FullName),
            ("AccessType", Is("Shared")),
            ("Type", Is("Email")),
        ],
    ),
    (
        "Group",
        "Group",
        &[
            ("Name", TextOrName("name")),
            ("DeveloperName", FullName),
            ("Type", Is("Regular")),
            ("DoesIncludeBosses", Flag("doesIncludeBosses", true)),
        ],
    ),
    (
        "PermissionSet",
        "PermissionSet",
        &[
            ("Name", FullName),
            ("Label", TextOrName("label")),
            ("Description", Text("description")),
            ("IsCustom", Yes),
            ("Type", Is("Regular")),
            ("HasActivationRequired", Flag("hasActivationRequired", false)),
            ("IsOwnedByProfile", Flag("-", false)),
        ],
    ),
    (
        "Profile",
        "Profile",
        &[
            ("Name", FullName),
            ("UserType", Is("Standard")),
            ("Description", Text("description")),
        ],
    ),
    (
        "Queue",
        "Group",
        &[
            ("Name", TextOrName("name")),
            ("DeveloperName", FullName),
            ("Type", Is("Queue")),
            ("Email", Text("email")),
            ("DoesSendEmailToMembers", Flag("doesSendEmailToMembers", false)),
        ],
    ),
    (
        "RecordType",
        "RecordType",
        &[
            ("Name", TextOrName("label")),
            ("DeveloperName", OwnName),
            ("SobjectType", Parent),
            ("Description", Text("description")),
            ("IsActive", Flag("active", true)),
        ],
    ),
    (
        "RemoteSiteSetting",
        "RemoteProxy",
        &[
            ("SiteName", FullName),
            ("EndpointUrl", Text("url")),
            ("Description", Text("description")),
            ("IsActive", Flag("isActive", true)),
            ("ProtocolMismatch", Flag("disableProtocolSecurity", false)),
            ("FullName", FullName),
            ("Metadata", Metadata),
            UNMANAGED,
        ],
    ),
    (
        "ReportFolder",
        "Folder",
        &[
            ("Name", TextOrName("name")),
            ("DeveloperName", FullName),
            ("AccessType", Is("Shared")),
            ("Type", Is("Report")),
        ],
    ),
    (
        "Role",
        "UserRole",
        &[
            ("Name", TextOrName("name")),
            ("DeveloperName", FullName),
            ("RollupDescription", Text("description")),
        ],
    ),
    (
        "StaticResource",
        "StaticResource",
        &[
            ("Name", FullName),
            ("ContentType", Text("contentType")),
            ("CacheControl", Text("cacheControl")),
            ("Description", Text("description")),
            ("Body", Content),
            ("BodyLength", Length),
        ],
    ),
    (
        "ValidationRule",
        "ValidationRule",
        &[
            ("ValidationName", OwnName),
            ("EntityDefinitionId", Parent),
            ("Active", Flag("active", false)),
            ("Description", Text("description")),
            ("ErrorDisplayField", Text("errorDisplayField")),
            ("ErrorMessage", Text("errorMessage")),
            ("FullName", FullName),
            ("Metadata", Metadata),
            UNMANAGED,
        ],
    ),
    (
        "WorkflowOutboundMessage",
        "WorkflowOutboundMessage",
        &[
            ("Name", Text("name")),
            ("EntityDefinitionId", Parent),
            ("ApiVersion", Number("apiVersion")),
            ("FullName", FullName),
            ("Metadata", Metadata),
            UNMANAGED,
        ],
    ),
];

/// Profiles whose name in metadata is not the one people see.
const PROFILES: &[(&str, &str)] = &[
    ("Admin", "System Administrator"),
    ("ContractManager", "Contract Manager"),
    ("MarketingProfile", "Marketing User"),
    ("MinimumAccess", "Minimum Access - Salesforce"),
    ("ReadOnly", "Read Only"),
    ("SolutionManager", "Solution Manager"),
    ("Standard", "Standard User"),
    ("StandardAul", "Standard Platform User"),
];

/// The name people see of a profile.
fn profile_label(name: &str) -> &str {
    PROFILES
        .iter()
        .find(|(short, _)| *short == name)
        .map_or(name, |(_, label)| label)
}

/// The name in metadata of a profile people see.
pub(crate) fn profile_name(label: &str) -> &str {
    PROFILES
        .iter()
        .find(|(_, long)| *long == label)
        .map_or(label, |(name, _)| name)
}

/// The object that has the rows of a type.
fn object_of(kind: &str) -> Option<&'static str> {
    ROWS.iter()
        .find(|(name, ..)| *name == kind)
        .map(|(_, object, _)| *object)
}

/// The types whose rows an object has, with their `Metadata`.
pub(crate) fn type_of(object: &str) -> Option<&'static str> {
    ROWS.iter()
        .find(|(_, name, fields)| *name == object && fields.iter().any(|(field, _)| *field == "Metadata"))
        .map(|(kind, ..)| *kind)
}

/// Writes the row of a component, if its type has rows.
pub(super) fn written(call: &Call<'_>, subject: &Subject<'_>) -> Result<(), ApiError> {
    let kind = &*subject.component.id.type_name;
    let Some((_, object, fields)) = ROWS.iter().find(|(name, ..)| *name == kind) else {
        return Ok(());
    };
    let mut values = Vec::with_capacity(fields.len() + 1);
    for (field, from) in *fields {
        values.push((*field, value_of(call, subject, *from)?));
    }
    if kind == "Profile" {
        values.retain(|(field, _)| *field != "Name");
        values.push(("Name", text(profile_label(subject.name()))));
    }
    if kind == "Role" {
        values.push(("ParentRoleId", parent_role(call, subject)?));
    }
    rows::put(call, object, &subject.component.record_id, &values)
}

fn value_of(call: &Call<'_>, subject: &Subject<'_>, from: Source) -> Result<Value, ApiError> {
    let element = |path: &str| value::plain(&subject.value, path).map_or(Value::Null, Value::Text);
    let (parent, own) = subject.parts();
    Ok(match from {
        FullName => text(subject.name()),
        OwnName => text(own.strip_suffix("__c").unwrap_or(own)),
        Parent => text(parent),
        Text(path) => element(path),
        TextOrName(path) => match element(path) {
            Value::Null => text(own),
            found => found,
        },
        Flag(path, missing) => flag(value::flag(&subject.value, path).unwrap_or(missing)),
        Number(path) => value::plain(&subject.value, path)
            .and_then(|text| text.parse().ok())
            .map_or(Value::Null, Value::Real),
        Is(constant) => text(constant),
        Yes => flag(true),
        Content => Value::Blob(content(call, subject.component)?),
        Length => Value::Integer(i64::try_from(content(call, subject.component)?.len()).unwrap_or(i64::MAX)),
        Metadata => text(&subject.value.to_string()),
    })
}

fn content(call: &Call<'_>, component: &Component) -> Result<Vec<u8>, ApiError> {
    let files = store::files(call.db, &component.id)?;
    let content = files.into_iter().find(|file| !file.path.ends_with("-meta.xml"));
    Ok(content.map(|file| file.content).unwrap_or_default())
}

fn parent_role(call: &Call<'_>, subject: &Subject<'_>) -> Result<Value, ApiError> {
    let Some(name) = value::text(&subject.value, "parentRole") else {
        return Ok(Value::Null);
    };
    let parent = store::get(call.db, &syncline_metadata::component::ComponentId::new("Role", name))?;
    Ok(parent.map_or(Value::Null, |role| Value::Text(role.record_id)))
}

/// Removes the row of a component.
pub(super) fn deleted(call: &Call<'_>, component: &Component) -> Result<(), ApiError> {
    match object_of(&component.id.type_name) {
        Some(object) => rows::delete(call, object, &component.record_id),
        None => Ok(()),
    }
}

/// The objects whose records a queue takes.
pub(super) fn queue_objects(call: &Call<'_>, subject: &Subject<'_>) -> Told {
    queue_objects_deleted(call, subject.component)?;
    let object = call.object("QueueSobject")?;
    for item in value::items(&subject.value, "queueSobject") {
        let values = [
            ("QueueId", text(&subject.component.record_id)),
            (
                "SobjectType",
                text(value::text(item, "sobjectType").unwrap_or_default()),
            ),
        ];
        records::insert(call.org, call.db, &object, &values, &call.user, call.now)?;
    }
    Ok(None)
}

pub(super) fn queue_objects_deleted(call: &Call<'_>, component: &Component) -> Result<(), ApiError> {
    call.db
        .execute("DELETE FROM QueueSobject WHERE QueueId = ?1", [&component.record_id])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::standard;
    use syncline_metadata::table::registry::Registry;

    #[test]
    fn every_row_has_its_type_object_and_fields() {
        let schema = standard().expect("model");
        let registry = Registry::standard();
        for (kind, object, fields) in ROWS {
            assert!(
                registry.by_name(kind).is_some() || registry.child(kind).is_some(),
                "{kind}"
            );
            let object = schema.object(object).unwrap_or_else(|| panic!("no object {object}"));
            for (field, _) in *fields {
                assert!(object.field(field).is_some(), "{}.{field}", object.name);
            }
        }
    }
}
