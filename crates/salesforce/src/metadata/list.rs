//! listMetadata: the components of an org, with dates and authors.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::tag;
use crate::connection::Connection;
use crate::error::{Error, Result};

/// Most queries of one call.
const QUERIES: usize = 3;

/// What one query asks for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ListQuery {
    /// The type.
    pub type_name: String,
    /// The folder, for types in folders.
    pub folder: Option<String>,
}

impl ListQuery {
    /// All components of a type.
    pub fn of(type_name: impl Into<String>) -> Self {
        Self {
            type_name: type_name.into(),
            folder: None,
        }
    }

    /// The components of a type in a folder.
    pub fn within(type_name: impl Into<String>, folder: impl Into<String>) -> Self {
        Self {
            type_name: type_name.into(),
            folder: Some(folder.into()),
        }
    }
}

/// A component as the org lists it (Metadata API Developer Guide, "FileProperties"). Dates of standard objects, settings and
/// installed packages are often those of 1970 and mean nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FileProperties {
    /// The full name; layouts have it percent-encoded.
    #[serde(default)]
    pub full_name: String,
    /// The path in a package, as in `classes/A.cls`; may be missing.
    pub file_name: Option<String>,
    /// The type; may be missing in the answer, and is then the type that was asked for.
    #[serde(rename = "type")]
    pub type_name: Option<String>,
    /// The id; may be missing.
    pub id: Option<String>,
    /// The namespace of its package.
    pub namespace_prefix: Option<String>,
    /// `unmanaged`, `installed`, `beta`, `released`, …
    pub manageable_state: Option<String>,
    /// Who created it.
    pub created_by_name: Option<String>,
    /// When it was created, as in `2026-03-02T10:15:30.000Z`.
    pub created_date: Option<String>,
    /// The id of who changed it last.
    pub last_modified_by_id: Option<String>,
    /// Who changed it last.
    pub last_modified_by_name: Option<String>,
    /// When it was changed last.
    pub last_modified_date: Option<String>,
}

/// The answers to many queries.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// The components, without an order that means something.
    pub components: Vec<FileProperties>,
    /// Queries that the org refused, and why: types that it does not have in this version or with its features.
    pub refused: BTreeMap<ListQuery, String>,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    result: Vec<FileProperties>,
}

impl Connection {
    /// Lists what the queries ask for, with at most `at_once` calls at a time. A type that the org does not know is left out
    /// and told in [`Listing::refused`], although it fails the whole call that it is in.
    pub async fn list_metadata(&self, queries: &[ListQuery], at_once: usize) -> Result<Listing> {
        let slots = Arc::new(Semaphore::new(at_once.max(1)));
        let mut calls = JoinSet::new();
        for group in queries.chunks(QUERIES) {
            let (connection, slots, group) = (self.clone(), slots.clone(), group.to_vec());
            calls.spawn(async move {
                let _slot = slots.acquire_owned().await;
                connection.list_group(group).await
            });
        }
        let mut listing = Listing::default();
        while let Some(ended) = calls.join_next().await {
            let part = ended.map_err(|error| Error::Internal {
                what: format!("a call of listMetadata ended: {error}"),
            })??;
            listing.components.extend(part.components);
            listing.refused.extend(part.refused);
        }
        Ok(listing)
    }

    /// One call; when it fails because of a type, its queries one by one.
    async fn list_group(&self, group: Vec<ListQuery>) -> Result<Listing> {
        let mut listing = Listing::default();
        match self.list_call(&group).await {
            Ok(components) => listing.components = components,
            Err(error) if is_about_type(&error) && group.len() == 1 => {
                listing
                    .refused
                    .extend(group.into_iter().map(|query| (query, error.to_string())));
            }
            Err(error) if is_about_type(&error) => {
                for query in group {
                    match self.list_call(std::slice::from_ref(&query)).await {
                        Ok(components) => listing.components.extend(components),
                        Err(error) if is_about_type(&error) => {
                            listing.refused.insert(query, error.to_string());
                        }
                        Err(error) => return Err(error),
                    }
                }
            }
            Err(error) => return Err(error),
        }
        Ok(listing)
    }

    async fn list_call(&self, queries: &[ListQuery]) -> Result<Vec<FileProperties>> {
        let mut arguments = String::new();
        for query in queries {
            arguments.push_str("<queries>");
            if let Some(folder) = &query.folder {
                arguments.push_str(&tag("folder", folder));
            }
            arguments.push_str(&tag("type", &query.type_name));
            arguments.push_str("</queries>");
        }
        arguments.push_str(&tag("asOfVersion", self.api_version()));
        let answer: Answer = self.metadata_call("listMetadata", &arguments).await?;
        let mut rows = answer.result;
        // With several types asked for, a row without a type could be of any of them.
        if let [query] = queries {
            for row in rows.iter_mut().filter(|row| row.type_name.is_none()) {
                row.type_name = Some(query.type_name.clone());
            }
        } else if rows.iter().any(|row| row.type_name.is_none()) {
            return Box::pin(self.list_singly(queries)).await;
        }
        Ok(rows)
    }

    async fn list_singly(&self, queries: &[ListQuery]) -> Result<Vec<FileProperties>> {
        let mut rows = Vec::new();
        for query in queries {
            rows.extend(self.list_call(std::slice::from_ref(query)).await?);
        }
        Ok(rows)
    }
}

/// Whether a fault says that the org does not have the type, not that the call failed.
fn is_about_type(error: &Error) -> bool {
    ["INVALID_TYPE", "UNSUPPORTED_TYPE", "INVALID_TYPE_FOR_OPERATION"]
        .iter()
        .any(|code| error.has_fault(code))
}

#[cfg(test)]
mod tests {
    use super::super::element;
    use super::*;

    fn rows(result: &str) -> Vec<FileProperties> {
        let text = format!(
            "<e:Envelope xmlns:e=\"e\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"><e:Body>\
             <listMetadataResponse>{result}</listMetadataResponse></e:Body></e:Envelope>"
        );
        element::read::<Answer>("listMetadata", &text).unwrap().result
    }

    #[test]
    fn rows_may_lack_everything_but_the_name() {
        assert_eq!(rows(""), []);
        let one = rows(
            "<result><createdDate>1970-01-01T00:00:00.000Z</createdDate><fileName xsi:nil=\"true\"/><fullName>Account</fullName>\
             <id></id><type xsi:nil=\"true\"/></result>",
        );
        assert_eq!(one[0].full_name, "Account");
        assert_eq!(
            (&one[0].file_name, &one[0].id, &one[0].type_name),
            (&None, &None, &None)
        );
        assert_eq!(
            rows("<result><fullName>A</fullName></result><result><fullName>B</fullName></result>").len(),
            2
        );
    }
}
