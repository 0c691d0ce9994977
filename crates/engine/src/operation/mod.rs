//! Operations: everything long. A kind is a table of steps; workers run them, and go on where another one was killed.
//!
//! A step looks at the world, makes at most one external effect, and can be run again at any time. Before an effect it saves
//! what it is about to do ([`StepContext::save`]); when it runs again it looks for that effect first. Errors that it returns
//! with `?` are technical: it is run again after a while. What a rule refuses is [`StepResult::Failed`].

mod context;
mod decide;
mod lease;
mod run;

use std::error::Error;
use std::path::PathBuf;
use std::pin::Pin;
use std::time::UNIX_EPOCH;

use syncline_domain::operation::Question;
use syncline_domain::time::Millis;
use syncline_salesforce::Clock;
use syncline_store::Store;

use crate::org::login::Orgs;
use crate::problem::Problem;

pub use context::StepContext;
pub use decide::{Decision, OperationError, answer, approve, cancel, retry, start};
pub use lease::Lease;
pub(crate) use run::run;

/// The kinds of operations that this program knows.
pub const KINDS: &[&Kind] = &[];

/// A kind of operation.
#[derive(Debug)]
pub struct Kind {
    /// Its name in the database and on the command line: `promote`. Small letters and `-`.
    pub name: &'static str,
    /// In words: "back-promotion to an org".
    pub title: &'static str,
    /// Its steps in their order; the first one begins.
    pub steps: &'static [StepDef],
}

/// A step of a kind.
#[derive(Debug)]
pub struct StepDef {
    /// Its name in the database: `read-back`. Small letters and `-`.
    pub name: &'static str,
    /// In words: "reads back what was deployed".
    pub title: &'static str,
    /// The operation can be cancelled before this step, also while it waits in it: nothing would be left half done.
    pub cancellable: bool,
    /// What it does.
    pub run: StepFn,
}

/// What a step does. A step runs on a thread of its own: it may block, and its future need not be `Send`.
pub type StepFn = for<'a> fn(&'a mut StepContext) -> StepFuture<'a>;

/// A running step.
pub type StepFuture<'a> = Pin<Box<dyn Future<Output = Result<StepResult, StepError>> + 'a>>;

/// How a step ends when nothing technical failed.
#[derive(Debug)]
pub enum StepResult {
    /// The next step of the table follows; after the last one the operation has succeeded.
    Done,
    /// Another step follows, also an earlier one.
    Next(&'static str),
    /// This step is run again at a time, or when a signal has come, whichever is first.
    Wait {
        /// When.
        until: Option<Millis>,
        /// The signal's name.
        signal: Option<String>,
        /// Why, for people.
        why: String,
    },
    /// This step is run again when the question was answered: by a signal of the question's name.
    NeedsPerson {
        /// The question.
        question: Question,
    },
    /// A rule refuses, or what was found does not allow it: the operation ends.
    Failed {
        /// What a person reads.
        problem: Problem,
    },
}

/// Something technical failed: the step is run again, later and at most a few times. Made of any error by `?`.
#[derive(Debug)]
pub struct StepError {
    /// What went wrong.
    pub problem: Problem,
    /// When to try again, if that is known better than by waiting longer each time.
    pub retry_at: Option<Millis>,
    /// Trying again does not help: the operation ends as errored.
    pub hopeless: bool,
}

impl StepError {
    /// A technical failure.
    pub fn new(problem: Problem) -> Self {
        Self {
            problem,
            retry_at: None,
            hopeless: false,
        }
    }

    /// A technical failure that passes at a known time.
    #[must_use]
    pub fn retry_at(mut self, at: Millis) -> Self {
        self.retry_at = Some(at);
        self
    }

    /// A failure that trying again does not change.
    #[must_use]
    pub fn hopeless(mut self) -> Self {
        self.hopeless = true;
        self
    }
}

impl<E: Error> From<E> for StepError {
    fn from(error: E) -> Self {
        Self::new(Problem::of(&error))
    }
}

/// What operations work with: one for a process.
#[derive(Debug, Clone)]
pub struct Runtime {
    /// The database.
    pub store: Store,
    /// The repository's folder.
    pub repository: PathBuf,
    /// The logins.
    pub orgs: Orgs,
    /// The time.
    pub clock: Clock,
    /// The kinds of operations: [`KINDS`].
    pub kinds: &'static [&'static Kind],
}

impl Runtime {
    /// The time.
    pub fn now(&self) -> Millis {
        now(&self.clock)
    }

    /// A kind by its name.
    pub fn kind(&self, name: &str) -> Option<&'static Kind> {
        self.kinds.iter().copied().find(|kind| kind.name == name)
    }
}

/// The time of a clock; one before 1970 is no clock.
pub fn now(clock: &Clock) -> Millis {
    let since = clock.now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Millis::try_from(since.as_millis()).unwrap_or(Millis::MAX)
}
