//! A folder of its own for each test, in which the real program runs with an environment of its own.
#![allow(dead_code, reason = "each test file uses a part of it")]
#![allow(clippy::panic, reason = "a test that cannot go on has failed")]

pub mod outside;
pub mod simulator;
pub mod world;

use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A scratch folder with `home` and `work` in it.
pub struct TestEnv {
    folder: tempfile::TempDir,
}

impl TestEnv {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("scratch folder");
        for name in ["home", "work"] {
            std::fs::create_dir(folder.path().join(name)).expect("folder");
        }
        Self { folder }
    }

    /// The folder that commands run in.
    pub fn work(&self) -> PathBuf {
        self.folder.path().join("work")
    }

    pub fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    /// A file below the work folder.
    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) -> &Self {
        let path = self.work().join(name);
        std::fs::create_dir_all(path.parent().expect("has a parent")).expect("folder");
        std::fs::write(path, text).expect("written");
        self
    }

    pub fn read(&self, name: &str) -> String {
        String::from_utf8(std::fs::read(self.work().join(name)).expect("read")).expect("UTF-8")
    }

    /// A program in the work folder, without the configuration of the machine.
    pub fn program(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(self.work())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.home())
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_AUTHOR_DATE", "2001-01-01T00:00:00Z")
            .env("GIT_COMMITTER_DATE", "2001-01-01T00:00:00Z")
            .stdin(Stdio::null());
        command
    }

    /// `git` in the work folder.
    pub fn git(&self, arguments: &[&str]) -> Ran {
        self.finish(self.program("git").args(arguments))
    }

    /// `git` that has to succeed; what it prints.
    pub fn git_ok(&self, arguments: &[&str]) -> String {
        let ran = self.git(arguments);
        assert_eq!(ran.code, 0, "git {arguments:?}: {ran}");
        ran.stdout
    }

    /// A repository in the work folder, on branch `main`, with nothing in it.
    pub fn repository() -> Self {
        Self::new().with_repository()
    }

    /// Makes one in the work folder.
    pub fn with_repository(self) -> Self {
        self.git_ok(&["config", "--global", "user.name", "Test"]);
        self.git_ok(&["config", "--global", "user.email", "test@example.com"]);
        self.git_ok(&["init", "--quiet", "--initial-branch=main"]);
        self
    }

    /// Commits a file on the current branch.
    pub fn commit(&self, name: &str, text: impl AsRef<[u8]>) {
        self.write(name, text);
        self.git_ok(&["add", "--all"]);
        self.git_ok(&["commit", "--quiet", "--allow-empty", "--message", "change"]);
    }

    /// A repository whose branches `main` (checked out) and `theirs` change a file of their common ancestor.
    pub fn diverged(name: &str, base: impl AsRef<[u8]>, ours: impl AsRef<[u8]>, theirs: impl AsRef<[u8]>) -> Self {
        let env = Self::repository();
        env.commit(name, base);
        env.git_ok(&["switch", "--quiet", "--create", "theirs"]);
        env.commit(name, theirs);
        env.git_ok(&["switch", "--quiet", "main"]);
        env.commit(name, ours);
        env
    }

    /// `syncline` with arguments parted by blanks.
    pub fn syncline(&self, arguments: &str) -> Ran {
        self.run(&arguments.split_whitespace().collect::<Vec<_>>())
    }

    /// Runs a line that has to end with 0.
    pub fn ok(&self, arguments: &str) -> Ran {
        let ran = self.syncline(arguments);
        assert_eq!(ran.code, 0, "{arguments}: {ran}");
        ran
    }

    pub fn run(&self, arguments: &[&str]) -> Ran {
        let mut command = self.program(env!("CARGO_BIN_EXE_syncline"));
        self.finish(command.args(arguments))
    }

    /// `syncline` with these variables set and this on standard input.
    pub fn run_with(&self, arguments: &[&str], variables: &[(&str, &str)], input: &str) -> Ran {
        let mut command = self.program(env!("CARGO_BIN_EXE_syncline"));
        command
            .args(arguments)
            .envs(variables.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut process = command.spawn().expect("the program starts");
        let mut stdin = process.stdin.take().expect("piped");
        // A program that does not read its input may have ended already.
        drop(stdin.write_all(input.as_bytes()));
        drop(stdin);
        Ran::of(&process.wait_with_output().expect("an end"), self)
    }

    /// Runs a command to its end. The scratch folder's name is replaced in what it says.
    pub fn finish(&self, command: &mut Command) -> Ran {
        let output = command.output().expect("the program starts");
        Ran::new(&output, self.folder.path())
    }
}

/// How a program ended.
pub struct Ran {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    pub fn of(output: &Output, env: &TestEnv) -> Self {
        Self::new(output, env.folder.path())
    }

    fn new(output: &Output, folder: &Path) -> Self {
        let folder = folder.to_str().expect("UTF-8");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace(folder, "[dir]");
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        }
    }

    /// What it told with `--json`.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).expect("JSON")
    }
}

/// For snapshots: the exit code, what is data, what is talk.
impl std::fmt::Display for Ran {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "exit {}", self.code)?;
        for (name, text) in [("stdout", &self.stdout), ("stderr", &self.stderr)] {
            if !text.is_empty() {
                writeln!(f, "--- {name}")?;
            }
            text.lines().try_for_each(|line| writeln!(f, "{}", line.trim_end()))?;
        }
        Ok(())
    }
}

/// A profile with access to classes, as Salesforce writes it.
pub fn profile(entries: &[(&str, bool)]) -> String {
    let mut text = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Profile xmlns=\"http://soap.sforce.com/2006/04/metadata\">\n",
    );
    for (class, enabled) in entries {
        text.push_str(&format!(
            "    <classAccesses>\n        <apexClass>{class}</apexClass>\n        <enabled>{enabled}</enabled>\n    </classAccesses>\n"
        ));
    }
    text + "    <custom>true</custom>\n</Profile>\n"
}
