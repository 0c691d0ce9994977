//! Errors of orgs as the user sees them.

use syncline_engine::org::OrgError;
use syncline_engine::org::vault::VaultError;
use syncline_salesforce as salesforce;

use crate::error::{CommandError, Kind};

impl From<OrgError> for CommandError {
    fn from(error: OrgError) -> Self {
        let (code, hints) = (error.code(), error.hints());
        let made = Self::new(kind(&error), code, &error).with_source_of(error);
        hints.into_iter().fold(made, Self::hint)
    }
}

fn kind(error: &OrgError) -> Kind {
    match error {
        OrgError::Salesforce(error) => match error.kind() {
            salesforce::Kind::User => Kind::User,
            salesforce::Kind::Config => Kind::Config,
            salesforce::Kind::Refused => Kind::Refused,
            salesforce::Kind::Upstream => Kind::Upstream,
            salesforce::Kind::Internal => Kind::Internal,
        },
        OrgError::Vault(VaultError::Unknown { .. } | VaultError::Name { .. }) => Kind::User,
        OrgError::Vault(VaultError::Random) => Kind::Internal,
        OrgError::Vault(_) => Kind::Config,
        OrgError::ProductionLogin { .. } | OrgError::NotConfirmed { .. } | OrgError::OtherOrg { .. } => Kind::Refused,
        _ => Kind::User,
    }
}
