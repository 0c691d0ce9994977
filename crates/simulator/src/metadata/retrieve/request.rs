//! What a retrieval asks for.

use crate::error::ApiError;
use crate::http::Call;
use crate::soap::xml;
use percent_encoding::percent_decode_str;
use roxmltree::Node;
use serde::{Deserialize, Serialize};

/// A `RetrieveRequest`. Source: Metadata API Developer Guide, retrieve().
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Request {
    /// API version that decides what is retrieved: package.xml's, else the request's, else the path's.
    pub version: u16,
    /// Names of change sets or packages.
    pub package_names: Vec<String>,
    /// Files lie at the root of the zip.
    pub single_package: bool,
    /// Only these files.
    pub specific_files: Vec<String>,
    /// Types and their members in the order asked for; none without `unpackaged`.
    pub unpackaged: Option<Vec<(String, Vec<String>)>>,
}

impl Request {
    /// Reads the request; clients call its element `request` or `retrieveRequest`.
    pub(super) fn read(call: &Call<'_>, operation: Node<'_, '_>) -> Result<Self, ApiError> {
        let node = xml::either(operation, &["retrieveRequest", "request", "RetrieveRequest"]).unwrap_or(operation);
        let unpackaged = xml::child(node, "unpackaged");
        let number = |text: String| text.trim().split('.').next().and_then(|v| v.parse::<u16>().ok());
        let given = unpackaged
            .and_then(|package| xml::text(package, "version"))
            .or_else(|| xml::text(node, "apiVersion"));
        let version = match given {
            None => call.version,
            Some(text) => number(text.clone())
                .filter(|v| (31..=call.world.config.api_version).contains(v))
                .ok_or_else(|| ApiError::new("INVALID_OPERATION", format!("Invalid API version specified: {text}")))?,
        };
        let types = |package: Node<'_, '_>| {
            xml::all(package, "types")
                .map(|types| {
                    let members = xml::texts(types, "members")
                        .iter()
                        .map(|member| decode(member))
                        .collect();
                    (xml::text(types, "name").unwrap_or_default(), members)
                })
                .collect()
        };
        Ok(Self {
            version,
            package_names: xml::texts(node, "packageNames"),
            single_package: xml::flag(node, "singlePackage").unwrap_or_default(),
            specific_files: xml::texts(node, "specificFiles"),
            unpackaged: unpackaged.map(types),
        })
    }
}

/// A member's name without escapes.
pub(crate) fn decode(member: &str) -> String {
    percent_decode_str(member)
        .decode_utf8()
        .map_or_else(|_| member.to_owned(), std::borrow::Cow::into_owned)
}
