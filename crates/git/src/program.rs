//! The `git` program: found, its version checked, run without a shell.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A version of git, as in 2.41.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(pub u32, pub u32);

/// The `git` program of this machine, of a version that serves.
#[derive(Debug, Clone)]
pub struct Program {
    path: PathBuf,
    version: Version,
}

/// The `git` program cannot be used or failed.
#[derive(Debug, thiserror::Error)]
pub enum ProgramError {
    /// It is not installed.
    #[error("the program `{}` is not found; install git {minimum} or newer", .path.display())]
    NotFound {
        /// What was looked for.
        path: PathBuf,
        /// The oldest version that serves.
        minimum: Version,
    },
    /// It is too old.
    #[error("{} is git {found}; syncline needs git {minimum} or newer", .path.display())]
    TooOld {
        /// The program.
        path: PathBuf,
        /// Its version.
        found: Version,
        /// The oldest version that serves.
        minimum: Version,
    },
    /// It does not tell its version.
    #[error("`{} --version` printed `{output}`, which is no version of git", .path.display())]
    NoVersion {
        /// The program.
        path: PathBuf,
        /// What it printed.
        output: String,
    },
    /// It cannot be started.
    #[error("`git {command}` cannot be started")]
    Start {
        /// The sub-command.
        command: String,
        /// The reason.
        source: io::Error,
    },
    /// It failed.
    #[error("`git {command}` failed ({status}): {message}")]
    Failed {
        /// The sub-command.
        command: String,
        /// How it ended, as in "exit status: 128".
        status: String,
        /// What it wrote to stderr.
        message: String,
    },
}

/// The oldest release that we support.
const MINIMUM: Version = Version(2, 41);

/// Variables that would point git at another repository (`git rev-parse --local-env-vars`).
const LOCAL_VARIABLES: [&str; 13] = [
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_OBJECT_DIRECTORY",
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_GRAFT_FILE",
    "GIT_INDEX_FILE",
    "GIT_NO_REPLACE_OBJECTS",
    "GIT_REPLACE_REF_BASE",
    "GIT_PREFIX",
    "GIT_SHALLOW_FILE",
    "GIT_COMMON_DIR",
    "GIT_NAMESPACE",
];

impl Program {
    /// The `git` in the search path.
    pub fn find() -> Result<Self, ProgramError> {
        Self::at(Path::new("git"))
    }

    /// The program at this path; its version is checked once, here.
    pub fn at(path: &Path) -> Result<Self, ProgramError> {
        let output = Command::new(path)
            .arg("--version")
            .stdin(Stdio::null())
            .env("LC_ALL", "C")
            .output();
        let output = output.map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => ProgramError::NotFound {
                path: path.to_owned(),
                minimum: MINIMUM,
            },
            _ => ProgramError::Start {
                command: "--version".to_owned(),
                source,
            },
        })?;
        let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        let found = match parse_version(&text) {
            Some(found) => found,
            None => {
                return Err(ProgramError::NoVersion {
                    path: path.to_owned(),
                    output: text,
                });
            }
        };
        match found >= MINIMUM {
            true => Ok(Self {
                path: path.to_owned(),
                version: found,
            }),
            false => Err(ProgramError::TooOld {
                path: path.to_owned(),
                found,
                minimum: MINIMUM,
            }),
        }
    }

    /// Its version.
    pub fn version(&self) -> Version {
        self.version
    }

    /// Runs git in a folder and returns its stdout; failing is an error with its stderr.
    pub(crate) fn run(
        &self,
        folder: &Path,
        arguments: &[OsString],
        environment: &[(String, OsString)],
    ) -> Result<Vec<u8>, ProgramError> {
        let output = self.output(folder, arguments, environment)?;
        match output.status.success() {
            true => Ok(output.stdout),
            false => Err(failure(arguments, &output)),
        }
    }

    /// Runs git in a folder: no shell, no prompt, no variables that name another repository, stderr in English.
    pub(crate) fn output(
        &self,
        folder: &Path,
        arguments: &[OsString],
        environment: &[(String, OsString)],
    ) -> Result<Output, ProgramError> {
        let mut command = Command::new(&self.path);
        command.current_dir(folder).args(arguments).stdin(Stdio::null());
        for variable in LOCAL_VARIABLES {
            command.env_remove(variable);
        }
        command.env("GIT_TERMINAL_PROMPT", "0").env("LC_ALL", "C");
        command.envs(environment.iter().map(|(key, value)| (key, value)));
        command.output().map_err(|source| ProgramError::Start {
            command: sub_command(arguments),
            source,
        })
    }
}

pub(crate) fn failure(arguments: &[OsString], output: &Output) -> ProgramError {
    ProgramError::Failed {
        command: sub_command(arguments),
        status: output.status.to_string(),
        message: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
    }
}

/// The first argument that is no option: enough to name the command without its data.
fn sub_command(arguments: &[OsString]) -> String {
    let is_option = |argument: &&OsString| argument.as_encoded_bytes().starts_with(b"-");
    arguments
        .iter()
        .find(|argument| !is_option(argument))
        .map_or("", |name| OsStr::to_str(name).unwrap_or(""))
        .to_owned()
}

/// `git version 2.47.3`, `git version 2.39.5 (Apple Git-154)`, `git version 2.45.1.windows.1`.
fn parse_version(text: &str) -> Option<Version> {
    let mut numbers = text.strip_prefix("git version ")?.split(['.', ' ']).map(str::parse);
    Some(Version(numbers.next()?.ok()?, numbers.next()?.ok()?))
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.0, self.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_versions() {
        let check = |text, expect| assert_eq!(parse_version(text), expect, "{text}");
        check("git version 2.47.3", Some(Version(2, 47)));
        check("git version 2.39.5 (Apple Git-154)", Some(Version(2, 39)));
        check("git version 2.45.1.windows.1", Some(Version(2, 45)));
        check("git version 3.0", Some(Version(3, 0)));
        check("git version two", None);
        check("hub version 2.14", None);
        check("", None);
    }

    #[test]
    fn orders_versions() {
        assert!(
            Version(2, 9) < MINIMUM && Version(2, 40) < MINIMUM && Version(2, 41) >= MINIMUM && Version(3, 0) > MINIMUM
        );
    }
}
