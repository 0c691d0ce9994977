//! Functional tests: programs that try the org as its users would.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use syncline_salesforce::Connection;

use super::command::{self, Allowed, Command, CommandError, Value};
use crate::report::{Check, Outcome};

/// A functional test as the configuration has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Functional {
    /// Its name.
    pub name: String,
    /// The program and its arguments.
    pub command: Vec<String>,
    /// How long it may take.
    pub limit: Duration,
}

/// What a program needs to reach one org. The token is the session's and ends with it.
pub fn environment(environment: &str, connection: &Connection) -> BTreeMap<String, Value> {
    BTreeMap::from([
        ("SYNCLINE_ENVIRONMENT".to_owned(), Value::Plain(environment.to_owned())),
        (
            "SYNCLINE_ORG_ID".to_owned(),
            Value::Plain(connection.org().as_str().to_owned()),
        ),
        (
            "SYNCLINE_INSTANCE_URL".to_owned(),
            Value::Plain(connection.instance().as_str().to_owned()),
        ),
        (
            "SYNCLINE_API_VERSION".to_owned(),
            Value::Plain(connection.api_version().to_string()),
        ),
        (
            "SYNCLINE_ACCESS_TOKEN".to_owned(),
            Value::Secret(connection.access_token()),
        ),
    ])
}

/// Runs a functional test in a folder of the repository. A program that cannot run is an error and no failed test.
pub async fn test(
    functional: &Functional,
    folder: &Path,
    environment: BTreeMap<String, Value>,
    allowed: &Allowed,
) -> Result<Check, CommandError> {
    let began = std::time::Instant::now();
    let command = Command {
        words: &functional.command,
        folder,
        environment,
        limit: functional.limit,
    };
    let outcome = match command::run(command, allowed).await {
        Ok(ran) if ran.succeeded() => Outcome::Passed,
        Ok(ran) => Outcome::Failed {
            message: match ran.code {
                Some(code) => format!("ended with code {code}"),
                None => "ended by a signal".to_owned(),
            },
            details: [ran.output, ran.errors].concat(),
        },
        Err(error @ CommandError::TooLong { .. }) => Outcome::Failed {
            message: error.to_string(),
            details: String::new(),
        },
        Err(error) => return Err(error),
    };
    Ok(Check {
        name: functional.name.clone(),
        milliseconds: began.elapsed().as_secs_f64() * 1000.0,
        outcome,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn tried(script: &str, limit: Duration, allow: &str) -> Result<Outcome, CommandError> {
        let folder = tempfile::tempdir().unwrap();
        let functional = Functional {
            name: "smoke".to_owned(),
            command: ["sh", "-c", script].map(str::to_owned).to_vec(),
            limit,
        };
        let made = test(&functional, folder.path(), BTreeMap::new(), &Allowed::parse(allow)).await;
        made.map(|check| check.outcome)
    }

    #[tokio::test]
    async fn the_exit_code_decides() {
        let long = Duration::from_secs(60);
        assert_eq!(tried("exit 0", long, "sh").await.unwrap(), Outcome::Passed);
        let failed = Outcome::Failed {
            message: "ended with code 7".to_owned(),
            details: "out\nerr\n".to_owned(),
        };
        assert_eq!(
            tried("echo out; echo err >&2; exit 7", long, "sh").await.unwrap(),
            failed
        );
        let slow = tried("sleep 60", Duration::from_millis(50), "sh").await.unwrap();
        assert!(matches!(slow, Outcome::Failed { .. }));
        assert!(matches!(
            tried("exit 0", long, "").await,
            Err(CommandError::NotAllowed { .. })
        ));
    }
}
