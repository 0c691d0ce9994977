//! `syncline merge-driver run`: merges one file for git, and never lets git lose a side.
//!
//! The merge itself is `syncline merge-file` in a child process. Whatever happens to the child (a file that cannot be read, a
//! panic, an overflowing stack, no memory, no end), this process is still there to call git's merge by lines and to tell git
//! that the file needs a look. No repository is opened.

use std::ffi::OsString;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use super::STOP;
use crate::Status;
use crate::error::{CommandError, Kind};
use crate::output::Output;

/// Merge one file; git calls this
///
/// Writes the result over OURS. Ends with 0 when it is clean, with 1 when a person has to look at it, with 129 when nothing could be
/// merged: then git stops and changes nothing.
#[derive(Debug, clap::Args)]
pub(super) struct RunArgs {
    /// The common ancestor, `%O`
    base: PathBuf,
    /// Our version, `%A`; the result is written here
    ours: PathBuf,
    /// Their version, `%B`
    theirs: PathBuf,
    /// Length of conflict markers, `%L`
    marker_size: u16,
    /// Path of the file in the repository, `%P`
    path: OsString,
    /// Name of the common ancestor, `%S`
    label_base: Option<OsString>,
    /// Name of our version, `%X`
    label_ours: Option<OsString>,
    /// Name of their version, `%Y`
    label_theirs: Option<OsString>,
}

/// No real file takes a hundredth of this.
const TIME_LIMIT: Duration = Duration::from_secs(120);

/// How much of a file git looks at to tell whether it is binary: `FIRST_FEW_BYTES` in its `xdiff-interface.c`.
const GIT_LOOKS_AT: u64 = 8000;

/// Merges by meaning, else as git would; what even git cannot merge is an error, which [`super::exit_code_for_git`] turns into [`STOP`].
pub(super) fn run(args: &RunArgs, out: &mut Output) -> Result<Status, CommandError> {
    match by_meaning(args) {
        Ok((status, bytes)) => std::fs::write(&args.ours, bytes).map(|()| status).map_err(|error| {
            stop(args, "the result could not be written")
                .because(error)
                .hint("is the disk full?")
        }),
        Err(why) => by_lines(args, &why, out),
    }
}

/// The result of `syncline merge-file`, or why there is none. What it has to say goes to standard error.
fn by_meaning(args: &RunArgs) -> Result<(Status, Vec<u8>), String> {
    let program = std::env::current_exe().map_err(|error| format!("this program does not find itself: {error}"))?;
    let mut command = Command::new(program);
    let [base, ours, theirs] = labels(args);
    command
        .arg("merge-file")
        .arg(with_value("--path=", &args.path))
        .arg(with_value("--label-base=", &base))
        .arg(with_value("--label-ours=", &ours))
        .arg(with_value("--label-theirs=", &theirs))
        .arg(format!("--marker-size={}", args.marker_size))
        .arg("--")
        .args([&args.base, &args.ours, &args.theirs])
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    let child = command
        .spawn()
        .map_err(|error| format!("the merge could not be started: {error}"))?;
    let (exit, bytes) = finish(child, TIME_LIMIT)?;
    match exit.code() {
        Some(0) => Ok((Status::Done, bytes)),
        Some(1) => Ok((Status::Found, bytes)),
        Some(2) => Err("it cannot be merged by meaning".to_owned()),
        _ => Err(format!("the merge by meaning broke down ({exit})")),
    }
}

/// Waits for the child's end and what it wrote; ends it when it takes too long.
fn finish(mut child: Child, limit: Duration) -> Result<(ExitStatus, Vec<u8>), String> {
    let mut stdout = child.stdout.take().ok_or("the merge has no output")?;
    let (send, receive) = mpsc::channel();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let read = stdout.read_to_end(&mut bytes).map(|_| bytes);
        // The receiver is gone when the time was up: nobody wants the bytes any more.
        drop(send.send(read));
    });
    let read = receive.recv_timeout(limit);
    if read.is_err() {
        // It may have ended by itself just now; either way it is waited for.
        drop(child.kill());
    }
    let exit = child.wait().map_err(|error| format!("the merge got lost: {error}"))?;
    match read {
        Ok(Ok(bytes)) => Ok((exit, bytes)),
        Ok(Err(error)) => Err(format!("the result could not be read: {error}")),
        Err(_) => Err(format!("the merge took longer than {} seconds", limit.as_secs())),
    }
}

/// Git's own merge by lines, in the user's conflict style. Always to be looked at: a clean merge of lines of a file that was
/// not understood is no clean merge of what the lines mean.
fn by_lines(args: &RunArgs, why: &str, out: &mut Output) -> Result<Status, CommandError> {
    let path = Path::new(&args.path).display();
    for side in [&args.base, &args.ours, &args.theirs] {
        if is_binary(side)
            .map_err(|error| stop(args, &format!("`{}` could not be read", side.display())).because(error))?
        {
            out.warn(format_args!(
                "{path}: {why}; it is binary, so our version stands in the file. Choose a side"
            ));
            return Ok(Status::Found);
        }
    }
    let [base, ours, theirs] = labels(args);
    let mut command = Command::new("git");
    command
        .args(["merge-file", "--quiet", &format!("--marker-size={}", args.marker_size)])
        .args([
            &OsString::from("-L"),
            &ours,
            &OsString::from("-L"),
            &base,
            &OsString::from("-L"),
            &theirs,
        ])
        .arg("--")
        .args([&args.ours, &args.base, &args.theirs])
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    let exit = command
        .status()
        .map_err(|error| stop(args, "`git merge-file` could not be started").because(error))?;
    match exit.code() {
        // The number of conflicts, at most 127.
        Some(0..=127) => {
            let text = "it stands in the file as git merges it by lines. Look through it before you `git add` it";
            out.warn(format_args!("{path}: {why}; {text}"));
            Ok(Status::Found)
        }
        _ => Err(stop(args, &format!("{why}, and `git merge-file` failed too ({exit})"))),
    }
}

fn stop(args: &RunArgs, what: &str) -> CommandError {
    let path = Path::new(&args.path).display();
    CommandError::new(
        Kind::Upstream,
        "merge-driver.stopped",
        format_args!("could not merge `{path}`: {what}"),
    )
    .hint(format_args!(
        "git stops with exit code {STOP} of the merge driver; nothing is lost"
    ))
    .hint("to merge without syncline: syncline merge-driver uninstall")
}

/// As git tells: a NUL byte near the beginning.
fn is_binary(path: &Path) -> std::io::Result<bool> {
    let mut head = Vec::new();
    std::fs::File::open(path)?.take(GIT_LOOKS_AT).read_to_end(&mut head)?;
    Ok(head.contains(&0))
}

/// Names of base, ours and theirs. Git before 2.44 leaves `%S`, `%X` and `%Y` as they are.
fn labels(args: &RunArgs) -> [OsString; 3] {
    let given = [
        (&args.label_base, "%S", "base"),
        (&args.label_ours, "%X", "ours"),
        (&args.label_theirs, "%Y", "theirs"),
    ];
    given.map(|(label, placeholder, default)| match label {
        Some(label) if !label.is_empty() && label != placeholder => label.clone(),
        _ => default.into(),
    })
}

fn with_value(option: &str, value: &OsString) -> OsString {
    let mut word = OsString::from(option);
    word.push(value);
    word
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn check(script: &str, limit: Duration, expect: &str) {
        let child = Command::new("sh")
            .args(["-c", script])
            .stdout(Stdio::piped())
            .spawn()
            .expect("starts");
        let shown = match finish(child, limit) {
            Ok((exit, bytes)) => format!("{exit}, {}", String::from_utf8_lossy(&bytes)),
            Err(why) => why,
        };
        assert_eq!(shown, expect);
    }

    #[test]
    fn the_merge_ends_by_itself_or_is_ended() {
        check("echo text; exit 1", TIME_LIMIT, "exit status: 1, text\n");
        check("printf half; kill -KILL $$", TIME_LIMIT, "signal: 9 (SIGKILL), half");
        check(
            "exec sleep 1000",
            Duration::ZERO,
            "the merge took longer than 0 seconds",
        );
    }
}
