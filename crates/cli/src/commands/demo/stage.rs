//! Runs the commands of the demo in its own folder and tells what they do.

use std::io::{BufRead, IsTerminal};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use anstyle::{AnsiColor, Style};
use tempfile::TempDir;

use crate::error::{CommandError, Kind};
use crate::output::Output;

const HEADING: Style = AnsiColor::Green.on_default().bold();
const COMMAND: Style = AnsiColor::Cyan.on_default().bold();
/// The first commit, 2026-03-02 09:00 UTC: equal samples have equal commits.
const FIRST_COMMIT: i64 = 1_772_442_000;
const DAY: i64 = 86_400;

/// A folder that goes away with the process, also when the user stops it, unless it is kept.
#[derive(Debug)]
pub struct Scratch {
    folder: Kept,
    stopped: Arc<AtomicBool>,
}

/// Shared with the handler of ctrl-C, which lives as long as the process.
type Kept = Arc<Mutex<Option<TempDir>>>;

impl Scratch {
    /// Creates the folder, and removes it when the user stops the process.
    pub fn new() -> Result<Self, CommandError> {
        let failed = |error: std::io::Error| {
            CommandError::user("demo.folder", "could not create a temporary folder").because(error)
        };
        let folder = tempfile::Builder::new()
            .prefix("syncline-demo-")
            .tempdir()
            .map_err(failed)?;
        let scratch = Self {
            folder: Arc::new(Mutex::new(Some(folder))),
            stopped: Arc::default(),
        };
        let (folder, stopped) = (Arc::clone(&scratch.folder), Arc::clone(&scratch.stopped));
        ctrlc::set_handler(move || {
            stopped.store(true, Ordering::SeqCst);
            remove(&folder);
            // As a shell tells a process that SIGINT ended: 128 + 2.
            std::process::exit(130);
        })
        .map_err(|error| {
            CommandError::new(Kind::Internal, "demo.signal", "could not watch for ctrl-C").because(error)
        })?;
        Ok(scratch)
    }

    /// The folder.
    pub fn path(&self) -> PathBuf {
        let folder = self.folder.lock().unwrap_or_else(PoisonError::into_inner);
        folder
            .as_ref()
            .map(|folder| folder.path().to_owned())
            .unwrap_or_default()
    }

    /// Returns, unless the user stopped the process: then a failure is only that of commands in a folder that is gone,
    /// and the process is about to end.
    pub fn unless_stopped(&self) {
        while self.stopped.load(Ordering::SeqCst) {
            std::thread::park();
        }
    }

    /// Keeps the folder for good.
    pub fn keep(&self) {
        let folder = self.folder.lock().unwrap_or_else(PoisonError::into_inner).take();
        folder.map(TempDir::keep);
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        remove(&self.folder);
    }
}

fn remove(scratch: &Kept) {
    let folder = scratch.lock().unwrap_or_else(PoisonError::into_inner).take();
    let Some(folder) = folder else { return };
    let path = folder.path().to_owned();
    drop(folder);
    // A command that is just being stopped may still write.
    for _ in 0..ATTEMPTS {
        match std::fs::remove_dir_all(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {}
            _ => break,
        }
    }
}

const ATTEMPTS: usize = 100;

/// Runs programs in the folder of the sample, with nothing of the user's settings.
#[derive(Debug)]
pub struct Shell {
    folder: PathBuf,
    home: PathBuf,
    program: PathBuf,
}

/// How a command ended.
#[derive(Debug)]
pub struct Ran {
    /// Its exit code; -1 when a signal ended it.
    pub code: i32,
    /// What it wrote.
    pub stdout: String,
    /// What it said.
    pub stderr: String,
}

impl Shell {
    /// A shell in `folder`, with `home` as an empty home.
    pub fn new(folder: PathBuf, home: PathBuf) -> Result<Self, CommandError> {
        let program = std::env::current_exe().map_err(|error| {
            CommandError::new(Kind::Internal, "demo.program", "could not find the own program").because(error)
        })?;
        Ok(Self { folder, home, program })
    }

    /// The folder of the repository.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Runs `git` with arguments; it has to succeed.
    pub fn git(&self, arguments: &[&str]) -> Result<(), CommandError> {
        let line = format!("git {}", arguments.join(" "));
        let ran = finish(self.command("git").args(arguments), &line)?;
        expect(&ran, &[0], &line)
    }

    /// Commits all changes in somebody's name, so many days after the first commit.
    pub fn commit(&self, author: &str, subject: &str, day: i64) -> Result<(), CommandError> {
        self.git(&["add", "--all"])?;
        let date = format!("@{} +0000", FIRST_COMMIT + day * DAY);
        let mail = format!("{}@example.com", author.to_lowercase().replace(' ', "-"));
        let mut command = self.command("git");
        command.args(["commit", "--quiet", "--message", subject]);
        for role in ["AUTHOR", "COMMITTER"] {
            command
                .env(format!("GIT_{role}_NAME"), author)
                .env(format!("GIT_{role}_EMAIL"), &mail)
                .env(format!("GIT_{role}_DATE"), &date);
        }
        expect(&finish(&mut command, "git commit")?, &[0], "git commit")
    }

    /// Runs a line as it is typed: `git …` or `syncline …`. It has to end with one of the exit codes.
    pub fn line(&self, line: &str, codes: &[i32]) -> Result<Ran, CommandError> {
        let words = split(line);
        let mut command = match words.split_first() {
            Some((program, arguments)) => {
                let mut command = match program.as_str() {
                    "syncline" => self.command(&self.program),
                    program => self.command(program),
                };
                command.args(arguments);
                command
            }
            None => return Err(defect(line, "it is empty")),
        };
        let ran = finish(&mut command, line)?;
        expect(&ran, codes, line)?;
        Ok(ran)
    }

    fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.folder).env_clear();
        for name in ["PATH", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT", "LD_LIBRARY_PATH"] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        command
            .env("HOME", &self.home)
            .env("XDG_CONFIG_HOME", &self.home)
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("LC_ALL", "C")
            .stdin(std::process::Stdio::null());
        command
    }
}

/// Tells the story.
pub struct Stage<'a> {
    out: &'a mut Output,
    shell: &'a Shell,
    pause: bool,
    step: usize,
    /// The last line was empty.
    blank: bool,
}

impl<'a> Stage<'a> {
    /// A stage in the folder of `shell`; with `pause` each step waits for Enter.
    pub fn new(out: &'a mut Output, shell: &'a Shell, pause: bool) -> Self {
        Self {
            out,
            shell,
            pause,
            step: 0,
            blank: true,
        }
    }

    /// Begins the next step.
    pub fn step(&mut self, title: &str) -> Result<(), CommandError> {
        if self.step > 0 {
            self.wait()?;
        }
        self.step += 1;
        let number = self.step;
        self.blank()?;
        self.tell(&format!("{HEADING}{number}. {title}{HEADING:#}"))?;
        self.blank()
    }

    /// Says something.
    pub fn tell(&mut self, text: &str) -> Result<(), CommandError> {
        if self.out.json() {
            return Ok(());
        }
        self.blank = text.is_empty();
        self.out.line(text)?;
        self.out.flush()
    }

    /// Says nothing for a line, once.
    pub fn blank(&mut self) -> Result<(), CommandError> {
        match self.blank {
            true => Ok(()),
            false => self.tell(""),
        }
    }

    /// Shows a command, runs it, shows what it says.
    pub fn run(&mut self, line: &str, codes: &[i32]) -> Result<Ran, CommandError> {
        self.blank()?;
        self.tell(&format!("  {COMMAND}$ {line}{COMMAND:#}"))?;
        let ran = self.shell.line(line, codes)?;
        for text in ran.stdout.lines().chain(ran.stderr.lines()) {
            self.tell(format!("    {text}").trim_end())?;
        }
        self.blank()?;
        Ok(ran)
    }

    fn wait(&mut self) -> Result<(), CommandError> {
        if !self.pause || self.out.json() {
            return Ok(());
        }
        if std::io::stdin().is_terminal() {
            self.out.note("[Enter to go on, ctrl-C to stop]");
        }
        let mut line = String::new();
        let read = std::io::stdin().lock().read_line(&mut line);
        match read {
            // Nobody is there any more.
            Ok(0) => self.pause = false,
            Ok(_) => {}
            Err(error) => {
                return Err(CommandError::user("demo.pause", "could not wait for Enter")
                    .because(error)
                    .hint("run it without --pause"));
            }
        }
        Ok(())
    }
}

fn finish(command: &mut Command, line: &str) -> Result<Ran, CommandError> {
    let output = command.output().map_err(|error| {
        let (kind, code) = match error.kind() {
            std::io::ErrorKind::NotFound => (Kind::Upstream, "git.missing"),
            _ => (Kind::Upstream, "demo.command"),
        };
        CommandError::new(kind, code, format_args!("could not run `{line}`"))
            .because(error)
            .hint("the demo needs git 2.41 or newer on PATH")
    })?;
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Ok(Ran {
        code: output.status.code().unwrap_or(-1),
        stdout: text(output.stdout),
        stderr: text(output.stderr),
    })
}

fn expect(ran: &Ran, codes: &[i32], line: &str) -> Result<(), CommandError> {
    if codes.contains(&ran.code) {
        return Ok(());
    }
    let problem = format!("it ended with {}\n{}{}", ran.code, ran.stdout, ran.stderr);
    Err(defect(line, &problem))
}

/// The demo does not go as it must.
pub fn defect(line: &str, problem: &str) -> CommandError {
    CommandError::new(
        Kind::Internal,
        "demo.unexpected",
        format_args!("the demo failed at `{line}`"),
    )
    .because(problem.trim_end().to_owned())
    .hint("this is a defect of syncline, or git is older than 2.41; please report it")
}

/// Words of a command line; single quotes hold blanks together.
fn split(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quoted = false;
    for c in line.chars() {
        match c {
            '\'' => {
                quoted = !quoted;
                word.get_or_insert_default();
            }
            ' ' if !quoted => words.extend(word.take()),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn words_of_a_line() {
        let check = |line: &str, expect: &[&str]| assert_eq!(split(line), expect, "{line}");
        check("git  log -1", &["git", "log", "-1"]);
        check("git log --format='%an: %s' x", &["git", "log", "--format=%an: %s", "x"]);
        check("a '' b", &["a", "", "b"]);
    }
}
