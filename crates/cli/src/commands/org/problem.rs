//! Errors of orgs as the user sees them.

use syncline_engine::org::OrgError;
use syncline_engine::org::vault::VaultError;
use syncline_salesforce as salesforce;

use crate::error::{CommandError, Kind};

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

impl From<OrgError> for CommandError {
    fn from(error: OrgError) -> Self {
        match error {
            OrgError::Salesforce(error) => of_client(error),
            OrgError::Vault(error) => of_vault(error),
            OrgError::ProductionLogin { ref org } => {
                let hint = format!("if this is meant: `syncline org login {org} … --production-writes`");
                Self::new(Kind::Refused, "org.production-login", &error).hint(hint)
            }
            OrgError::NotConfirmed { ref org } => {
                Self::new(Kind::Refused, "org.not-confirmed", &error).hint(format!("add `--confirm-production {org}`"))
            }
            OrgError::OtherOrg { ref name, .. } => Self::new(Kind::Refused, "org.other-org", &error).hint(format!(
                "if it was refreshed: `syncline snapshot {name} --new-org`; what was in the old org stays in the history of its snapshot"
            )),
            OrgError::Argument { hint, .. } => Self::user("org.argument", &error).hint(hint),
            OrgError::File { .. } => Self::user("org.file", &error).with_source_of(error),
            OrgError::Manifest { .. } => Self::user("org.manifest", &error).with_source_of(error),
            OrgError::Convert(_) => Self::user("org.format", &error)
                .with_source_of(error)
                .hint("every file is converted or told; list it in .forceignore to leave it out"),
            error => Self::user("org.failed", &error).with_source_of(error),
        }
    }
}

fn of_client(error: salesforce::Error) -> CommandError {
    let kind = match error.kind() {
        salesforce::Kind::User => Kind::User,
        salesforce::Kind::Config => Kind::Config,
        salesforce::Kind::Refused => Kind::Refused,
        salesforce::Kind::Upstream => Kind::Upstream,
        salesforce::Kind::Internal => Kind::Internal,
    };
    let code = CODES.iter().find(|(theirs, _)| *theirs == error.code());
    let code = code.map_or("org.internal", |(_, ours)| ours);
    let hints = error.hints();
    let made = CommandError::new(kind, code, &error).with_source_of(error);
    hints.into_iter().fold(made, CommandError::hint)
}

fn of_vault(error: VaultError) -> CommandError {
    let (kind, code, hint) = match &error {
        VaultError::Unknown { .. } => (Kind::User, "org.unknown", "`syncline org login NAME` makes a login"),
        VaultError::Name { .. } => (Kind::User, "org.name", "choose another name"),
        VaultError::Io { .. } => (
            Kind::Config,
            "org.vault",
            "check the folder's permissions, or set SYNCLINE_HOME",
        ),
        VaultError::Damaged { .. } => (Kind::Config, "org.vault", "move the file away and log in again"),
        VaultError::Key { .. } => (Kind::Config, "org.key", "`openssl rand -base64 32` makes one"),
        VaultError::Sealed { .. } => (
            Kind::Config,
            "org.key",
            "set SYNCLINE_KEY to the key of then, or log in again",
        ),
        VaultError::Random => (Kind::Internal, "org.vault", "try again"),
    };
    CommandError::new(kind, code, &error).with_source_of(error).hint(hint)
}
