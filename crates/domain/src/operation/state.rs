//! The life of an operation. Nobody else assigns a state.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::outcome::{Outcome, Problem, Question};
use super::retry::retry_at;
use crate::time::Millis;

/// Where an operation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// A worker may take it.
    Queued,
    /// A worker has it.
    Running,
    /// It goes on at a time or with a signal.
    Waiting,
    /// It goes on when a person answered.
    NeedsPerson,
    /// It is done.
    Succeeded,
    /// It could not be done as it was asked for.
    Failed,
    /// A step broke too often; it can be tried again.
    Errored,
    /// A person ended it.
    Cancelled,
}

/// What is counted beside the state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// How often the step broke in a row.
    pub attempts: u32,
    /// Whether a person wants it to end, and it goes on only to a place where it may.
    pub cancelling: bool,
}

/// What happens to an operation. `may_stop` is whether it may end before its step runs again: not while the org works on
/// something that it began, and not before that is recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::large_enum_variant,
    reason = "an event is made and used up at once, never kept"
)]
pub enum Event {
    /// A worker takes it: it is due, or the worker before is gone.
    Claim,
    /// Its step ended.
    Ended {
        /// How.
        outcome: Outcome,
        /// The step that follows in the order of the kind, if there is one.
        next: Option<String>,
        /// Whether it may end here.
        may_stop: bool,
        /// The time.
        now: Millis,
        /// Spreads the delays after errors.
        seed: u64,
    },
    /// What it waits for came, or something that a person did for it.
    Signal,
    /// A worker gives it back without an outcome, as when it stops.
    Release,
    /// A person ends it.
    Cancel {
        /// Whether it may end here.
        may_stop: bool,
    },
    /// A person has it tried again.
    Retry,
}

impl Event {
    /// What is done to the operation, for a refusal.
    fn name(&self) -> &'static str {
        match self {
            Self::Claim => "taken by a worker",
            Self::Ended { .. } => "carried on",
            Self::Signal => "woken",
            Self::Release => "given back",
            Self::Cancel { .. } => "cancelled",
            Self::Retry => "retried",
        }
    }
}

/// What the new state brings with it; each `None` empties the field of that name.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Change {
    /// The step that is on now; `None` for the same.
    pub step: Option<String>,
    /// When it is due again.
    pub wake_at: Option<Millis>,
    /// The signal that it waits for.
    pub signal: Option<String>,
    /// What a person is asked.
    pub question: Option<Question>,
    /// What went wrong.
    pub problem: Option<Problem>,
    /// What is counted.
    pub standing: Standing,
}

/// The event does not fit the state.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the operation is {state}, so it cannot be {event}")]
pub struct Refusal {
    /// Where it is.
    pub state: State,
    /// What was to happen.
    pub event: &'static str,
}

impl State {
    /// All, in the order of a life.
    pub const ALL: [Self; 8] = [
        Self::Queued,
        Self::Running,
        Self::Waiting,
        Self::NeedsPerson,
        Self::Succeeded,
        Self::Failed,
        Self::Errored,
        Self::Cancelled,
    ];

    /// Its name in the database and in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Waiting => "waiting",
            Self::NeedsPerson => "needs_person",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Errored => "errored",
            Self::Cancelled => "cancelled",
        }
    }

    /// The state of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    /// Whether nothing happens any more by itself, and others may write where it wrote. An operation that broke keeps its place:
    /// what it began must be looked at first.
    pub fn is_terminal(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled)
    }

    /// The state after an event, and what changes with it.
    pub fn apply(self, event: Event, standing: Standing) -> Result<(Self, Change), Refusal> {
        use State::{Cancelled, Errored, Failed, NeedsPerson, Queued, Running, Waiting};
        let keep = || Change {
            standing,
            ..Change::default()
        };
        let name = event.name();
        Ok(match (self, event) {
            // A running one is taken again when its worker is gone.
            (Queued | Waiting | NeedsPerson | Running, Event::Claim) => (Running, keep()),
            (Running, Event::Release) => (Queued, keep()),
            (Running, ended @ Event::Ended { .. }) => end(ended, standing),
            (Waiting | NeedsPerson, Event::Signal) => (Queued, keep()),
            // Who is at work finds the signal later.
            (Queued | Running, Event::Signal) => (self, keep()),
            (Queued | Waiting | NeedsPerson | Errored, Event::Cancel { may_stop: true }) => {
                (Cancelled, Change::default())
            }
            (Running | Queued | Waiting | NeedsPerson, Event::Cancel { .. }) => {
                let state = if self == Running { Running } else { Queued };
                (state, cancelling(standing))
            }
            (Errored | Failed, Event::Retry) => (Queued, Change::default()),
            // A delay after an error need not be waited for.
            (Waiting, Event::Retry) => (Queued, keep()),
            _ => {
                return Err(Refusal {
                    state: self,
                    event: name,
                });
            }
        })
    }
}

fn cancelling(standing: Standing) -> Change {
    Change {
        standing: Standing {
            cancelling: true,
            ..standing
        },
        ..Change::default()
    }
}

fn end(event: Event, standing: Standing) -> (State, Change) {
    let Event::Ended {
        outcome,
        next,
        may_stop,
        now,
        seed,
    } = event
    else {
        return (State::Running, Change::default());
    };
    let fresh = Change {
        standing: Standing {
            attempts: 0,
            cancelling: standing.cancelling,
        },
        ..Change::default()
    };
    let (state, change) = match outcome {
        // The worker that has it goes on.
        Outcome::Done => match next {
            Some(step) => (
                State::Running,
                Change {
                    step: Some(step),
                    ..fresh
                },
            ),
            None => (State::Succeeded, Change::default()),
        },
        Outcome::Next { step } => (
            State::Running,
            Change {
                step: Some(step),
                ..fresh
            },
        ),
        Outcome::Wait { until, signal, .. } => (
            State::Waiting,
            Change {
                wake_at: until,
                signal,
                ..fresh
            },
        ),
        Outcome::NeedsPerson { question } => (
            State::NeedsPerson,
            Change {
                question: Some(question),
                ..fresh
            },
        ),
        Outcome::Failed { problem } => (
            State::Failed,
            Change {
                problem: Some(problem),
                ..Change::default()
            },
        ),
        Outcome::Errored {
            problem,
            retry_at: wish,
        } => {
            let attempts = standing.attempts.saturating_add(1);
            let due = retry_at(now, attempts, seed).map(|at| at.max(wish.unwrap_or(at)));
            let change = Change {
                problem: Some(problem),
                wake_at: due,
                standing: Standing { attempts, ..standing },
                ..Change::default()
            };
            (if due.is_some() { State::Waiting } else { State::Errored }, change)
        }
        Outcome::Stuck { problem } => (
            State::Errored,
            Change {
                problem: Some(problem),
                standing: Standing {
                    attempts: standing.attempts.saturating_add(1),
                    ..standing
                },
                ..Change::default()
            },
        ),
    };
    let goes_on = matches!(state, State::Running | State::Waiting | State::NeedsPerson);
    if standing.cancelling && may_stop && goes_on {
        return (State::Cancelled, Change::default());
    }
    (state, change)
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NeedsPerson => "waiting for a person",
            state => state.name(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(outcome: Outcome, next: Option<&str>, may_stop: bool) -> Event {
        Event::Ended {
            outcome,
            next: next.map(str::to_owned),
            may_stop,
            now: 1_000,
            seed: 7,
        }
    }

    fn broken() -> Outcome {
        Outcome::Errored {
            problem: Problem::new("org.unreachable", "no answer"),
            retry_at: Some(90_000),
        }
    }

    #[test]
    fn lives() {
        let check = |state: State, attempts: u32, cancelling: bool, event: Event, expect: &str| {
            let standing = Standing { attempts, cancelling };
            let shown = match state.apply(event, standing) {
                Err(refusal) => refusal.to_string(),
                Ok((state, change)) => {
                    let mut text = state.name().to_owned();
                    for part in [
                        change.step.map(|step| format!("step {step}")),
                        change.wake_at.map(|at| format!("at {at}")),
                        change.signal.map(|name| format!("on {name}")),
                        change.problem.map(|problem| problem.code),
                        (change.standing.attempts > 0).then(|| format!("attempts {}", change.standing.attempts)),
                        change.standing.cancelling.then(|| "cancelling".to_owned()),
                    ] {
                        part.into_iter().for_each(|part| text.push_str(&format!(", {part}")));
                    }
                    text
                }
            };
            assert_eq!(shown, expect);
        };
        use State::*;
        let wait = |until, signal: Option<&str>| Outcome::Wait {
            until,
            signal: signal.map(str::to_owned),
            why: "soak".to_owned(),
        };
        check(Queued, 0, false, Event::Claim, "running");
        check(Running, 2, false, Event::Claim, "running, attempts 2");
        check(
            Running,
            2,
            false,
            ended(Outcome::Done, Some("merge"), true),
            "running, step merge",
        );
        check(Running, 0, false, ended(Outcome::Done, None, true), "succeeded");
        check(
            Running,
            0,
            false,
            ended(wait(Some(5), Some("approval")), Some("merge"), true),
            "waiting, at 5, on approval",
        );
        check(
            Running,
            0,
            false,
            ended(broken(), None, true),
            "waiting, at 90000, org.unreachable, attempts 1",
        );
        check(
            Running,
            7,
            false,
            ended(broken(), None, true),
            "errored, org.unreachable, attempts 8",
        );
        let stuck = Outcome::Stuck {
            problem: Problem::new("config.invalid", "line 3"),
        };
        check(
            Running,
            0,
            false,
            ended(stuck, None, true),
            "errored, config.invalid, attempts 1",
        );
        check(Running, 1, false, Event::Release, "queued, attempts 1");
        check(Waiting, 3, false, Event::Retry, "queued, attempts 3");
        check(Errored, 8, false, Event::Retry, "queued");
        check(NeedsPerson, 0, false, Event::Signal, "queued");
        // Ended where it may, and not while the org is at work.
        check(Waiting, 0, false, Event::Cancel { may_stop: true }, "cancelled");
        check(
            Waiting,
            0,
            false,
            Event::Cancel { may_stop: false },
            "queued, cancelling",
        );
        check(
            Running,
            0,
            false,
            Event::Cancel { may_stop: true },
            "running, cancelling",
        );
        check(
            Running,
            0,
            true,
            ended(wait(Some(5), None), None, false),
            "waiting, at 5, cancelling",
        );
        check(
            Running,
            0,
            true,
            ended(Outcome::Done, Some("record"), false),
            "running, step record, cancelling",
        );
        check(
            Running,
            0,
            true,
            ended(Outcome::Done, Some("deploy"), true),
            "cancelled",
        );
        check(Running, 0, true, ended(Outcome::Done, None, true), "succeeded");
        check(
            Succeeded,
            0,
            false,
            Event::Cancel { may_stop: true },
            "the operation is succeeded, so it cannot be cancelled",
        );
        check(
            NeedsPerson,
            0,
            false,
            Event::Retry,
            "the operation is waiting for a person, so it cannot be retried",
        );
        check(
            Waiting,
            0,
            false,
            ended(Outcome::Done, None, true),
            "the operation is waiting, so it cannot be carried on",
        );
    }

    #[test]
    fn what_has_ended_stays_ended() {
        for state in State::ALL.into_iter().filter(|state| state.is_terminal()) {
            for event in [
                Event::Claim,
                Event::Signal,
                Event::Release,
                Event::Cancel { may_stop: true },
                ended(Outcome::Done, None, true),
            ] {
                assert!(
                    state.apply(event.clone(), Standing::default()).is_err(),
                    "{state:?} {event:?}"
                );
            }
            assert_eq!(State::named(state.name()), Some(state));
        }
    }
}
