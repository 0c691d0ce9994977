//! What can go wrong with an org, with a kind, a stable code and hints.

use std::time::Duration;

use crate::envelope::Fault;
use crate::guard::Refusal;
use crate::hint;

/// Result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Who has to act. The edges map it to exit codes and HTTP statuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The caller gave something wrong.
    User,
    /// The set-up is wrong: login, app, permission, URL.
    Config,
    /// We refuse to do it.
    Refused,
    /// Salesforce, or the way to it, failed.
    Upstream,
    /// This machine or this program failed.
    Internal,
}

/// A call to an org failed. No variant holds a token, a key or a body.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An argument is wrong.
    #[error("{what}")]
    Argument {
        /// What is wrong, and where.
        what: String,
    },
    /// This cannot be the address of an org.
    #[error("`{text}` is no address of an org: {why}")]
    Address {
        /// What was given.
        text: String,
        /// Why it cannot be one.
        why: &'static str,
    },
    /// A setting or a file that we need is wrong.
    #[error("{what}")]
    Configuration {
        /// What is wrong, and where.
        what: String,
        /// What helps.
        hint: &'static str,
    },
    /// A line of CSV is wrong.
    #[error("line {line} of the CSV: {what}")]
    Csv {
        /// The line, counted from 1.
        line: u64,
        /// What is wrong.
        what: String,
    },
    /// Salesforce's sign-in answered with an error (RFC 6749, section 5.2).
    #[error("{attempted}: {error}: {description}")]
    Login {
        /// What was attempted.
        attempted: String,
        /// The field `error`, as in `invalid_grant`.
        error: String,
        /// The field `error_description`.
        description: String,
    },
    /// The session ended, and this login cannot start another one.
    #[error("{attempted}: the session has ended, and this login cannot start another one")]
    SessionEnded {
        /// What was attempted.
        attempted: String,
    },
    /// We refuse to do it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Salesforce answered with errors of its own.
    #[error("{attempted}: {}", told(.faults))]
    Answered {
        /// What was attempted.
        attempted: String,
        /// The HTTP status.
        status: u16,
        /// The errors in the answer; at least one.
        faults: Vec<Fault>,
    },
    /// The answer is a web page or text: maintenance, a dead host, a gateway.
    #[error("{attempted}: the answer is no answer of the API, but HTTP {status}{}", titled(.title))]
    NotApi {
        /// What was attempted.
        attempted: String,
        /// The HTTP status.
        status: u16,
        /// The page's title or first words; may be empty.
        title: String,
    },
    /// The answer lacks what it has to hold.
    #[error("{attempted}: unexpected answer: {what}")]
    Unexpected {
        /// What was attempted.
        attempted: String,
        /// What is missing or wrong in it.
        what: String,
    },
    /// No connection, or a request that may be repeated got no answer.
    #[error("{attempted}: no answer from {host}")]
    Transport {
        /// What was attempted.
        attempted: String,
        /// The host.
        host: String,
        /// The reason, without the URL.
        source: reqwest::Error,
    },
    /// A request that changes something got no answer: it may have happened. Look before you repeat it.
    #[error("{attempted}: the outcome is unknown: {why}")]
    UnknownOutcome {
        /// What was attempted.
        attempted: String,
        /// What was seen instead of an answer.
        why: String,
    },
    /// A job ended, but not well.
    #[error("{what} {id} ended as {state}: {message}")]
    Job {
        /// The kind of job.
        what: &'static str,
        /// Its id.
        id: String,
        /// Its last state.
        state: String,
        /// What Salesforce says; may be empty.
        message: String,
    },
    /// Something was begun in the org and could be neither ended nor undone.
    #[error("{why}; the {what} {id} is left behind")]
    LeftBehind {
        /// The kind of thing.
        what: &'static str,
        /// Its id.
        id: String,
        /// What failed.
        why: Box<Error>,
    },
    /// It is not done within the time that the caller gave.
    #[error("{attempted}: not done after {} s", .after.as_secs())]
    TimedOut {
        /// What was attempted.
        attempted: String,
        /// The time given.
        after: Duration,
    },
    /// A file, a pipe or a socket of this machine failed.
    #[error("{attempted}")]
    Io {
        /// What was attempted.
        attempted: String,
        /// The reason.
        source: std::io::Error,
    },
    /// Something that cannot happen did.
    #[error("{what}")]
    Internal {
        /// What happened.
        what: String,
    },
}

impl Error {
    /// Who has to act.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Argument { .. } | Self::Address { .. } | Self::Csv { .. } => Kind::User,
            Self::Configuration { .. } | Self::Login { .. } | Self::SessionEnded { .. } => Kind::Config,
            Self::Refused(_) => Kind::Refused,
            Self::LeftBehind { why, .. } => why.kind(),
            Self::Answered { faults, .. } => hint::kind_of(faults),
            Self::Job { message, .. } => hint::job(message).0,
            Self::NotApi { .. }
            | Self::Unexpected { .. }
            | Self::Transport { .. }
            | Self::UnknownOutcome { .. }
            | Self::TimedOut { .. } => Kind::Upstream,
            Self::Io { .. } | Self::Internal { .. } => Kind::Internal,
        }
    }

    /// A stable name of the failure for programs, as in `production_write`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Argument { .. } => "bad_argument",
            Self::Address { .. } => "bad_address",
            Self::Configuration { .. } => "bad_configuration",
            Self::Csv { .. } => "bad_csv",
            Self::Login { .. } => "login_refused",
            Self::SessionEnded { .. } => "session_ended",
            Self::Refused(refusal) => refusal.code(),
            Self::Answered { .. } => "salesforce_error",
            Self::NotApi { .. } => "no_api_answer",
            Self::Unexpected { .. } => "unexpected_answer",
            Self::Transport { .. } => "no_answer",
            Self::UnknownOutcome { .. } => "unknown_outcome",
            Self::Job { .. } => "job_failed",
            Self::LeftBehind { why, .. } => why.code(),
            Self::TimedOut { .. } => "timed_out",
            Self::Io { .. } => "io_failed",
            Self::Internal { .. } => "internal",
        }
    }

    /// What helps, most helpful first.
    pub fn hints(&self) -> Vec<String> {
        match self {
            Self::Address { .. } => vec![hint::ADDRESS.to_owned()],
            Self::Configuration { hint, .. } => vec![(*hint).to_owned()],
            Self::Csv { .. } => vec![hint::CSV.to_owned()],
            Self::Login { error, description, .. } => hint::login(error, description),
            Self::SessionEnded { .. } => vec![hint::SESSION_ENDED.to_owned()],
            Self::Refused(refusal) => vec![refusal.hint()],
            Self::Answered { faults, .. } => hint::faults(faults),
            Self::NotApi { status, .. } => hint::not_api(*status),
            Self::LeftBehind { why, .. } => why.hints(),
            Self::Transport { .. } => vec![hint::NO_ANSWER.to_owned()],
            Self::UnknownOutcome { .. } => vec![hint::UNKNOWN_OUTCOME.to_owned()],
            Self::Unexpected { .. } => vec![hint::UNEXPECTED.to_owned()],
            Self::Job { message, .. } => vec![hint::job(message).1.to_owned()],
            Self::TimedOut { .. } => vec![hint::TIMED_OUT.to_owned()],
            // What they say is all there is to know.
            Self::Argument { .. } | Self::Io { .. } | Self::Internal { .. } => Vec::new(),
        }
    }

    /// Salesforce's errors, where it answered with some.
    pub fn faults(&self) -> &[Fault] {
        match self {
            Self::Answered { faults, .. } => faults,
            _ => &[],
        }
    }

    /// Whether Salesforce answered with this `errorCode` or `statusCode`, as in `INVALID_TYPE`.
    pub fn has_fault(&self, code: &str) -> bool {
        self.faults().iter().any(|fault| fault.code == code)
    }

    /// The HTTP status, where there was an answer.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Answered { status, .. } | Self::NotApi { status, .. } => Some(*status),
            _ => None,
        }
    }

    pub(crate) fn argument(what: impl Into<String>) -> Self {
        Self::Argument { what: what.into() }
    }

    pub(crate) fn unexpected(attempted: &str, what: impl Into<String>) -> Self {
        Self::Unexpected {
            attempted: attempted.to_owned(),
            what: what.into(),
        }
    }

    pub(crate) fn io(attempted: impl Into<String>, source: std::io::Error) -> Self {
        Self::Io {
            attempted: attempted.into(),
            source,
        }
    }
}

fn told(faults: &[Fault]) -> String {
    faults.iter().map(Fault::to_string).collect::<Vec<_>>().join("; ")
}

fn titled(title: &str) -> String {
    if title.is_empty() {
        String::new()
    } else {
        format!(" with \"{title}\"")
    }
}
