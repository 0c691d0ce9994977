//! Objects whose rows are the schema itself: `EntityDefinition` and `FieldDefinition`. Their rows are made anew in a
//! temporary table, which SQLite finds before the empty table of the org.

use super::field_rules;
use super::scope::{children_name, parent_name};
use crate::error::ApiError;
use crate::http::Call;
use crate::schema::{Field, Kind, Object};
use rusqlite::types::Value;

/// What `Id` is in rows that have no id of their own.
const NO_ID: &str = "000000000000000AAA";

/// Makes the rows of `EntityDefinition`.
pub(super) fn entities(call: &Call<'_>) -> Result<(), ApiError> {
    let rows = call.schema().objects().map(|object| entity(object)).collect();
    fill(call, "EntityDefinition", rows)
}

/// Makes the rows of `FieldDefinition`.
pub(super) fn fields(call: &Call<'_>) -> Result<(), ApiError> {
    let schema = call.schema();
    let rows = schema
        .objects()
        .flat_map(|object| object.fields.iter().map(|field| self::field(object, field)))
        .collect();
    fill(call, "FieldDefinition", rows)
}

type Row = Vec<(&'static str, Value)>;

fn fill(call: &Call<'_>, name: &str, rows: Vec<Row>) -> Result<(), ApiError> {
    let object = call.object(name)?;
    let columns: Vec<String> = object
        .fields
        .iter()
        .map(|field| format!("\"{}\" {}", field.name, field.kind.column()))
        .collect();
    call.db.execute_batch(&format!(
        "DROP TABLE IF EXISTS temp.\"{name}\"; CREATE TEMP TABLE \"{name}\" ({}); \
         CREATE UNIQUE INDEX temp.\"{name}_key\" ON \"{name}\" (\"DurableId\");",
        columns.join(", ")
    ))?;
    let marks = vec!["?"; object.fields.len()].join(", ");
    let mut insert = call
        .db
        .prepare(&format!("INSERT INTO temp.\"{name}\" VALUES ({marks})"))?;
    for row in rows {
        insert.execute(rusqlite::params_from_iter(object.fields.iter().map(|field| {
            row.iter()
                .find(|(column, _)| *column == field.name)
                .map_or(Value::Null, |(_, value)| value.clone())
        })))?;
    }
    Ok(())
}

fn text(text: impl Into<String>) -> Value {
    Value::Text(text.into())
}

fn flag(flag: bool) -> Value {
    Value::Integer(flag.into())
}

fn maybe(value: Option<impl Into<String>>) -> Value {
    value.map_or(Value::Null, text)
}

/// The name without namespace and `__c`.
fn developer_name(name: &str) -> &str {
    let stem = name.rsplit_once("__").map_or(name, |(stem, _)| stem);
    stem.split_once("__").map_or(stem, |(_, name)| name)
}

/// The namespace in front of a name: `ns` of `ns__Widget__c`.
fn namespace(name: &str) -> Option<&str> {
    let (stem, _) = name.rsplit_once("__")?;
    stem.split_once("__").map(|(namespace, _)| namespace)
}

fn entity(object: &Object) -> Row {
    let ordinary = object.key_prefix.is_some();
    vec![
        ("Id", text(NO_ID)),
        ("DurableId", text(&object.name)),
        ("QualifiedApiName", text(&object.name)),
        ("DeveloperName", text(developer_name(&object.name))),
        ("NamespacePrefix", maybe(namespace(&object.name))),
        ("MasterLabel", text(&object.label)),
        ("Label", text(&object.label)),
        ("PluralLabel", text(&object.plural)),
        ("KeyPrefix", maybe(object.key_prefix.as_deref())),
        ("IsQueryable", flag(true)),
        ("IsRetrieveable", flag(ordinary)),
        (
            "IsReplicateable",
            flag(ordinary && object.field("SystemModstamp").is_some()),
        ),
        ("IsCustomSetting", flag(object.custom_setting.is_some())),
        ("IsCustomizable", flag(ordinary && object.createable)),
        ("IsEverCreatable", flag(object.createable)),
        ("IsEverUpdatable", flag(object.updateable)),
        ("IsEverDeletable", flag(object.deletable)),
        ("IsDeprecatedAndHidden", flag(false)),
        ("PublisherId", text(if object.custom { "<local>" } else { "System" })),
    ]
}

fn field(object: &Object, field: &Field) -> Row {
    let compound = matches!(field.kind, Kind::Address | Kind::Location);
    vec![
        ("Id", text(NO_ID)),
        ("DurableId", text(format!("{}.{}", object.name, field.name))),
        ("EntityDefinitionId", text(&object.name)),
        ("QualifiedApiName", text(&field.name)),
        ("DeveloperName", text(developer_name(&field.name))),
        ("NamespacePrefix", maybe(namespace(&field.name))),
        ("MasterLabel", text(&field.label)),
        ("Label", text(&field.label)),
        ("DataType", text(data_type(field))),
        ("ValueTypeId", text(value_type(field.kind))),
        ("Length", Value::Integer(field.length.into())),
        ("Precision", Value::Integer(field.precision.into())),
        ("Scale", Value::Integer(field.scale.into())),
        ("IsNillable", flag(!field.required)),
        ("IsIndexed", flag(indexed(field))),
        ("IsCalculated", flag(field.formula.is_some())),
        ("IsCompound", flag(compound)),
        ("IsNameField", flag(field.name_field)),
        ("IsPolymorphicForeignKey", flag(field.reference_to.len() > 1)),
        ("IsApiFilterable", flag(field_rules::filterable(field))),
        ("IsApiSortable", flag(field_rules::sortable(field))),
        ("IsApiGroupable", flag(field_rules::groupable(field))),
        ("RelationshipName", maybe(parent_name(field))),
        ("ChildRelationshipName", maybe(children_name(field))),
        ("ReferenceTo", references(field)),
        ("PublisherId", text(if field.custom { "<local>" } else { "System" })),
    ]
}

fn indexed(field: &Field) -> bool {
    field.unique || field.external_id || field.name_field || matches!(field.kind, Kind::Id | Kind::Reference)
}

/// `{"referenceTo":["User"]}`
fn references(field: &Field) -> Value {
    if field.reference_to.is_empty() {
        return text(r#"{"referenceTo":null}"#);
    }
    text(serde_json::json!({ "referenceTo": field.reference_to }).to_string())
}

/// The type as Setup shows it: `Text(80)`, `Lookup(User)`, `Number(16, 2)`.
fn data_type(field: &Field) -> String {
    let plain = match field.kind {
        Kind::Reference if field.on_delete == crate::schema::OnDelete::Cascade && field.custom => {
            format!("Master-Detail({})", field.reference_to.join(","))
        }
        Kind::Reference => format!("Lookup({})", field.reference_to.join(",")),
        Kind::String if field.auto_number.is_some() => "Auto Number".to_owned(),
        Kind::String => format!("Text({})", field.length),
        Kind::Textarea if field.length > 255 => format!("Long Text Area({})", field.length),
        Kind::Textarea => format!("Text Area({})", field.length),
        Kind::EncryptedString => format!("Text (Encrypted)({})", field.length),
        Kind::Double => format!(
            "Number({}, {})",
            field.precision - field.scale.min(field.precision),
            field.scale
        ),
        Kind::Currency => format!(
            "Currency({}, {})",
            field.precision - field.scale.min(field.precision),
            field.scale
        ),
        Kind::Percent => format!(
            "Percent({}, {})",
            field.precision - field.scale.min(field.precision),
            field.scale
        ),
        Kind::Int => format!("Number({}, 0)", field.precision),
        kind => value_name(kind).to_owned(),
    };
    match (&field.formula, field.kind) {
        (Some(_), Kind::String) => "Formula (Text)".to_owned(),
        (Some(_), Kind::Double | Kind::Int) => "Formula (Number)".to_owned(),
        (Some(_), kind) => format!("Formula ({})", value_name(kind)),
        (None, _) => plain,
    }
}

fn value_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Id => "Id",
        Kind::Email => "Email",
        Kind::Phone => "Phone",
        Kind::Url => "URL",
        Kind::Picklist | Kind::Combobox => "Picklist",
        Kind::Multipicklist => "Picklist (Multi-Select)",
        Kind::Boolean => "Checkbox",
        Kind::Date => "Date",
        Kind::Datetime => "Date/Time",
        Kind::Time => "Time",
        Kind::Base64 => "Base64",
        Kind::Complexvalue => "Complex Value",
        Kind::Address => "Address",
        Kind::Location => "Geolocation",
        Kind::Currency => "Currency",
        Kind::Percent => "Percent",
        _ => "Text",
    }
}

/// The kind's own word, as describe writes it.
fn value_type(kind: Kind) -> String {
    match serde_json::to_value(kind) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}
