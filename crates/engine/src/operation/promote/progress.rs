//! How far a deployment is, told to others while it is waited for.

use std::time::Duration;

use syncline_domain::time::Millis;
use syncline_salesforce::Connection;
use syncline_salesforce::metadata::{DeployResult, polling};
use tokio::sync::watch;

use crate::operation::{StepContext, StepError};

/// The shortest time between two notes.
const BETWEEN: Duration = Duration::from_secs(1);

/// Waits for the end of a deployment, good or bad. `part` is which of how many it is.
pub(super) async fn finish(
    context: &StepContext,
    connection: &Connection,
    id: &str,
    part: (usize, usize),
) -> Result<DeployResult, StepError> {
    let (tell, told) = watch::channel(Counted::default());
    let mut seen = |result: &DeployResult| {
        tell.send_replace(Counted::of(result));
    };
    let work = connection.finish_deploy(id, polling(), &mut seen);
    tokio::select! {
        biased;
        result = work => Ok(result?),
        never = note(context, told, part) => match never {},
    }
}

/// Writes down what is told, until it is dropped.
async fn note(
    context: &StepContext,
    mut told: watch::Receiver<Counted>,
    (part, parts): (usize, usize),
) -> std::convert::Infallible {
    let of_parts = match parts {
        0 | 1 => String::new(),
        parts => format!(" of part {part} of {parts}"),
    };
    let mut since = (context.now(), "");
    loop {
        if told.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
        let counted = *told.borrow_and_update();
        if counted.total == 0 {
            continue;
        }
        if since.1 != counted.unit {
            since = (began(since, context.now()), counted.unit);
        }
        let unit = format!("{}{of_parts}", counted.unit);
        // Only people read it: the deployment goes on without it, and a lost lease is seen by the lease itself.
        let _ = context.progress(counted.done, counted.total, &unit, since.0).await;
        context.runtime.clock.sleep(BETWEEN).await;
    }
}

/// When what is counted now began: components with the deployment, tests when they are first seen.
fn began((start, before): (Millis, &str), now: Millis) -> Millis {
    if before.is_empty() { start } else { now }
}

/// What a deployment counts at the moment: its components, then its tests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counted {
    done: u64,
    total: u64,
    unit: &'static str,
}

impl Counted {
    fn of(result: &DeployResult) -> Self {
        let components = result
            .number_components_deployed
            .saturating_add(result.number_component_errors);
        let (done, total, unit) = match result.number_tests_total {
            0 => (components, result.number_components_total, "components"),
            tests => {
                let run = result.number_tests_completed.saturating_add(result.number_test_errors);
                (run, tests, "tests")
            }
        };
        Self {
            done: done.min(total),
            total,
            unit,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn components_are_counted_before_tests() {
        let check = |[components, done, errors, tests, run]: [u64; 5], expect: (u64, u64, &str)| {
            let counted = Counted::of(&DeployResult {
                number_components_total: components,
                number_components_deployed: done,
                number_component_errors: errors,
                number_tests_total: tests,
                number_tests_completed: run,
                ..DeployResult::default()
            });
            assert_eq!((counted.done, counted.total, counted.unit), expect);
        };
        check([0, 0, 0, 0, 0], (0, 0, "components"));
        check([10, 3, 1, 0, 0], (4, 10, "components"));
        check([10, 10, 0, 8, 2], (2, 8, "tests"));
        check([1, 2, 0, 0, 0], (1, 1, "components"));
    }
}
