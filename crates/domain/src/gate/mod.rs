//! What must hold before a package is deployed, and whether it does.

mod sarif;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

pub use sarif::{Counts, SarifError, count};

use crate::calendar::Frozen;
use crate::config::{Environment, Severity, TestLevel, Tier, Way};
use crate::pipeline::{Bypass, BypassError};
use crate::policy::{self, Approval, Role};
use crate::time::{Duration, Millis, rfc3339};

/// One thing that must hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "gate", rename_all = "snake_case")]
pub enum Gate {
    /// Nothing is frozen.
    Freeze,
    /// The package was validated check-only.
    Validation {
        /// With these tests; `None` for those that the org chooses.
        tests: Option<TestLevel>,
    },
    /// Its Apex is covered.
    Coverage {
        /// At least so much, in percent.
        least: u8,
    },
    /// The analysis found nothing bad.
    Analysis {
        /// What is bad.
        fail_on: Severity,
    },
    /// A functional test passed.
    Functional {
        /// Its name.
        name: String,
    },
    /// The change has been in the source for some time.
    Soak {
        /// At least so long.
        least: Duration,
    },
    /// A person attached something.
    Evidence {
        /// What.
        name: String,
    },
    /// People agreed.
    Approvals {
        /// How many of which role.
        required: BTreeMap<Role, u32>,
    },
}

impl fmt::Display for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Freeze => f.write_str("freeze"),
            Self::Validation { .. } => f.write_str("validation"),
            Self::Coverage { .. } => f.write_str("coverage"),
            Self::Analysis { .. } => f.write_str("analysis"),
            Self::Functional { name } => write!(f, "functional test {name}"),
            Self::Soak { .. } => f.write_str("soak time"),
            Self::Evidence { name } => write!(f, "evidence {name}"),
            Self::Approvals { .. } => f.write_str("approvals"),
        }
    }
}

/// The gates of a way, in the order in which they are worked through: what people are asked for comes last.
pub fn required(way: &Way, target: &Environment) -> Vec<Gate> {
    let gates = &way.gates;
    let mut list = vec![Gate::Freeze];
    if gates.validate {
        let tests = gates.tests.clone().or_else(|| target.test_level.clone());
        list.push(Gate::Validation { tests });
        list.extend(gates.coverage.map(|least| Gate::Coverage { least }));
    }
    list.extend(gates.analysis.as_ref().map(|analysis| Gate::Analysis {
        fail_on: analysis.fail_on,
    }));
    let functional = gates.functional.iter();
    list.extend(functional.map(|test| Gate::Functional {
        name: test.name.clone(),
    }));
    list.extend(gates.soak.map(|least| Gate::Soak { least }));
    list.extend(gates.evidence.iter().map(|name| Gate::Evidence { name: name.clone() }));
    if !gates.approvals.is_empty() {
        list.push(Gate::Approvals {
            required: gates.approvals.clone(),
        });
    }
    list
}

/// How something ended that was done with a package. To another package it says nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done<T> {
    /// The digest of the package.
    pub digest: String,
    /// How it ended.
    pub result: T,
}

/// How a validation ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Validation {
    /// Whether the org took it.
    pub succeeded: bool,
    /// Components and tests that failed.
    pub problems: u64,
    /// The coverage of the package's Apex; `None` where no tests ran.
    pub coverage: Option<Coverage>,
}

/// Lines of Apex.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    /// That tests ran through.
    pub covered: u64,
    /// All.
    pub total: u64,
}

/// How a functional test ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Functional {
    /// Whether it passed.
    pub passed: bool,
    /// What it said, in a line.
    pub message: String,
}

/// What is known about a package.
#[derive(Clone, Debug)]
pub struct Facts<'a> {
    /// Its digest.
    pub digest: &'a str,
    /// Who wants it deployed.
    pub requester: &'a str,
    /// The tier of the target.
    pub tier: Tier,
    /// The time.
    pub now: Millis,
    /// The freeze that holds now.
    pub frozen: Option<Frozen>,
    /// The last validation.
    pub validation: Option<Done<Validation>>,
    /// The last analysis.
    pub analysis: Option<Done<Counts>>,
    /// The last runs of functional tests by name.
    pub functional: BTreeMap<String, Done<Functional>>,
    /// Since when the source has held all of the change.
    pub in_source_since: Option<Millis>,
    /// What was attached.
    pub attached: BTreeSet<String>,
    /// All approvals.
    pub approvals: &'a [Approval],
    /// Exceptions, by the name of the gate.
    pub bypasses: BTreeMap<String, Bypass>,
}

/// How a gate stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Checked {
    /// The gate.
    #[serde(flatten)]
    pub gate: Gate,
    /// How it stands.
    #[serde(flatten)]
    pub state: State,
}

/// How a gate stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum State {
    /// It holds.
    Open,
    /// It does not.
    Closed {
        /// Why, for people.
        reason: String,
        /// When it opens by itself.
        #[serde(skip_serializing_if = "Option::is_none")]
        opens_at: Option<Millis>,
        /// Whether only another package can open it.
        fatal: bool,
    },
    /// It does not, and a recorded exception lets the package pass.
    Bypassed {
        /// Why it is closed.
        reason: String,
        /// The exception.
        bypass: Bypass,
    },
}

/// Checks each gate against what is known.
pub fn evaluate(gates: &[Gate], facts: &Facts<'_>) -> Vec<Checked> {
    let gates = gates.iter();
    gates
        .map(|gate| {
            let state = match (check(gate, facts), facts.bypasses.get(&gate.to_string())) {
                (Ok(()), _) => State::Open,
                (Err(closed), Some(bypass)) => closed.pass(bypass),
                (Err(closed), None) => closed.stay(),
            };
            Checked {
                gate: gate.clone(),
                state,
            }
        })
        .collect()
}

/// Whether a package may pass.
pub fn is_open(gates: &[Checked]) -> bool {
    !gates
        .iter()
        .any(|checked| matches!(checked.state, State::Closed { .. }))
}

struct Closed {
    reason: String,
    opens_at: Option<Millis>,
    fatal: bool,
}

impl Closed {
    fn stay(self) -> State {
        State::Closed {
            reason: self.reason,
            opens_at: self.opens_at,
            fatal: self.fatal,
        }
    }

    fn pass(self, bypass: &Bypass) -> State {
        match bypass.check() {
            Ok(()) => State::Bypassed {
                reason: self.reason,
                bypass: bypass.clone(),
            },
            Err(error @ (BypassError::Reason | BypassError::Approval(_))) => State::Closed {
                reason: format!("{}; {error}", self.reason),
                opens_at: self.opens_at,
                fatal: self.fatal,
            },
        }
    }
}

/// Closed until somebody does something.
fn until_done(reason: impl Into<String>) -> Result<(), Closed> {
    Err(Closed {
        reason: reason.into(),
        opens_at: None,
        fatal: false,
    })
}

/// Closed for this package.
fn fatal(reason: impl Into<String>) -> Result<(), Closed> {
    Err(Closed {
        reason: reason.into(),
        opens_at: None,
        fatal: true,
    })
}

/// Closed until a time.
fn until(at: Millis, reason: String) -> Result<(), Closed> {
    Err(Closed {
        reason,
        opens_at: Some(at),
        fatal: false,
    })
}

/// The result for this package, or why there is none.
fn current<'d, T>(done: Option<&'d Done<T>>, digest: &str, what: &str) -> Result<&'d T, Closed> {
    let reason = match done {
        Some(done) if done.digest == digest => return Ok(&done.result),
        Some(_) => format!("{what} was for an earlier package"),
        None => format!("{what} is missing"),
    };
    Err(Closed {
        reason,
        opens_at: None,
        fatal: false,
    })
}

fn check(gate: &Gate, facts: &Facts<'_>) -> Result<(), Closed> {
    let validation = || current(facts.validation.as_ref(), facts.digest, "the validation");
    match gate {
        Gate::Freeze => match &facts.frozen {
            None => Ok(()),
            Some(frozen) => until(
                frozen.until,
                format!("`{}` holds until {}", frozen.name, rfc3339(frozen.until)),
            ),
        },
        Gate::Validation { .. } => match validation()? {
            Validation { succeeded: true, .. } => Ok(()),
            Validation { problems, .. } => fatal(format!("the validation failed with {problems} problems")),
        },
        Gate::Coverage { least } => match validation()?.coverage {
            None => fatal("no tests ran, so there is no coverage"),
            Some(coverage) if coverage.covered * 100 >= coverage.total * u64::from(*least) => Ok(()),
            Some(coverage) => fatal(format!(
                "{} of {} lines are covered, {} %; {least} % are required",
                coverage.covered,
                coverage.total,
                coverage.covered * 100 / coverage.total.max(1)
            )),
        },
        Gate::Analysis { fail_on } => {
            let counts = current(facts.analysis.as_ref(), facts.digest, "the analysis")?;
            match counts.at_least(*fail_on) {
                0 => Ok(()),
                found => fatal(format!(
                    "the analysis found {found}: {} errors, {} warnings, {} notes",
                    counts.error, counts.warning, counts.note
                )),
            }
        }
        Gate::Functional { name } => {
            let what = format!("the test `{name}`");
            match current(facts.functional.get(name), facts.digest, &what)? {
                Functional { passed: true, .. } => Ok(()),
                Functional { message, .. } => fatal(format!("{what} failed: {message}")),
            }
        }
        Gate::Soak { least } => match facts.in_source_since {
            None => until_done("the source does not hold all of the change yet"),
            Some(since) => {
                let due = since.saturating_add(least.millis());
                match due <= facts.now {
                    true => Ok(()),
                    false => until(due, format!("the change soaks for {least} until {}", rfc3339(due))),
                }
            }
        },
        Gate::Evidence { name } => match facts.attached.contains(name) {
            true => Ok(()),
            false => until_done(format!("`{name}` is not attached")),
        },
        Gate::Approvals { required } => approvals(required, facts),
    }
}

fn approvals(required: &BTreeMap<Role, u32>, facts: &Facts<'_>) -> Result<(), Closed> {
    let counted = policy::count(required, facts.approvals, facts.digest, facts.requester, facts.tier);
    if counted.is_complete() {
        return Ok(());
    }
    if !counted.rejected_by.is_empty() {
        return fatal(format!("{} rejected it", counted.rejected_by.join(", ")));
    }
    let missing: Vec<String> = counted
        .missing
        .iter()
        .map(|(role, n)| format!("{n} of {role}"))
        .collect();
    let void = match counted.void.as_slice() {
        [] => String::new(),
        names => format!("; {} approved an earlier package", names.join(", ")),
    };
    let own = match facts.tier {
        Tier::Production => format!("; {} asked for it, so somebody else has to", facts.requester),
        _ => String::new(),
    };
    until_done(format!("missing are {}{void}{own}", missing.join(", ")))
}
