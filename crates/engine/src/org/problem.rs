//! Errors of orgs for people and programs: codes, what helps, and whether they pass by themselves.

use syncline_salesforce::{Error, Kind};

use super::OrgError;
use super::vault::VaultError;

/// Codes of the client, and ours.
const CODES: &[(&str, &str)] = &[
    ("bad_argument", "org.argument"),
    ("bad_address", "org.address"),
    ("bad_configuration", "org.configuration"),
    ("bad_csv", "org.csv"),
    ("login_refused", "org.login-refused"),
    ("session_ended", "org.session-ended"),
    ("production_write", "org.production-write"),
    ("unknown_org", "org.unknown-org"),
    ("wrong_org", "org.wrong-org"),
    ("api_reserve", "org.api-reserve"),
    ("salesforce_error", "org.salesforce"),
    ("no_api_answer", "org.no-api"),
    ("unexpected_answer", "org.unexpected-answer"),
    ("no_answer", "org.no-answer"),
    ("unknown_outcome", "org.unknown-outcome"),
    ("job_failed", "org.job-failed"),
    ("timed_out", "org.timed-out"),
    ("io_failed", "org.io"),
];

impl OrgError {
    /// A stable name of the failure for programs, as in `org.session-ended`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Salesforce(error) => Self::code_of(error),
            Self::Vault(error) => error.code(),
            Self::ProductionLogin { .. } => "org.production-login",
            Self::NotConfirmed { .. } => "org.not-confirmed",
            Self::OtherOrg { .. } => "org.other-org",
            Self::Argument { .. } => "org.argument",
            Self::File { .. } => "org.file",
            Self::Manifest { .. } => "org.manifest",
            Self::Convert(_) => "org.format",
            Self::Source(_) | Self::Project(_) | Self::Git(_) | Self::Union { .. } => "org.failed",
        }
    }

    /// What helps, most helpful first.
    pub fn hints(&self) -> Vec<String> {
        let hint = match self {
            Self::Salesforce(error) => return error.hints(),
            Self::Vault(error) => error.hint().to_owned(),
            Self::ProductionLogin { org } => {
                format!("if this is meant: `syncline org login {org} … --production-writes`")
            }
            Self::NotConfirmed { org } => format!("add `--confirm-production {org}`"),
            Self::OtherOrg { name, .. } => format!(
                "if it was refreshed: `syncline snapshot {name} --new-org`; what was in the old org stays in the history of its snapshot"
            ),
            Self::Argument { hint, .. } => (*hint).to_owned(),
            Self::Convert(_) => "every file is converted or told; list it in .forceignore to leave it out".to_owned(),
            Self::File { .. }
            | Self::Manifest { .. }
            | Self::Source(_)
            | Self::Project(_)
            | Self::Git(_)
            | Self::Union { .. } => return Vec::new(),
        };
        vec![hint]
    }

    /// Whether trying again may help although nobody does anything.
    pub fn passes(&self) -> bool {
        match self {
            Self::Salesforce(error) => Self::passes_of(error),
            Self::Vault(error) => error.passes(),
            Self::File { .. } | Self::Git(_) => true,
            Self::ProductionLogin { .. }
            | Self::NotConfirmed { .. }
            | Self::OtherOrg { .. }
            | Self::Argument { .. }
            | Self::Manifest { .. }
            | Self::Convert(_)
            | Self::Source(_)
            | Self::Project(_)
            | Self::Union { .. } => false,
        }
    }

    /// The code of an error of the client.
    pub(crate) fn code_of(error: &Error) -> &'static str {
        let code = CODES.iter().find(|(theirs, _)| *theirs == error.code());
        code.map_or("org.internal", |(_, ours)| ours)
    }

    pub(crate) fn passes_of(error: &Error) -> bool {
        if let Error::Login { error, .. } = error {
            // Codes of OAuth are in lower case (RFC 6749, sections 4.1.2.1 and 5.2). Others are what an org says of this moment, as of a
            // locked row.
            return matches!(
                error.as_str(),
                "server_error" | "temporarily_unavailable" | "unknown_error"
            ) || error.contains(|letter: char| letter.is_ascii_uppercase());
        }
        // The reserve of requests grows again within hours.
        error.code() == "api_reserve" || matches!(error.kind(), Kind::Upstream | Kind::Internal)
    }
}

impl VaultError {
    /// A stable name of the failure for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unknown { .. } => "org.unknown",
            Self::Name { .. } => "org.name",
            Self::Io { .. } | Self::Damaged { .. } | Self::Random => "org.vault",
            Self::Key { .. } | Self::Sealed { .. } => "org.key",
        }
    }

    /// What helps.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Unknown { .. } => "`syncline org login NAME` makes a login",
            Self::Name { .. } => "choose another name",
            Self::Io { .. } => "check the folder's permissions, or set SYNCLINE_HOME",
            Self::Damaged { .. } => "move the file away and log in again",
            Self::Key { .. } => "`openssl rand -base64 32` makes one",
            Self::Sealed { .. } => "set SYNCLINE_KEY to the key of then, or log in again",
            Self::Random => "try again",
        }
    }

    pub(crate) fn passes(&self) -> bool {
        matches!(self, Self::Io { .. } | Self::Random)
    }
}
