//! Custom objects, custom settings, custom metadata types, and the rules on objects.

use super::{Subject, Told};
use crate::error::ApiError;
use crate::http::Call;
use crate::metadata::store::{self, Component};
use crate::metadata::value;
use crate::org;
use crate::schema::{Api, Field, Kind, Object, history_object, system_fields};
use rusqlite::params;
use serde_json::Value;
use syncline_metadata::component::ComponentId;

/// Digits of key prefixes.
const DIGITS: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Puts an object into force: its table and the schema.
pub(super) fn save(call: &Call<'_>, object: Object) -> Result<(), ApiError> {
    org::save_object(call.db, &object)?;
    let mut schema = (*call.schema()).clone();
    schema.put(object);
    call.set_schema(schema);
    Ok(())
}

pub(super) fn written(call: &Call<'_>, subject: &Subject<'_>) -> Told {
    let name = subject.name();
    let value = &subject.value;
    let schema = call.schema();
    let known = schema.object(name).map(|object| (**object).clone());
    let mut object = match known {
        Some(object) => object,
        None if name.contains("__") && value::plain(value, "label").is_none() => {
            return Ok(Some("Must specify a non-empty label for the CustomObject".to_owned()));
        }
        None if name.contains("__") => new(call, name, value),
        None => return Ok(Some(format!("Cannot create standard object: {name}"))),
    };
    if !object.custom {
        return Ok(None);
    }
    if let Some(label) = value::plain(value, "label") {
        object.label = label;
    }
    if let Some(plural) = value::plain(value, "pluralLabel") {
        object.plural = plural;
    }
    if let Some(field) = object.fields.iter_mut().find(|field| field.name == "Name") {
        if let Some(label) = value::plain(value, "nameField/label") {
            field.label = label;
        }
        if value::text(value, "nameField/type") == Some("AutoNumber") {
            let format = value::plain(value, "nameField/displayFormat").unwrap_or_else(|| "{0}".to_owned());
            field.auto_number = Some(format);
            (field.required, field.createable, field.updateable) = (false, false, false);
        }
    }
    let history = value::flag(value, "enableHistory") == Some(true);
    if history && let Some(stem) = name.strip_suffix("__c") {
        save(call, history_object(&object, &format!("{stem}__History"), "ParentId"))?;
    }
    save(call, object)?;
    Ok(None)
}

/// A new object with the fields every object of its kind has.
fn new(call: &Call<'_>, name: &str, value: &Value) -> Object {
    let is_type = name.ends_with("__mdt");
    let setting = value::plain(value, "customSettingsType");
    let mut fields = system_fields();
    if is_type {
        fields.retain(|field| matches!(field.name.as_str(), "Id" | "SystemModstamp"));
        fields.extend(
            [
                "DeveloperName",
                "MasterLabel",
                "Label",
                "Language",
                "NamespacePrefix",
                "QualifiedApiName",
            ]
            .map(|name| Field {
                length: 80,
                createable: false,
                updateable: false,
                name_field: name == "MasterLabel",
                ..Field::new(name, Kind::String)
            }),
        );
    } else {
        fields.push(name_field(setting.is_some()));
        fields.push(match setting.as_deref() {
            Some(_) => reference("SetupOwnerId", "SetupOwner", &["Organization", "Profile", "User"]),
            None => Field {
                label: "Owner ID".to_owned(),
                ..reference("OwnerId", "Owner", &["User", "Group"])
            },
        });
    }
    Object {
        name: name.to_owned(),
        label: name.to_owned(),
        plural: name.to_owned(),
        key_prefix: Some(prefix(call, if is_type { 'm' } else { 'a' })),
        api: Api::Data,
        custom: true,
        custom_setting: setting,
        createable: !is_type,
        updateable: !is_type,
        deletable: !is_type,
        fields,
    }
}

fn name_field(setting: bool) -> Field {
    Field {
        label: "Name".to_owned(),
        length: if setting { 38 } else { 80 },
        name_field: true,
        custom: false,
        ..Field::new("Name", Kind::String)
    }
}

fn reference(name: &str, relationship: &str, to: &[&str]) -> Field {
    Field {
        length: 18,
        reference_to: to.iter().map(|name| (*name).to_owned()).collect(),
        relationship: Some(relationship.to_owned()),
        ..Field::new(name, Kind::Reference)
    }
}

/// The next free key prefix of a letter: a00, a01 … azz.
fn prefix(call: &Call<'_>, letter: char) -> String {
    let schema = call.schema();
    let used = |prefix: &str| {
        schema
            .objects()
            .any(|object| object.key_prefix.as_deref() == Some(prefix))
    };
    DIGITS
        .iter()
        .flat_map(|first| DIGITS.iter().map(move |second| (*first, *second)))
        .map(|(first, second)| format!("{letter}{}{}", char::from(first), char::from(second)))
        .find(|prefix| !used(prefix))
        .unwrap_or_else(|| format!("{letter}zz"))
}

pub(super) fn deleted(call: &Call<'_>, component: &Component) -> Result<(), ApiError> {
    let name = &component.id.full_name;
    let history = name.strip_suffix("__c").map(|stem| format!("{stem}__History"));
    let mut schema = (*call.schema()).clone();
    for name in [Some(name.to_string()), history].into_iter().flatten() {
        if schema.object(&name).is_some() {
            org::drop_object(call.db, &name)?;
            schema.remove(&name);
        }
    }
    call.set_schema(schema);
    Ok(())
}

pub(super) fn validation(call: &Call<'_>, subject: &Subject<'_>) -> Told {
    let (object, name) = subject.parts();
    let text = |path: &str| value::plain(&subject.value, path);
    call.db.execute(
        "INSERT INTO _validation (object, name, active, formula, message, field) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (object, name) DO UPDATE SET active = excluded.active, formula = excluded.formula,
         message = excluded.message, field = excluded.field",
        params![
            object,
            name,
            value::flag(&subject.value, "active").unwrap_or_default(),
            text("errorConditionFormula").unwrap_or_default(),
            text("errorMessage").unwrap_or_default(),
            text("errorDisplayField")
        ],
    )?;
    Ok(None)
}

pub(super) fn validation_deleted(call: &Call<'_>, component: &Component) -> Result<(), ApiError> {
    let (object, name) = component.id.full_name.split_once('.').unwrap_or_default();
    call.db.execute(
        "DELETE FROM _validation WHERE object = ?1 AND name = ?2",
        [object, name],
    )?;
    Ok(())
}

/// The fields of a duplicate rule are those of its matching rules.
pub(super) fn duplicate_rule(call: &Call<'_>, subject: &Subject<'_>) -> Told {
    let (object, name) = subject.parts();
    let mut fields: Vec<String> = Vec::new();
    for matching in value::items(&subject.value, "duplicateRuleMatchRules") {
        let Some(rule) = value::text(matching, "matchingRule") else {
            continue;
        };
        let id = ComponentId::new("MatchingRule", format!("{object}.{rule}"));
        let rule = value::of(&store::xml(call.db, &id)?.unwrap_or_default(), "MatchingRule");
        fields.extend(
            value::items(&rule, "matchingRuleItems")
                .iter()
                .filter_map(|item| value::plain(item, "fieldName")),
        );
    }
    call.db.execute(
        "INSERT OR REPLACE INTO _duplicate_rule (object, name, active, fields, action, message) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![
            object,
            name,
            value::flag(&subject.value, "isActive").unwrap_or_default() && !fields.is_empty(),
            fields.join(","),
            value::text(&subject.value, "actionOnInsert").unwrap_or("Allow"),
            value::plain(&subject.value, "alertText")
        ],
    )?;
    Ok(None)
}

pub(super) fn duplicate_rule_deleted(call: &Call<'_>, component: &Component) -> Result<(), ApiError> {
    let (object, name) = component.id.full_name.split_once('.').unwrap_or_default();
    call.db.execute(
        "DELETE FROM _duplicate_rule WHERE object = ?1 AND name = ?2",
        [object, name],
    )?;
    Ok(())
}
