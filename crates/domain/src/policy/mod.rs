//! Who may do what, and why.

mod action;
mod actor;
mod approval;
mod table;

use serde::Serialize;

pub use action::Action;
pub use actor::{Actor, ActorKind, Grant, Role};
pub use approval::{Approval, ApprovalError, Approvals, Verdict, check_approval, count};

use crate::config::{Environment, Tier};

/// Whether somebody may do something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Decision {
    /// Whether.
    pub allowed: bool,
    /// Why, or why not and who may, for people.
    pub because: String,
}

/// Decides whether an actor may do something in an environment, or at all where the action belongs to none.
pub fn decide(actor: &Actor, action: Action, environment: Option<&Environment>) -> Decision {
    let tier = environment.map(|environment| environment.tier);
    let place = environment.map_or_else(String::new, |environment| format!(" in `{}`", environment.name));
    let allowed = table::TABLE.get(&(action, tier)).map_or(&[][..], Vec::as_slice);
    let roles = actor.roles_in(environment.map(|environment| environment.name.as_str()));
    let owns = |role| environment.is_some_and(|environment| actor.owns(environment, role));
    for rule in allowed.iter().filter(|rule| roles.contains(&rule.role)) {
        if !rule.own || owns(rule.role) {
            let own = if rule.own { ", whose own it is," } else { "" };
            return Decision {
                allowed: true,
                because: format!("{} is {}{own}{place}", actor.name, rule.role),
            };
        }
    }
    let who: Vec<String> = allowed
        .iter()
        .map(|rule| format!("{}{}", rule.role, if rule.own { " (own environments)" } else { "" }))
        .collect();
    let who = match who.as_slice() {
        [] => match tier {
            Some(Tier::Production) => "nobody may in production".to_owned(),
            _ => "nobody may".to_owned(),
        },
        who => format!("allowed are {}", who.join(", ")),
    };
    let is: Vec<&str> = roles.iter().map(|role| role.name()).collect();
    let is = match is.len() {
        0 => "no role".to_owned(),
        count if count == Role::ALL.len() => "every role".to_owned(),
        _ => is.join(", "),
    };
    Decision {
        allowed: false,
        because: format!("{} has {is}{place}; for `{action}` {who}", actor.name),
    }
}

#[cfg(test)]
mod tests;
