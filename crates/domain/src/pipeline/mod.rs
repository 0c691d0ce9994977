//! The path between environments: what is above, what is below, and which ways there are.

mod topology;

use std::collections::VecDeque;

use serde::Serialize;

use crate::config::{Config, Direction, Environment, GateRules, Gates, Rule, Way};

pub use topology::{mermaid, tree};

/// No way leads there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WayError {
    /// One end is not there.
    #[error("there is no environment `{name}` in syncline.toml; known are {known}")]
    Unknown {
        /// What was named.
        name: String,
        /// All names.
        known: String,
    },
    /// Both ends are one.
    #[error("`{0}` is source and target; name two environments")]
    Same(String),
    /// Environments between the two would be left out.
    #[error("the path from `{from}` to `{to}` leads over {between}; promote to `{}` first", .between[0])]
    Skips {
        /// Where changes come from.
        from: String,
        /// Where they were to go.
        to: String,
        /// What lies between, from below.
        between: Between,
    },
    /// Neither is above the other.
    #[error("no path leads from `{from}` to `{to}`; {}", hint(.common))]
    Apart {
        /// Where changes come from.
        from: String,
        /// Where they were to go.
        to: String,
        /// The nearest environment above both.
        common: Option<String>,
    },
}

/// Environments on a path, from below.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Between(pub Vec<String>);

impl std::ops::Index<usize> for Between {
    type Output = String;

    fn index(&self, at: usize) -> &String {
        &self.0[at]
    }
}

impl std::fmt::Display for Between {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<String> = self.0.iter().map(|name| format!("`{name}`")).collect();
        f.write_str(&names.join(", "))
    }
}

fn hint(common: &Option<String>) -> String {
    match common {
        Some(common) => format!("changes go up to `{common}`, and from there down"),
        None => "connect them with `promotes-to`".to_owned(),
    }
}

/// A recorded exception from the path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Bypass {
    /// Why.
    pub reason: String,
    /// Who asks for it.
    pub requested_by: String,
    /// Who agrees.
    pub approved_by: Vec<String>,
}

/// A bypass does not count.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BypassError {
    /// Nobody would know why.
    #[error("a bypass needs a reason; give one")]
    Reason,
    /// Nobody else agreed.
    #[error("a bypass needs the approval of somebody other than `{0}`")]
    Approval(String),
}

impl Bypass {
    /// Whether it counts: with a reason, and the approval of another person.
    pub fn check(&self) -> Result<(), BypassError> {
        if self.reason.trim().is_empty() {
            return Err(BypassError::Reason);
        }
        match self.approved_by.iter().any(|name| *name != self.requested_by) {
            true => Ok(()),
            false => Err(BypassError::Approval(self.requested_by.clone())),
        }
    }
}

impl Config {
    /// The environment that changes of one go to next.
    pub fn next_above(&self, name: &str) -> Option<&Environment> {
        self.environment(self.environment(name)?.promotes_to.as_deref()?)
    }

    /// The environments above one, nearest first.
    pub fn above(&self, name: &str) -> Vec<&Environment> {
        std::iter::successors(self.next_above(name), |environment| self.next_above(&environment.name)).collect()
    }

    /// The environments below one, nearest first.
    pub fn below(&self, name: &str) -> Vec<&Environment> {
        let mut found: Vec<&Environment> = Vec::new();
        let mut open = VecDeque::from([name]);
        while let Some(above) = open.pop_front() {
            for environment in self.next_below(above) {
                open.push_back(&environment.name);
                found.push(environment);
            }
        }
        found
    }

    /// The environments whose changes go to one next.
    pub fn next_below(&self, name: &str) -> Vec<&Environment> {
        let is_below = |environment: &&Environment| environment.promotes_to.as_deref() == Some(name);
        self.environments().iter().filter(is_below).collect()
    }

    /// The environments above `lower` and below `upper`, from below; `None` where `upper` is not above `lower`.
    pub fn between(&self, lower: &str, upper: &str) -> Option<Vec<&Environment>> {
        let above = self.above(lower);
        let end = above.iter().position(|environment| environment.name == upper)?;
        Some(above[..end].to_vec())
    }

    /// Whether one of the two is the next above the other.
    pub fn is_adjacent(&self, a: &str, b: &str) -> bool {
        let is_next = |lower, upper: &str| self.next_above(lower).is_some_and(|above| above.name == upper);
        is_next(a, b) || is_next(b, a)
    }

    /// The way between two environments with its rules: up to the next one, or down to any below.
    pub fn way(&self, from: &str, to: &str) -> Result<Way, WayError> {
        let direction = self.direction(from, to)?;
        if direction == Direction::Up {
            let between = self.between(from, to).unwrap_or_default();
            if !between.is_empty() {
                return Err(WayError::Skips {
                    from: from.to_owned(),
                    to: to.to_owned(),
                    between: Between(between.iter().map(|environment| environment.name.clone()).collect()),
                });
            }
        }
        Ok(self.ruled(from, to, direction))
    }

    /// The way between two environments as [`Config::way`], where environments between them may be left out: the
    /// gates are those of the last part of the path.
    pub fn bypass(&self, from: &str, to: &str, bypass: &Bypass) -> Result<Way, BypassWayError> {
        bypass.check()?;
        let direction = self.direction(from, to)?;
        let last = match direction {
            Direction::Up => self.between(from, to).and_then(|between| between.last().copied()),
            Direction::Down => None,
        };
        let way = self.ruled(last.map_or(from, |environment| &environment.name), to, direction);
        Ok(Way {
            from: from.to_owned(),
            ..way
        })
    }

    /// All ways: up to the next, and down to all below.
    pub fn ways(&self) -> Vec<Way> {
        let mut ways = Vec::new();
        for environment in self.environments() {
            let from = &environment.name;
            let up = self.next_above(from).map(|to| (to, Direction::Up));
            let down = self.below(from).into_iter().map(|to| (to, Direction::Down));
            ways.extend(
                up.into_iter()
                    .chain(down)
                    .map(|(to, direction)| self.ruled(from, &to.name, direction)),
            );
        }
        ways
    }

    fn direction(&self, from: &str, to: &str) -> Result<Direction, WayError> {
        for name in [from, to] {
            if self.environment(name).is_none() {
                let known: Vec<&str> = self.environments().iter().map(|e| e.name.as_str()).collect();
                return Err(WayError::Unknown {
                    name: name.to_owned(),
                    known: known.join(", "),
                });
            }
        }
        if from == to {
            return Err(WayError::Same(from.to_owned()));
        }
        if self.between(from, to).is_some() {
            return Ok(Direction::Up);
        }
        if self.between(to, from).is_some() {
            return Ok(Direction::Down);
        }
        let others = self.above(to);
        let common = self
            .above(from)
            .into_iter()
            .find(|above| others.iter().any(|other| other.name == above.name));
        Err(WayError::Apart {
            from: from.to_owned(),
            to: to.to_owned(),
            common: common.map(|environment| environment.name.clone()),
        })
    }

    /// The rules of a way: those of its edge, else of the edge to all below, over the gates of all ways.
    fn ruled(&self, from: &str, to: &str, direction: Direction) -> Way {
        let of = |to: Option<&str>| {
            let mut edges = self.edges.iter();
            edges.find(|edge| edge.from == from && edge.to.as_deref() == to)
        };
        let edge = of(Some(to)).or_else(|| of(None).filter(|_| direction == Direction::Down));
        let default = self.gates.over(&Gates::default());
        let mut gates = edge.map_or(&GateRules::default(), |edge| &edge.gates).over(&default);
        if direction == Direction::Down {
            // A change comes from where it has been tried for longer.
            gates.soak = None;
        }
        Way {
            from: from.to_owned(),
            to: to.to_owned(),
            direction,
            rule: edge.map_or(Rule::Manual, |edge| edge.rule.clone()),
            select: edge.map_or_else(Vec::new, |edge| edge.select.clone()),
            gates,
        }
    }
}

/// The path cannot be left.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BypassWayError {
    /// The exception does not count.
    #[error(transparent)]
    Bypass(#[from] BypassError),
    /// Not even an exception leads there.
    #[error(transparent)]
    Way(#[from] WayError),
}

#[cfg(test)]
mod tests;
