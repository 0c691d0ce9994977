//! An error as data: what went wrong and why, outermost first.

use std::error::Error;

use serde::{Deserialize, Serialize};

/// What went wrong, for a report that goes on to other targets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// What was attempted, what is wrong and what to do.
    pub message: String,
    /// The causes, outermost first.
    pub causes: Vec<String>,
    /// Somebody else was faster: trying again helps.
    pub again: bool,
}

impl Problem {
    /// Reads an error with its causes.
    pub fn of(error: &dyn Error) -> Self {
        let mut causes = Vec::new();
        let mut next = error.source();
        while let Some(cause) = next {
            causes.push(cause.to_string());
            next = cause.source();
        }
        Self {
            message: error.to_string(),
            causes,
            again: false,
        }
    }
}
