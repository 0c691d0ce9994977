//! How the audit trail is kept outside of the database.

use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

use crate::time::Duration;

/// When workers sign the audit trail, and where they push what they signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Audit {
    /// The remote that gets the checkpoints; where there is none of this name they stay in the database.
    pub remote: String,
    /// At the latest after so many entries.
    pub entries: NonZeroU32,
    /// At the latest so long after the last checkpoint, if there are entries.
    pub within: Duration,
}

impl Default for Audit {
    fn default() -> Self {
        Self {
            remote: "origin".to_owned(),
            entries: NonZeroU32::new(500).unwrap_or(NonZeroU32::MIN),
            within: Duration::days(1),
        }
    }
}
