//! What nobody could verify about the real service: each open question is a switch with a default, and can be changed while
//! the world runs. In the configuration they stand under `[switches]`; the control endpoint is `/_simulator/switches`.
//!
//! Source of the rows and their defaults: Salesforce API reference, "Open / unverified".

use serde::{Deserialize, Serialize};

/// An enum of answers to one open question, written in snake case.
macro_rules! choice {
    ($(#[$about:meta])* $name:ident { $($(#[$doc:meta])* $value:ident),+ $(,)? }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$doc])* $value),+ }
    };
}

choice! {
    /// Scheduled jobs (CronTrigger) in a refreshed sandbox.
    ScheduledJobs {
        /// Full and Partial get them as WAITING, Developer and Developer Pro none.
        ByLicense,
        /// All get them as WAITING.
        CopiedWaiting,
        /// All get them as PAUSED.
        CopiedPaused,
        /// None gets them.
        Absent,
    }
}
choice! {
    /// Records of custom settings in Developer and Partial sandboxes.
    CustomSettings {
        /// Only those of objects in the sandbox template.
        ByTemplate,
        /// All of them.
        Copied,
    }
}
choice! {
    /// Certificates in a refreshed sandbox.
    Certificates {
        /// Mirrored; the private key cannot be exported.
        Mirrored,
        /// Not copied.
        Absent,
    }
}
choice! {
    /// Email deliverability in a refreshed sandbox.
    Deliverability {
        /// "System email only".
        SystemOnly,
        /// What the old sandbox had.
        Preserved,
    }
}
choice! {
    /// Connected apps of production in a sandbox.
    ConnectedApps {
        /// Copied with their consumer key; all tokens are revoked.
        SameKey,
        /// Not copied.
        Absent,
    }
}
choice! {
    /// Errors for a refresh too early, no free licence, a copy under way, Partial without a template.
    Refusals {
        /// `INVALID_STATUS` or `FIELD_INTEGRITY_EXCEPTION` with a general text.
        Generic,
        /// The same codes with a text that tells which rule was broken.
        Explained,
    }
}
choice! {
    /// The Connect API for sandboxes (`/sandbox/…`).
    ConnectSandboxes {
        /// Answers with the fields that are known.
        Minimal,
        /// Not there: 404.
        Absent,
    }
}
choice! {
    /// How requests may spell the licence of a Partial sandbox.
    PartialSpelling {
        /// `Partial` and `Partial_Copy`.
        Both,
        /// `Partial` only.
        Partial,
        /// `Partial_Copy` only.
        PartialCopy,
    }
}
choice! {
    /// A new name in a PATCH of SandboxInfo.
    Rename {
        /// Taken.
        Allow,
        /// Refused.
        Refuse,
    }
}
choice! {
    /// Label of a SandboxProcess while it activates.
    ActivatingLabel {
        /// `Activating` throughout.
        Activating,
        /// `Activation Confirmed`, `Deactivation Confirmed`, `Deactivation Finished`, `Activation Processing`.
        SubLabels,
    }
}
choice! {
    /// What the org does with `SandboxInfo.PostCopyConfig`.
    PostCopyConfig {
        /// Keeps it, no more.
        Stored,
        /// Does not know the field: `INVALID_FIELD`, "No such column".
        Unknown,
    }
}
choice! {
    /// What `SandboxContext.sandboxId()` gives.
    ContextId {
        /// The Connect API's id, 07E.
        Connect,
        /// The id of the SandboxInfo, 0GQ.
        SandboxInfo,
    }
}
choice! {
    /// Sandbox licences of Performance Edition.
    PerformanceAllotment {
        /// As Unlimited Edition.
        AsUnlimited,
        /// As Enterprise Edition.
        AsEnterprise,
    }
}
choice! {
    /// Hosts that take the client-credentials grant.
    ClientCredentials {
        /// The org's own host only.
        OwnHost,
        /// login and test too.
        AnyHost,
    }
}
choice! {
    /// `expires_in` in answers of the token endpoint.
    ExpiresIn {
        /// Not there.
        Absent,
        /// 7200.
        Present,
    }
}
choice! {
    /// New refresh tokens in answers to a refresh.
    Rotation {
        /// If the app says so.
        ByApp,
        /// Always.
        Always,
    }
}
choice! {
    /// The page that sets email deliverability.
    DeliverabilityPage {
        /// There, as browser tools know it.
        Served,
        /// Gone, as after a release that moved it: 404.
        Absent,
    }
}
choice! {
    /// `PATCH User.Email` in a sandbox.
    UserEmailChange {
        /// The field changes at once.
        Immediate,
        /// The field changes when the new address is confirmed.
        PendingVerification,
    }
}
choice! {
    /// `ActivationUserGroupId` for Developer and Developer Pro sandboxes since v60.
    ActivationGroup {
        /// May be left out, as the CLI does.
        Optional,
        /// Must be given.
        Required,
    }
}

/// All switches. The number in each text is the row of the table of open questions; those without one come from the body
/// of the reference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Switches {
    /// 1. Scheduled jobs after a refresh.
    pub scheduled_jobs: ScheduledJobs,
    /// 2. Whoever asked for the refresh keeps the real email address without a group.
    pub refresher_keeps_email: bool,
    /// 3. Custom settings' records in Developer and Partial sandboxes.
    pub custom_settings: CustomSettings,
    /// 4. Certificates after a refresh.
    pub certificates: Certificates,
    /// 5. Email deliverability after a refresh.
    pub deliverability: Deliverability,
    /// 6. Connected apps of production in a sandbox.
    pub connected_apps: ConnectedApps,
    /// 7. Texts of refused sandbox requests.
    pub refusals: Refusals,
    /// 8. The Connect API for sandboxes.
    pub connect_sandboxes: ConnectSandboxes,
    /// 9. Spelling of the Partial licence in requests.
    pub partial_spelling: PartialSpelling,
    /// 10. A new name in a PATCH of SandboxInfo.
    pub rename: Rename,
    /// 11. Label while a sandbox activates.
    pub activating_label: ActivatingLabel,
    /// 12a. Error code of a quick deployment that is refused.
    pub quick_deploy_refusal: String,
    /// 12b. Retrieves that run at once; more wait as Pending.
    pub concurrent_retrieves: u32,
    /// 12c. A retrieve's zip can be fetched once only.
    pub retrieve_zip_once: bool,
    /// 13. What becomes of PostCopyConfig.
    pub post_copy_config: PostCopyConfig,
    /// 14. Kind of id that a post-copy class sees.
    pub context_id: ContextId,
    /// 15. Sandbox licences of Performance Edition.
    pub performance_allotment: PerformanceAllotment,
    /// 16a. Hosts that take client credentials.
    pub client_credentials: ClientCredentials,
    /// 16b. `expires_in` in token answers.
    pub expires_in: ExpiresIn,
    /// 16c. Rotation of refresh tokens.
    pub rotation: Rotation,
    /// 17. The deliverability page.
    pub deliverability_page: DeliverabilityPage,
    /// Changes of a user's email address in a sandbox.
    pub user_email_change: UserEmailChange,
    /// The access group of Developer sandboxes.
    pub activation_group: ActivationGroup,
    /// A refresh that was discarded counts for the refresh interval.
    pub discard_counts: bool,
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            scheduled_jobs: ScheduledJobs::ByLicense,
            refresher_keeps_email: false,
            custom_settings: CustomSettings::ByTemplate,
            certificates: Certificates::Mirrored,
            deliverability: Deliverability::SystemOnly,
            connected_apps: ConnectedApps::SameKey,
            refusals: Refusals::Generic,
            connect_sandboxes: ConnectSandboxes::Minimal,
            partial_spelling: PartialSpelling::Both,
            rename: Rename::Allow,
            activating_label: ActivatingLabel::Activating,
            quick_deploy_refusal: "INVALID_ID_FIELD".to_owned(),
            concurrent_retrieves: 10,
            retrieve_zip_once: true,
            post_copy_config: PostCopyConfig::Stored,
            context_id: ContextId::Connect,
            performance_allotment: PerformanceAllotment::AsUnlimited,
            client_credentials: ClientCredentials::OwnHost,
            expires_in: ExpiresIn::Absent,
            rotation: Rotation::ByApp,
            deliverability_page: DeliverabilityPage::Served,
            user_email_change: UserEmailChange::Immediate,
            activation_group: ActivationGroup::Optional,
            discard_counts: true,
        }
    }
}

impl Switches {
    /// These switches with those in a JSON object set anew. The error tells the unknown switch or value.
    pub fn with(&self, changes: &serde_json::Value) -> Result<Self, String> {
        let mut all = serde_json::to_value(self).map_err(|error| error.to_string())?;
        let changes = changes.as_object().ok_or("switches are a JSON object")?;
        for (name, value) in changes {
            all[name] = value.clone();
        }
        serde_json::from_value(all).map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn changes_are_taken_one_by_one_and_unknown_ones_refused() {
        let changed = Switches::default()
            .with(&json!({ "scheduled_jobs": "copied_paused", "retrieve_zip_once": false }))
            .expect("known");
        assert_eq!(changed.scheduled_jobs, ScheduledJobs::CopiedPaused);
        assert!(!changed.retrieve_zip_once);
        assert_eq!(changed.certificates, Certificates::Mirrored);
        assert!(changed.with(&json!({ "nothing": 1 })).is_err());
        assert!(changed.with(&json!({ "certificates": "lost" })).is_err());
    }
}
