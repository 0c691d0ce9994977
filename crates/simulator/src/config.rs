//! What a world of orgs is made from: a TOML file or the default.

use crate::clock::Pace;
use crate::faults::Fault;
use crate::generate::Generate;
use crate::switches::Switches;
use serde::Deserialize;
use std::collections::BTreeMap;
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
    /// Serves every org over TLS too, at a second port.
    pub tls: bool,
    /// The newest API version the orgs speak.
    pub api_version: u16,
    /// `CreatedDate` and the other audit fields may be set when records are made.
    pub set_audit_fields: bool,
    /// What may be used in 24 hours and stored.
    pub limits: Limits,
    /// What triggers and flows do.
    pub automations: Vec<Automation>,
    /// The orgs the world begins with.
    pub orgs: Vec<OrgConfig>,
    /// Answers to what is open about the real service.
    pub switches: Switches,
    /// What goes wrong from the beginning.
    pub faults: Vec<Fault>,
    /// Sandbox licences bought beside those of the edition, by licence: `FULL = 1`.
    pub extra_licenses: BTreeMap<String, u32>,
    /// Sandbox templates of every production org.
    pub templates: Vec<Template>,
    /// What post-copy classes do.
    pub post_copy: Vec<PostCopy>,
    /// Orgs to fill when the world is made.
    pub generate: Vec<Generate>,
    /// Outbound change sets, which clients can retrieve by name.
    pub change_sets: Vec<ChangeSet>,
    /// What Apex tests do.
    pub apex: Apex,
}

/// A sandbox template.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Template {
    /// Developer name.
    pub name: String,
    /// Description.
    #[serde(default)]
    pub description: String,
    /// API names of the objects whose records come along.
    pub objects: Vec<String>,
}

/// What a class does that runs when a sandbox was copied.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PostCopy {
    /// Name of the class.
    pub class: String,
    /// What it changes in the sandbox.
    #[serde(default)]
    pub effects: Vec<Effect>,
}

/// A change of all records of an object.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Effect {
    /// API name of the object.
    pub object: String,
    /// Deletes them.
    #[serde(default)]
    pub delete: bool,
    /// Sets these fields. `$sandboxId`, `$sandboxName` and `$organizationId` stand for what a class is told.
    #[serde(default)]
    pub set: BTreeMap<String, String>,
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

/// What an org may use.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// REST calls a day.
    pub daily_api_requests: u64,
    /// Batches of Bulk ingest jobs a day.
    pub daily_bulk_batches: u64,
    /// Bulk 2.0 query jobs a day.
    pub daily_bulk_query_jobs: u64,
    /// Megabytes of records, 2 KB each; none: no limit is enforced.
    pub data_storage_mb: Option<u64>,
    /// Files and folders of a deployment's or retrieve's zip.
    pub zip_entries: usize,
    /// Bytes of an upload to a Bulk 2.0 job.
    pub bulk_upload_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            daily_api_requests: 100_000,
            daily_bulk_batches: 15_000,
            daily_bulk_query_jobs: 10_000,
            data_storage_mb: None,
            zip_entries: 10_000,
            bulk_upload_bytes: 150_000_000,
        }
    }
}

/// What a trigger or flow of an org does to records of an object.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Automation {
    /// Only in this org; in all when not given.
    pub org: Option<String>,
    /// The object.
    pub object: String,
    /// `insert`, `update`, `delete`, `undelete`, or several of them.
    pub on: String,
    /// Formula that must hold.
    pub when: Option<String>,
    /// Only while the Apex trigger of that name is there and active.
    pub trigger: Option<String>,
    /// Only while the flow of that name has an active version.
    pub flow: Option<String>,
    /// Fields and the values they get before the record is written.
    #[serde(default)]
    pub set: serde_json::Map<String, serde_json::Value>,
    /// The record is refused with this message.
    pub fail: Option<String>,
    /// The status code of the refusal; `CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY` when not given.
    pub code: Option<String>,
    /// The field the refusal is about.
    pub field: Option<String>,
    /// A record that is made afterwards: `object` and its fields; `{Id}` stands for a field of the record.
    pub insert: Option<serde_json::Map<String, serde_json::Value>>,
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
            tls: false,
            api_version: 67,
            set_audit_fields: false,
            limits: Limits::default(),
            automations: Vec::new(),
            orgs: vec![
                org("prod", "production"),
                org("uat", "Partial"),
                org("dev1", "Developer"),
            ],
            change_sets: Vec::new(),
            apex: Apex::default(),
            switches: Switches::default(),
            faults: Vec::new(),
            extra_licenses: [("DEVELOPER_PRO", 2), ("PARTIAL", 1), ("FULL", 1)]
                .map(|(name, n)| (name.to_owned(), n))
                .into(),
            templates: vec![Template {
                name: "Sales_data".to_owned(),
                description: "Accounts, contacts and opportunities".to_owned(),
                objects: ["Account", "Contact", "Opportunity"].map(str::to_owned).into(),
            }],
            post_copy: Vec::new(),
            generate: Vec::new(),
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
