//! Groups of fields and objects that every address and every tracked object has in the same form.

use super::{Api, Field, Kind, Object, OnDelete};

/// Parts of an address after its prefix, with type and length. `Address` itself is the compound of the others.
const ADDRESS: &[(&str, Kind, u32)] = &[
    ("Street", Kind::Textarea, 255),
    ("City", Kind::String, 40),
    ("State", Kind::String, 80),
    ("PostalCode", Kind::String, 20),
    ("Country", Kind::String, 80),
    ("Latitude", Kind::Double, 0),
    ("Longitude", Kind::Double, 0),
    ("GeocodeAccuracy", Kind::Picklist, 40),
    ("Address", Kind::Address, 0),
];

/// The fields of an address: `BillingStreet` … `BillingAddress` for the prefix `Billing`.
/// The compound is kept as JSON text, as the REST API gives it.
pub fn address_fields(prefix: &str) -> Vec<Field> {
    ADDRESS
        .iter()
        .map(|(part, kind, length)| {
            let mut field = Field::new(&format!("{prefix}{part}"), *kind);
            field.length = *length;
            if *kind == Kind::Double {
                (field.precision, field.scale) = (18, 15);
            }
            if *kind == Kind::Address {
                (field.createable, field.updateable) = (false, false);
            }
            field
        })
        .collect()
}

/// The object that keeps the changes of an object's tracked fields; `way` is its reference field, `AccountId` or `ParentId`.
pub fn history_object(of: &Object, name: &str, way: &str) -> Object {
    let readonly = |name: &str, kind, length| Field {
        length,
        createable: false,
        updateable: false,
        ..Field::new(name, kind)
    };
    let reference = |name: &str, to: &str, relationship: &str| Field {
        reference_to: vec![to.to_owned()],
        relationship: Some(relationship.to_owned()),
        ..readonly(name, Kind::Reference, 18)
    };
    Object {
        name: name.to_owned(),
        label: format!("{} History", of.label),
        plural: format!("{} History", of.label),
        key_prefix: Some("017".to_owned()),
        api: Api::Data,
        custom: false,
        custom_setting: None,
        createable: false,
        updateable: false,
        deletable: false,
        fields: vec![
            Field {
                required: true,
                ..readonly("Id", Kind::Id, 18)
            },
            readonly("IsDeleted", Kind::Boolean, 0),
            Field {
                children: Some("Histories".to_owned()),
                on_delete: OnDelete::Cascade,
                ..reference(way, &of.name, way.strip_suffix("Id").unwrap_or(way))
            },
            reference("CreatedById", "User", "CreatedBy"),
            readonly("CreatedDate", Kind::Datetime, 0),
            readonly("Field", Kind::Picklist, 255),
            readonly("DataType", Kind::Picklist, 255),
            readonly("OldValue", Kind::String, 255),
            readonly("NewValue", Kind::String, 255),
        ],
    }
}
