//! Who asks: a person or a program, with roles.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::config::Environment;

/// What somebody is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Looks.
    Viewer,
    /// Works in an own sandbox, and proposes changes.
    Developer,
    /// Brings changes along the path.
    ReleaseManager,
    /// Answers for the installation.
    Admin,
    /// Answers for secrets and for the audit trail.
    SecurityOfficer,
    /// A program that runs on a push.
    Ci,
}

impl Role {
    /// All, in the order of the table of rules.
    pub const ALL: [Self; 6] = [
        Self::Viewer,
        Self::Developer,
        Self::ReleaseManager,
        Self::Admin,
        Self::SecurityOfficer,
        Self::Ci,
    ];

    /// Its name in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Developer => "developer",
            Self::ReleaseManager => "release-manager",
            Self::Admin => "admin",
            Self::SecurityOfficer => "security-officer",
            Self::Ci => "ci",
        }
    }

    /// Whether its holders may be asked for approval: they look at changes, and are no programs.
    pub fn approves(self) -> bool {
        !matches!(self, Self::Viewer | Self::Ci)
    }

    /// The role of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Who asks for something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// Unique name.
    pub name: String,
    /// A person or a program.
    pub kind: ActorKind,
    /// The teams that the actor is in; environments and systems name teams as owners.
    #[serde(default)]
    pub teams: BTreeSet<String>,
    /// What the actor was given.
    pub grants: Vec<Grant>,
}

/// Only persons approve.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ActorKind {
    /// A person.
    Person,
    /// A program with a token.
    Service,
}

/// A role, everywhere or in one environment.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Grant {
    /// The role.
    pub role: Role,
    /// The environment; `None` for all, and for what belongs to none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
}

impl Actor {
    /// A person with roles that hold everywhere.
    pub fn person(name: impl Into<String>, roles: impl IntoIterator<Item = Role>) -> Self {
        let grants = roles.into_iter().map(|role| Grant {
            role,
            environment: None,
        });
        Self {
            name: name.into(),
            kind: ActorKind::Person,
            teams: BTreeSet::new(),
            grants: grants.collect(),
        }
    }

    /// The person whose own database it is: every role everywhere. For approvals a person still counts once.
    pub fn owner(name: impl Into<String>) -> Self {
        Self::person(name, Role::ALL)
    }

    /// The roles that count in an environment, or without one.
    pub fn roles_in(&self, environment: Option<&str>) -> BTreeSet<Role> {
        self.grants
            .iter()
            .filter(|grant| grant.environment.is_none() || grant.environment.as_deref() == environment)
            .map(|grant| grant.role)
            .collect()
    }

    /// Whether somebody of a role has the environment as an own one: its owner is the actor or a team of the actor, or
    /// the role was given for it by name.
    pub fn owns(&self, environment: &Environment, role: Role) -> bool {
        let is_owner = |owner: &String| *owner == self.name || self.teams.contains(owner);
        environment.owner.as_ref().is_some_and(is_owner)
            || self
                .grants
                .iter()
                .any(|grant| grant.role == role && grant.environment.as_deref() == Some(&environment.name))
    }
}
