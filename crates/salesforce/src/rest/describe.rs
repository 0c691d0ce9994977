//! What objects the org has, and what fields an object has.

use serde::Deserialize;
use serde_json::Value;

use crate::connection::Connection;
use crate::error::{Error, Result};
use crate::request::{Request, segment};

/// A value that may be the one that the caller knows already.
#[derive(Debug, Clone, PartialEq)]
pub enum Described<T> {
    /// It did not change since the time that was given.
    Unchanged,
    /// The value, and when it changed: give it next time. Salesforce leaves the time away at some objects.
    Changed {
        /// The value.
        value: T,
        /// `Last-Modified`, an HTTP date.
        since: Option<String>,
    },
}

impl<T> Described<T> {
    /// The value, when it changed.
    pub fn into_value(self) -> Option<T> {
        match self {
            Self::Unchanged => None,
            Self::Changed { value, .. } => Some(value),
        }
    }
}

/// All objects of an org.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GlobalDescribe {
    /// The most records in one call, 200.
    pub max_batch_size: u32,
    /// The objects.
    pub sobjects: Vec<ObjectSummary>,
}

/// An object of an org in short.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ObjectSummary {
    /// The name, as in `Account`.
    pub name: String,
    /// The label.
    pub label: String,
    /// The first three characters of its ids.
    pub key_prefix: Option<String>,
    /// Whether the org made it.
    pub custom: bool,
    /// Whether it is a custom setting.
    #[serde(default)]
    pub custom_setting: bool,
    /// Whether the user can create records.
    pub createable: bool,
    /// Whether the user can change records.
    pub updateable: bool,
    /// Whether the user can delete records.
    pub deletable: bool,
    /// Whether it can be queried.
    pub queryable: bool,
}

impl Connection {
    /// All objects; with `since`, only if something changed.
    pub async fn describe_global(&self, since: Option<&str>) -> Result<Described<GlobalDescribe>> {
        self.describe_at(Request::get("describe all objects", "sobjects"), since)
            .await
    }

    /// An object with its fields as Salesforce tells them; with `since`, only if something changed.
    ///
    /// # Errors
    /// `salesforce_error` with `NOT_FOUND` when there is no such object.
    pub async fn describe(&self, object: &str, since: Option<&str>) -> Result<Described<Value>> {
        let path = format!("sobjects/{}/describe", segment(object));
        self.describe_at(Request::get(format!("describe {object}"), path), since)
            .await
    }

    async fn describe_at<T: serde::de::DeserializeOwned>(
        &self,
        request: Request,
        since: Option<&str>,
    ) -> Result<Described<T>> {
        let request = match since {
            Some(date) => request.header("if-modified-since", date)?,
            None => request,
        };
        let answer = self.send(request).await?;
        match answer.status {
            304 if since.is_some() => Ok(Described::Unchanged),
            304 => Err(Error::unexpected("describe", "not modified, but nothing was known")),
            _ => Ok(Described::Changed {
                since: answer.header("last-modified").map(str::to_owned),
                value: answer.json()?,
            }),
        }
    }
}
