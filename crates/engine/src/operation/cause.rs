//! What broke in a step: its code, what helps, and whether it passes by itself.

use std::error::Error;
use std::io;

use syncline_domain::operation::Problem;
use syncline_store::StoreError;

use super::StepError;
use crate::config::ReadConfigError;
use crate::deployment::DeploymentError;
use crate::environment::EnvironmentError;
use crate::org::OrgError;
use crate::org::vault::VaultError;
use crate::scope::ScopeError;

/// What is known of an error.
struct Known {
    code: &'static str,
    hints: Vec<String>,
    passes: bool,
}

impl Known {
    fn new(code: &'static str, hint: &str, passes: bool) -> Self {
        Self {
            code,
            hints: vec![hint.to_owned()],
            passes,
        }
    }
}

/// An error of a step as people and programs are told of it. What is not known may pass.
pub(super) fn told(error: &(dyn Error + 'static)) -> StepError {
    let chain = || std::iter::successors(Some(error), |&error| error.source());
    let known = chain().find_map(known).unwrap_or(Known {
        code: "operation.step",
        hints: Vec::new(),
        passes: true,
    });
    let causes: Vec<String> = chain().skip(1).map(ToString::to_string).collect();
    let mut problem = Problem::new(known.code, error.to_string());
    if !causes.is_empty() {
        problem = problem.details(serde_json::json!({ "causes": causes }));
    }
    let problem = known.hints.into_iter().fold(problem, Problem::hint);
    match known.passes {
        true => StepError::new(problem),
        false => StepError::stuck(problem),
    }
}

fn known(error: &(dyn Error + 'static)) -> Option<Known> {
    let org = error
        .downcast_ref::<OrgError>()
        .or(match error.downcast_ref::<DeploymentError>() {
            Some(DeploymentError::Org(error)) => Some(error),
            _ => None,
        })
        .or(match error.downcast_ref::<EnvironmentError>() {
            Some(EnvironmentError::Org(error)) => Some(error),
            _ => None,
        });
    if is_full(error) {
        let hint = "make room on the disk; the operation goes on by itself, or with `syncline operation retry`";
        return Some(Known::new("operation.disk-full", hint, true));
    }
    if let Some(error) = org {
        return Some(Known {
            code: error.code(),
            hints: error.hints(),
            passes: error.passes(),
        });
    }
    if let Some(error) = error.downcast_ref::<syncline_salesforce::Error>() {
        return Some(Known {
            code: OrgError::code_of(error),
            hints: error.hints(),
            passes: OrgError::passes_of(error),
        });
    }
    if let Some(error) = error.downcast_ref::<VaultError>() {
        return Some(Known::new(error.code(), error.hint(), error.passes()));
    }
    const CORRECT: &str = "correct the file, then `syncline operation retry`";
    if error.is::<ReadConfigError>() {
        return Some(Known::new("config.invalid", CORRECT, false));
    }
    if error.is::<ScopeError>() {
        return Some(Known::new("scope.invalid", CORRECT, false));
    }
    let error = error.downcast_ref::<StoreError>()?;
    Some(Known {
        code: "operation.database",
        hints: error.hint().into_iter().map(str::to_owned).collect(),
        passes: true,
    })
}

/// libgit2 and the git program tell of a full disk in words only.
fn is_full(error: &(dyn Error + 'static)) -> bool {
    let kind = error.downcast_ref::<io::Error>().map(io::Error::kind);
    matches!(kind, Some(io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded))
        || error.to_string().contains("No space left on device")
}
