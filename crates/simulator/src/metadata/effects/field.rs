//! Custom fields and the values of picklists.

use super::object::save;
use super::{Subject, Told};
use crate::error::ApiError;
use crate::http::Call;
use crate::metadata::store::{self, Component};
use crate::metadata::value;
use crate::schema::{Field, Kind, OnDelete, PicklistValue};
use serde_json::Value;
use syncline_metadata::component::ComponentId;

/// Field types of metadata with what they are in data. Source: Metadata API Developer Guide, FieldType.
const KINDS: &[(&str, Kind)] = &[
    ("AutoNumber", Kind::String),
    ("Checkbox", Kind::Boolean),
    ("Currency", Kind::Currency),
    ("Date", Kind::Date),
    ("DateTime", Kind::Datetime),
    ("Email", Kind::Email),
    ("EncryptedText", Kind::EncryptedString),
    ("ExternalLookup", Kind::Reference),
    ("Hierarchy", Kind::Reference),
    ("Html", Kind::Textarea),
    ("IndirectLookup", Kind::Reference),
    ("Location", Kind::Location),
    ("LongTextArea", Kind::Textarea),
    ("Lookup", Kind::Reference),
    ("MasterDetail", Kind::Reference),
    ("MetadataRelationship", Kind::Reference),
    ("MultiselectPicklist", Kind::Multipicklist),
    ("Number", Kind::Double),
    ("Percent", Kind::Percent),
    ("Phone", Kind::Phone),
    ("Picklist", Kind::Picklist),
    ("Summary", Kind::Double),
    ("Text", Kind::String),
    ("TextArea", Kind::Textarea),
    ("Time", Kind::Time),
    ("Url", Kind::Url),
];

/// Length of texts that state none.
const TEXT_LENGTH: u32 = 255;

pub(super) fn written(call: &Call<'_>, subject: &Subject<'_>) -> Told {
    let (object_name, name) = subject.parts();
    let schema = call.schema();
    let Some(object) = schema.object(object_name) else {
        return Ok(Some(format!(
            "Entity of type 'CustomObject' named '{object_name}' cannot be found"
        )));
    };
    let value = &subject.value;
    let mut object = (**object).clone();
    let known = object
        .fields
        .iter()
        .position(|field| field.name.eq_ignore_ascii_case(name));
    let stated = value::text(value, "type");
    if let Some(at) = known
        && !object.fields[at].custom
    {
        // A standard field: only what can be customized.
        let field = &mut object.fields[at];
        if matches!(field.kind, Kind::Picklist | Kind::Multipicklist)
            && let Some((values, restricted)) = picklist(call, value)?
        {
            field.picklist = values;
            field.restricted = restricted;
        }
        field.history |= value::flag(value, "trackHistory") == Some(true);
        save(call, object)?;
        return Ok(None);
    }
    let Some(stated) = stated else {
        return Ok(None);
    };
    let Some((_, kind)) = KINDS.iter().find(|(name, _)| *name == stated) else {
        return Ok(Some(format!(
            "'{stated}' is not a valid value for the enum 'FieldType'"
        )));
    };
    let field = field(call, name, stated, *kind, value)?;
    if stated == "MasterDetail" {
        object.fields.retain(|field| field.name != "OwnerId");
    }
    match object
        .fields
        .iter()
        .position(|field| field.name.eq_ignore_ascii_case(name))
    {
        Some(at) => object.fields[at] = field,
        None => object.fields.push(field),
    }
    save(call, object)?;
    Ok(None)
}

fn field(call: &Call<'_>, name: &str, stated: &str, kind: Kind, value: &Value) -> Result<Field, ApiError> {
    let text = |path: &str| value::plain(value, path);
    let flag = |path: &str| value::flag(value, path).unwrap_or_default();
    let number = |path: &str| value::number(value, path);
    let formula = text("formula");
    let computed = formula.is_some() || stated == "Summary";
    let fixed = computed || stated == "AutoNumber";
    let mut field = Field {
        label: text("label").unwrap_or_else(|| name.to_owned()),
        length: match kind {
            Kind::String | Kind::Textarea | Kind::EncryptedString | Kind::Picklist | Kind::Url => {
                number("length").unwrap_or(TEXT_LENGTH)
            }
            Kind::Email => 80,
            Kind::Phone => 40,
            Kind::Reference => 18,
            Kind::Multipicklist => 4099,
            _ => 0,
        },
        precision: number("precision").unwrap_or_default(),
        scale: number("scale").unwrap_or_default(),
        required: flag("required") && !fixed || stated == "MasterDetail",
        createable: !fixed,
        updateable: !fixed && (stated != "MasterDetail" || flag("reparentableMasterDetail")),
        unique: flag("unique"),
        external_id: flag("externalId"),
        case_sensitive: flag("caseSensitive"),
        custom: true,
        auto_number: (stated == "AutoNumber").then(|| text("displayFormat").unwrap_or_else(|| "{0}".to_owned())),
        formula,
        default: default(value, kind),
        history: flag("trackHistory"),
        ..Field::new(name, kind)
    };
    if kind == Kind::Reference {
        let to = if stated == "Hierarchy" {
            Some("User".to_owned())
        } else {
            text("referenceTo")
        };
        field.reference_to = to.into_iter().collect();
        field.relationship = name.strip_suffix("__c").map(|stem| format!("{stem}__r"));
        field.children = text("relationshipName").map(|name| format!("{name}__r"));
        field.on_delete = match (stated, value::text(value, "deleteConstraint")) {
            ("MasterDetail", _) | (_, Some("Cascade")) => OnDelete::Cascade,
            (_, Some("Restrict")) => OnDelete::Restrict,
            _ => OnDelete::Clear,
        };
    }
    if let Some((values, restricted)) = picklist(call, value)? {
        field.picklist = values;
        field.restricted = restricted;
    }
    Ok(field)
}

/// The default as a literal; formulas that compute one are not kept.
fn default(value: &Value, kind: Kind) -> Option<String> {
    let text = value::plain(value, "defaultValue")?;
    if kind == Kind::Boolean {
        return Some(text.to_lowercase());
    }
    let quoted = ['"', '\'']
        .iter()
        .find_map(|quote| text.strip_prefix(*quote)?.strip_suffix(*quote).map(str::to_owned));
    quoted.or_else(|| text.parse::<f64>().is_ok().then_some(text))
}

/// The values of a picklist field, and whether only they are taken; none when the field states none.
fn picklist(call: &Call<'_>, value: &Value) -> Result<Option<(Vec<PicklistValue>, bool)>, ApiError> {
    if let Some(name) = value::text(value, "valueSet/valueSetName") {
        let name = name.strip_suffix("__gvs").unwrap_or(name);
        let id = ComponentId::new("GlobalValueSet", name);
        let set = value::of(&store::xml(call.db, &id)?.unwrap_or_default(), "GlobalValueSet");
        return Ok(Some((values(value::items(&set, "customValue")), true)));
    }
    let own = value::items(value, "valueSet/valueSetDefinition/value");
    if !own.is_empty() {
        let restricted = value::flag(value, "valueSet/restricted").unwrap_or_default();
        return Ok(Some((values(own), restricted)));
    }
    // The form before v38.
    let old = value::items(value, "picklist/picklistValues");
    Ok((!old.is_empty()).then(|| (values(old), false)))
}

fn values(items: &[Value]) -> Vec<PicklistValue> {
    items
        .iter()
        .filter_map(|item| {
            let name = value::plain(item, "fullName")?;
            Some(PicklistValue {
                label: value::plain(item, "label").unwrap_or_else(|| name.clone()),
                value: name,
                active: value::flag(item, "isActive").unwrap_or(true),
                default: value::flag(item, "default").unwrap_or_default(),
            })
        })
        .collect()
}

/// The fields that take their values from a global value set get them anew.
pub(super) fn value_set(call: &Call<'_>, subject: &Subject<'_>) -> Told {
    let mark = format!("<valueSetName>{}</valueSetName>", subject.name());
    for field in store::list(call.db, "CustomField")? {
        let text = store::xml(call.db, &field.id)?.unwrap_or_default();
        if text.contains(&mark) {
            let subject = Subject {
                component: &field,
                value: value::of(&text, "CustomField"),
            };
            if let Some(problem) = written(call, &subject)? {
                return Ok(Some(problem));
            }
        }
    }
    Ok(None)
}

/// Standard value sets with the fields that have their values.
const STANDARD_SETS: &[(&str, &[(&str, &str)])] = &[
    ("AccountRating", &[("Account", "Rating"), ("Lead", "Rating")]),
    ("AccountType", &[("Account", "Type")]),
    ("CampaignStatus", &[("Campaign", "Status")]),
    ("CampaignType", &[("Campaign", "Type")]),
    ("CaseOrigin", &[("Case", "Origin")]),
    ("CasePriority", &[("Case", "Priority")]),
    ("CaseReason", &[("Case", "Reason")]),
    ("CaseStatus", &[("Case", "Status")]),
    ("CaseType", &[("Case", "Type")]),
    ("ContractStatus", &[("Contract", "Status")]),
    ("Industry", &[("Account", "Industry"), ("Lead", "Industry")]),
    (
        "LeadSource",
        &[
            ("Lead", "LeadSource"),
            ("Contact", "LeadSource"),
            ("Opportunity", "LeadSource"),
        ],
    ),
    ("LeadStatus", &[("Lead", "Status")]),
    ("OpportunityStage", &[("Opportunity", "StageName")]),
    ("OpportunityType", &[("Opportunity", "Type")]),
    ("Product2Family", &[("Product2", "Family")]),
    ("TaskPriority", &[("Task", "Priority")]),
    ("TaskStatus", &[("Task", "Status")]),
];

/// The fields of a standard value set get its values. Sets of objects that the model does not have are only kept.
pub(super) fn standard_value_set(call: &Call<'_>, subject: &Subject<'_>) -> Told {
    let values = values(value::items(&subject.value, "standardValue"));
    let Some((_, fields)) = STANDARD_SETS.iter().find(|(name, _)| *name == subject.name()) else {
        return Ok(None);
    };
    for (object, name) in *fields {
        let mut object = (*call.object(object)?).clone();
        if let Some(field) = object.fields.iter_mut().find(|field| field.name == *name) {
            field.picklist.clone_from(&values);
        }
        save(call, object)?;
    }
    Ok(None)
}

/// Takes a field out of its object; its values are gone.
pub(super) fn deleted(call: &Call<'_>, component: &Component) -> Result<(), ApiError> {
    let (object, name) = component.id.full_name.split_once('.').unwrap_or_default();
    let schema = call.schema();
    let Some(object) = schema.object(object) else {
        return Ok(());
    };
    let Some(field) = object.field(name).filter(|field| field.custom) else {
        return Ok(());
    };
    call.db
        .execute_batch(&format!("UPDATE \"{}\" SET \"{}\" = NULL", object.name, field.name))?;
    let mut left = (**object).clone();
    left.fields.retain(|one| one.name != field.name);
    save(call, left)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::standard;

    #[test]
    fn standard_sets_have_their_fields() {
        let schema = standard().expect("model");
        for (set, fields) in STANDARD_SETS {
            for (object, field) in *fields {
                let found = schema.object(object).and_then(|object| object.field(field));
                assert!(found.is_some(), "{set}: {object}.{field}");
            }
        }
    }
}
