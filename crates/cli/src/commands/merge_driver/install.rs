//! `syncline merge-driver install` and `uninstall`: two settings and a block of attributes, planned first and then written.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::json;

use super::{STOP, block, globs, rivals};
use crate::Status;
use crate::error::{CommandError, Kind};
use crate::file;
use crate::output::Output;

/// Make syncline the merge driver of metadata
///
/// Writes merge.syncline.name and merge.syncline.driver into git's configuration, and the patterns of metadata files into
/// info/attributes of the repository, which all its worktrees share. Nothing in the repository's history changes. Lines of other
/// tools stay as they are; where one is for the same files, it is said who wins. Doing it again changes nothing.
#[derive(Debug, clap::Args)]
pub(super) struct InstallArgs {
    #[command(flatten)]
    scope: Scope,
    /// Program that git runs, a path or a name on PATH [default: this program]
    #[arg(long, value_name = "PROGRAM")]
    program: Option<OsString>,
}

/// Undo install
///
/// Takes out what install has written and leaves everything else byte for byte.
#[derive(Debug, clap::Args)]
pub(super) struct UninstallArgs {
    #[command(flatten)]
    scope: Scope,
}

#[derive(Debug, clap::Args)]
struct Scope {
    /// For all repositories of this user instead of the one here
    #[arg(long)]
    global: bool,
    /// Show what would change and change nothing
    #[arg(long)]
    dry_run: bool,
}

const NAME: &str = "merge.syncline.name";
const DRIVER: &str = "merge.syncline.driver";
const TITLE: &str = "syncline: merges Salesforce metadata by meaning";

/// What is to change.
struct Plan {
    /// `--local` or `--global`.
    scope: &'static str,
    /// Settings: key, value now, value then.
    settings: Vec<(&'static str, Option<String>, Option<String>)>,
    attributes: PathBuf,
    before: Option<Vec<u8>>,
    after: Option<Vec<u8>>,
    /// What the user should know of lines of others.
    rivals: Vec<String>,
}

/// Installs.
pub(super) fn install(args: &InstallArgs, out: &mut Output) -> Result<Status, CommandError> {
    let program = match &args.program {
        Some(program) => program.clone(),
        None => this_program()?,
    };
    let patterns = [
        (
            "Salesforce DX source format, and manifests",
            globs::ALWAYS.map(str::to_owned).to_vec(),
        ),
        (
            "Metadata API format: names end in the type's suffix",
            globs::metadata_api(),
        ),
    ];
    let mut plan = Plan::new(&args.scope, |before| block::install(before, &patterns).map(Some))?;
    plan.set(NAME, Some(TITLE.to_owned()));
    plan.set(DRIVER, Some(driver(&program)?));
    let patterns: Vec<&str> = patterns
        .iter()
        .flat_map(|(_, names)| names.iter().map(String::as_str))
        .collect();
    plan.find_rivals(&patterns, args.scope.global)?;
    plan.finish(args.scope.dry_run, "already installed", out)
}

/// Uninstalls.
pub(super) fn uninstall(args: &UninstallArgs, out: &mut Output) -> Result<Status, CommandError> {
    let mut plan = Plan::new(&args.scope, |before| match before {
        Some(text) => block::uninstall(text),
        None => Ok(None),
    })?;
    plan.set(NAME, None);
    plan.set(DRIVER, None);
    plan.finish(args.scope.dry_run, "not installed", out)
}

impl Plan {
    fn new(
        scope: &Scope,
        edit: impl Fn(Option<&[u8]>) -> Result<Option<Vec<u8>>, block::Broken>,
    ) -> Result<Self, CommandError> {
        let attributes = if scope.global {
            global_attributes()?
        } else {
            local_attributes()?
        };
        let before = read_if_there(&attributes)?;
        let after = edit(before.as_deref()).map_err(|broken| {
            let message = format!("could not change `{}`", attributes.display());
            CommandError::new(Kind::Config, "merge-driver.broken-block", message)
                .because(broken)
                .hint("delete the lines of syncline's block by hand and try again")
        })?;
        let scope = if scope.global { "--global" } else { "--local" };
        let mut settings = Vec::new();
        for key in [NAME, DRIVER] {
            let now = setting(&["config", scope, "--get", key])?;
            settings.push((key, now.clone(), now));
        }
        Ok(Self {
            scope,
            settings,
            attributes,
            before,
            after,
            rivals: Vec::new(),
        })
    }

    fn set(&mut self, key: &str, value: Option<String>) {
        for setting in self.settings.iter_mut().filter(|setting| setting.0 == key) {
            setting.2.clone_from(&value);
        }
    }

    /// Lines of others in the file of attributes itself, and for a repository in its `.gitattributes` files.
    fn find_rivals(&mut self, patterns: &[&str], global: bool) -> Result<(), CommandError> {
        let after = self.after.as_deref().unwrap_or_default();
        let block = block::find(after)
            .ok()
            .flatten()
            .map_or(after.len(), |place| place.start);
        for rival in rivals::rivals(after, patterns) {
            let place = format!("{}:{}: `{}`", self.attributes.display(), rival.line, rival.text);
            self.rivals.push(if rival.at > block {
                format!("{place} stands below syncline's lines and wins over them")
            } else {
                format!("{place} stands above syncline's lines and loses against them")
            });
        }
        if global {
            self.rivals
                .push("a repository's own .gitattributes and info/attributes win over these lines".to_owned());
            return Ok(());
        }
        for (name, text) in attribute_files()? {
            for rival in rivals::rivals(&text, patterns) {
                let place = format!("{name}:{}: `{}`", rival.line, rival.text);
                self.rivals.push(format!(
                    "{place} loses against syncline's lines for files that both match"
                ));
            }
        }
        Ok(())
    }

    /// Shows the plan, or carries it out and says what was done.
    fn finish(self, dry_run: bool, state: &str, out: &mut Output) -> Result<Status, CommandError> {
        let settings: Vec<_> = self.settings.iter().filter(|(_, now, then)| now != then).collect();
        let attributes = self.before != self.after;
        let changes = !settings.is_empty() || attributes;
        if !dry_run && changes {
            self.apply()?;
        }
        let path = self.attributes.display();
        if out.json() {
            let settings = settings
                .iter()
                .map(|(key, now, then)| json!({"key": key, "before": now, "after": then}));
            out.value(&json!({
                "changed": changes && !dry_run,
                "settings": settings.collect::<Vec<_>>(),
                "attributes": {"path": path.to_string(), "changed": attributes},
                "others": self.rivals,
            }))?;
            return Ok(Status::Done);
        }
        let verb = if dry_run { "would " } else { "" };
        for (key, _, then) in settings {
            match then {
                Some(value) => out.line(format_args!("{verb}set {key} to: {value}"))?,
                None => out.line(format_args!("{verb}unset {key}"))?,
            }
        }
        match (&self.before, &self.after) {
            _ if !attributes => {}
            (_, None) => out.line(format_args!("{verb}delete {path}"))?,
            (before, Some(after)) => {
                let lines = |text: &[u8]| text.split(|byte| *byte == b'\n').count() as i64 - 1;
                let more = lines(after) - before.as_deref().map_or(0, lines);
                out.line(format_args!("{verb}change {path}: {more:+} lines"))?;
                if dry_run && let Some(place) = block::find(after).ok().flatten() {
                    out.bytes(&after[place.start..place.end])?;
                }
            }
        }
        for rival in &self.rivals {
            out.note(rival);
        }
        if !changes {
            out.note(format_args!("{state}; nothing to change"));
        }
        Ok(Status::Done)
    }

    /// First what cannot hurt alone: attributes that name no driver, or a driver without attributes, are merges by lines.
    fn apply(&self) -> Result<(), CommandError> {
        if self.before != self.after {
            match &self.after {
                Some(bytes) => {
                    if let Some(folder) = self.attributes.parent() {
                        fs::create_dir_all(folder).map_err(|error| unwritable(folder, error))?;
                    }
                    file::replace(&self.attributes, bytes)?;
                }
                None => fs::remove_file(&self.attributes).map_err(|error| unwritable(&self.attributes, error))?,
            }
        }
        for (key, now, then) in &self.settings {
            match then {
                _ if now == then => {}
                Some(value) => git(&["config", self.scope, "--replace-all", key, value])?,
                None => git(&["config", self.scope, "--unset-all", key])?,
            }
        }
        Ok(())
    }
}

/// The command line of the driver. Git runs it with a shell, which ends with 127 when the program is gone: git would take that
/// for a conflict and keep our version without markers, so everything but 0 and 1 becomes [`STOP`].
fn driver(program: &OsStr) -> Result<String, CommandError> {
    let program = program
        .to_str()
        .filter(|name| !name.is_empty() && !name.contains(['\n', '\0']))
        .ok_or_else(|| {
            let message = format!("`{}` cannot stand in git's configuration", program.display());
            CommandError::user("merge-driver.program", message)
                .hint("name the program with --program, in UTF-8 and in one line")
        })?;
    // `%` is git's own sign here.
    let program = program.replace('\'', "'\\''").replace('%', "%%");
    Ok(format!(
        "'{program}' merge-driver run -- %O %A %B %L %P %S %X %Y || case $? in 1) exit 1;; *) exit {STOP};; esac"
    ))
}

/// This program's path: as found on PATH where that is the same file, because an upgrade may move what a link points to.
fn this_program() -> Result<OsString, CommandError> {
    let failed = |error: std::io::Error| {
        CommandError::new(
            Kind::Internal,
            "merge-driver.program",
            "could not find the path of this program",
        )
        .because(error)
        .hint("name it with --program")
    };
    let this = std::env::current_exe().map_err(failed)?;
    let real = fs::canonicalize(&this).map_err(failed)?;
    let name = this.file_name().unwrap_or_default();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(name))
        .find(|candidate| fs::canonicalize(candidate).is_ok_and(|found| found == real));
    Ok(found.unwrap_or(real).into_os_string())
}

/// `info/attributes` of the repository here: of the common folder for a linked worktree.
fn local_attributes() -> Result<PathBuf, CommandError> {
    let bytes = ask(&["rev-parse", "--git-path", "info/attributes"]).map_err(|error| match error.kind {
        Kind::Upstream => CommandError::user("merge-driver.no-repository", "could not find a git repository here")
            .because(error.causes().join(": "))
            .hint("run it in a repository, or with --global for all of yours"),
        _ => error,
    })?;
    path_of(&bytes)
}

/// The user's file of attributes.
fn global_attributes() -> Result<PathBuf, CommandError> {
    for scope in ["--global", "--system"] {
        if let Some(path) = setting(&["config", scope, "--type=path", "--get", "core.attributesFile"])? {
            return Ok(path.into());
        }
    }
    let folder = |name: &str| {
        std::env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    let config = folder("XDG_CONFIG_HOME").or_else(|| Some(folder("HOME")?.join(".config")));
    config
        .map(|config| config.join("git").join("attributes"))
        .ok_or_else(|| {
            CommandError::new(Kind::Config, "merge-driver.no-home", "could not find the home folder")
                .hint("set HOME or core.attributesFile")
        })
}

/// The `.gitattributes` files of the worktree here, tracked or not; none in a bare repository.
fn attribute_files() -> Result<Vec<(String, Vec<u8>)>, CommandError> {
    if ask(&["rev-parse", "--is-inside-work-tree"])?.trim_ascii() != b"true" {
        return Ok(Vec::new());
    }
    let top = path_of(&ask(&["rev-parse", "--show-toplevel"])?)?;
    let pattern = ":(top,glob)**/.gitattributes";
    let names = ask(&[
        "ls-files",
        "-z",
        "--full-name",
        "--cached",
        "--others",
        "--exclude-standard",
        "--",
        pattern,
    ])?;
    let mut files = Vec::new();
    for name in names.split(|byte| *byte == 0).filter(|name| !name.is_empty()) {
        let name = String::from_utf8_lossy(name).into_owned();
        // One that a sparse checkout leaves out counts as git has it.
        if let Some(text) = read_if_there(&top.join(&name))? {
            files.push((name, text));
        } else if let Ok(text) = ask(&["cat-file", "blob", &format!(":{name}")]) {
            files.push((name, text));
        } // else it is unmerged and deleted: nothing that git would read
    }
    files.dedup();
    Ok(files)
}

fn read_if_there(path: &Path) -> Result<Option<Vec<u8>>, CommandError> {
    if path.exists() {
        file::read(path).map(Some)
    } else {
        Ok(None)
    }
}

fn unwritable(path: &Path, error: std::io::Error) -> CommandError {
    CommandError::user("file.unwritable", format_args!("could not write `{}`", path.display()))
        .because(error)
        .hint("check its permissions")
}

/// A setting, `None` when it is not set: `git config` ends with 1 then.
fn setting(words: &[&str]) -> Result<Option<String>, CommandError> {
    let output = start(words)?;
    match output.status.code() {
        Some(0) => {
            let text = String::from_utf8_lossy(&output.stdout);
            Ok(Some(text.strip_suffix('\n').unwrap_or(&text).to_owned()))
        }
        Some(1) => Ok(None),
        _ => Err(failed(words, &output.stderr)),
    }
}

fn git(words: &[&str]) -> Result<(), CommandError> {
    ask(words).map(drop)
}

/// What git answers.
fn ask(words: &[&str]) -> Result<Vec<u8>, CommandError> {
    let output = start(words)?;
    if output.status.success() {
        Ok(output.stdout)
    } else {
        Err(failed(words, &output.stderr))
    }
}

fn start(words: &[&str]) -> Result<std::process::Output, CommandError> {
    Command::new("git")
        .args(words)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| {
            CommandError::user("git.missing", "could not start the program git")
                .because(error)
                .hint("install git, or put it on PATH")
        })
}

fn failed(words: &[&str], stderr: &[u8]) -> CommandError {
    let said = String::from_utf8_lossy(stderr).trim().to_owned();
    CommandError::new(
        Kind::Upstream,
        "git.failed",
        format_args!("`git {}` failed", words.join(" ")),
    )
    .because(said)
}

/// A path that git prints, without the line end.
#[cfg(unix)]
fn path_of(bytes: &[u8]) -> Result<PathBuf, CommandError> {
    use std::os::unix::ffi::OsStrExt as _;

    Ok(PathBuf::from(OsStr::from_bytes(
        bytes.strip_suffix(b"\n").unwrap_or(bytes),
    )))
}

/// A path that git prints, without the line end.
#[cfg(not(unix))]
fn path_of(bytes: &[u8]) -> Result<PathBuf, CommandError> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        CommandError::new(Kind::Upstream, "git.failed", "git printed a path that is not UTF-8").because(error)
    })?;
    Ok(PathBuf::from(text.trim_end_matches(['\r', '\n'])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_quoted_for_the_shell_and_for_git() {
        let check = |program: &str, expect: &str| {
            let line = driver(OsStr::new(program)).expect("fits");
            assert_eq!(line.split(" merge-driver").next(), Some(expect));
        };
        check("syncline", "'syncline'");
        check("/opt/my tools/syncline", "'/opt/my tools/syncline'");
        check("/it's 100%A/syncline", "'/it'\\''s 100%%A/syncline'");
        assert!(driver(OsStr::new("a\nb")).is_err());
        assert!(driver(OsStr::new("")).is_err());
    }
}
