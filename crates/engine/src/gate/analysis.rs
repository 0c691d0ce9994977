//! Static analysis: a program that writes SARIF, as PMD and `sf code-analyzer run` do.

use std::fs;
use std::path::PathBuf;

use serde::Serialize;

use super::command::{self, Allowed, Command, CommandError, Ran};
use crate::report::{Finding, Level, SarifError, Tally, read_sarif};

/// SARIF larger than this is refused.
const LIMIT: u64 = 256 * 1024 * 1024;

/// What an analysis found.
#[derive(Clone, Debug, PartialEq)]
pub struct Analysis {
    /// Findings by level.
    pub tally: Tally,
    /// Each of them.
    pub findings: Vec<Finding>,
    /// What the program did.
    pub ran: Ran,
}

/// The verdict on an analysis, as evidence of the gate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// Findings that close the gate.
    pub failing: usize,
    /// All findings by level.
    pub tally: Tally,
}

/// No analysis was made.
#[derive(Debug, thiserror::Error)]
pub enum AnalysisError {
    /// The program did not run.
    #[error("the static analysis did not run")]
    Command(#[from] CommandError),
    /// The program wrote nothing.
    #[error("`{program}` ended with {code} and wrote no {}: {errors}", .path.display())]
    NoReport {
        /// The program.
        program: String,
        /// Its exit code, in words.
        code: String,
        /// The file that was expected.
        path: PathBuf,
        /// The end of what it said.
        errors: String,
    },
    /// The report cannot be read.
    #[error("{} cannot be read", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The report is too large.
    #[error("{} has {bytes} bytes; more than {LIMIT} are not read", .path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its size.
        bytes: u64,
    },
    /// The report is no SARIF.
    #[error("{}", .path.display())]
    Sarif {
        /// The file.
        path: PathBuf,
        /// Why.
        source: SarifError,
    },
}

/// Runs an analysis and reads its report, a path in the folder where it runs. A report of an earlier run is removed first, so that
/// it cannot pass for this one. Analysers end with many codes when they find something: the report alone decides.
pub async fn analyse(command: Command<'_>, sarif: &str, allowed: &Allowed) -> Result<Analysis, AnalysisError> {
    let path = command.folder.join(sarif);
    let read = |source| AnalysisError::Read {
        path: path.clone(),
        source,
    };
    match fs::remove_file(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(read(error)),
        _ => {}
    }
    let program = command.words.first().cloned().unwrap_or_default();
    let ran = command::run(command, allowed).await?;
    let bytes = match fs::metadata(&path) {
        Ok(file) => file.len(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(AnalysisError::NoReport {
                program,
                code: ran
                    .code
                    .map_or_else(|| "a signal".to_owned(), |code| format!("code {code}")),
                path,
                errors: ran.errors.trim().to_owned(),
            });
        }
        Err(error) => return Err(read(error)),
    };
    if bytes > LIMIT {
        return Err(AnalysisError::TooLarge { path, bytes });
    }
    let text = fs::read_to_string(&path).map_err(read)?;
    let (tally, findings) = read_sarif(&text).map_err(|source| AnalysisError::Sarif { path, source })?;
    Ok(Analysis { tally, findings, ran })
}

impl Analysis {
    /// Whether the gate stays closed: findings of `fail_on` or worse.
    pub fn verdict(&self, fail_on: Level) -> Verdict {
        Verdict {
            failing: self.tally.at_least(fail_on),
            tally: self.tally.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::Duration;

    use super::*;

    async fn analysed(script: &str, before: Option<&str>) -> Result<Analysis, AnalysisError> {
        let folder = tempfile::tempdir().unwrap();
        if let Some(before) = before {
            fs::write(folder.path().join("out.sarif"), before).unwrap();
        }
        let words = ["sh", "-c", script].map(str::to_owned);
        let command = Command {
            words: &words,
            folder: folder.path(),
            environment: BTreeMap::new(),
            limit: Duration::from_secs(60),
        };
        analyse(command, "out.sarif", &Allowed::parse("sh")).await
    }

    const FOUND: &str = r#"{"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "t"}}, "results": [{"level": "error", "message": {"text": "m"}}]}]}"#;

    #[tokio::test]
    async fn the_report_decides_not_the_exit_code() {
        let found = analysed(&format!("echo '{FOUND}' > out.sarif; exit 4"), None)
            .await
            .unwrap();
        assert_eq!(found.verdict(Level::Error).failing, 1);
        assert_eq!(found.ran.code, Some(4));
        let none = FOUND.replace(r#"{"level": "error", "message": {"text": "m"}}"#, "");
        let found = analysed(&format!("echo '{none}' > out.sarif"), None).await.unwrap();
        assert_eq!(found.verdict(Level::Note).failing, 0);
    }

    #[tokio::test]
    async fn a_report_of_an_earlier_run_does_not_count() {
        let error = analysed("echo broken >&2; exit 1", Some(FOUND)).await.unwrap_err();
        let text = error.to_string();
        assert!(
            text.starts_with("`sh` ended with code 1 and wrote no ") && text.ends_with(": broken"),
            "{text}"
        );
    }

    #[tokio::test]
    async fn a_broken_report_is_an_error() {
        let error = analysed("echo '<pmd/>' > out.sarif", None).await.unwrap_err();
        assert!(matches!(error, AnalysisError::Sarif { .. }), "{error}");
    }
}
