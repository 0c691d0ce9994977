//! Rules on the ways between environments.

use serde::{Deserialize, Serialize};

use super::{GateRules, Gates};
use crate::pattern::ComponentPattern;
use crate::schedule::{CronExpression, Schedule};

/// An entry of `[[edges]]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Edge {
    /// Where changes come from.
    pub from: String,
    /// Where they go; `None` for every environment below.
    pub to: Option<String>,
    /// When it happens.
    pub rule: Rule,
    /// What goes along it; empty for all.
    pub select: Vec<ComponentPattern>,
    /// What must hold, where the file says it.
    pub gates: GateRules,
}

/// When changes go along a way.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// When somebody says so.
    #[default]
    Manual,
    /// When the branch of the source moves.
    OnPush,
    /// When a deployment to the source's org is seen.
    OnDeploy,
    /// At regular times.
    Schedule(Schedule),
}

impl Rule {
    /// Its name in files.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Manual => "manual",
            Self::OnPush => "on-push",
            Self::OnDeploy => "on-deploy",
            Self::Schedule(_) => "schedule",
        }
    }
}

/// A rule as it is written: the times stand in a key of their own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum RuleName {
    #[default]
    Manual,
    OnPush,
    OnDeploy,
    Schedule,
}

impl RuleName {
    /// The rule with its times; `None` where they are missing or too much.
    pub(super) fn with(self, times: Option<(CronExpression, crate::time::Zone)>) -> Option<Rule> {
        match (self, times) {
            (Self::Manual, None) => Some(Rule::Manual),
            (Self::OnPush, None) => Some(Rule::OnPush),
            (Self::OnDeploy, None) => Some(Rule::OnDeploy),
            (Self::Schedule, Some((cron, zone))) => Some(Rule::Schedule(Schedule { cron, zone })),
            _ => None,
        }
    }
}

/// Which way changes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// To the environment above: promotion.
    Up,
    /// To an environment below: back-promotion.
    Down,
}

/// A way between two environments with the rules that hold on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Way {
    /// Where changes come from.
    pub from: String,
    /// Where they go.
    pub to: String,
    /// Up or down.
    pub direction: Direction,
    /// When it happens.
    pub rule: Rule,
    /// What goes along it; empty for all.
    pub select: Vec<ComponentPattern>,
    /// What must hold.
    pub gates: Gates,
}
