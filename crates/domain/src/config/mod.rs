//! `syncline.toml`: the environments, the path between them, and the rules on its ways.

mod audit;
mod check;
mod deployment_step;
mod edge;
mod environment;
mod file;
mod freeze;
mod gates;
mod naming;
mod problem;
mod system;
#[cfg(test)]
mod tests;

pub use audit::Audit;
pub use deployment_step::{DeploymentStep, When, Work};
pub use edge::{Direction, Edge, Rule, Way};
pub use environment::{Environment, Kind, Licence, Tier};
pub use freeze::{Freeze, Week, WeekError, Window};
pub use gates::{Analysis, Command, Functional, GateRules, Gates, Percent, Severity, TestLevel};
pub use naming::{ChangeBranch, Naming, Pattern};
pub use problem::{Code, ConfigError};
pub use system::{Installation, System};

use serde::Serialize;

pub(crate) use problem::Checked;

/// Name of the file, in the root of the repository.
pub const FILE: &str = "syncline.toml";

/// What `syncline.toml` says. The default knows no environments.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Config {
    environments: Vec<Environment>,
    /// How things are called.
    pub naming: Naming,
    /// The gates of ways whose edge does not say otherwise.
    pub gates: GateRules,
    /// The rules on ways.
    pub edges: Vec<Edge>,
    /// Times in which nothing is deployed.
    pub freezes: Vec<Freeze>,
    /// What environments depend on.
    pub systems: Vec<System>,
    /// What is done around deployments, in the order of the file.
    pub steps: Vec<DeploymentStep>,
    /// How the audit trail is kept outside of the database.
    pub audit: Audit,
}

impl Config {
    /// Reads the text of `syncline.toml`; the first mistake in the order of the file is the error.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        Self::check(text).map_err(|mut errors| errors.swap_remove(0))
    }

    /// Reads the text of `syncline.toml`, or tells all mistakes in the order of the file, at least one.
    pub fn check(text: &str) -> Result<Self, Vec<ConfigError>> {
        let (mut checked, file) = Checked::read::<file::File>(FILE, text).map_err(|error| vec![error])?;
        let config = check::settle(&mut checked, file);
        checked.finish().map(|()| config)
    }

    /// The environments in the order of the file.
    pub fn environments(&self) -> &[Environment] {
        &self.environments
    }

    /// The environment of that name.
    pub fn environment(&self, name: &str) -> Option<&Environment> {
        self.environments.iter().find(|environment| environment.name == name)
    }

    /// The environment of that branch.
    pub fn of_branch(&self, branch: &str) -> Option<&Environment> {
        self.environments
            .iter()
            .find(|environment| environment.branch == branch)
    }

    /// The steps around a deployment to an environment; `has` tells whether the package has such a component.
    pub fn steps_for<'c>(
        &'c self,
        environment: &'c str,
        when: When,
        has: impl Fn(&crate::pattern::ComponentPattern) -> bool + 'c,
    ) -> impl Iterator<Item = &'c DeploymentStep> {
        self.steps
            .iter()
            .filter(move |step| step.when == when && step.applies(environment, &has))
    }
}
