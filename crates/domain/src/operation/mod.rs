//! A long piece of work: ordered steps, each of which says how it ended.

mod outcome;
mod retry;
mod state;

pub use outcome::{Answer, Outcome, Problem, Question, QuestionError, QuestionKind};
pub use retry::{ATTEMPTS, retry_at};
pub use state::{Change, Event, Refusal, Standing, State};
