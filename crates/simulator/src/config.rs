//! What a world of orgs is made from: a TOML file or the default.

use crate::clock::Pace;
use crate::switches::Switches;
use serde::Deserialize;
use std::path::Path;

/// The settings of a world.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Decides every id, token and chance.
    pub seed: u64,
    /// `fast`, `real`, `stepped` or `x60`.
    pub clock: String,
    /// Simulated time to begin at, milliseconds since 1970.
    pub start: Option<i64>,
    /// Address to listen on; loopback.
    pub address: String,
    /// Port of the first org; the others follow. 0: any free ports.
    pub port: u16,
    /// The newest API version the orgs speak.
    pub api_version: u16,
    /// The orgs the world begins with.
    pub orgs: Vec<OrgConfig>,
    /// Answers to what is open about the real service.
    pub switches: Switches,
    /// Outbound change sets, which clients can retrieve by name.
    pub change_sets: Vec<ChangeSet>,
    /// What Apex tests do.
    pub apex: Apex,
}

/// An outbound change set.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangeSet {
    /// Short name of its org.
    pub org: String,
    /// Name.
    pub name: String,
    /// Components, `CustomField:Account.Rating__c`.
    pub members: Vec<String>,
}

/// Outcomes of Apex, which the simulator does not run.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Apex {
    /// Test methods that differ from passing.
    pub tests: Vec<ApexTest>,
    /// Classes and triggers that tests do not cover whole.
    pub coverage: Vec<ApexCoverage>,
}

/// The outcome of a test method.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApexTest {
    /// Test class.
    pub class: String,
    /// Method.
    pub method: String,
    /// `pass`, `fail` or `skip`.
    pub outcome: String,
    /// Message of a failure.
    #[serde(default)]
    pub message: String,
}

/// How far tests cover a class or trigger.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApexCoverage {
    /// Class or trigger.
    pub class: String,
    /// Lines the tests reach.
    pub covered: u32,
    /// Lines there are.
    pub lines: u32,
}

/// An org at the beginning.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrgConfig {
    /// Short name: `prod`; for sandboxes the sandbox name.
    pub name: String,
    /// `production`, `developer-edition`, or a sandbox licence: `Developer`, `Developer_Pro`, `Partial`, `Full`.
    #[serde(default = "production")]
    pub kind: String,
    /// The production org a sandbox belongs to; the first production org when not given.
    pub of: Option<String>,
}

fn production() -> String {
    "production".to_owned()
}

impl Default for Config {
    fn default() -> Self {
        let org = |name: &str, kind: &str| OrgConfig {
            name: name.to_owned(),
            kind: kind.to_owned(),
            of: None,
        };
        Self {
            seed: 1,
            clock: "fast".to_owned(),
            start: None,
            address: "127.0.0.1".to_owned(),
            port: 8911,
            api_version: 67,
            orgs: vec![
                org("prod", "production"),
                org("uat", "Partial"),
                org("dev1", "Developer"),
            ],
            change_sets: Vec::new(),
            apex: Apex::default(),
            switches: Switches::default(),
        }
    }
}

/// A configuration that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read {path}")]
    Read {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// The file is no TOML or has unknown keys.
    #[error("{path}: {problem}")]
    Parse {
        /// The file.
        path: String,
        /// What and where.
        problem: String,
    },
    /// The clock is unknown.
    #[error("{0}")]
    Clock(String),
}

impl Config {
    /// Reads a configuration file.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let name = || path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Read { path: name(), source })?;
        toml::from_str(&text).map_err(|error| ConfigError::Parse {
            path: name(),
            problem: error.to_string(),
        })
    }

    /// The pace of the clock.
    pub fn pace(&self) -> Result<Pace, ConfigError> {
        self.clock.parse().map_err(ConfigError::Clock)
    }
}
