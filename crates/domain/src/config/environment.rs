//! What an environment is.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::TestLevel;
use crate::time::Duration;

/// One environment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Environment {
    /// Its name.
    pub name: String,
    /// The branch that says what it should contain.
    pub branch: String,
    /// What it is for.
    pub kind: Kind,
    /// How carefully it is treated.
    pub tier: Tier,
    /// The name of the login to its org; without one there is only the branch.
    pub org: Option<String>,
    /// The licence of its sandbox.
    pub licence: Option<Licence>,
    /// Its sandbox's name in production, as in SandboxInfo.
    pub sandbox: Option<String>,
    /// The environment above it, where its changes go.
    pub promotes_to: Option<String>,
    /// The remote that its branch is fetched from and pushed to.
    pub remote: Option<String>,
    /// The person or team that answers for it.
    pub owner: Option<String>,
    /// The tests of a validation, where no gate says others.
    pub test_level: Option<TestLevel>,
    /// The day of its last copy, for when the org cannot be asked.
    pub refreshed: Option<Date>,
}

/// What an environment is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Where the company works.
    Production,
    /// Urgent corrections of production.
    Hotfix,
    /// The last test before production, with real data.
    Staging,
    /// Acceptance by users.
    Uat,
    /// Where the work of all meets.
    Integration,
    /// One developer or team.
    Developer,
}

/// How carefully an environment is treated: who may change it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tier {
    /// Real work is done there.
    Production,
    /// As production, but for what only production needs.
    Protected,
    /// Many people test there.
    Test,
    /// Few people work there.
    Development,
}

/// The licence of a sandbox. Source: Salesforce help, "Sandbox Types and Templates".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Licence {
    /// Metadata only.
    Developer,
    /// Metadata only, more storage.
    DeveloperPro,
    /// Metadata and a sample of the data.
    Partial,
    /// Metadata and all data.
    Full,
}

impl Kind {
    /// The tier of an environment that names none.
    pub fn tier(self) -> Tier {
        match self {
            Self::Production => Tier::Production,
            Self::Hotfix | Self::Staging => Tier::Protected,
            Self::Uat | Self::Integration => Tier::Test,
            Self::Developer => Tier::Development,
        }
    }

    /// Its name in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Production => "production",
            Self::Hotfix => "hotfix",
            Self::Staging => "staging",
            Self::Uat => "uat",
            Self::Integration => "integration",
            Self::Developer => "developer",
        }
    }
}

impl Tier {
    /// All, the most careful first.
    pub const ALL: [Self; 4] = [Self::Production, Self::Protected, Self::Test, Self::Development];

    /// Its name in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Production => "production",
            Self::Protected => "protected",
            Self::Test => "test",
            Self::Development => "development",
        }
    }
}

impl Licence {
    /// How long after a copy began the next may begin. Source: Salesforce help, "Sandbox Types and Templates".
    pub fn refresh_interval(self) -> Duration {
        match self {
            Self::Developer | Self::DeveloperPro => Duration::days(1),
            Self::Partial => Duration::days(5),
            Self::Full => Duration::days(29),
        }
    }

    /// Whether a copy brings records of production.
    pub fn has_data(self) -> bool {
        matches!(self, Self::Partial | Self::Full)
    }

    /// Its name in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Developer => "developer",
            Self::DeveloperPro => "developer-pro",
            Self::Partial => "partial",
            Self::Full => "full",
        }
    }
}
