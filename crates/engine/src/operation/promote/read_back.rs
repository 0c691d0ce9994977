//! What was deployed, retrieved again and compared with what it was to be.

use super::deploy::words;
use super::hand::Hand;
use crate::deployment::look;
use crate::operation::{Outcome, StepContext, StepError};

pub(super) async fn run(context: &mut StepContext) -> Result<Outcome, StepError> {
    let mut hand = Hand::open(context)?;
    let connection = hand.connect(context).await?;
    let (_, after) = hand.trees()?;
    let package = hand.forward(&connection).await?;
    let seen = look(&connection, &package)
        .await?
        .against(&hand.repository, after, Some(&hand.sealer))?;
    hand.kept.differences = seen.differences;
    if !hand.kept.differences.is_empty() {
        let told = words(&hand.kept.differences);
        context.say(format!("deployed; the org has it otherwise than it was sent: {told}"));
        context.audit(
            "promote.read_back",
            "differs",
            serde_json::json!({ "differences": told }),
        );
    }
    context.set_data(&hand.kept)?;
    Ok(Outcome::Done)
}
