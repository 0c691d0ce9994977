//! The target's snapshot: what the merge builds on.

use syncline_git::{RefName, Signature};

use super::hand::{Hand, failed};
use crate::operation::{Outcome, StepContext, StepError};
use crate::org::OrgError;
use crate::org::retrieve::{Scope, Snapshot, snapshot};

pub(super) async fn run(context: &mut StepContext) -> Result<Outcome, StepError> {
    let mut hand = Hand::open(context)?;
    let connection = hand.connect(context).await?;
    let org = connection.org();
    if let Some(other) = hand.other_org(org) {
        return Ok(other);
    }
    let state = context.runtime.store.environment_state(&hand.target.name).await?;
    if let Some(known) = state.org_id.as_deref().filter(|known| *known != org.as_str()) {
        return Ok(failed(
            "promote.other_org",
            format!(
                "`{}` had the org {known} when it was last seen, and its login leads to {org} now",
                hand.target.name
            ),
            "it was refreshed, or the login is another one's; look, then take a snapshot of the new org with `syncline snapshot --new-org`",
        ));
    }
    let branch: RefName = RefName::branch(&hand.target.branch)?;
    let Some(tip) = hand.repository.read_ref(&branch)? else {
        return Ok(failed(
            "promote.no_branch",
            format!("the branch `{}` of `{}` is gone", hand.target.branch, hand.target.name),
            "create it again, or correct syncline.toml",
        ));
    };
    let taken = snapshot(
        &connection,
        Snapshot {
            repository: &hand.repository,
            name: &hand.target.name,
            branch: Some(tip),
            scope: Scope::managed(crate::scope::read(&hand.repository)?),
            // Everything is looked at: an entry of a profile comes only with what it is about, whose date does not tell of the entry.
            since_last: false,
            new_org: false,
            sealer: &hand.sealer,
            author: Signature {
                identity: hand.repository.committer()?,
                time: hand.time(),
            },
        },
        &mut |_, _| {},
    )
    .await;
    let taken = match taken {
        Ok(taken) => taken,
        Err(OrgError::Argument { what, hint }) => return Ok(failed("promote.snapshot", what, hint)),
        Err(error) => return Err(error.into()),
    };
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
