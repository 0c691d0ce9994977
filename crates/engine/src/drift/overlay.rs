//! The values of one environment on what its branch says.

use syncline_domain::config::Environment;
use syncline_git::{Oid, Repository};

use crate::environment::EnvironmentError;

/// The tree of a branch as it should be in the org of its environment.
pub(crate) fn with_overlays(
    _repository: &Repository,
    _environment: &Environment,
    tree: Oid,
) -> Result<Oid, EnvironmentError> {
    Ok(tree)
}
