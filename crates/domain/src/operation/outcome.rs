//! How a step ended, as it is stored.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::time::Millis;

/// How a step ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// The next step follows.
    Done,
    /// Another step follows.
    Next {
        /// Its name.
        step: String,
    },
    /// The same step runs again later.
    Wait {
        /// At this time at the latest; `None` for never.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Millis>,
        /// When this signal comes.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        signal: Option<String>,
        /// What is waited for, for people.
        why: String,
    },
    /// The same step runs again when a person answered.
    NeedsPerson {
        /// What is asked.
        question: Question,
    },
    /// The work cannot be done as it was asked for: the operation ends.
    Failed {
        /// Why.
        problem: Problem,
    },
    /// Something beside the work broke: the step is tried again.
    Errored {
        /// What.
        problem: Problem,
        /// Not before this time; `None` for after the usual delay.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_at: Option<Millis>,
    },
    /// Something beside the work is wrong and does not mend itself: a person does, and has the step tried again.
    Stuck {
        /// What.
        problem: Problem,
    },
}

/// What went wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// Stable text for programs, `deploy.failed`.
    pub code: String,
    /// What is wrong and where, for people.
    pub message: String,
    /// What to do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hints: Vec<String>,
    /// More for programs: components, lines.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub details: Value,
}

impl Problem {
    /// A problem without hints and details.
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            message: message.into(),
            hints: Vec::new(),
            details: Value::Null,
        }
    }

    /// Adds what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Adds more for programs.
    #[must_use]
    pub fn details(mut self, details: Value) -> Self {
        self.details = details;
        self
    }
}

/// What a person is asked. It is told from others by `name`, and asked anew when `subject` changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// Unique in the operation, `conflicts`.
    pub name: String,
    /// What the answer is about: the digest of a package, the id of a merge. An answer to another subject is void.
    pub subject: String,
    /// The question.
    pub text: String,
    /// Which answers there are.
    pub kind: QuestionKind,
    /// More for programs.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub details: Value,
}

/// Which answers there are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum QuestionKind {
    /// That something was done outside: confirmed.
    Confirm,
    /// One of several.
    Choice {
        /// Their names.
        options: Vec<String>,
    },
    /// Conflicts are decided with their own command; then the operation goes on.
    Conflicts {
        /// How many are open.
        open: u32,
    },
    /// Approvals and evidence of gates.
    Gates,
    /// Any text.
    Text,
}

/// What a person said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The question's name.
    pub question: String,
    /// The question's subject, as the person saw it.
    pub subject: String,
    /// A choice's name, the text, or nothing.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub value: String,
    /// Who.
    pub by: String,
    /// When.
    pub at: Millis,
    /// A remark.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub comment: String,
}

/// An answer does not fit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QuestionError {
    /// Something else is asked.
    #[error("`{given}` is not asked; the question is `{asked}`")]
    Other {
        /// What was answered.
        given: String,
        /// What is asked.
        asked: String,
    },
    /// The question was about something that has changed since.
    #[error("what `{0}` is about has changed since it was read; look at it again, then answer")]
    Changed(String),
    /// No such choice.
    #[error("`{given}` is no answer to `{asked}`; choose one of {options}")]
    NoOption {
        /// What was answered.
        given: String,
        /// The question.
        asked: String,
        /// All names.
        options: String,
    },
    /// The text is missing.
    #[error("`{0}` asks for a text, and none was given")]
    Empty(String),
    /// It is answered in another way.
    #[error("`{asked}` is not answered with a text; {hint}")]
    Elsewhere {
        /// The question.
        asked: String,
        /// How.
        hint: &'static str,
    },
}

impl Question {
    /// Whether an answer fits.
    pub fn accepts(&self, answer: &Answer) -> Result<(), QuestionError> {
        let asked = || self.name.clone();
        if answer.question != self.name {
            return Err(QuestionError::Other {
                given: answer.question.clone(),
                asked: asked(),
            });
        }
        if answer.subject != self.subject {
            return Err(QuestionError::Changed(asked()));
        }
        match &self.kind {
            QuestionKind::Confirm => Ok(()),
            QuestionKind::Text if answer.value.trim().is_empty() => Err(QuestionError::Empty(asked())),
            QuestionKind::Text => Ok(()),
            QuestionKind::Choice { options } if options.contains(&answer.value) => Ok(()),
            QuestionKind::Choice { options } => Err(QuestionError::NoOption {
                given: answer.value.clone(),
                asked: asked(),
                options: options.join(", "),
            }),
            QuestionKind::Conflicts { .. } => Err(QuestionError::Elsewhere {
                asked: asked(),
                hint: "decide the conflicts, the operation then goes on",
            }),
            QuestionKind::Gates => Err(QuestionError::Elsewhere {
                asked: asked(),
                hint: "approve it, or attach the evidence",
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_fit_questions() {
        let check = |kind: QuestionKind, name: &str, subject: &str, value: &str, expect: &str| {
            let question = Question {
                name: "how".to_owned(),
                subject: "abc".to_owned(),
                text: "How?".to_owned(),
                kind,
                details: Value::Null,
            };
            let answer = Answer {
                question: name.to_owned(),
                subject: subject.to_owned(),
                value: value.to_owned(),
                by: "kim".to_owned(),
                at: 1,
                comment: String::new(),
            };
            let said = question.accepts(&answer).err().map(|error| error.to_string());
            assert_eq!(said.as_deref().unwrap_or("fits"), expect);
        };
        let choice = || QuestionKind::Choice {
            options: vec!["adopt".to_owned(), "revert".to_owned()],
        };
        check(choice(), "how", "abc", "adopt", "fits");
        check(
            choice(),
            "how",
            "abc",
            "",
            "`` is no answer to `how`; choose one of adopt, revert",
        );
        check(
            choice(),
            "who",
            "abc",
            "adopt",
            "`who` is not asked; the question is `how`",
        );
        check(QuestionKind::Confirm, "how", "abc", "", "fits");
        check(
            QuestionKind::Confirm,
            "how",
            "old",
            "",
            "what `how` is about has changed since it was read; look at it again, then answer",
        );
        check(
            QuestionKind::Text,
            "how",
            "abc",
            " ",
            "`how` asks for a text, and none was given",
        );
        check(
            QuestionKind::Gates,
            "how",
            "abc",
            "yes",
            "`how` is not answered with a text; approve it, or attach the evidence",
        );
    }

    #[test]
    fn outcomes_have_one_form() {
        let check = |outcome: Outcome, json: &str| {
            assert_eq!(serde_json::to_string(&outcome).unwrap(), json);
            assert_eq!(serde_json::from_str::<Outcome>(json).unwrap(), outcome);
        };
        check(Outcome::Done, r#"{"outcome":"done"}"#);
        check(
            Outcome::Next {
                step: "merge".to_owned(),
            },
            r#"{"outcome":"next","step":"merge"}"#,
        );
        check(
            Outcome::Wait {
                until: Some(7),
                signal: None,
                why: "soak".to_owned(),
            },
            r#"{"outcome":"wait","until":7,"why":"soak"}"#,
        );
        check(
            Outcome::Errored {
                problem: Problem::new("org.unreachable", "no answer").hint("look at the network"),
                retry_at: None,
            },
            r#"{"outcome":"errored","problem":{"code":"org.unreachable","message":"no answer","hints":["look at the network"]}}"#,
        );
    }
}
