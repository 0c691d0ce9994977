//! Components one by one, at once: readMetadata, createMetadata, updateMetadata, upsertMetadata, deleteMetadata, renameMetadata.

use serde::{Deserialize, Serialize};

use super::{NAMESPACE, element, tag, unexpected};
use crate::connection::Connection;
use crate::error::{Error, Result};

/// A component as XML: a document as in a metadata file, with `fullName`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SoapComponent {
    /// The full name.
    pub full_name: String,
    /// The document; its root is the type.
    pub xml: String,
}

/// What became of one component of a call that writes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Saved {
    /// The full name.
    pub full_name: String,
    /// Whether it was done.
    pub success: bool,
    /// Whether it is new; only of upserts.
    pub created: Option<bool>,
    /// Why it was not done.
    pub errors: Vec<SaveError>,
}

/// Why a component was not written.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SaveError {
    /// As in `DUPLICATE_DEVELOPER_NAME`.
    pub status_code: String,
    /// The text.
    pub message: String,
    /// Fields that it is about.
    pub fields: Vec<String>,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    result: Vec<Saved>,
}

/// Most components of one call (Metadata API Developer Guide, "CRUD-Based Calls").
fn most(type_name: &str) -> usize {
    match type_name {
        "CustomMetadata" | "CustomApplication" => 200,
        _ => 10,
    }
}

impl Connection {
    /// Reads components. Those that do not exist are left out.
    pub async fn read_metadata(&self, type_name: &str, full_names: &[String]) -> Result<Vec<SoapComponent>> {
        let mut components = Vec::new();
        for names in full_names.chunks(most(type_name)) {
            let answer = self
                .metadata_answer("readMetadata", "", &named(type_name, names))
                .await?;
            components.extend(read_components(type_name, answer.text()?)?);
        }
        Ok(components)
    }

    /// Creates components.
    pub async fn create_metadata(&self, type_name: &str, components: &[SoapComponent]) -> Result<Vec<Saved>> {
        self.write_metadata("createMetadata", type_name, components).await
    }

    /// Changes components. What a component does not say is left as it is only for some types.
    pub async fn update_metadata(&self, type_name: &str, components: &[SoapComponent]) -> Result<Vec<Saved>> {
        self.write_metadata("updateMetadata", type_name, components).await
    }

    /// Creates or changes components.
    pub async fn upsert_metadata(&self, type_name: &str, components: &[SoapComponent]) -> Result<Vec<Saved>> {
        self.write_metadata("upsertMetadata", type_name, components).await
    }

    /// Deletes components.
    pub async fn delete_metadata(&self, type_name: &str, full_names: &[String]) -> Result<Vec<Saved>> {
        let mut results = Vec::new();
        for names in full_names.chunks(most(type_name)) {
            let answer: Answer = self.metadata_call("deleteMetadata", &named(type_name, names)).await?;
            results.extend(answer.result);
        }
        Ok(results)
    }

    /// Renames a component.
    pub async fn rename_metadata(&self, type_name: &str, old: &str, new: &str) -> Result<Saved> {
        let arguments = tag("type", type_name) + &tag("oldFullName", old) + &tag("newFullName", new);
        let answer: Answer = self.metadata_call("renameMetadata", &arguments).await?;
        let result = answer.result.into_iter().next();
        result.ok_or_else(|| unexpected("renameMetadata", "there is no result"))
    }

    async fn write_metadata(
        &self,
        operation: &str,
        type_name: &str,
        components: &[SoapComponent],
    ) -> Result<Vec<Saved>> {
        let mut results = Vec::new();
        for group in components.chunks(most(type_name)) {
            let mut arguments = String::new();
            for component in group {
                arguments.push_str(&component.argument(type_name)?);
            }
            let answer: Answer = self.metadata_call(operation, &arguments).await?;
            results.extend(answer.result);
        }
        Ok(results)
    }
}

fn named(type_name: &str, full_names: &[String]) -> String {
    let mut arguments = tag("type", type_name);
    for name in full_names {
        arguments.push_str(&tag("fullNames", name));
    }
    arguments
}

fn read_components(type_name: &str, text: &str) -> Result<Vec<SoapComponent>> {
    let operation = "readMetadata";
    let document = element::parse(operation, text)?;
    let response = element::response(operation, &document)?;
    let mut components = Vec::new();
    for records in element::elements(response)
        .flat_map(element::elements)
        .filter(|node| node.tag_name().name() == "records" && !element::is_nil(*node))
    {
        let full_name = element::elements(records).find(|node| node.tag_name().name() == "fullName");
        // A component that does not exist is an element without content.
        let Some(full_name) = full_name.and_then(|node| node.text()) else {
            continue;
        };
        components.push(SoapComponent {
            full_name: full_name.to_owned(),
            xml: format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{type_name} xmlns=\"{NAMESPACE}\" \
                 xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">{}</{type_name}>\n",
                inner(records, text)
            ),
        });
    }
    Ok(components)
}

/// The text between the tags of an element.
fn inner<'a>(node: roxmltree::Node<'_, '_>, text: &'a str) -> &'a str {
    let first = node.first_child().map(|child| child.range().start);
    let last = node.last_child().map(|child| child.range().end);
    first.zip(last).map_or("", |(start, end)| &text[start..end])
}

impl SoapComponent {
    fn argument(&self, type_name: &str) -> Result<String> {
        let wrong = |why: String| Error::argument(format!("the XML of {type_name} {}: {why}", self.full_name));
        let document = roxmltree::Document::parse(&self.xml).map_err(|error| wrong(error.to_string()))?;
        let root = document.root_element();
        if root.tag_name().name() != type_name {
            return Err(wrong(format!("its root is {}", root.tag_name().name())));
        }
        let has_name = element::elements(root).any(|node| node.tag_name().name() == "fullName");
        let name = if has_name {
            String::new()
        } else {
            tag("fullName", &self.full_name)
        };
        Ok(format!(
            "<metadata xsi:type=\"{type_name}\">{name}{}</metadata>",
            inner(root, &self.xml)
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const READ: &str = "<e:Envelope xmlns:e=\"e\" xmlns=\"http://soap.sforce.com/2006/04/metadata\" \
        xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"><e:Body><readMetadataResponse><result>\
        <records xsi:type=\"RemoteSiteSetting\"><fullName>Bank</fullName><isActive>true</isActive><url>https://a.example/?x&amp;y</url></records>\
        <records xsi:nil=\"true\"/></result></readMetadataResponse></e:Body></e:Envelope>";

    #[test]
    fn what_is_read_can_be_written() {
        let read = read_components("RemoteSiteSetting", READ).unwrap();
        assert_eq!(read.len(), 1);
        assert_eq!(
            read[0].argument("RemoteSiteSetting").unwrap(),
            "<metadata xsi:type=\"RemoteSiteSetting\"><fullName>Bank</fullName><isActive>true</isActive>\
             <url>https://a.example/?x&amp;y</url></metadata>"
        );
    }

    #[test]
    fn a_name_is_added_and_a_wrong_type_is_told() {
        let component = SoapComponent {
            full_name: "A&B".to_owned(),
            xml: "<CustomLabel xmlns=\"u\"><value>x</value></CustomLabel>".to_owned(),
        };
        let argument = component.argument("CustomLabel").unwrap();
        assert!(
            argument.contains("<fullName>A&amp;B</fullName><value>x</value>"),
            "{argument}"
        );
        let error = component.argument("Layout").unwrap_err().to_string();
        assert!(error.contains("its root is CustomLabel"), "{error}");
    }
}
