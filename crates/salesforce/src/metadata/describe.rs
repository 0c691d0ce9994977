//! describeMetadata: which types an org has.

use serde::{Deserialize, Serialize};

use super::tag;
use crate::connection::Connection;
use crate::error::Result;

/// What describeMetadata tells about an org (Metadata API Developer Guide, "DescribeMetadataResult").
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Description {
    /// The types, with what their files look like.
    #[serde(default)]
    pub metadata_objects: Vec<MetadataObject>,
    /// The namespace of the org's package, if any.
    pub organization_namespace: Option<String>,
    /// Whether a deployment may succeed in parts.
    #[serde(default)]
    pub partial_save_allowed: bool,
    /// Whether deployments have to run tests.
    #[serde(default)]
    pub test_required: bool,
}

/// A type of metadata in this org and version.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MetadataObject {
    /// The name, as in `CustomObject`.
    pub xml_name: String,
    /// The folder in a package, as in `objects`.
    pub directory_name: Option<String>,
    /// The ending of its files; bundles have none.
    pub suffix: Option<String>,
    /// Whether its components stand in folders that have to be listed first.
    #[serde(default)]
    pub in_folder: bool,
    /// Whether each file has a second one that ends in `-meta.xml`.
    #[serde(default)]
    pub meta_file: bool,
    /// Types of the children, as in `CustomField`.
    #[serde(default)]
    pub child_xml_names: Vec<String>,
}

#[derive(Deserialize)]
struct Answer {
    result: Description,
}

impl Connection {
    /// The types of this org, its version and its features.
    pub async fn describe_metadata(&self) -> Result<Description> {
        let arguments = tag("asOfVersion", self.api_version());
        let answer: Answer = self.metadata_call("describeMetadata", &arguments).await?;
        Ok(answer.result)
    }
}

impl Description {
    /// The type of this name.
    pub fn object(&self, xml_name: &str) -> Option<&MetadataObject> {
        self.metadata_objects.iter().find(|object| object.xml_name == xml_name)
    }
}

impl MetadataObject {
    /// The type that lists the folders of this one: `EmailFolder` for `EmailTemplate`, else the name with `Folder`.
    pub fn folder_type(&self) -> Option<String> {
        self.in_folder.then(|| match self.xml_name.as_str() {
            "EmailTemplate" => "EmailFolder".to_owned(),
            name => format!("{name}Folder"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::element;
    use super::*;

    #[test]
    fn a_description() {
        let text = "<e:Envelope xmlns:e=\"e\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"><e:Body><describeMetadataResponse><result>\
            <metadataObjects><childXmlNames>CustomField</childXmlNames><childXmlNames>Index</childXmlNames><directoryName>objects</directoryName>\
            <inFolder>false</inFolder><metaFile>false</metaFile><suffix>object</suffix><xmlName>CustomObject</xmlName></metadataObjects>\
            <metadataObjects><directoryName>email</directoryName><inFolder>true</inFolder><metaFile>true</metaFile><suffix>email</suffix>\
            <xmlName>EmailTemplate</xmlName></metadataObjects>\
            <organizationNamespace></organizationNamespace><partialSaveAllowed>true</partialSaveAllowed><testRequired>false</testRequired>\
            </result></describeMetadataResponse></e:Body></e:Envelope>";
        let answer: Answer = element::read("describeMetadata", text).unwrap();
        let description = answer.result;
        assert_eq!(description.organization_namespace, None);
        assert_eq!(
            description.object("CustomObject").unwrap().child_xml_names,
            ["CustomField", "Index"]
        );
        let folder_type = |name: &str| description.object(name).unwrap().folder_type();
        assert_eq!(folder_type("EmailTemplate").as_deref(), Some("EmailFolder"));
        assert_eq!(folder_type("CustomObject"), None);
        assert!(description.partial_save_allowed && !description.test_required);
    }
}
