//! What goes wrong with orgs.

use std::path::PathBuf;

use syncline_git::{CommitError, EditError, ObjectError, RefError};
use syncline_metadata::package::ManifestError;

use super::convert::ConvertError;
use super::vault::VaultError;
use crate::project::ReadProjectError;
use crate::source::SourceError;

/// Something with an org failed.
#[derive(Debug, thiserror::Error)]
pub enum OrgError {
    /// The org or the way to it.
    #[error(transparent)]
    Salesforce(#[from] syncline_salesforce::Error),
    /// The kept logins.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// Writing to a production is not allowed for this login.
    #[error("`{org}` is a production org, and its login does not allow changes to it")]
    ProductionLogin {
        /// The login's name.
        org: String,
    },
    /// A production has to be named.
    #[error("`{org}` is a production org; changing it needs its name once more")]
    NotConfirmed {
        /// The login's name.
        org: String,
    },
    /// What the person gave is wrong.
    #[error("{what}")]
    Argument {
        /// What is wrong.
        what: String,
        /// What helps.
        hint: &'static str,
    },
    /// A file cannot be read or written.
    #[error("{attempted} {}", .path.display())]
    File {
        /// What was attempted.
        attempted: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A manifest cannot be read.
    #[error("{}", .path.display())]
    Manifest {
        /// The file.
        path: PathBuf,
        /// Where and why.
        source: ManifestError,
    },
    /// Files cannot be brought from one format to the other.
    #[error(transparent)]
    Convert(#[from] ConvertError),
    /// A folder cannot be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// sfdx-project.json cannot be used.
    #[error(transparent)]
    Project(#[from] ReadProjectError),
    /// The repository cannot be read or written.
    #[error("the snapshot cannot be kept")]
    Git(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A name leads to another org than before.
    #[error(
        "`{name}` was the org {was} and is the org {is} now: its sandbox was refreshed, or the login leads elsewhere"
    )]
    OtherOrg {
        /// The snapshot's name.
        name: String,
        /// The org before.
        was: String,
        /// The org now.
        is: String,
    },
    /// Components of the org could not be united from several retrieves.
    #[error("the parts of {path} from several retrieves cannot be united: {why}")]
    Union {
        /// The file.
        path: String,
        /// Why.
        why: String,
    },
}

macro_rules! git {
    ($($kind:ty),*) => {
        $(impl From<$kind> for OrgError {
            fn from(error: $kind) -> Self {
                Self::Git(Box::new(error))
            }
        })*
    };
}

git!(
    CommitError,
    EditError,
    ObjectError,
    RefError,
    syncline_git::NotUtf8,
    syncline_git::OpenError
);

impl OrgError {
    pub(crate) fn file(attempted: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::File {
            attempted,
            path,
            source,
        }
    }
}
