//! What is wrong in a configuration file: where, what, and what to do.

use std::ops::Range;

use serde::{Serialize, Serializer};

/// A configuration file cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{file} line {line}: {problem}{}", Hint(.hint))]
pub struct ConfigError {
    /// The file, from the root of the repository.
    pub file: String,
    /// Line from 1.
    pub line: usize,
    /// Which rule.
    pub code: Code,
    /// What is wrong.
    pub problem: String,
    /// What to do; empty where the problem says it.
    pub hint: String,
}

struct Hint<'a>(&'a str);

impl std::fmt::Display for Hint<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.0.is_empty() {
            Ok(())
        } else {
            write!(f, "; {}", self.0)
        }
    }
}

/// The rules that a configuration keeps. The names are stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Code {
    /// It is TOML with known keys and values of the right form.
    Syntax,
    /// Names of environments can be used in file names and refs, and follow the naming rule.
    Name,
    /// What is named exists.
    Unknown,
    /// The path does not lead in a circle.
    Circle,
    /// What belongs to one is not given twice.
    Twice,
    /// A way goes up to the next environment, or down.
    Way,
    /// A window ends after it begins, and has one form.
    Window,
    /// Keys that need each other stand together, and keys that exclude each other do not.
    Keys,
    /// An overlay's value is of its kind, and found again when it is taken out.
    Overlay,
}

impl Code {
    /// All.
    pub const ALL: [Self; 9] = [
        Self::Syntax,
        Self::Name,
        Self::Unknown,
        Self::Circle,
        Self::Twice,
        Self::Way,
        Self::Window,
        Self::Keys,
        Self::Overlay,
    ];

    /// The stable name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Syntax => "config.syntax",
            Self::Name => "config.name",
            Self::Unknown => "config.unknown",
            Self::Circle => "config.circle",
            Self::Twice => "config.twice",
            Self::Way => "config.way",
            Self::Window => "config.window",
            Self::Keys => "config.keys",
            Self::Overlay => "config.overlay",
        }
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// A file that is being checked, and what was found so far.
#[derive(Debug)]
pub(crate) struct Checked<'t> {
    file: &'t str,
    text: &'t str,
    pub(crate) errors: Vec<ConfigError>,
}

impl<'t> Checked<'t> {
    /// Reads the TOML of a file; the first mistake in its form is the only one told.
    pub(crate) fn read<T: serde::de::DeserializeOwned>(file: &'t str, text: &'t str) -> Result<(Self, T), ConfigError> {
        match toml::from_str(text) {
            Ok(value) => Ok((
                Self {
                    file,
                    text,
                    errors: Vec::new(),
                },
                value,
            )),
            Err(error) => Err(ConfigError {
                file: file.to_owned(),
                line: line_at(text, error.span().map_or(0, |span| span.start)),
                code: Code::Syntax,
                problem: error.message().to_owned(),
                hint: String::new(),
            }),
        }
    }

    /// Keeps a mistake.
    pub(crate) fn push(&mut self, at: Range<usize>, code: Code, problem: String, hint: impl Into<String>) {
        self.errors.push(ConfigError {
            file: self.file.to_owned(),
            line: line_at(self.text, at.start),
            code,
            problem,
            hint: hint.into(),
        });
    }

    /// The mistakes in the order of the file, if there are any.
    pub(crate) fn finish(mut self) -> Result<(), Vec<ConfigError>> {
        self.errors.sort_by_key(|error| error.line);
        if self.errors.is_empty() {
            Ok(())
        } else {
            Err(self.errors)
        }
    }
}

fn line_at(text: &str, at: usize) -> usize {
    let before = &text.as_bytes()[..at.min(text.len())];
    before.iter().filter(|byte| **byte == b'\n').count() + 1
}
