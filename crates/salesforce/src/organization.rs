//! The row `Organization`: what kind of org this is.

use serde::Deserialize;

use crate::id::OrgId;

/// What Salesforce says about the org.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Organization {
    /// Its id.
    pub id: OrgId,
    /// Its name.
    pub name: Option<String>,
    /// Where it runs, as in `CS42`.
    pub instance_name: Option<String>,
    /// Whether it is a sandbox or a scratch org.
    pub is_sandbox: bool,
    /// When it ends; only trials and scratch orgs end.
    pub trial_expiration_date: Option<String>,
    /// The namespace of its package, if any.
    pub namespace_prefix: Option<String>,
    /// The edition, as in `Enterprise Edition`.
    pub organization_type: Option<String>,
}

/// The kinds of orgs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrgKind {
    /// The org that people work in.
    Production,
    /// A sandbox of a production.
    Sandbox,
    /// A scratch org.
    Scratch,
    /// An org of Developer Edition.
    Developer,
    /// A trial.
    Trial,
}

impl OrgKind {
    /// Whether writes need a permit.
    pub fn is_production(self) -> bool {
        self == Self::Production
    }
}

impl Organization {
    pub(crate) const QUERY: &'static str = "SELECT Id, Name, InstanceName, IsSandbox, TrialExpirationDate, NamespacePrefix, OrganizationType FROM Organization";

    /// The kind, from `IsSandbox`, `TrialExpirationDate` and `OrganizationType`.
    pub fn kind(&self) -> OrgKind {
        match (self.is_sandbox, self.trial_expiration_date.is_some()) {
            (true, false) => OrgKind::Sandbox,
            (true, true) => OrgKind::Scratch,
            (false, _) if self.organization_type.as_deref() == Some("Developer Edition") => OrgKind::Developer,
            (false, true) => OrgKind::Trial,
            (false, false) => OrgKind::Production,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds() {
        let check = |is_sandbox: bool, ends: Option<&str>, edition: &str, expect: OrgKind| {
            let organization: Organization = serde_json::from_value(serde_json::json!({
                "attributes": {"type": "Organization"}, "Id": "00DD000000IRt53", "Name": "Acme", "InstanceName": "NA1",
                "IsSandbox": is_sandbox, "TrialExpirationDate": ends, "NamespacePrefix": null, "OrganizationType": edition,
            }))
            .unwrap();
            assert_eq!(organization.kind(), expect);
        };
        let end = Some("2026-03-02T10:15:30.000+0000");
        check(false, None, "Enterprise Edition", OrgKind::Production);
        check(false, None, "Unlimited Edition", OrgKind::Production);
        check(false, None, "Developer Edition", OrgKind::Developer);
        check(true, None, "Enterprise Edition", OrgKind::Sandbox);
        check(true, None, "Developer Edition", OrgKind::Sandbox);
        check(true, end, "Developer Edition", OrgKind::Scratch);
        check(false, end, "Enterprise Edition", OrgKind::Trial);
    }
}
