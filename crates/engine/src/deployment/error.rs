//! What goes wrong with packages.

use syncline_git::{EditError, NotUtf8, ObjectError};
use syncline_metadata::component::ComponentId;
use syncline_metadata::references::ReferenceError;

use crate::compare::CompareError;
use crate::org::OrgError;
use crate::org::convert::ConvertError;
use crate::project::ReadProjectError;

/// A package cannot be made, tried or compared.
#[derive(Debug, thiserror::Error)]
pub enum DeploymentError {
    /// The org, or what is sent to it.
    #[error(transparent)]
    Org(#[from] OrgError),
    /// The states cannot be compared.
    #[error(transparent)]
    Compare(#[from] CompareError),
    /// A tree or file cannot be read or written.
    #[error(transparent)]
    Object(#[from] ObjectError),
    /// A tree cannot be written.
    #[error(transparent)]
    Edit(#[from] EditError),
    /// A path is not UTF-8.
    #[error(transparent)]
    Path(#[from] NotUtf8),
    /// A project file is wrong.
    #[error(transparent)]
    Project(#[from] ReadProjectError),
    /// The references of a file cannot be read.
    #[error(transparent)]
    References(#[from] ReferenceError),
    /// A component alone, or components that need each other, are more than one deployment takes.
    #[error(
        "{component} and what cannot be sent apart from it are larger than one deployment takes ({what}); make the component smaller"
    )]
    TooLarge {
        /// The first component.
        component: ComponentId,
        /// The limit.
        what: &'static str,
    },
    /// A secret cannot be opened.
    #[error(
        "{path} holds a sealed secret at a place where secrets are not opened; put it in by hand in the org's setup"
    )]
    Sealed {
        /// The file.
        path: String,
    },
    /// package.xml names a component for which there is no file.
    #[error("{component} is to be sent, but its file is not in the state; look whether .forceignore leaves it out")]
    NoFile {
        /// The component.
        component: ComponentId,
    },
    /// The org cannot tell about some components, so nothing may be concluded about them.
    #[error("the org does not tell about {}: {why}", .component)]
    Unknown {
        /// The component or type.
        component: String,
        /// What it said.
        why: String,
    },
    /// A file cannot be written.
    #[error("{attempted} {}", .path.display())]
    File {
        /// What was attempted.
        attempted: &'static str,
        /// The file.
        path: std::path::PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The simulated org for a rehearsal does not run.
    #[error("the simulated org for the rehearsal did not start: {why}")]
    Simulator {
        /// Why.
        why: String,
    },
}

impl From<ConvertError> for DeploymentError {
    fn from(error: ConvertError) -> Self {
        Self::Org(error.into())
    }
}

impl From<syncline_salesforce::Error> for DeploymentError {
    fn from(error: syncline_salesforce::Error) -> Self {
        Self::Org(error.into())
    }
}

impl DeploymentError {
    pub(crate) fn file(
        attempted: &'static str,
        path: impl Into<std::path::PathBuf>,
    ) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::File {
            attempted,
            path,
            source,
        }
    }
}
