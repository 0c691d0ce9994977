//! What somebody wants to do.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! actions {
    ($($(#[doc = $doc:literal])* $variant:ident $name:literal,)*) => {
        /// What somebody wants to do.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Action {
            $($(#[doc = $doc])* #[serde(rename = $name)] $variant,)*
        }

        impl Action {
            /// All.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// Its name in files and in the audit trail.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }
    };
}

actions! {
    /// Look at an environment.
    Read "read",
    /// Ask the org what it contains.
    Snapshot "snapshot",
    /// Say what two environments have in common.
    Baseline "baseline",
    /// Capture and submit work.
    Work "work",
    /// Bring changes up to the environment.
    Promote "promote",
    /// Bring changes down to the environment.
    BackPromote "back-promote",
    /// Deploy something else to the org.
    Deploy "deploy",
    /// Commit drift of the org to the branch.
    Adopt "adopt",
    /// Take a deployment back.
    Rollback "rollback",
    /// Decide conflicts, answer questions, attach evidence, confirm steps.
    Decide "decide",
    /// Agree to a deployment.
    Approve "approve",
    /// Leave the path or a gate.
    Bypass "bypass",
    /// Agree to that.
    ApproveBypass "approve-bypass",
    /// End an operation, or have it tried again.
    Control "control",
    /// Copy the sandbox anew.
    Refresh "refresh",
    /// Keep a login to the org.
    LogIn "log-in",
    /// Change configuration, overlays, scope, resolutions.
    Configure "configure",
    /// Seal secrets.
    ManageSecrets "manage-secrets",
    /// Give and take roles and tokens.
    ManagePeople "manage-people",
    /// See who may write where.
    ReviewAccess "review-access",
    /// Read the audit trail.
    ReadAudit "read-audit",
    /// Take the audit trail out.
    ExportAudit "export-audit",
    /// Sign how far the audit trail is.
    CheckpointAudit "checkpoint-audit",
    /// Back the database up, or restore it.
    BackUp "back-up",
    /// Change the server's key.
    RotateKey "rotate-key",
}

impl Action {
    /// The action of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|action| action.name() == name)
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
