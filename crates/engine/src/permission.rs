//! Who may: asked by every use case that changes something, before it does anything.

use syncline_domain::config::{Config, Environment, Kind, Tier};
use syncline_domain::policy::{Action, Actor, decide};
use syncline_git::Repository;
use syncline_store::Operation;

use crate::config;
use crate::operation::Runtime;

/// The policy does not allow it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{because}")]
pub struct Refusal {
    /// What was wanted.
    pub action: Action,
    /// Where, if it belongs to an environment.
    pub environment: Option<String>,
    /// Why not, and who may.
    pub because: String,
}

impl Refusal {
    /// Its code for programs.
    pub const CODE: &'static str = "policy.refused";

    /// What to do.
    pub const HINT: &'static str = "ask somebody who may, or an admin for the role";

    pub(crate) fn new(action: Action, environment: Option<&Environment>, because: String) -> Self {
        Self {
            action,
            environment: environment.map(|environment| environment.name.clone()),
            because,
        }
    }
}

/// Asks the policy whether an actor may do something in an environment, or at all where the action belongs to none.
pub fn ask(actor: &Actor, action: Action, environment: Option<&Environment>) -> Result<(), Refusal> {
    let decision = decide(actor, action, environment);
    match decision.allowed {
        true => Ok(()),
        false => Err(Refusal::new(action, environment, decision.because)),
    }
}

/// Asks for an environment by its name. What is none, as a branch of no environment, nobody has rules for.
pub(crate) fn ask_named(actor: &Actor, action: Action, config: &Config, name: &str) -> Result<(), Refusal> {
    match config.environment(name) {
        Some(environment) => ask(actor, action, Some(environment)),
        None => Ok(()),
    }
}

/// The environment of an operation. One that is not configured any more is treated with care, so that its operations can be ended.
pub(crate) fn environment_of(runtime: &Runtime, operation: &Operation) -> Environment {
    let name = operation.environment.as_deref().unwrap_or_default();
    let config = Repository::open(&runtime.repository)
        .ok()
        .and_then(|repository| config::read(&repository).ok());
    let known = config.and_then(|config| config.environment(name).cloned());
    known.unwrap_or_else(|| Environment {
        name: name.to_owned(),
        branch: String::new(),
        kind: Kind::Staging,
        tier: Tier::Protected,
        org: None,
        licence: None,
        sandbox: None,
        promotes_to: None,
        remote: None,
        owner: None,
        test_level: None,
        refreshed: None,
    })
}
