//! Programs of the configuration: analyses, functional tests and steps.

use std::path::Path;

use syncline_domain::config::Command;
use syncline_domain::time::Duration;

use super::hand::Hand;
use crate::command::{self, CommandError, Ran, Value};
use crate::operation::{StepContext, StepError};

/// How a program ended.
pub(super) struct Ended {
    /// Whether with success.
    pub(super) passed: bool,
    /// How, and what it said last, in a line.
    pub(super) message: String,
}

/// Runs a program in a folder. Beside what reaches the target's org, `SYNCLINE_ENVIRONMENT` and `SYNCLINE_PACKAGE` tell it the
/// target and the digest of the package. One that takes too long has failed; one that may not run, or cannot, is an error.
pub(super) async fn run(
    context: &StepContext,
    hand: &Hand,
    command: &Command,
    folder: &Path,
    digest: &str,
    limit: Duration,
) -> Result<Ended, StepError> {
    let connection = hand.connect(context).await?;
    let mut environment = command::of_org(&connection);
    for (name, value) in [
        ("SYNCLINE_ENVIRONMENT", hand.target.name.as_str()),
        ("SYNCLINE_PACKAGE", digest),
    ] {
        environment.insert(name.to_owned(), Value::Plain(value.to_owned()));
    }
    let words = Vec::from(command.clone());
    let command = command::Command {
        words: &words,
        folder,
        environment,
        limit: std::time::Duration::from_millis(u64::try_from(limit.millis()).unwrap_or(0)),
    };
    match command::run(command, &context.runtime.commands).await {
        Ok(ran) => Ok(Ended {
            passed: Ran::succeeded(&ran),
            message: ran.message(),
        }),
        Err(error @ CommandError::TooLong { .. }) => Ok(Ended {
            passed: false,
            message: error.to_string(),
        }),
        Err(error) => Err(error.into()),
    }
}
