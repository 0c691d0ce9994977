//! What the commands about environments share: their errors, ages, times.

use syncline_engine::branch::BranchError;
use syncline_engine::config::ReadConfigError;
use syncline_engine::environment::EnvironmentError;
use syncline_engine::state::StateError;

use crate::error::{CommandError, Kind};

impl From<EnvironmentError> for CommandError {
    fn from(error: EnvironmentError) -> Self {
        match error {
            EnvironmentError::Config(error) => error.into(),
            EnvironmentError::Org(error) => error.into(),
            EnvironmentError::Refused(refusal) => refusal.into(),
            EnvironmentError::State(error) => error.into(),
            EnvironmentError::Scope(_) => Self::new(Kind::Config, "scope.invalid", &error).with_source_of(error),
            EnvironmentError::Overlay(_) => Self::new(Kind::Config, "overlay.invalid", &error).with_source_of(error),
            EnvironmentError::Unknown { .. } => {
                Self::user("env.unknown", &error).hint("`syncline env list` shows the environments; they stand in syncline.toml")
            }
            EnvironmentError::NoOrg { ref name } => Self::new(Kind::Config, "env.no-org", &error).hint(format!(
                "make a login with `syncline org login NAME`, and name it in syncline.toml: `org = \"NAME\"` below [environments.{name}]"
            )),
            EnvironmentError::NoBranch { ref branch, .. } => Self::user("env.no-branch", &error).hint(format!(
                "fetch it (`git fetch`), make it (`git branch {branch} COMMIT`), or correct `branch` in syncline.toml"
            )),
            EnvironmentError::NoSnapshot { ref name } => {
                Self::user("env.no-snapshot", &error).hint(format!("take one with `syncline snapshot {name}`"))
            }
            EnvironmentError::Argument { ref hint, .. } => Self::user("env.argument", &error).hint(hint),
            EnvironmentError::Push { ref remote, .. } => Self::new(Kind::Upstream, "git.push", &error)
                .hint(format!("see with `git fetch {remote}` whether it can be reached and what it has"))
                .with_source_of(error),
            EnvironmentError::Branch(ref cause) => {
                let code = match cause {
                    BranchError::Dirty { .. } | BranchError::Unfinished { .. } => "git.worktree",
                    BranchError::Moved { .. } => "git.moved",
                    _ => "git.branch",
                };
                Self::user(code, &error).with_source_of(error)
            }
            EnvironmentError::Write { .. } => Self::user("file.unwritable", &error).with_source_of(error),
            error => Self::user("git.repository", &error).with_source_of(error),
        }
    }
}

/// What helps where syncline.toml is wrong.
pub(super) const CORRECT: &str = "correct the file; `syncline env check` lists all that is wrong with it";

impl From<ReadConfigError> for CommandError {
    fn from(error: ReadConfigError) -> Self {
        Self::new(Kind::Config, "config.invalid", &error)
            .with_source_of(error)
            .hint(CORRECT)
    }
}

impl From<StateError> for CommandError {
    fn from(error: StateError) -> Self {
        let made = Self::user("state.unknown", &error).with_source_of(&error);
        match error {
            StateError::NoEnvironment { .. } => made.hint("`syncline env list` shows the environments"),
            _ => made,
        }
    }
}

/// An error as part of a report in JSON: as `--json` tells it elsewhere.
pub(super) fn problem(error: EnvironmentError) -> (CommandError, serde_json::Value) {
    let error = CommandError::from(error);
    let json = error.to_json()["error"].clone();
    (error, json)
}

/// How long ago something was, in one unit.
pub(super) fn ago(millis: i64) -> String {
    const UNITS: [(i64, &str); 3] = [(86_400_000, "day"), (3_600_000, "hour"), (60_000, "minute")];
    for (unit, name) in UNITS {
        if millis >= unit {
            let count = millis / unit;
            return format!("{count} {name}{} ago", if count == 1 { "" } else { "s" });
        }
    }
    "just now".to_owned()
}

/// Now, in milliseconds since 1970.
pub(super) fn millis() -> i64 {
    super::back_promote::now().seconds.saturating_mul(1000)
}

/// Text without control characters, at most so many characters.
pub(super) fn shortened(text: &str, most: usize) -> String {
    let mut shown: String = text
        .chars()
        .take(most)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    if text.chars().count() > most {
        shown.push('…');
    }
    shown
}
