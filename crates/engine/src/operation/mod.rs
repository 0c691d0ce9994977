//! Operations: everything long. A kind is a table of steps; workers run them, and go on where another one was killed.
//!
//! A step looks at the world, makes at most one external effect, and can be run again at any time. Before an effect it saves
//! what it is about to do ([`StepContext::save`]); when it runs again it looks for that effect first. Errors that it returns
//! with `?` are technical: it is run again after a while. What a rule refuses is [`Outcome::Failed`].

mod blocked;
mod cause;
mod context;
mod decide;
pub mod follow;
mod lease;
mod open;
pub mod promote;
mod run;

use std::error::Error;
use std::path::PathBuf;
use std::pin::Pin;
use std::time::UNIX_EPOCH;

use syncline_domain::time::Millis;
use syncline_salesforce::Clock;
use syncline_store::Store;

use crate::command::Allowed;
use crate::deployment::Limits;
use crate::org::login::Orgs;

pub use blocked::{Blocked, blocked};
pub use context::StepContext;
pub use decide::{Decision, OperationError, answer, approve, attach, cancel, retry, start};
pub use lease::Lease;
pub use open::{database, finish, open, worker_name};
pub(crate) use run::run;
pub use syncline_domain::operation::{Outcome, Problem, Question, QuestionKind, State};
pub use syncline_store::{Operation, StoreError};

/// The kinds of operations that this program knows.
pub const KINDS: &[&Kind] = &[&promote::PROMOTE, &promote::ROLLBACK, &promote::REVERT, &follow::FOLLOW];

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

impl Kind {
    /// A step by its name; the first one without a name.
    pub fn step(&self, name: Option<&str>) -> Option<&'static StepDef> {
        match name {
            None => self.steps.first(),
            Some(name) => self.steps.iter().find(|step| step.name == name),
        }
    }

    /// The step behind another one.
    fn after(&self, name: &str) -> Option<&'static StepDef> {
        let at = self.steps.iter().position(|step| step.name == name)?;
        self.steps.get(at + 1)
    }
}

/// A step of a kind.
#[derive(Debug)]
pub struct StepDef {
    /// Its name in the database: `read-back`. Small letters and `-`.
    pub name: &'static str,
    /// In words: "reads back what was deployed".
    pub title: &'static str,
    /// The operation may end before this step, also while it waits in it: nothing would be left half done.
    pub may_stop: bool,
    /// What it does.
    pub run: StepFn,
}

/// What a step does. A step runs on a thread of its own: it may block, and its future need not be `Send`.
pub type StepFn = for<'a> fn(&'a mut StepContext) -> StepFuture<'a>;

/// A running step.
pub type StepFuture<'a> = Pin<Box<dyn Future<Output = Result<Outcome, StepError>> + 'a>>;

/// Something that a step could not do. Made of any error by `?`.
#[derive(Debug)]
pub struct StepError {
    problem: Box<Problem>,
    remedy: Remedy,
}

/// What helps against it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Remedy {
    /// Time: it becomes [`Outcome::Errored`] and is tried again.
    Time,
    /// A person who mends it: it becomes [`Outcome::Stuck`].
    Person,
    /// Nothing, the work itself is refused: it becomes [`Outcome::Failed`].
    Nothing,
}

impl StepError {
    fn of(problem: Problem, remedy: Remedy) -> Self {
        Self {
            problem: Box::new(problem),
            remedy,
        }
    }

    /// A technical failure in words, which may pass.
    pub fn new(problem: Problem) -> Self {
        Self::of(problem, Remedy::Time)
    }

    /// One that only a person can mend.
    pub fn stuck(problem: Problem) -> Self {
        Self::of(problem, Remedy::Person)
    }

    /// Trying again does not help.
    pub fn refused(problem: Problem) -> Self {
        Self::of(problem, Remedy::Nothing)
    }

    fn outcome(self) -> Outcome {
        let problem = *self.problem;
        match self.remedy {
            Remedy::Time => Outcome::Errored {
                problem,
                retry_at: None,
            },
            Remedy::Person => Outcome::Stuck { problem },
            Remedy::Nothing => Outcome::Failed { problem },
        }
    }
}

impl<E: Error + 'static> From<E> for StepError {
    fn from(error: E) -> Self {
        cause::told(&error)
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
    /// Programs of the repository that may run on this machine.
    pub commands: Allowed,
    /// What one deployment takes.
    pub limits: Limits,
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

/// The end of an id, by which people name an operation.
pub fn short(id: &str) -> &str {
    id.get(id.len().saturating_sub(8)..).unwrap_or(id)
}

/// The time of a clock; one before 1970 is no clock.
pub fn now(clock: &Clock) -> Millis {
    let since = clock.now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Millis::try_from(since.as_millis()).unwrap_or(Millis::MAX)
}
