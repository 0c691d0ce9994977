//! `syncline operation watch`.

use std::sync::Arc;
use std::time::Duration;

use syncline_engine::operation::{Operation, Runtime, State, blocked, short};

use super::{progress, status};
use crate::Status;
use crate::error::CommandError;
use crate::output::Output;

/// How often the database is looked at.
const LOOK: Duration = Duration::from_millis(500);

/// Tells each change until the operation waits for a person or has ended.
pub(super) async fn watch(
    runtime: &Arc<Runtime>,
    mut operation: Operation,
    out: &mut Output,
) -> Result<Status, CommandError> {
    let mut told = String::new();
    loop {
        let step = operation.step.as_deref().unwrap_or("not begun");
        let done = operation.progress.as_ref().map(progress).unwrap_or_default();
        let waits = blocked(runtime, &operation).await?.map(|blocked| blocked.words());
        let message = waits.as_deref().or(operation.message.as_deref()).unwrap_or_default();
        let text = format!(
            "{}: {}, {step}  {done}  {message}",
            short(&operation.id),
            operation.state
        );
        if text != told {
            match out.json() {
                true => out.line(serde_json::json!(operation))?,
                false => out.line(text.trim_end())?,
            }
            out.flush()?;
            told = text;
        }
        match operation.state {
            State::Queued | State::Running | State::Waiting => {}
            State::NeedsPerson | State::Succeeded | State::Failed | State::Errored | State::Cancelled => {
                return Ok(status(&operation));
            }
        }
        runtime.clock.sleep(LOOK).await;
        operation = runtime.store.operation(&operation.id).await?;
    }
}
