//! All output: standard output is data, standard error is talk.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;

use crate::error::CommandError;

/// When to use colours. They never carry a meaning alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Color {
    /// On a terminal, unless NO_COLOR is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

const ERROR: Style = AnsiColor::Red.on_default().bold();
const WARNING: Style = AnsiColor::Yellow.on_default().bold();
const HINT: Style = AnsiColor::Cyan.on_default().bold();

/// Where a command writes.
#[derive(Debug)]
pub struct Output {
    json: bool,
    choice: ColorChoice,
    stdout: io::BufWriter<io::Stdout>,
    /// Standard error is gone: there is nobody to talk to.
    mute: bool,
}

impl Output {
    /// Output in the given manner.
    pub fn new(json: bool, color: Color) -> Self {
        let choice = match color {
            Color::Auto => AutoStream::choice(&io::stdout()),
            Color::Always => ColorChoice::Always,
            Color::Never => ColorChoice::Never,
        };
        Self {
            json,
            choice,
            stdout: io::BufWriter::with_capacity(64 * 1024, io::stdout()),
            mute: false,
        }
    }

    /// Whether data is to be JSON.
    pub fn json(&self) -> bool {
        self.json
    }

    /// Bytes of data, as they are.
    pub fn bytes(&mut self, bytes: &[u8]) -> Result<(), CommandError> {
        self.stdout.write_all(bytes).map_err(CommandError::stdout)
    }

    /// A line of data for people. Styles of `anstyle` in it are removed where no colours are wanted.
    pub fn line(&mut self, line: impl Display) -> Result<(), CommandError> {
        let text = format!("{line}\n");
        match self.choice {
            ColorChoice::Never => self.bytes(anstream::adapter::strip_str(&text).to_string().as_bytes()),
            _ => self.bytes(text.as_bytes()),
        }
    }

    /// A value as one JSON document, indented, with a line end.
    pub fn value(&mut self, value: &impl Serialize) -> Result<(), CommandError> {
        let written = serde_json::to_writer_pretty(&mut self.stdout, value);
        written.map_err(|error| CommandError::stdout(error.into()))?;
        self.bytes(b"\n")
    }

    /// Hands all data to the system. Called once at the end; a command calls it before something that must not happen
    /// when its data could not be written.
    pub fn flush(&mut self) -> Result<(), CommandError> {
        self.stdout.flush().map_err(CommandError::stdout)
    }

    /// Help that was asked for: data.
    pub fn help(&mut self, text: &clap::builder::StyledStr) -> Result<(), CommandError> {
        let text = text.ansi().to_string();
        let text = text.trim_end_matches('\n');
        self.line(text).and_then(|()| self.flush())
    }

    /// What is wrong with the arguments.
    pub fn usage(&mut self, text: &clap::builder::StyledStr) {
        self.talk(&text.ansi().to_string());
    }

    /// Says what happens.
    pub fn note(&mut self, text: impl Display) {
        self.talk(&format!("{text}\n"));
    }

    /// Says what the user should know although the command goes on.
    pub fn warn(&mut self, text: impl Display) {
        self.talk(&format!("{WARNING}warning:{WARNING:#} {text}\n"));
    }

    /// Says why the command failed: text, or a JSON object with `--json`.
    pub fn error(&mut self, error: &CommandError) {
        if self.json {
            return self.talk(&format!("{}\n", error.to_json()));
        }
        let mut text = format!("{ERROR}error:{ERROR:#} {error}\n");
        for cause in error.causes() {
            text.push_str(&format!("  because: {cause}\n"));
        }
        for hint in error.hints() {
            text.push_str(&format!("{HINT}hint:{HINT:#} {hint}\n"));
        }
        self.talk(&text);
    }

    /// Progress of long work with `total` steps: a bar on a terminal, a line at each tenth elsewhere.
    pub fn progress(&mut self, what: &str, total: u64) -> Progress<'_> {
        let bar = io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr());
            if let Ok(style) = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len}") {
                bar.set_style(style);
            }
            bar.set_message(what.to_owned());
            bar
        });
        let progress = Progress {
            out: self,
            bar,
            what: what.to_owned(),
            total,
            done: 0,
        };
        if progress.bar.is_none() {
            progress.out.note(format_args!("{what}: {total} to do"));
        }
        progress
    }

    fn talk(&mut self, text: &str) {
        if self.mute {
            return;
        }
        // What is said belongs behind the data that was written before it.
        let colors = match self.choice {
            ColorChoice::Always => ColorChoice::Always,
            ColorChoice::Never => ColorChoice::Never,
            _ => AutoStream::choice(&io::stderr()),
        };
        let mut stderr = AutoStream::new(io::stderr().lock(), colors);
        self.mute = stderr.write_all(text.as_bytes()).is_err();
    }
}

/// Progress of long work; ends when dropped.
#[derive(Debug)]
pub struct Progress<'a> {
    out: &'a mut Output,
    bar: Option<ProgressBar>,
    what: String,
    total: u64,
    done: u64,
}

impl Progress<'_> {
    /// `steps` more are done.
    pub fn advance(&mut self, steps: u64) {
        let before = self.done;
        self.done += steps;
        match &self.bar {
            Some(bar) => bar.set_position(self.done),
            None => {
                let tenth = |done: u64| done * 10 / self.total.max(1);
                if tenth(self.done) > tenth(before) {
                    let line = format!("{}: {} of {}", self.what, self.done, self.total);
                    self.out.note(line);
                }
            }
        }
    }
}

impl Drop for Progress<'_> {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
