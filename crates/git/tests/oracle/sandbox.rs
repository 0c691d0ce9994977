//! A temporary repository and the `git` program in it.

use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use syncline_git::{CommitTime, Identity, Oid, Program, Repository, Signature};
use tempfile::TempDir;

/// The folder goes away with the value.
pub(crate) struct Sandbox {
    _folder: TempDir,
    pub(crate) path: PathBuf,
}

impl Sandbox {
    /// `git init` with these arguments in a new folder.
    pub(crate) fn new(arguments: &[&str]) -> Self {
        let sandbox = Self::empty();
        sandbox.git(&[&["init", "--quiet", "--initial-branch=main"], arguments, &["."]].concat());
        sandbox
    }

    /// A new folder without repository.
    pub(crate) fn empty() -> Self {
        let folder = TempDir::new().unwrap();
        let path = folder.path().canonicalize().unwrap().join("repository");
        std::fs::create_dir(&path).unwrap();
        Self { _folder: folder, path }
    }

    pub(crate) fn open(&self) -> Repository {
        Repository::open(&self.path).unwrap()
    }

    /// A path beside the repository.
    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.path.with_file_name(name)
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.path.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// Commits everything in the working tree.
    pub(crate) fn commit_all(&self, message: &str) -> Oid {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "-m", message]);
        self.rev("HEAD")
    }

    pub(crate) fn rev(&self, revision: &str) -> Oid {
        self.git(&["rev-parse", "--verify", revision]).trim().parse().unwrap()
    }

    /// Runs git, which must succeed, and returns its stdout.
    pub(crate) fn git<S: AsRef<OsStr>>(&self, arguments: &[S]) -> String {
        text(self.run(&self.path, arguments, b""))
    }

    pub(crate) fn git_in<S: AsRef<OsStr>>(&self, folder: &Path, arguments: &[S]) -> String {
        text(self.run(folder, arguments, b""))
    }

    pub(crate) fn git_with<S: AsRef<OsStr>>(&self, arguments: &[S], input: &[u8]) -> String {
        text(self.run(&self.path, arguments, input))
    }

    /// Runs git and returns what it did.
    pub(crate) fn run<S: AsRef<OsStr>>(&self, folder: &Path, arguments: &[S], input: &[u8]) -> Output {
        let mut command = Command::new("git");
        command.current_dir(folder).args(arguments);
        command.envs([
            ("GIT_CONFIG_GLOBAL", "/dev/null"),
            ("GIT_CONFIG_NOSYSTEM", "1"),
            ("LC_ALL", "C"),
        ]);
        for role in ["AUTHOR", "COMMITTER"] {
            command
                .env(format!("GIT_{role}_NAME"), "Ada")
                .env(format!("GIT_{role}_EMAIL"), "ada@example.com");
            command.env(format!("GIT_{role}_DATE"), "1700000000 +0100");
        }
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        child.wait_with_output().unwrap()
    }
}

pub(crate) fn git() -> Program {
    Program::find().unwrap()
}

pub(crate) fn ada() -> Signature {
    let identity = Identity {
        name: "Ada".to_owned(),
        email: "ada@example.com".to_owned(),
    };
    Signature {
        identity,
        time: CommitTime {
            seconds: 1_700_000_000,
            offset_minutes: 60,
        },
    }
}

fn text(output: Output) -> String {
    assert!(
        output.status.success(),
        "git failed: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}
