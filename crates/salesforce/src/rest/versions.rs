//! The versions that an org has, and the resources of one.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::address::Address;
use crate::connection::Connection;
use crate::error::{Error, Result};
use crate::http::Http;
use crate::request::Request;
use crate::version::ApiVersion;

/// A row of `/services/data`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Version {
    /// The release, as in `Spring '26`.
    pub label: String,
    /// As in `66.0`.
    pub version: String,
}

/// The newest version of an org. Needs no session, and costs no API request.
pub(crate) async fn newest_version(http: &Http, instance: &Address) -> Result<ApiVersion> {
    let attempted = format!("read the API versions of {}", instance.host());
    let url = instance.at("/services/data");
    let url = url.ok_or_else(|| Error::argument("the instance has no address"))?;
    let transport = |error: reqwest::Error| Error::Transport {
        attempted: attempted.clone(),
        host: instance.host(),
        source: error.without_url(),
    };
    let answer = http.client().get(url).send().await.map_err(transport)?;
    let status = answer.status();
    let body = answer.bytes().await.map_err(transport)?;
    let versions: Vec<Version> = match serde_json::from_slice(&body) {
        Ok(versions) if status.is_success() => versions,
        _ => {
            return Err(Error::NotApi {
                attempted,
                status: status.as_u16(),
                title: String::new(),
            });
        }
    };
    let newest = versions.iter().filter_map(|row| row.version.parse().ok()).max();
    newest.ok_or_else(|| Error::unexpected(&attempted, "it lists no version"))
}

impl Connection {
    /// The versions that the org has, oldest first.
    pub async fn versions(&self) -> Result<Vec<Version>> {
        self.send(Request::get("read the API versions", "/services/data"))
            .await?
            .json()
    }

    /// The resources of the connection's version: name and path.
    pub async fn resources(&self) -> Result<BTreeMap<String, serde_json::Value>> {
        self.send(Request::get("read the resources", "")).await?.json()
    }
}
