//! A program of the configuration, run as a child with an empty environment and a time limit.

use std::path::Path;
use std::process::{Command as Process, Stdio};
use std::time::{Duration as Time, Instant};

use syncline_domain::config::Command;
use syncline_domain::time::Duration;

/// How it ended.
pub(super) struct Ran {
    /// Whether with success.
    pub(super) passed: bool,
    output: String,
}

/// Variables of our own environment that a program cannot do without.
const KEPT: [&str; 3] = ["PATH", "HOME", "LANG"];
const LOOK: Time = Time::from_millis(20);

impl Ran {
    /// What it said last, in a line.
    pub(super) fn message(&self) -> String {
        self.output
            .lines()
            .rev()
            .find(|line| !line.trim().is_empty())
            .unwrap_or("it said nothing")
            .to_owned()
    }
}

/// Runs a program in a folder. `SYNCLINE_ENVIRONMENT` and `SYNCLINE_PACKAGE` tell it the target and the digest of the package.
pub(super) fn run(
    command: &Command,
    folder: &Path,
    environment: &str,
    digest: &str,
    timeout: Duration,
) -> std::io::Result<Ran> {
    let output = tempfile::NamedTempFile::new()?;
    let mut process = Process::new(command.program());
    process
        .args(command.arguments())
        .current_dir(folder)
        .env_clear()
        .envs(KEPT.iter().filter_map(|name| Some((name, std::env::var_os(name)?))))
        .env("SYNCLINE_ENVIRONMENT", environment)
        .env("SYNCLINE_PACKAGE", digest)
        .stdin(Stdio::null())
        .stdout(output.reopen()?)
        .stderr(output.reopen()?);
    let mut child = process.spawn()?;
    let begun = Instant::now();
    let limit = Time::from_millis(u64::try_from(timeout.millis()).unwrap_or(0));
    let passed = loop {
        if let Some(status) = child.try_wait()? {
            break status.success();
        }
        if begun.elapsed() > limit {
            child.kill()?;
            child.wait()?;
            return Ok(Ran {
                passed: false,
                output: format!("it was stopped after {} s", limit.as_secs()),
            });
        }
        std::thread::sleep(LOOK);
    };
    let output = String::from_utf8_lossy(&std::fs::read(output.path())?).into_owned();
    Ok(Ran { passed, output })
}
