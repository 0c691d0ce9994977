//! The command line of Syncline: reads arguments, calls the library, renders what comes back. It decides nothing itself.
//!
//! A verb is one file in [`commands`], with its arguments, and a line in [`cli`]. What verbs share is [`output`] and [`error`].

pub mod cli;
pub mod commands;
mod component;
pub mod error;
mod file;
pub mod output;
mod reports;

use std::any::Any;
use std::ffi::OsString;
use std::panic::{self, AssertUnwindSafe, PanicHookInfo};
use std::process::ExitCode;

use error::CommandError;
use output::Output;

/// How a command ends when it does not fail. Failures are [`CommandError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Done, and nothing is left to look at: equal, clean.
    Done,
    /// Done, and something is to be looked at: differences, conflicts.
    Found,
}

impl Status {
    /// The exit code: 0 or 1, as `diff` and `git merge-file` have it.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Found => 1,
        }
    }
}

/// Runs the program with the arguments of the process.
pub fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let driver = commands::merge_driver::is_run(&arguments);
    let code = guard(|| run(arguments));
    ExitCode::from(if driver {
        commands::merge_driver::exit_code_for_git(code)
    } else {
        code
    })
}

/// Runs `work`; a panic in it is told as the internal error that it is and gives that exit code.
pub fn guard(work: impl FnOnce() -> u8) -> u8 {
    panic::set_hook(Box::new(report_panic));
    panic::catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| error::Kind::Internal.exit_code())
}

/// Runs one command and returns the exit code.
fn run(arguments: Vec<OsString>) -> u8 {
    let (command, mut out) = match cli::parse(arguments) {
        Ok(parsed) => parsed,
        Err(code) => return code,
    };
    let result = command.run(&mut out).and_then(|status| out.flush().map(|()| status));
    match result {
        Ok(status) => status.exit_code(),
        Err(error) => fail(&error, &mut out),
    }
}

fn fail(error: &CommandError, out: &mut Output) -> u8 {
    if error.is_closed_pipe() {
        return error::CLOSED_PIPE;
    }
    out.error(error);
    error.kind.exit_code()
}

fn report_panic(info: &PanicHookInfo<'_>) {
    use std::io::Write;

    let what = text_of(info.payload());
    let place = info.location().map(|at| format!(" at {}:{}", at.file(), at.line()));
    let text = format!(
        "internal error: {what}{}\n\
         This is a defect of syncline {}; please report it with this message, the command and, if you can share them, the files.\n",
        place.unwrap_or_default(),
        env!("CARGO_PKG_VERSION"),
    );
    // Nobody is left to tell when standard error is closed; a second panic here would abort the process.
    drop(std::io::stderr().write_all(text.as_bytes()));
}

fn text_of(payload: &(dyn Any + Send)) -> &str {
    match (payload.downcast_ref::<&str>(), payload.downcast_ref::<String>()) {
        (Some(text), _) => text,
        (_, Some(text)) => text,
        _ => "unknown",
    }
}
