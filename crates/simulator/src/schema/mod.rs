//! What objects an org has and what fields they have: the standard model plus what was deployed.

mod macros;
mod model;

pub use macros::{address_fields, history_object};
pub use model::{ModelError, standard, system_fields};

use std::collections::HashMap;
use std::sync::Arc;

/// The objects of an org.
#[derive(Debug, Clone, Default)]
pub struct Schema {
    objects: Vec<Arc<Object>>,
    by_name: HashMap<String, usize>,
}

impl Schema {
    /// The object of that API name, in any case.
    pub fn object(&self, name: &str) -> Option<&Arc<Object>> {
        self.by_name
            .get(&name.to_ascii_lowercase())
            .map(|at| &self.objects[*at])
    }

    /// All objects in the order they were added.
    pub fn objects(&self) -> impl Iterator<Item = &Arc<Object>> {
        self.objects.iter()
    }

    /// The object whose records' ids begin with these three characters.
    pub fn by_prefix(&self, id: &str) -> Option<&Arc<Object>> {
        let prefix = id.get(..3)?;
        self.objects
            .iter()
            .find(|object| object.key_prefix.as_deref() == Some(prefix))
    }

    /// Adds an object or replaces the one of that name.
    pub fn put(&mut self, object: Object) {
        let key = object.name.to_ascii_lowercase();
        if let Some(at) = self.by_name.get(&key) {
            self.objects[*at] = Arc::new(object);
        } else {
            self.by_name.insert(key, self.objects.len());
            self.objects.push(Arc::new(object));
        }
    }

    /// Takes an object out.
    pub fn remove(&mut self, name: &str) {
        self.objects.retain(|object| !object.name.eq_ignore_ascii_case(name));
        self.by_name = self
            .objects
            .iter()
            .enumerate()
            .map(|(at, o)| (o.name.to_ascii_lowercase(), at))
            .collect();
    }

    /// The reference fields that point to an object: the object they stand in and the field.
    pub fn children_of<'a>(&'a self, parent: &'a str) -> impl Iterator<Item = (&'a Arc<Object>, &'a Field)> {
        self.objects.iter().flat_map(move |object| {
            object
                .fields
                .iter()
                .filter(move |field| field.reference_to.iter().any(|to| to.eq_ignore_ascii_case(parent)))
                .map(move |field| (object, field))
        })
    }
}

/// Which API answers for an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Api {
    /// The data API only.
    Data,
    /// The Tooling API only.
    Tooling,
    /// Both.
    Both,
}

/// An sObject: one table of records. Records are kept in an SQLite table of the object's name with a column per field.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct Object {
    /// API name, `Account`, `Widget__c`.
    pub name: String,
    /// Label for one record.
    pub label: String,
    /// Label for several records.
    pub plural: String,
    /// The first three characters of record ids; none for objects without ids of their own.
    pub key_prefix: Option<String>,
    /// Which API answers for it.
    pub api: Api,
    /// Made by a deployment.
    pub custom: bool,
    /// `List` or `Hierarchy` for custom settings.
    pub custom_setting: Option<String>,
    /// Records may be created by the API.
    pub createable: bool,
    /// Records may be changed by the API.
    pub updateable: bool,
    /// Records may be deleted by the API.
    pub deletable: bool,
    /// Fields in describe order; `Id` first.
    pub fields: Vec<Field>,
}

impl Object {
    /// The field of that API name, in any case.
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name.eq_ignore_ascii_case(name))
    }

    /// The reference field behind a relationship name, `Owner` → `OwnerId`, in any case.
    pub fn parent(&self, relationship: &str) -> Option<&Field> {
        self.fields.iter().find(|f| {
            f.relationship
                .as_deref()
                .is_some_and(|r| r.eq_ignore_ascii_case(relationship))
        })
    }

    /// Where a field stands among the fields, by its API name in any case.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.fields
            .iter()
            .position(|field| field.name.eq_ignore_ascii_case(name))
    }

    /// The field that names a record (`Name`, `CaseNumber`, `Subject`).
    pub fn name_field(&self) -> Option<&Field> {
        self.fields.iter().find(|field| field.name_field)
    }
}

/// What values a field takes. Names are those of describe's `type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum Kind {
    Id,
    Reference,
    String,
    Textarea,
    Email,
    Phone,
    Url,
    Picklist,
    Multipicklist,
    Combobox,
    Boolean,
    Int,
    Double,
    Currency,
    Percent,
    Date,
    Datetime,
    Time,
    Base64,
    EncryptedString,
    /// A nested JSON value (Tooling `Metadata`).
    Complexvalue,
    Address,
    Location,
}

impl Kind {
    /// How SQLite keeps it: dates and times of day as ISO text, moments as milliseconds since 1970, booleans as 0 and 1.
    pub fn column(self) -> &'static str {
        match self {
            Self::Boolean | Self::Int | Self::Datetime => "INTEGER",
            Self::Double | Self::Currency | Self::Percent => "REAL",
            Self::Base64 => "BLOB",
            _ => "TEXT",
        }
    }
}

/// What happens to a record when the one it refers to is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnDelete {
    /// The reference becomes null.
    Clear,
    /// The record is deleted too (master-detail).
    Cascade,
    /// The deletion is refused.
    Restrict,
}

/// A value of a picklist.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct PicklistValue {
    /// What is stored.
    pub value: String,
    /// What people see.
    pub label: String,
    /// May be chosen.
    pub active: bool,
    /// Taken when a new record names none.
    pub default: bool,
}

/// A field of an object.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct Field {
    /// API name.
    pub name: String,
    /// Label.
    pub label: String,
    /// What values it takes.
    pub kind: Kind,
    /// Greatest number of characters; 0 where that means nothing.
    pub length: u32,
    /// Digits in all, for numbers.
    pub precision: u32,
    /// Digits after the point, for numbers.
    pub scale: u32,
    /// A record must have a value.
    pub required: bool,
    /// May be given when a record is created.
    pub createable: bool,
    /// May be changed.
    pub updateable: bool,
    /// No two records have the same value.
    pub unique: bool,
    /// Records can be named by it in upserts.
    pub external_id: bool,
    /// Comparison for uniqueness heeds case.
    pub case_sensitive: bool,
    /// Made by a deployment.
    pub custom: bool,
    /// Names the record.
    pub name_field: bool,
    /// Numbered by the org; the display format, `{0000}`.
    pub auto_number: Option<String>,
    /// Text of the formula of a calculated field.
    pub formula: Option<String>,
    /// Literal value for new records.
    pub default: Option<String>,
    /// Objects a reference may point to.
    pub reference_to: Vec<String>,
    /// Name of the way to the parent, `Owner`.
    pub relationship: Option<String>,
    /// Name of the way back from the parent, `Contacts`.
    pub children: Option<String>,
    /// What the deletion of the parent does.
    pub on_delete: OnDelete,
    /// Values of a picklist.
    pub picklist: Vec<PicklistValue>,
    /// Only values of the picklist are taken.
    pub restricted: bool,
    /// Changes are kept as rows of the object's history.
    #[serde(default)]
    pub history: bool,
}

impl Field {
    /// A field with nothing special: createable, updateable, not required.
    pub fn new(name: &str, kind: Kind) -> Self {
        Self {
            name: name.to_owned(),
            label: label_of(name),
            kind,
            length: 0,
            precision: 0,
            scale: 0,
            required: false,
            createable: true,
            updateable: true,
            unique: false,
            external_id: false,
            case_sensitive: false,
            custom: name.ends_with("__c"),
            name_field: false,
            auto_number: None,
            formula: None,
            default: None,
            reference_to: Vec::new(),
            relationship: None,
            children: None,
            on_delete: OnDelete::Clear,
            picklist: Vec::new(),
            restricted: false,
            history: false,
        }
    }
}

/// `BillingPostalCode` → `Billing Postal Code`, `AccountId` → `Account ID`.
fn label_of(name: &str) -> String {
    let mut label = String::new();
    let mut before = '_';
    for c in name.chars() {
        if c.is_uppercase() && before.is_lowercase() {
            label.push(' ');
        }
        label.push(c);
        before = c;
    }
    match label.strip_suffix(" Id") {
        Some(stem) => format!("{stem} ID"),
        None => label,
    }
}
