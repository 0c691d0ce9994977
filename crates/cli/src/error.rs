//! Errors as the user sees them: kind, stable code, message with its causes, hints.

use std::error::Error;
use std::fmt;

use serde_json::{Value, json};
use syncline_metadata::merge::MergeError;
use syncline_metadata::xml::XmlError;

/// Exit code when the reader of standard output is gone, as if SIGPIPE had ended the process: 128 + 13.
pub const CLOSED_PIPE: u8 = 141;

/// Whose turn it is after an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// What was asked for cannot be done as asked: arguments, files, names.
    User,
    /// A configuration file or setting is wrong.
    Config,
    /// It could be done, but a rule does not allow it.
    Refused,
    /// Another program or server failed: git, Salesforce.
    Upstream,
    /// A defect of this program.
    Internal,
}

impl Kind {
    /// The exit code; the only place. One code for all errors: 1 means differences or conflicts, and the kind stands in
    /// the JSON of an error. docs/reference/exit-codes.md lists them.
    pub fn exit_code(self) -> u8 {
        2
    }

    /// The name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Config => "config",
            Self::Refused => "refused",
            Self::Upstream => "upstream",
            Self::Internal => "internal",
        }
    }
}

/// Why a command failed. The text says what was attempted, the source why it did not work, the hints what to do.
#[derive(Debug)]
pub struct CommandError {
    /// Whose turn it is.
    pub kind: Kind,
    /// Stable text for programs, `file.unreadable`: never changed once released.
    pub code: &'static str,
    message: String,
    source: Option<Box<dyn Error + Send + Sync>>,
    hints: Vec<String>,
}

impl CommandError {
    /// An error of the given kind and code.
    pub fn new(kind: Kind, code: &'static str, message: impl fmt::Display) -> Self {
        Self {
            kind,
            code,
            message: message.to_string(),
            source: None,
            hints: Vec::new(),
        }
    }

    /// An error in what the user asked for.
    pub fn user(code: &'static str, message: impl fmt::Display) -> Self {
        Self::new(Kind::User, code, message)
    }

    /// Adds the cause.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Takes over the causes of an error whose own text is the message already.
    #[must_use]
    pub fn with_source_of(mut self, error: impl Error) -> Self {
        let mut causes = Vec::new();
        let mut next = error.source();
        while let Some(cause) = next {
            causes.push(cause.to_string());
            next = cause.source();
        }
        self.source = Causes::chain(causes);
        self
    }

    /// Adds what the user can do.
    #[must_use]
    pub fn hint(mut self, hint: impl fmt::Display) -> Self {
        self.hints.push(hint.to_string());
        self
    }

    /// Standard output cannot be written.
    pub fn stdout(error: std::io::Error) -> Self {
        let code = match error.kind() {
            std::io::ErrorKind::BrokenPipe => "output.closed",
            _ => "output.unwritable",
        };
        Self::user(code, "could not write to standard output").because(error)
    }

    /// Whether the reader of standard output has gone, which is no news to anybody.
    pub fn is_closed_pipe(&self) -> bool {
        self.code == "output.closed"
    }

    /// The causes, outermost first.
    pub fn causes(&self) -> Vec<String> {
        let mut causes = Vec::new();
        let mut next: Option<&(dyn Error + 'static)> = self.source();
        while let Some(cause) = next {
            causes.push(cause.to_string());
            next = cause.source();
        }
        causes
    }

    /// What the user can do.
    pub fn hints(&self) -> &[String] {
        &self.hints
    }

    /// `{"error": {"kind", "code", "message", "causes", "hints"}}`.
    pub fn to_json(&self) -> Value {
        json!({"error": {
            "kind": self.kind.name(),
            "code": self.code,
            "message": self.message,
            "causes": self.causes(),
            "hints": self.hints,
        }})
    }
}

impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for CommandError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

/// Causes kept as text, so that an error need not outlive its report.
#[derive(Debug)]
struct Causes {
    text: String,
    next: Option<Box<dyn Error + Send + Sync>>,
}

impl Causes {
    fn chain(causes: Vec<String>) -> Option<Box<dyn Error + Send + Sync>> {
        causes
            .into_iter()
            .rev()
            .fold(None, |next, text| Some(Box::new(Self { text, next })))
    }
}

impl fmt::Display for Causes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Error for Causes {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.next.as_deref().map(|next| next as _)
    }
}

impl From<MergeError> for CommandError {
    fn from(error: MergeError) -> Self {
        match error {
            MergeError::Unreadable { source, .. } => {
                let hint = xml_hint(&source);
                Self::user("merge.unreadable", "could not read a side of the merge")
                    .because(source)
                    .hint(hint)
            }
            MergeError::Breaks { .. } => Self::user("merge.resolution", error),
        }
    }
}

/// What to do about a file that cannot be read as XML.
pub fn xml_hint(error: &XmlError) -> &'static str {
    match error {
        XmlError::NotUtf8 { .. } => {
            "Salesforce writes UTF-8; convert the file, or give the path of a binary file with --path"
        }
        XmlError::Dtd { .. } => "Salesforce writes none; delete the DOCTYPE",
        XmlError::Malformed { .. } => "correct the file at that line, or retrieve it anew",
        XmlError::Markers { .. } => "choose between the sides, delete the marker lines and try again",
        XmlError::TooLarge { .. } => "no Salesforce metadata file is that large; is it the right file?",
        XmlError::TooDeep { .. } => "no Salesforce metadata is nested that deep; is it the right file?",
    }
}
