//! describeMetadata() and describeValueType().

use super::deploy::is_production;
use crate::error::ApiError;
use crate::http::Call;
use crate::soap::{Answer, xml};
use roxmltree::Node;
use serde_json::{Map, Value, json};
use syncline_metadata::table::registry::{Adapter, MetadataType, Registry};
use syncline_metadata::table::schema::{self, Holds};

/// Types that came with an API version after v31. Source: Metadata API Developer Guide, "Version" of each type.
const SINCE: &[(&str, u16)] = &[
    ("AiAgentDefinition", 67),
    ("AiAgentDefinitionVersion", 67),
    ("AiAuthoringBundle", 65),
    ("DigitalExperienceBundle", 54),
    ("DigitalExperienceConfig", 54),
    ("ExperienceBundle", 46),
    ("ExtlClntAppAttestConfigurablePolicies", 68),
    ("ExtlClntAppAttestSettings", 68),
    ("ExternalClientApplication", 59),
    ("ExternalCredential", 56),
    ("FieldRestrictionRule", 51),
    ("FlowTest", 55),
    ("GenAiFunction", 60),
    ("GenAiPlanner", 60),
    ("GenAiPlannerBundle", 64),
    ("GenAiPlugin", 60),
    ("GenOpPlanEligibilityConfig", 68),
    ("LightningComponentBundle", 44),
    ("LightningMessageChannel", 47),
    ("LightningTypeBundle", 64),
    ("MutingPermissionSet", 46),
    ("PermissionSetGroup", 45),
    ("ReferralIntakeConfiguration", 68),
    ("RestrictionRule", 52),
    ("UserAccessPolicy", 57),
];

/// The API version that brought a type.
pub(crate) fn since(kind: &str) -> u16 {
    SINCE
        .iter()
        .find(|(name, _)| *name == kind)
        .map_or(0, |(_, since)| *since)
}

/// The version asked about, `67.0` or `67`; that of the path when none is given.
fn as_of(call: &Call<'_>, request: Node<'_, '_>) -> u16 {
    xml::either(request, &["asOfVersion", "apiVersion"])
        .map(xml::content)
        .and_then(|text| text.trim().split('.').next()?.parse().ok())
        .unwrap_or(call.version)
}

pub(crate) fn metadata(call: &Call<'_>, request: Node<'_, '_>) -> Result<Answer, ApiError> {
    let version = as_of(call, request);
    let objects: Vec<Value> = Registry::standard()
        .types()
        .iter()
        .filter(|kind| kind.folder_content.is_none() && kind.alias_for.is_none() && since(kind.name) <= version)
        .map(describe)
        .collect();
    let production = is_production(call);
    Ok(json!({
        "metadataObjects": objects,
        "organizationNamespace": "",
        "partialSaveAllowed": !production,
        "testRequired": production,
    })
    .into())
}

fn describe(kind: &MetadataType) -> Value {
    let mut out = Map::new();
    let children: Vec<&str> = kind
        .children
        .iter()
        .filter(|child| child.addressable)
        .map(|child| child.name)
        .collect();
    if !children.is_empty() {
        out.insert("childXmlNames".to_owned(), json!(children));
    }
    out.insert("directoryName".to_owned(), json!(kind.directory));
    out.insert("inFolder".to_owned(), json!(kind.in_folder));
    let meta = matches!(kind.adapter, Adapter::MatchingContent | Adapter::MixedContent);
    out.insert("metaFile".to_owned(), json!(meta));
    if let Some(suffix) = kind.suffix {
        out.insert("suffix".to_owned(), json!(suffix));
    }
    out.insert("xmlName".to_owned(), json!(kind.name));
    Value::Object(out)
}

/// The lists and complex elements of a type; plain values are not known one by one.
pub(crate) fn value_type(_: &Call<'_>, request: Node<'_, '_>) -> Result<Answer, ApiError> {
    let given = request.first_element_child().map(xml::content).unwrap_or_default();
    let name = given.trim().rsplit('}').next().unwrap_or_default();
    let ty = schema::get(name).ok_or_else(|| ApiError::new("INVALID_TYPE", format!("Unknown type:{name}")))?;
    let fields: Vec<Value> = ty
        .children
        .iter()
        .map(|child| {
            let (soap_type, fields) = match child.holds {
                Holds::Complex(ty) => (ty, plain_keys(ty, &child.key)),
                Holds::Text | Holds::Unknown => ("string", Vec::new()),
            };
            json!({
                "fields": fields,
                "isForeignKey": false,
                "isNameField": child.name == "fullName",
                "minOccurs": 0,
                "name": child.name,
                "soapType": soap_type,
                "valueRequired": false,
            })
        })
        .collect();
    let top = Registry::standard().by_name(name).is_some();
    Ok(json!({
        "apiCreatable": top,
        "apiDeletable": top,
        "apiReadable": top,
        "apiUpdatable": top,
        "valueTypeFields": fields,
    })
    .into())
}

/// The elements that name an item of a list.
fn plain_keys(_: &str, key: &[&str]) -> Vec<Value> {
    key.iter()
        .filter(|name| !name.contains('/'))
        .map(|name| json!({ "isForeignKey": false, "isNameField": true, "minOccurs": 1, "name": name, "soapType": "string", "valueRequired": true }))
        .collect()
}
