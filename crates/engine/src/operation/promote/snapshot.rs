//! The target's snapshot: what the merge builds on.

use syncline_git::RefName;

use super::hand::{Hand, failed};
use crate::environment::seen;
use crate::operation::{Outcome, StepContext, StepError};

pub(super) async fn run(context: &mut StepContext) -> Result<Outcome, StepError> {
    let mut hand = Hand::open(context)?;
    let connection = hand.connect(context).await?;
    let org = connection.org();
    if let Some(other) = hand.other_org(org) {
        return Ok(other);
    }
    let state = context.runtime.store.environment_state(&hand.target.name).await?;
    // A snapshot of the new org says that a person knows of it.
    let seen = seen(&hand.repository, &hand.target.name)?.and_then(|seen| seen.org);
    let is_known = [state.org_id.as_deref(), seen.as_deref()].contains(&Some(org.as_str()));
    if let Some(known) = state.org_id.as_deref().filter(|_| !is_known) {
        return Ok(failed(
            "promote.other_org",
            format!(
                "`{}` had the org {known} when it was last seen, and its login leads to {org} now",
                hand.target.name
            ),
            &format!(
                "it was refreshed, or the login is another one's; look, then take a snapshot of the new org with `syncline snapshot {} --new-org`",
                hand.target.name
            ),
        ));
    }
    let branch: RefName = RefName::branch(&hand.target.branch)?;
    let Some(tip) = hand.repository.read_ref(&branch)? else {
        return Ok(hand.no_branch());
    };
    // Everything is looked at: what changed without a date of its own is seen too.
    let taken = hand.snapshot(&connection, Some(tip), false).await?;
    hand.kept.org_id = Some(org.as_str().to_owned());
    hand.kept.snapshot = Some(taken.commit.to_string());
    hand.kept.branch_tip = Some(tip.to_string());
    hand.kept.notes = taken
        .refused
        .iter()
        .map(|(kind, why)| format!("{kind} cannot be listed, so nothing is known of it: {why}"))
        .collect();
    hand.kept.result = None;
    hand.kept.digest = None;
    context.set_data(&hand.kept)?;
    Ok(Outcome::Done)
}
