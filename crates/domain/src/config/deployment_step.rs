//! What is done around a deployment, once in each environment.

use serde::{Deserialize, Serialize};

use super::Command;
use crate::pattern::ComponentPattern;

/// An entry of `[[steps]]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DeploymentStep {
    /// Its name, unique and never used again.
    pub id: String,
    /// Before or after the deployment.
    pub when: When,
    /// Where; empty for everywhere.
    pub on: Vec<String>,
    /// What.
    pub work: Work,
    /// Only when the package has such a component.
    pub with: Option<ComponentPattern>,
}

impl DeploymentStep {
    /// Whether it is done around a deployment to an environment; `has` tells whether the package has a component.
    pub fn applies(&self, environment: &str, has: impl FnOnce(&ComponentPattern) -> bool) -> bool {
        (self.on.is_empty() || self.on.iter().any(|on| on == environment)) && self.with.as_ref().is_none_or(has)
    }
}

/// Before or after the deployment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum When {
    /// Before.
    Pre,
    /// After.
    Post,
}

/// What a step does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Work {
    /// Runs anonymous Apex from a file of the repository.
    Apex(String),
    /// Runs a program.
    Command(Command),
    /// A person does what the text says, and confirms it.
    Manual(String),
}
