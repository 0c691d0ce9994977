//! Programs that a repository asks for: analyses, functional tests, steps. The repository says what it wants to run; the machine's owner says what may.
//!
//! A program gets an empty environment but for `PATH`, `HOME`, `TMPDIR`, `LANG` of its own and what [`Command::environment`]
//! names, no standard input, a time limit, and a folder to run in. It and all its children are ended together.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde::Serialize;
use syncline_salesforce::{Connection, Secret};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Child;

/// Bytes of output that are kept of each stream: the last ones, since the reason stands at the end.
const KEPT: usize = 64 * 1024;

/// What the owner of this machine lets run: paths of programs, or names that are looked up in the owner's `PATH`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Allowed(Vec<String>);

impl Allowed {
    /// Reads a list with one program between two `:`; as `SYNCLINE_ALLOW_COMMANDS` holds it.
    pub fn parse(list: &str) -> Self {
        Self(
            list.split(':')
                .map(str::trim)
                .filter(|entry| !entry.is_empty())
                .map(str::to_owned)
                .collect(),
        )
    }

    /// The list in `SYNCLINE_ALLOW_COMMANDS`; nothing when it is not set.
    pub fn from_environment() -> Self {
        Self::parse(&std::env::var("SYNCLINE_ALLOW_COMMANDS").unwrap_or_default())
    }

    /// Finds the program of a command, in a folder of the repository for `./…`, else in `path`.
    fn find(&self, program: &str, folder: &Path, path: &str) -> Result<PathBuf, CommandError> {
        let refused = || CommandError::NotAllowed {
            program: program.to_owned(),
        };
        if !self.0.iter().any(|allowed| allowed == program) {
            return Err(refused());
        }
        let missing = || CommandError::Missing {
            program: program.to_owned(),
        };
        if program.contains('/') {
            let full = folder.join(program);
            return match full.is_file() {
                true => Ok(full),
                false => Err(missing()),
            };
        }
        std::env::split_paths(path)
            .filter(|part| part.is_absolute())
            .map(|part| part.join(program))
            .find(|full| full.is_file())
            .ok_or_else(missing)
    }
}

/// A program to run.
#[derive(Clone, Debug)]
pub struct Command<'a> {
    /// The program and its arguments; no shell reads them.
    pub words: &'a [String],
    /// Where it runs.
    pub folder: &'a Path,
    /// Variables that it gets.
    pub environment: BTreeMap<String, Value>,
    /// How long it may take.
    pub limit: Duration,
}

/// The value of a variable.
#[derive(Clone, Debug)]
pub enum Value {
    /// Anybody may read it.
    Plain(String),
    /// It appears in no output that is kept.
    Secret(Secret<String>),
}

/// What a program needs to reach one org: its id and address, and a token that ends with this session.
pub fn of_org(connection: &Connection) -> BTreeMap<String, Value> {
    let plain = |name: &str, value: &str| (name.to_owned(), Value::Plain(value.to_owned()));
    BTreeMap::from([
        plain("SYNCLINE_ORG_ID", connection.org().as_str()),
        plain("SYNCLINE_INSTANCE_URL", connection.instance().as_str()),
        plain("SYNCLINE_API_VERSION", &connection.api_version().to_string()),
        (
            "SYNCLINE_ACCESS_TOKEN".to_owned(),
            Value::Secret(connection.access_token()),
        ),
    ])
}

/// What a program did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Ran {
    /// Its exit code; none when a signal ended it.
    pub code: Option<i32>,
    /// The end of its standard output, without secrets.
    pub output: String,
    /// The end of its standard error, without secrets.
    pub errors: String,
}

impl Ran {
    /// Whether it ended with 0.
    pub fn succeeded(&self) -> bool {
        self.code == Some(0)
    }

    /// How it ended and what it said last, in a line.
    pub fn message(&self) -> String {
        let ended = match self.code {
            Some(code) => format!("ended with code {code}"),
            None => "was ended by a signal".to_owned(),
        };
        let said = |text: &str| {
            text.lines()
                .rev()
                .map(str::trim)
                .find(|line| !line.is_empty())
                .map(str::to_owned)
        };
        match said(&self.errors).or_else(|| said(&self.output)) {
            Some(line) => format!("{ended}: {line}"),
            None => ended,
        }
    }
}

/// A program could not be run to its end.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// Nothing is named.
    #[error("the command is empty")]
    Empty,
    /// The machine's owner does not let it run.
    #[error(
        "`{program}` may not run here; the owner of this machine can allow it with SYNCLINE_ALLOW_COMMANDS={program}"
    )]
    NotAllowed {
        /// The program as written.
        program: String,
    },
    /// It is not there.
    #[error("the program `{program}` is not there, neither in the repository nor in PATH")]
    Missing {
        /// The program as written.
        program: String,
    },
    /// It did not start.
    #[error("`{program}` could not be started")]
    Start {
        /// The program as written.
        program: String,
        /// Why.
        source: std::io::Error,
    },
    /// It took too long and was ended.
    #[error("`{program}` did not end within {} s and was ended", .limit.as_secs())]
    TooLong {
        /// The program as written.
        program: String,
        /// Its limit.
        limit: Duration,
    },
    /// Its end could not be awaited.
    #[error("the end of `{program}` could not be awaited")]
    Wait {
        /// The program as written.
        program: String,
        /// Why.
        source: std::io::Error,
    },
}

/// Runs a program and waits for its end.
pub async fn run(command: Command<'_>, allowed: &Allowed) -> Result<Ran, CommandError> {
    let (name, arguments) = command.words.split_first().ok_or(CommandError::Empty)?;
    let path = std::env::var("PATH").unwrap_or_default();
    let program = allowed.find(name, command.folder, &path)?;
    let start = |source| CommandError::Start {
        program: name.clone(),
        source,
    };
    let home = tempfile::tempdir().map_err(start)?;
    let mut process = tokio::process::Command::new(program);
    process
        .args(arguments)
        .current_dir(command.folder)
        .env_clear()
        .env("PATH", path)
        .env("LANG", "C.UTF-8")
        .env("HOME", home.path())
        .env("TMPDIR", home.path())
        .envs(command.environment.iter().map(|(name, value)| {
            let value = match value {
                Value::Plain(value) => value,
                Value::Secret(value) => value.expose(),
            };
            (name, value)
        }))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // A group of its own, so that its children can be ended with it.
        .process_group(0)
        .kill_on_drop(true);
    let mut child = process.spawn().map_err(start)?;
    let group = Group(child.id());
    let (output, errors) = (child.stdout.take(), child.stderr.take());
    let ended = tokio::time::timeout(command.limit, async {
        // A child of the program may hold the streams open: the program's own end decides.
        let (mut kept_output, mut kept_errors) = (Vec::new(), Vec::new());
        let code = {
            let streams = async { tokio::join!(tail(output, &mut kept_output), tail(errors, &mut kept_errors)) };
            tokio::pin!(streams);
            tokio::select! {
                code = child.wait() => {
                    let _ = tokio::time::timeout(Duration::from_secs(1), streams).await;
                    code
                }
                _ = &mut streams => child.wait().await,
            }
        };
        code.map(|code| (code, kept_output, kept_errors))
    })
    .await;
    group.end(&mut child);
    let (code, output, errors) = match ended {
        Err(_) => {
            return Err(CommandError::TooLong {
                program: name.clone(),
                limit: command.limit,
            });
        }
        Ok(ended) => ended.map_err(|source| CommandError::Wait {
            program: name.clone(),
            source,
        })?,
    };
    let text = |bytes: &[u8]| without_secrets(&String::from_utf8_lossy(bytes), &command.environment);
    Ok(Ran {
        code: code.code(),
        output: text(&output),
        errors: text(&errors),
    })
}

/// The processes that a program has started.
struct Group(Option<u32>);

impl Group {
    /// Ends what is left of them. `kill` takes the group with a minus before it.
    fn end(self, child: &mut Child) {
        if let Some(id) = self.0 {
            // That nobody is left is the usual case, and no error.
            let _ = std::process::Command::new("kill")
                .args(["-KILL", "--", &format!("-{id}")])
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status();
        }
        let _ = child.start_kill();
    }
}

/// Reads a stream to its end and keeps the last bytes.
async fn tail(stream: Option<impl AsyncRead + Unpin>, kept: &mut Vec<u8>) {
    let Some(mut stream) = stream else { return };
    let mut buffer = [0; 8192];
    while let Ok(read) = stream.read(&mut buffer).await {
        if read == 0 {
            break;
        }
        kept.extend_from_slice(&buffer[..read]);
        if kept.len() > 2 * KEPT {
            kept.drain(..kept.len() - KEPT);
        }
    }
    kept.drain(..kept.len().saturating_sub(KEPT));
}

fn without_secrets(text: &str, environment: &BTreeMap<String, Value>) -> String {
    environment
        .values()
        .filter_map(|value| match value {
            Value::Secret(secret) if !secret.expose().is_empty() => Some(secret.expose()),
            _ => None,
        })
        .fold(text.to_owned(), |text, secret| text.replace(secret.as_str(), "***"))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn sh(script: &str, limit: Duration, allow: &str) -> Result<Ran, CommandError> {
        let folder = tempfile::tempdir().unwrap();
        let words = ["sh", "-c", script].map(str::to_owned);
        let command = Command {
            words: &words,
            folder: folder.path(),
            environment: BTreeMap::from([
                ("ORG".to_owned(), Value::Plain("uat".to_owned())),
                (
                    "TOKEN".to_owned(),
                    Value::Secret(Secret::new("canary-secret".to_owned())),
                ),
            ]),
            limit,
        };
        run(command, &Allowed::parse(allow)).await
    }

    const LONG: Duration = Duration::from_secs(60);

    #[tokio::test]
    async fn runs_with_an_environment_of_its_own() {
        let ran = sh(
            "env | cut -d= -f1 | sort | tr '\\n' ' '; echo $ORG $TOKEN >&2; exit 3",
            LONG,
            "x:sh",
        )
        .await
        .unwrap();
        assert_eq!(ran.code, Some(3));
        assert!(!ran.succeeded());
        assert_eq!(ran.errors, "uat ***\n");
        let names: Vec<&str> = ran.output.split_whitespace().filter(|name| *name != "_").collect();
        assert_eq!(names, ["HOME", "LANG", "ORG", "PATH", "PWD", "TMPDIR", "TOKEN"]);
    }

    #[tokio::test]
    async fn runs_only_what_is_allowed() {
        let error = sh("exit 0", LONG, "bash:pmd").await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "`sh` may not run here; the owner of this machine can allow it with SYNCLINE_ALLOW_COMMANDS=sh"
        );
        let folder = tempfile::tempdir().unwrap();
        let find = |program: &str, allow: &str, path: &str| Allowed::parse(allow).find(program, folder.path(), path);
        assert!(matches!(
            find("./check.sh", "./check.sh", ""),
            Err(CommandError::Missing { .. })
        ));
        std::fs::write(folder.path().join("check.sh"), "").unwrap();
        assert!(find("./check.sh", "./check.sh", "").is_ok());
        // A name without a slash never means a file of the repository.
        let here = folder.path().to_str().unwrap();
        assert!(matches!(
            find("check.sh", "./check.sh", here),
            Err(CommandError::NotAllowed { .. })
        ));
        assert!(matches!(find("sh", "sh", ".:bin"), Err(CommandError::Missing { .. })));
    }

    #[tokio::test]
    async fn a_program_that_hangs_is_ended_with_its_children() {
        let folder = tempfile::tempdir().unwrap();
        let mark = folder.path().join("mark");
        let script = format!("(sleep 2; touch {}) & sleep 60", mark.display());
        let error = sh(&script, Duration::from_millis(200), "sh").await.unwrap_err();
        assert!(matches!(error, CommandError::TooLong { .. }), "{error}");
        tokio::time::sleep(Duration::from_millis(2500)).await;
        assert!(!mark.exists(), "a child lives on");
    }

    #[tokio::test]
    async fn a_child_that_keeps_the_streams_open_does_not_keep_us() {
        let ran = sh("echo done; sleep 50 & exit 0", LONG, "sh").await.unwrap();
        assert_eq!((ran.code, ran.output.as_str()), (Some(0), "done\n"));
    }

    #[tokio::test]
    async fn only_the_end_of_much_output_is_kept() {
        let ran = sh("yes | head -c 1000000; echo end", LONG, "sh").await.unwrap();
        assert!(
            ran.output.len() <= KEPT && ran.output.ends_with("end\n"),
            "{}",
            ran.output.len()
        );
    }
}
