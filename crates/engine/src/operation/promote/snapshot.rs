//! The target's snapshot: what the merge builds on.

use syncline_git::{RefName, Signature};
use syncline_salesforce::{Connection, OrgId};

use super::hand::{Hand, failed};
use crate::environment::{EnvironmentError, seen};
use crate::operation::{Outcome, StepContext, StepError};
use crate::snapshot::{Place, Request, Snapshotted, take_over};

pub(super) async fn run(context: &mut StepContext) -> Result<Outcome, StepError> {
    let mut hand = Hand::open(context)?;
    let connection = hand.connect(context).await?;
    let org = connection.org();
    if let Some(other) = hand.other_org(org) {
        return Ok(other);
    }
    if let Some(known) = known_org(context, &hand).await?.filter(|known| known != org.as_str()) {
        return Ok(refreshed(&hand, &known, org));
    }
    let branch: RefName = RefName::branch(&hand.target.branch)?;
    let Some(tip) = hand.repository.read_ref(&branch)? else {
        return Ok(hand.no_branch());
    };
    // Everything is looked at: what changed without a date of its own is seen too.
    let taken = take(&hand, &connection, true).await?;
    hand.kept.org_id = Some(org.as_str().to_owned());
    hand.kept.snapshot = Some(taken.commit.to_string());
    hand.kept.branch_tip = Some(tip.to_string());
    hand.kept.notes = taken
        .not_listed
        .iter()
        .map(|(kind, why)| format!("{kind} cannot be listed, so nothing is known of it: {why}"))
        .collect();
    hand.kept.result = None;
    hand.kept.digest = None;
    context.set_data(&hand.kept)?;
    Ok(Outcome::Done)
}

/// Takes the target's snapshot, as `syncline snapshot` does: drift and status tell of it from then on.
pub(super) async fn take(hand: &Hand, connection: &Connection, full: bool) -> Result<Snapshotted, EnvironmentError> {
    let author = Signature {
        identity: hand.repository.committer()?,
        time: hand.time(),
    };
    let place = Place {
        repository: &hand.repository,
        environment: &hand.target,
        sealer: &hand.sealer,
        author: &author,
    };
    let request = Request {
        full,
        ..Request::default()
    };
    take_over(connection, place, &request, &mut |_, _| {}).await
}

/// The org that the target had when it was last seen: that of its last snapshot, else that of the last operation.
async fn known_org(context: &StepContext, hand: &Hand) -> Result<Option<String>, StepError> {
    let name = &hand.target.name;
    match seen(&hand.repository, name)?.and_then(|seen| seen.org) {
        Some(org) => Ok(Some(org)),
        None => Ok(context.runtime.store.environment_state(name).await?.org_id),
    }
}

fn refreshed(hand: &Hand, known: &str, org: &OrgId) -> Outcome {
    failed(
        "org.other-org",
        format!(
            "`{}` had the org {known} when it was last seen, and its login leads to {org} now",
            hand.target.name
        ),
        &format!(
            "it was refreshed, or the login is another one's; look, then take a snapshot of the new org with `syncline snapshot {} --new-org`",
            hand.target.name
        ),
    )
}
