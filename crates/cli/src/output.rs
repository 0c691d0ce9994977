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

    /// Progress of long work with `total` steps: a bar on a terminal, lines elsewhere and where CI is set.
    pub fn progress(&self, what: &str, total: u64) -> Progress {
        let terminal = io::stderr().is_terminal() && std::env::var_os("CI").is_none();
        let bar = terminal.then(|| {
            let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr());
            if let Ok(style) = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len}") {
                bar.set_style(style);
            }
            bar.set_message(what.to_owned());
            bar
        });
        let mut progress = Progress {
            bar,
            what: what.to_owned(),
            total,
            done: 0,
            mute: self.mute,
        };
        progress.advance(0);
        progress
    }

    fn talk(&mut self, text: &str) {
        if self.mute {
            return;
        }
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
pub struct Progress {
    bar: Option<ProgressBar>,
    what: String,
    total: u64,
    done: u64,
    mute: bool,
}

impl Progress {
    /// `steps` more are done.
    pub fn advance(&mut self, steps: u64) {
        let before = self.done;
        self.done += steps;
        if let Some(bar) = &self.bar {
            bar.set_position(self.done);
        } else if let Some(line) = line(&self.what, before, self.done, self.total).filter(|_| !self.mute) {
            self.mute = io::stderr().write_all(line.as_bytes()).is_err();
        }
    }
}

/// The line for a log: at the beginning and when another tenth is done.
fn line(what: &str, before: u64, done: u64, total: u64) -> Option<String> {
    let tenth = |done: u64| done.saturating_mul(10) / total.max(1);
    let news = done == 0 || tenth(done) > tenth(before);
    news.then(|| format!("{what}: {done} of {total}\n"))
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::line;

    #[test]
    fn a_log_gets_a_line_at_each_tenth() {
        let lines = |total: u64| {
            (0..=total)
                .filter_map(|n| line("read", n.saturating_sub(1), n, total))
                .collect::<String>()
        };
        insta::assert_snapshot!(lines(2), @r#"
        read: 0 of 2
        read: 1 of 2
        read: 2 of 2
        "#);
        assert_eq!(lines(10_000).lines().count(), 11);
        assert_eq!(line("read", 0, 0, 0).as_deref(), Some("read: 0 of 0\n"));
    }
}
