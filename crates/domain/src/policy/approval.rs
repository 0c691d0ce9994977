//! Agreement to a deployment: whose counts, and for what.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Action, Actor, ActorKind, Role, decide};
use crate::config::{Environment, Tier};
use crate::time::Millis;

/// What somebody said to a package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// Who.
    pub by: String,
    /// The roles that the person had in the environment then.
    pub roles: BTreeSet<Role>,
    /// When.
    pub at: Millis,
    /// The digest of the package that was looked at. To another package it says nothing.
    pub digest: String,
    /// Yes or no.
    pub verdict: Verdict,
    /// A remark.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub comment: String,
}

/// Yes or no.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Deploy it.
    Approve,
    /// Do not.
    Reject,
}

/// How far the approvals of a package are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Approvals {
    /// Who counts for which role.
    pub given: BTreeMap<Role, BTreeSet<String>>,
    /// How many are missing.
    pub missing: BTreeMap<Role, u32>,
    /// Who said no to this package and has not said yes since.
    pub rejected_by: Vec<String>,
    /// Who had said yes to another package.
    pub void: Vec<String>,
}

impl Approvals {
    /// Whether everybody agreed who has to.
    pub fn is_complete(&self) -> bool {
        self.missing.is_empty() && self.rejected_by.is_empty()
    }
}

/// An approval is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApprovalError {
    /// Programs do not look at changes.
    #[error("`{0}` is a program; only persons approve")]
    Program(String),
    /// The person may not.
    #[error("{0}")]
    Refused(String),
    /// The person asked for it.
    #[error("`{0}` asked for this change of a production, so somebody else has to approve it")]
    Own(String),
    /// The package is another one by now.
    #[error("the package has changed since it was looked at; look at it again, then approve")]
    Changed,
}

/// Whether an actor may approve or reject a package for an environment. `digest` is that of the package as it is now.
pub fn check_approval(
    actor: &Actor,
    environment: &Environment,
    requester: &str,
    digest: &str,
    seen: &str,
    verdict: Verdict,
) -> Result<(), ApprovalError> {
    if actor.kind != ActorKind::Person {
        return Err(ApprovalError::Program(actor.name.clone()));
    }
    let decision = decide(actor, Action::Approve, Some(environment));
    if !decision.allowed {
        return Err(ApprovalError::Refused(decision.because));
    }
    if verdict == Verdict::Approve && environment.tier == Tier::Production && actor.name == requester {
        return Err(ApprovalError::Own(actor.name.clone()));
    }
    if digest != seen {
        return Err(ApprovalError::Changed);
    }
    Ok(())
}

/// Counts approvals of a package against what is required. The last word of a person counts, and a person counts for one
/// role; a requester does not count in production, not even with an approval that was kept earlier.
pub fn count(
    required: &BTreeMap<Role, u32>,
    approvals: &[Approval],
    digest: &str,
    requester: &str,
    tier: Tier,
) -> Approvals {
    let mut last: BTreeMap<&str, &Approval> = BTreeMap::new();
    let mut void: BTreeSet<&str> = BTreeSet::new();
    for approval in approvals {
        if approval.digest != digest {
            void.insert(&approval.by);
        } else if last
            .get(approval.by.as_str())
            .is_none_or(|before| before.at <= approval.at)
        {
            last.insert(&approval.by, approval);
        }
    }
    void.retain(|name| !last.contains_key(name));
    let said = |verdict| last.values().filter(move |approval| approval.verdict == verdict);
    let yes: Vec<&Approval> = said(Verdict::Approve)
        .filter(|approval| tier != Tier::Production || approval.by != requester)
        .copied()
        .collect();
    let seats: Vec<Role> = required
        .iter()
        .flat_map(|(role, count)| std::iter::repeat_n(*role, *count as usize))
        .collect();
    let mut result = Approvals {
        rejected_by: said(Verdict::Reject).map(|approval| approval.by.clone()).collect(),
        void: void.into_iter().map(str::to_owned).collect(),
        ..Approvals::default()
    };
    for (seat, taken) in seats.iter().zip(seat_all(&seats, &yes)) {
        match taken {
            Some(person) => {
                result.given.entry(*seat).or_default().insert(yes[person].by.clone());
            }
            None => *result.missing.entry(*seat).or_default() += 1,
        }
    }
    result
}

/// Gives as many seats as possible to persons with the role, each person one: the person in each seat.
fn seat_all(seats: &[Role], persons: &[&Approval]) -> Vec<Option<usize>> {
    let mut taken = vec![None; seats.len()];
    for person in 0..persons.len() {
        seat(person, seats, persons, &mut taken, &mut BTreeSet::new());
    }
    taken
}

/// Finds a seat for a person; somebody in the way may move to another seat (Kuhn's algorithm).
fn seat(
    person: usize,
    seats: &[Role],
    persons: &[&Approval],
    taken: &mut [Option<usize>],
    seen: &mut BTreeSet<usize>,
) -> bool {
    for n in 0..seats.len() {
        if !persons[person].roles.contains(&seats[n]) || !seen.insert(n) {
            continue;
        }
        if taken[n].is_none_or(|other| seat(other, seats, persons, taken, seen)) {
            taken[n] = Some(person);
            return true;
        }
    }
    false
}
