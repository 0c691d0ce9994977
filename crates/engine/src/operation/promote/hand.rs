//! What every step begins with: the repository, the configuration, what was asked for and kept.

use syncline_domain::config::{Config, Environment};
use syncline_git::{CommitTime, Oid, RefName, Repository};
use syncline_salesforce::{Connection, OrgId, Still};

use super::data::{Direction, Kept, Params};
use crate::config;
use crate::deployment::flows::flows;
use crate::deployment::{DeploymentError, Limits, Options, Package, flows_between, package};
use crate::environment::sealer_of;
use crate::operation::{Outcome, Problem, StepContext, StepError};
use crate::org::seal::Sealer;

/// What a step works with.
pub(super) struct Hand {
    pub(super) repository: Repository,
    pub(super) config: Config,
    pub(super) target: Environment,
    pub(super) params: Params,
    pub(super) kept: Kept,
    pub(super) sealer: Sealer,
    limits: Limits,
    id: String,
    now: i64,
}

/// A failure of the work itself: it is not tried again.
pub(super) fn failed(code: &str, message: impl Into<String>, hint: &str) -> Outcome {
    Outcome::Failed {
        problem: Problem::new(code, message).hint(hint),
    }
}

/// A technical failure that is told in words.
pub(super) fn broken(code: &str, message: impl Into<String>) -> StepError {
    StepError::new(Problem::new(code, message))
}

impl Hand {
    pub(super) fn open(context: &StepContext) -> Result<Self, StepError> {
        let repository = Repository::open(&context.runtime.repository)?;
        let config = config::read(&repository)?;
        let params: Params = context.params()?;
        let target = config.environment(&params.to).cloned().ok_or_else(|| {
            broken(
                "promote.environment",
                format!("there is no environment `{}` in syncline.toml any more", params.to),
            )
        })?;
        Ok(Self {
            sealer: sealer_of(&context.runtime.orgs.vault, &repository, &target)?,
            repository,
            target,
            config,
            kept: context.data()?,
            params,
            limits: context.runtime.limits,
            id: context.operation.id.clone(),
            now: context.now(),
        })
    }

    /// The login of the target's org.
    pub(super) fn login(&self) -> Result<&str, StepError> {
        self.target.org.as_deref().ok_or_else(|| {
            broken(
                "promote.org",
                format!("`{}` has no `org` in syncline.toml any more", self.target.name),
            )
        })
    }

    /// A connection to read from the target.
    pub(super) async fn connect(&self, context: &StepContext) -> Result<Connection, StepError> {
        Ok(context.runtime.orgs.connect(self.login()?).await?)
    }

    /// A connection to change the target. The operation names it, so a production needs only a login that allows changes.
    /// Nothing is sent over it once the lease is lost.
    pub(super) async fn connect_to_write(&self, context: &StepContext) -> Result<Connection, StepError> {
        let login = self.login()?;
        let connection = context.runtime.orgs.connect_to_write(login, Some(login)).await?;
        let lease = context.lease.clone();
        Ok(connection.only_while(Still::new(move || !lease.is_lost())))
    }

    /// Whether the login leads to another org than the operation began with: then everything that was found is about the other one.
    pub(super) fn other_org(&self, org: &OrgId) -> Option<Outcome> {
        let known = self.kept.org_id.as_deref().filter(|known| *known != org.as_str())?;
        Some(failed(
            "org.other-org",
            format!(
                "the login of `{}` leads to the org {org} now, and led to {known} when the operation began",
                self.target.name
            ),
            &format!(
                "the sandbox was refreshed or the login changed; look, then `syncline snapshot {} --new-org`, and begin anew",
                self.target.name
            ),
        ))
    }

    /// The target's branch is gone, and nothing was done yet.
    pub(super) fn no_branch(&self) -> Outcome {
        failed(
            "promote.no_branch",
            format!("the branch `{}` of `{}` is gone", self.target.branch, self.target.name),
            "create it again or correct syncline.toml, then `syncline operation retry`",
        )
    }

    pub(super) fn time(&self) -> CommitTime {
        CommitTime {
            seconds: self.now / 1000,
            offset_minutes: 0,
        }
    }

    /// A ref of this operation.
    pub(super) fn reference(&self, name: &str) -> Result<RefName, StepError> {
        Ok(format!("refs/syncline/operation/{}/{name}", self.id).parse()?)
    }

    /// A commit that an earlier step kept.
    pub(super) fn commit(text: &Option<String>, what: &str) -> Result<Oid, StepError> {
        let missing = || broken("promote.kept", format!("the operation has lost its {what}"));
        Ok(text.as_deref().ok_or_else(missing)?.parse()?)
    }

    /// The trees before and after the package.
    pub(super) fn trees(&self) -> Result<(Oid, Oid), StepError> {
        let snapshot = Self::commit(&self.kept.snapshot, "snapshot")?;
        let result = Self::commit(&self.kept.result, "result")?;
        Ok((
            self.repository.commit_tree(snapshot)?,
            self.repository.commit_tree(result)?,
        ))
    }

    /// The package that brings the target from one tree to another, with the versions of its flows.
    pub(super) async fn package(&self, connection: &Connection, from: Oid, to: Oid) -> Result<Package, StepError> {
        let names = flows_between(&self.repository, from, to)?;
        let options = self.options(connection, flows(connection, &names).await?);
        package(&self.repository, from, to, &options).map_err(|error| match error {
            DeploymentError::Sealed { .. } | DeploymentError::TooLarge { .. } | DeploymentError::NoFile { .. } => {
                let problem = Problem::new("promote.package", error.to_string());
                StepError::refused(problem.hint("leave it out with a selection, or correct it, then begin anew"))
            }
            error => error.into(),
        })
    }

    pub(super) fn options(&self, connection: &Connection, flows: crate::deployment::flows::Flows) -> Options<'_> {
        Options {
            version: connection.api_version(),
            limits: self.limits,
            flows,
            sealer: Some(&self.sealer),
        }
    }

    /// The package of this operation as it would be made now.
    pub(super) async fn forward(&self, connection: &Connection) -> Result<Package, StepError> {
        let (before, after) = self.trees()?;
        self.package(connection, before, after).await
    }

    /// Whether nothing is to be deployed, only tried.
    pub(super) fn only_validates(&self) -> bool {
        self.params.revert.as_ref().is_some_and(|revert| !revert.deploy)
    }

    /// What people call the operation, in messages.
    pub(super) fn title(&self) -> String {
        let (from, to) = (&self.params.from, &self.params.to);
        match self.params.direction {
            Direction::Up => format!("Promote {from} to {to}"),
            Direction::Down => format!("Back-promote {from} to {to}"),
            Direction::Back => format!("Roll back {to}"),
            Direction::Revert => format!("Set {to} back to {from}"),
        }
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }
}
