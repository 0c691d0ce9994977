//! The way back, validated check-only in the target.

use syncline_salesforce::metadata::DeployOptions;

use super::data::Rollback;
use super::hand::Hand;
use super::validate::try_out;
use crate::operation::{Outcome, StepContext, StepError};

pub(super) async fn run(context: &mut StepContext) -> Result<Outcome, StepError> {
    let mut hand = Hand::open(context)?;
    let connection = hand.connect_to_write(context).await?;
    let (before, after) = hand.trees()?;
    let back = hand.package(&connection, after, before).await?;
    let mut problems = Vec::new();
    // A part of the way back can be validated only when those before it are gone.
    if let Some(first) = back.chunks.first() {
        let options = DeployOptions {
            ignore_warnings: true,
            ..DeployOptions::default()
        };
        let result = try_out(context, &connection, first, options, (1, back.chunks.len())).await?;
        if !result.succeeded() {
            problems = result.problems();
        }
    }
    let valid = problems.is_empty();
    if !valid {
        context.say(format!("deployed, rollback not valid: {}", problems.join("; ")));
    }
    let outcome = if valid { "succeeded" } else { "failed" };
    context.audit(
        "promote.prove_rollback",
        outcome,
        serde_json::json!({ "problems": problems }),
    );
    hand.kept.rollback = Some(Rollback { valid, problems });
    context.set_data(&hand.kept)?;
    Ok(Outcome::Done)
}
