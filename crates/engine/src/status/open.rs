//! Operations that are not over, in short: what runs in an environment, waits, or asks.

use serde::Serialize;
use syncline_domain::operation::State;
use syncline_store::{Filter, Operation, Store, StoreError};

use super::Status;

/// An operation that is not over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OpenOperation {
    /// Its id; people write the end of it.
    pub id: String,
    /// What it is: `promote`, `rollback`, `revert`.
    pub kind: String,
    /// Where it stands.
    pub state: State,
    /// The step that runs or waits; `None` before the first one.
    pub step: Option<String>,
    /// What a person is asked.
    pub question: Option<String>,
    /// Why it waits, in words.
    pub message: Option<String>,
}

impl From<&Operation> for OpenOperation {
    fn from(operation: &Operation) -> Self {
        let question = operation.question.as_ref();
        Self {
            id: operation.id.clone(),
            kind: operation.kind.clone(),
            state: operation.state,
            step: operation.step.clone(),
            question: question.map(|question| question.text.clone()),
            message: operation.message.clone(),
        }
    }
}

/// All operations that are not over, the oldest first.
pub async fn open_operations(store: &Store) -> Result<Vec<Operation>, StoreError> {
    let filter = Filter {
        open: true,
        ..Filter::default()
    };
    let mut open = store.operations(&filter).await?;
    open.reverse();
    Ok(open)
}

/// Those of an environment.
pub fn of_environment(operations: &[Operation], name: &str) -> Vec<OpenOperation> {
    operations
        .iter()
        .filter(|operation| operation.environment.as_deref() == Some(name))
        .map(OpenOperation::from)
        .collect()
}

impl Status {
    /// Adds the operations that are not over to their environments.
    #[must_use]
    pub fn with(mut self, operations: &[Operation]) -> Self {
        for environment in &mut self.environments {
            environment.operations = of_environment(operations, &environment.name);
        }
        self
    }
}
