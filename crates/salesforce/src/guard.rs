//! The one gate in front of every request: the right org, and no write to production by accident.

use reqwest::Method;

use crate::id::OrgId;
use crate::organization::Organization;
use crate::request::Request;

/// Whether a request changes something in the org.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It reads, whatever its method.
    Read,
    /// It may change something.
    Write,
}

/// Names one production org as writable. It fits only the connection of that very name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WritePermit(String);

impl WritePermit {
    /// Permits writes to the org that its user calls by this name.
    pub fn naming(org: impl Into<String>) -> Self {
        Self(org.into())
    }

    pub(crate) fn permits(&self, org: &str) -> bool {
        self.0 == org
    }
}

/// Something that we do not do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The org is a production, and nobody named it as writable.
    #[error("{attempted}: refused, because {org} ({org_id}) is a production org")]
    ProductionWrite {
        /// What was attempted.
        attempted: String,
        /// The name of the org.
        org: String,
        /// Its id.
        org_id: OrgId,
    },
    /// We cannot tell whether the org is a production.
    #[error("{attempted}: refused, because {org} may be a production org: {why}")]
    UnknownOrg {
        /// What was attempted.
        attempted: String,
        /// The name of the org.
        org: String,
        /// Why we cannot tell.
        why: String,
    },
    /// The login leads to another org than before.
    #[error("{org} is the org {expected}, but this login leads to {found}")]
    WrongOrg {
        /// The name of the org.
        org: String,
        /// The org that it was.
        expected: OrgId,
        /// The org that it is now.
        found: OrgId,
    },
    /// The sender has lost the right to write.
    #[error("{attempted}: not sent to {org}, because another worker may do it now")]
    Withdrawn {
        /// What was attempted.
        attempted: String,
        /// The name of the org.
        org: String,
    },
    /// Few API requests are left, and this can wait.
    #[error("{org} has {left} of {allowed} API requests left; background work stops below {percent} %")]
    Reserve {
        /// The name of the org.
        org: String,
        /// Requests left.
        left: u64,
        /// Requests allowed in 24 hours.
        allowed: u64,
        /// The reserve.
        percent: u8,
    },
}

impl Refusal {
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::ProductionWrite { .. } => "production_write",
            Self::UnknownOrg { .. } => "unknown_org",
            Self::WrongOrg { .. } => "wrong_org",
            Self::Withdrawn { .. } => "withdrawn",
            Self::Reserve { .. } => "api_reserve",
        }
    }

    pub(crate) fn hint(&self) -> String {
        match self {
            Self::ProductionWrite { org, .. } => format!("name {org} as writable if this is meant"),
            Self::UnknownOrg { .. } => {
                "give the user the permission to read Organization, or name the org as writable".to_owned()
            }
            Self::WrongOrg { .. } => {
                "a refreshed sandbox has a new org id: accept it as the new org, or correct the login".to_owned()
            }
            Self::Withdrawn { .. } => {
                "nothing is to be done: the other worker looks for what was sent before".to_owned()
            }
            Self::Reserve { .. } => "wait, or make the reserve smaller".to_owned(),
        }
    }
}

/// Requests that read although their method writes. `*` stands for one segment.
const READS: &[(Method, &str)] = &[
    (Method::POST, "jobs/query"),
    (Method::PATCH, "jobs/query/*"),
    (Method::DELETE, "jobs/query/*"),
    // Retrieve by ids; creating has no object in its path.
    (Method::POST, "composite/sobjects/*"),
    // A code for signing in to a sandbox.
    (Method::POST, "tooling/sandboxAuth"),
    (Method::POST, "parameterizedSearch"),
];

/// Requests that write although their method reads.
const WRITES: &[(Method, &str)] = &[(Method::GET, "tooling/executeAnonymous")];

/// Calls of SOAP that read.
const SOAP_READS: &[&str] = &[
    "checkDeployStatus",
    "checkRetrieveStatus",
    "checkStatus",
    "describeMetadata",
    "describeValueType",
    "listMetadata",
    "readMetadata",
    "retrieve",
];

impl Request {
    /// Whether this request changes something.
    pub fn effect(&self) -> Effect {
        if let Some(operation) = self.soap_operation() {
            return if SOAP_READS.contains(&operation) {
                Effect::Read
            } else {
                Effect::Write
            };
        }
        if !self.parts.is_empty() {
            let writes = |(method, path): &(Method, String)| effect(method, path) == Effect::Write;
            return if self.parts.iter().any(writes) {
                Effect::Write
            } else {
                Effect::Read
            };
        }
        effect(&self.method, &self.path)
    }
}

fn effect(method: &Method, path: &str) -> Effect {
    let path = resource(path);
    let among = |table: &[(Method, &str)]| {
        table
            .iter()
            .any(|(known, pattern)| known == method && fits(pattern, path))
    };
    if among(WRITES) {
        Effect::Write
    } else if matches!(*method, Method::GET | Method::HEAD) || among(READS) {
        Effect::Read
    } else {
        Effect::Write
    }
}

/// A path without host part, version, query and slashes around it: the forms that composite requests allow.
fn resource(path: &str) -> &str {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let path = path.trim_matches('/');
    let path = path.strip_prefix("services/data/").unwrap_or(path);
    match path.split_once('/') {
        Some((version, rest))
            if version
                .strip_prefix('v')
                .is_some_and(|v| v.starts_with(|c: char| c.is_ascii_digit())) =>
        {
            rest
        }
        _ => path,
    }
}

fn fits(pattern: &str, path: &str) -> bool {
    let mut segments = path.split('/');
    pattern.split('/').all(|expected| {
        segments
            .next()
            .is_some_and(|segment| expected == "*" || segment.eq_ignore_ascii_case(expected))
    }) && segments.next().is_none()
}

/// Refuses a write to production without a permit that names it.
pub(crate) fn judge(
    request: &Request,
    org: &str,
    permit: Option<&WritePermit>,
    organization: &Organization,
) -> Result<(), Refusal> {
    if permit.is_some_and(|permit| permit.permits(org)) || !organization.kind().is_production() {
        return Ok(());
    }
    Err(Refusal::ProductionWrite {
        attempted: request.what.to_string(),
        org: org.to_owned(),
        org_id: organization.id.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn effects_by_method_and_path() {
        let check =
            |method: Method, path: &str, expect: Effect| assert_eq!(effect(&method, path), expect, "{method} {path}");
        use Effect::{Read, Write};
        check(Method::GET, "sobjects/Account/001", Read);
        check(Method::HEAD, "/services/data", Read);
        check(Method::POST, "sobjects/Account", Write);
        check(Method::POST, "jobs/query", Read);
        check(Method::POST, "/services/data/v66.0/jobs/query/", Read);
        check(Method::POST, "jobs/ingest", Write);
        check(Method::PATCH, "jobs/query/750000000000000", Read);
        check(Method::DELETE, "jobs/ingest/750000000000000", Write);
        check(Method::POST, "composite/sobjects", Write);
        check(Method::POST, "composite/sobjects/Account", Read);
        check(Method::PATCH, "composite/sobjects/Account/Ext__c", Write);
        check(Method::GET, "tooling/executeAnonymous?anonymousBody=x", Write);
        check(Method::GET, "v66.0/tooling/executeanonymous/", Write);
        check(Method::POST, "tooling/sandboxAuth", Read);
        check(Method::PATCH, "tooling/sobjects/SandboxInfo/0GQ", Write);
        check(Method::POST, "metadata/deployRequest", Write);
        check(Method::from_bytes(b"ODD").unwrap(), "jobs/query", Write);
    }

    #[test]
    fn a_composite_is_judged_by_its_parts() {
        let composite = |parts: &[(Method, &str)]| {
            let parts = parts
                .iter()
                .map(|(method, path)| (method.clone(), (*path).to_owned()))
                .collect();
            Request::post("several", "composite").containing(parts).effect()
        };
        assert_eq!(composite(&[]), Effect::Write);
        assert_eq!(
            composite(&[(Method::GET, "/services/data/v66.0/query?q=x")]),
            Effect::Read
        );
        assert_eq!(
            composite(&[(Method::GET, "v66.0/limits"), (Method::PATCH, "v66.0/sobjects/A/1")]),
            Effect::Write
        );
    }

    #[test]
    fn a_permit_names_one_org() {
        let permit = WritePermit::naming("prod");
        assert!(permit.permits("prod"));
        assert!(!permit.permits("Prod"));
        assert!(!permit.permits("prod2"));
    }
}
