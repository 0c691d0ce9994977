//! `/sobjects/T/describe`: an object with its fields and children.

use super::objects::{answers, find_object, summary};
use crate::dates;
use crate::error::ApiError;
use crate::http::{Call, Reply, Route};
use crate::schema::{Field, Kind, Object, OnDelete};
use crate::soql::{self, field_rules};
use ring::digest;
use rusqlite::{OptionalExtension, params};
use serde_json::{Value as Json, json};

pub(crate) const ROUTES: &[Route] = &[
    Route::rest("GET", "/services/data/{version}/sobjects/{object}/describe", describe),
    Route::rest(
        "GET",
        "/services/data/{version}/tooling/sobjects/{object}/describe",
        describe,
    ),
];

fn describe(call: &Call<'_>) -> Result<Reply, ApiError> {
    let object = find_object(call, call.request.param("object"))?;
    let mut map = summary(call, &object);
    let schema = call.schema();
    let fields: Vec<Json> = object.fields.iter().map(|f| field(&object, f)).collect();
    let children: Vec<Json> = schema
        .children_of(&object.name)
        .filter(|(child, _)| answers(call, child))
        .map(|(child, field)| {
            json!({
                "cascadeDelete": field.on_delete == OnDelete::Cascade,
                "childSObject": child.name,
                "deprecatedAndHidden": false,
                "field": field.name,
                "junctionIdListNames": [],
                "junctionReferenceTo": [],
                "relationshipName": soql::children_name(field),
                "restrictedDelete": field.on_delete == OnDelete::Restrict,
            })
        })
        .collect();
    for (name, value) in [
        ("fields", json!(fields)),
        ("childRelationships", json!(children)),
        ("recordTypeInfos", record_types(call, &object)?),
        ("actionOverrides", json!([])),
        ("namedLayoutInfos", json!([])),
        ("networkScopeFieldName", Json::Null),
        ("compactLayoutable", json!(object.createable)),
        ("listviewable", Json::Null),
        ("lookupLayoutable", Json::Null),
        ("searchLayoutable", json!(object.createable)),
        ("sobjectDescribeOption", json!("FULL")),
        (
            "supportedScopes",
            json!([
                { "label": format!("All {}", object.plural.to_lowercase()), "name": "everything" },
                { "label": format!("My {}", object.plural.to_lowercase()), "name": "mine" },
            ]),
        ),
    ] {
        map.insert(name.to_owned(), value);
    }
    let body = Json::Object(map);
    let since = unchanged_since(call, &object, &body)?;
    let modified = dates::write_http(since);
    let asked = call.request.header("if-modified-since").and_then(dates::read_http);
    if asked.is_some_and(|asked| asked >= since / 1000 * 1000) {
        return Ok(Reply {
            status: 304,
            ..Reply::empty()
        }
        .header("Last-Modified", modified));
    }
    Ok(Reply::json(&body).header("Last-Modified", modified))
}

/// Since when the description is as it is, as far as it was asked for.
fn unchanged_since(call: &Call<'_>, object: &Object, body: &Json) -> Result<i64, ApiError> {
    let hash = digest::digest(&digest::SHA256, body.to_string().as_bytes());
    let hash: String = hash.as_ref().iter().take(8).map(|b| format!("{b:02x}")).collect();
    let key = format!("describe {} {}", call.version, object.name);
    let known: Option<String> = call
        .db
        .query_row("SELECT value FROM _value WHERE name = ?1", [&key], |row| row.get(0))
        .optional()?;
    let known = known.as_deref().and_then(|known| known.split_once(' '));
    if let Some((_, since)) = known.filter(|(known, _)| *known == hash)
        && let Ok(since) = since.parse()
    {
        return Ok(since);
    }
    call.db.execute(
        "INSERT INTO _value (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = ?2",
        params![key, format!("{hash} {}", call.now)],
    )?;
    Ok(call.now)
}

fn record_types(call: &Call<'_>, object: &Object) -> Result<Json, ApiError> {
    let info = |id: &str, name: &str, developer: &str, active: bool, master: bool, default: bool| {
        json!({
            "active": active, "available": active, "defaultRecordTypeMapping": default, "developerName": developer,
            "master": master, "name": name, "recordTypeId": id, "urls": {},
        })
    };
    let mut read = call.db.prepare(
        "SELECT \"Id\", \"Name\", \"DeveloperName\", \"IsActive\" FROM \"RecordType\" WHERE \"SobjectType\" = ?1 ORDER BY \"Name\"",
    )?;
    let mut infos: Vec<Json> = read
        .query_map([&object.name], |row| {
            let (id, name, developer): (String, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
            Ok(info(&id, &name, &developer, row.get(3)?, false, false))
        })?
        .collect::<Result<_, _>>()?;
    infos.push(info("012000000000000AAA", "Master", "Master", true, true, true));
    Ok(Json::Array(infos))
}

/// The word of describe's `type`.
fn type_name(kind: Kind) -> Json {
    serde_json::to_value(kind).unwrap_or(Json::Null)
}

fn soap_type(kind: Kind) -> &'static str {
    match kind {
        Kind::Id | Kind::Reference => "tns:ID",
        Kind::Boolean => "xsd:boolean",
        Kind::Int => "xsd:int",
        Kind::Double | Kind::Currency | Kind::Percent => "xsd:double",
        Kind::Date => "xsd:date",
        Kind::Datetime => "xsd:dateTime",
        Kind::Time => "xsd:time",
        Kind::Base64 => "xsd:base64Binary",
        Kind::Address => "urn:address",
        Kind::Location => "urn:location",
        Kind::Complexvalue => "xsd:anyType",
        _ => "xsd:string",
    }
}

/// `Name` for the parts of a person's name, `BillingAddress` for those of an address.
fn compound_of<'o>(object: &'o Object, field: &Field) -> Option<&'o str> {
    const PERSON: &[&str] = &["FirstName", "LastName", "Salutation", "MiddleName", "Suffix"];
    if PERSON.contains(&field.name.as_str()) {
        return object
            .field("Name")
            .filter(|name| !name.createable)
            .map(|name| name.name.as_str());
    }
    if let Some(stem) = ["__Latitude__s", "__Longitude__s"]
        .iter()
        .find_map(|end| field.name.strip_suffix(end))
    {
        return object.field(&format!("{stem}__c")).map(|field| field.name.as_str());
    }
    let parts = [
        "Street",
        "City",
        "State",
        "PostalCode",
        "Country",
        "Latitude",
        "Longitude",
        "GeocodeAccuracy",
    ];
    parts.iter().find_map(|part| {
        let prefix = field.name.strip_suffix(part)?;
        let compound = object.field(&format!("{prefix}Address"))?;
        (compound.kind == Kind::Address).then_some(compound.name.as_str())
    })
}

fn extra_type(object: &Object, field: &Field) -> Option<&'static str> {
    match field.kind {
        Kind::Textarea => Some("plaintextarea"),
        Kind::String if field.name == "Name" && object.field("LastName").is_some() => Some("personname"),
        _ => None,
    }
}

fn field(object: &Object, field: &Field) -> Json {
    let number = matches!(field.kind, Kind::Double | Kind::Currency | Kind::Percent);
    let chosen = field.picklist.iter().find(|value| value.default);
    let default = match (&field.default, chosen, field.kind) {
        (Some(text), ..) if field.kind == Kind::Boolean => json!(text.eq_ignore_ascii_case("true")),
        (Some(text), ..) if !field.custom => json!(text),
        (_, Some(value), _) => json!(value.value),
        (_, _, Kind::Boolean) => json!(false),
        _ => Json::Null,
    };
    let has_default = field.default.is_some() || chosen.is_some() || field.kind == Kind::Boolean;
    let computed = matches!(
        field.name.as_str(),
        "OwnerId" | "CreatedDate" | "CreatedById" | "LastModifiedDate"
    ) || matches!(field.name.as_str(), "LastModifiedById" | "SystemModstamp" | "Id");
    let values: Vec<Json> = field
        .picklist
        .iter()
        .map(|v| json!({ "active": v.active, "defaultValue": v.default, "label": v.label, "validFor": null, "value": v.value }))
        .collect();
    let plain = field_rules::filterable(field);
    let facts = [
        ("aggregatable", json!(plain && field.kind != Kind::Boolean)),
        ("aiPredictionField", json!(false)),
        ("autoNumber", json!(field.auto_number.is_some())),
        (
            "byteLength",
            json!(
                if field.length > 0 && !matches!(field.kind, Kind::Id | Kind::Reference) {
                    field.length * 3
                } else {
                    field.length
                }
            ),
        ),
        ("calculated", json!(field.formula.is_some())),
        ("calculatedFormula", json!(field.formula)),
        ("cascadeDelete", json!(field.on_delete == OnDelete::Cascade)),
        ("caseSensitive", json!(field.case_sensitive)),
        ("compoundFieldName", json!(compound_of(object, field))),
        ("controllerName", Json::Null),
        ("createable", json!(field.createable)),
        ("custom", json!(field.custom)),
        ("defaultValue", json!(default)),
        (
            "defaultValueFormula",
            json!(if field.custom { json!(field.default) } else { Json::Null }),
        ),
        ("defaultedOnCreate", json!(has_default || computed)),
        ("dependentPicklist", json!(false)),
        ("deprecatedAndHidden", json!(false)),
        (
            "digits",
            json!(if field.kind == Kind::Int { field.precision } else { 0 }),
        ),
        ("displayLocationInDecimal", json!(false)),
        ("encrypted", json!(field.kind == Kind::EncryptedString)),
        ("externalId", json!(field.external_id)),
        ("extraTypeInfo", json!(extra_type(object, field))),
        ("filterable", json!(plain)),
        ("filteredLookupInfo", Json::Null),
        ("formulaTreatNullNumberAsZero", json!(field.formula.is_some() && number)),
        ("groupable", json!(field_rules::groupable(field))),
        ("highScaleNumber", json!(false)),
        ("htmlFormatted", json!(false)),
        (
            "idLookup",
            json!(field.name == "Id" || field.external_id || field.unique || (field.name_field && field.createable)),
        ),
        ("inlineHelpText", Json::Null),
        ("label", json!(field.label)),
        ("length", json!(field.length)),
        ("mask", Json::Null),
        ("maskType", Json::Null),
        ("name", json!(field.name)),
        ("nameField", json!(field.name_field)),
        ("namePointing", json!(field.reference_to.len() > 1)),
        ("nillable", json!(!(field.required || field.kind == Kind::Boolean))),
        (
            "permissionable",
            json!(!(field.required || computed || field.name_field)),
        ),
        ("picklistValues", json!(values)),
        ("polymorphicForeignKey", json!(field.reference_to.len() > 1)),
        ("precision", json!(if number { field.precision } else { 0 })),
        ("queryByDistance", json!(field.kind == Kind::Location)),
        ("referenceTargetField", Json::Null),
        ("referenceTo", json!(field.reference_to)),
        ("relationshipName", json!(soql::parent_name(field))),
        (
            "relationshipOrder",
            json!(if field.custom && field.on_delete == OnDelete::Cascade {
                json!(0)
            } else {
                Json::Null
            }),
        ),
        ("restrictedDelete", json!(field.on_delete == OnDelete::Restrict)),
        ("restrictedPicklist", json!(field.restricted)),
        ("scale", json!(if number { field.scale } else { 0 })),
        ("searchPrefilterable", json!(field.kind == Kind::Reference)),
        ("soapType", json!(soap_type(field.kind))),
        ("sortable", json!(field_rules::sortable(field))),
        ("type", json!(type_name(field.kind))),
        ("unique", json!(field.unique)),
        ("updateable", json!(field.updateable)),
        ("writeRequiresMasterRead", json!(false)),
    ];
    facts
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}
