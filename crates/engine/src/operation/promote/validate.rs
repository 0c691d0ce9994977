//! The package validated check-only in the target, with tests.

use syncline_domain::config::TestLevel as Tests;
use syncline_domain::gate::{Coverage, Done, Validation};
use syncline_salesforce::metadata::{DeployOptions, DeployResult, TestLevel};

use super::hand::Hand;
use super::{gates, progress};
use crate::deployment::Chunk;
use crate::operation::{Outcome, Problem, StepContext, StepError};

pub(super) async fn run(context: &mut StepContext) -> Result<Outcome, StepError> {
    let mut hand = Hand::open(context)?;
    let way = gates::way(&hand)?;
    if !way.gates.validate {
        return Ok(Outcome::Done);
    }
    let connection = hand.connect_to_write(context).await?;
    if let Some(other) = hand.other_org(connection.org()) {
        return Ok(other);
    }
    let package = hand.forward(&connection).await?;
    if hand
        .kept
        .validation
        .as_ref()
        .is_some_and(|done| done.digest == package.digest)
    {
        return Ok(Outcome::Done);
    }
    let [chunk] = package.chunks.as_slice() else {
        hand.kept.notes.push(format!(
            "the package is sent in {} parts; a part can be validated only when those before it are there, so only the first was",
            package.chunks.len()
        ));
        let Some(first) = package.chunks.first() else {
            return Ok(Outcome::Done);
        };
        let parts = (1, package.chunks.len());
        let result = try_out(context, &connection, first, options(&hand, &way), parts).await?;
        return conclude(context, hand, &package.digest, &result, None);
    };
    let result = try_out(context, &connection, chunk, options(&hand, &way), (1, 1)).await?;
    let quick = (result.details.run_test_result.num_tests_run > 0).then(|| result.id.clone());
    conclude(context, hand, &package.digest, &result, quick)
}

fn conclude(
    context: &mut StepContext,
    mut hand: Hand,
    digest: &str,
    result: &DeployResult,
    quick: Option<String>,
) -> Result<Outcome, StepError> {
    let problems = result.problems();
    hand.kept.validation = Some(Done {
        digest: digest.to_owned(),
        result: Validation {
            succeeded: result.succeeded(),
            problems: problems.len() as u64,
            coverage: coverage(result),
        },
    });
    hand.kept.quick = quick.filter(|_| result.succeeded());
    context.set_data(&hand.kept)?;
    if result.succeeded() {
        return Ok(Outcome::Done);
    }
    // Another try validates anew.
    hand.kept.validation = None;
    context.set_data(&hand.kept)?;
    Ok(Outcome::Failed {
        problem: Problem::new(
            "promote.validation",
            format!(
                "`{}` does not take the package: {}",
                hand.target.name,
                problems.join("; ")
            ),
        )
        .hint("correct the source or the target, then begin anew")
        .details(serde_json::json!({ "problems": problems })),
    })
}

/// Which tests run: those of the way, else those of the target, else the org decides.
pub(super) fn options(hand: &Hand, way: &syncline_domain::config::Way) -> DeployOptions {
    let tests = way.gates.tests.as_ref().or(hand.target.test_level.as_ref());
    let level = tests.map(|tests| match tests {
        Tests::NoTestRun => TestLevel::NoTestRun,
        Tests::RunLocalTests => TestLevel::RunLocalTests,
        Tests::RunAllTestsInOrg => TestLevel::RunAllTestsInOrg,
        Tests::RunRelevantTests => TestLevel::RunRelevantTests,
        Tests::RunSpecifiedTests(_) => TestLevel::RunSpecifiedTests,
    });
    DeployOptions {
        // A deletion of what somebody deleted already is a warning.
        ignore_warnings: true,
        run_tests: match tests {
            Some(Tests::RunSpecifiedTests(classes)) => classes.clone(),
            _ => Vec::new(),
        },
        test_level: level,
        ..DeployOptions::default()
    }
}

/// A check-only deployment: it changes nothing, so running it twice does no harm.
pub(super) async fn try_out(
    context: &StepContext,
    connection: &syncline_salesforce::Connection,
    chunk: &Chunk,
    options: DeployOptions,
    part: (usize, usize),
) -> Result<DeployResult, StepError> {
    let options = DeployOptions {
        check_only: true,
        ..options
    };
    let id = connection.start_deploy(chunk.zip()?, &options, &|_| Ok(())).await?;
    progress::finish(context, connection, &id, part).await
}

/// Lines of the Apex that ran in the tests.
fn coverage(result: &DeployResult) -> Option<Coverage> {
    let rows = &result.details.run_test_result.code_coverage;
    let total: u64 = rows.iter().map(|row| row.num_locations).sum();
    let missed: u64 = rows.iter().map(|row| row.num_locations_not_covered).sum();
    (!rows.is_empty()).then(|| Coverage {
        covered: total.saturating_sub(missed),
        total,
    })
}
