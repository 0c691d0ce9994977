//! The life of an operation, as values.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::time::Millis;

/// Where an operation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// A worker is to begin it, or to go on after `retry`.
    Queued,
    /// A worker has it.
    Running,
    /// It goes on at a time or at a signal.
    Waiting,
    /// A person has to answer.
    NeedsPerson,
    /// Done.
    Succeeded,
    /// Ended by a rule or by what was found: gates, tests, conflicts given up.
    Failed,
    /// Ended because something technical failed too often; can be tried again.
    Errored,
    /// Ended by a person.
    Cancelled,
}

const NAMES: [(State, &str); 8] = [
    (State::Queued, "queued"),
    (State::Running, "running"),
    (State::Waiting, "waiting"),
    (State::NeedsPerson, "needs_person"),
    (State::Succeeded, "succeeded"),
    (State::Failed, "failed"),
    (State::Errored, "errored"),
    (State::Cancelled, "cancelled"),
];

impl State {
    /// The name, as in JSON.
    pub fn name(self) -> &'static str {
        NAMES
            .iter()
            .find(|(state, _)| *state == self)
            .map_or("", |(_, name)| name)
    }

    /// Nothing happens any more unless a person tries again.
    pub fn is_terminal(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Errored | Self::Cancelled)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The name is no state.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no state of an operation")]
pub struct UnknownState(String);

impl FromStr for State {
    type Err = UnknownState;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        NAMES
            .iter()
            .find(|(_, name)| *name == text)
            .map(|(state, _)| *state)
            .ok_or_else(|| UnknownState(text.to_owned()))
    }
}

/// What a person has to answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// What it is about in one word: `conflicts`, `approval`, `manual-step`. An answer is a signal of this name.
    pub name: String,
    /// The question.
    pub text: String,
    /// What can be answered; empty when the answer is given elsewhere.
    #[serde(default)]
    pub choices: Vec<String>,
    /// Facts for the person, and for programs; an approval is bound to `digest` in it.
    #[serde(default)]
    pub detail: serde_json::Value,
}

/// How often something technical may fail in a row before a person has to look.
pub const ATTEMPTS: u32 = 8;

/// When to try again after `attempts` failures in a row: 1 s, doubled each time, at most 10 min, with up to a quarter more.
/// `jitter` is any random number. `None` when it has failed often enough.
pub fn retry_at(now: Millis, attempts: u32, jitter: u64) -> Option<Millis> {
    if attempts >= ATTEMPTS {
        return None;
    }
    let wait = (1_000_i64 << attempts.saturating_sub(1).min(20)).min(600_000);
    let spread = u64::try_from(wait / 4).unwrap_or(0) + 1;
    Some(now.saturating_add(wait).saturating_add_unsigned(jitter % spread))
}
