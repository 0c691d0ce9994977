//! Systems outside of Salesforce that environments depend on.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// An entry of `[[system]]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct System {
    /// Its name.
    pub name: String,
    /// The person or team that answers for it.
    pub owner: Option<String>,
    /// Which of its installations each environment talks to.
    pub environments: BTreeMap<String, Installation>,
}

/// An installation of an external system, as one environment sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Installation {
    /// Hosts of its endpoints.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// Named credentials or external credentials that reach it.
    #[serde(default)]
    pub credentials: Vec<String>,
}
