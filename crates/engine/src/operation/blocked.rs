//! Why an operation does not begin: another one has its org.

use serde::Serialize;
use syncline_domain::operation::State;
use syncline_store::{Operation, StoreError};

use super::{Runtime, short};

/// The operation that another one waits for, and what a person can do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Blocked {
    /// The id of the one that has the org.
    pub by: String,
    /// Who began it.
    pub actor: String,
    /// Its kind.
    pub kind: String,
    /// The environment that it changes.
    pub environment: Option<String>,
    /// Where it stands.
    pub state: State,
    /// The step that it is at.
    pub step: Option<String>,
    /// What it says.
    pub message: Option<String>,
    /// What helps, most helpful first.
    pub hints: Vec<String>,
}

impl Blocked {
    /// In a line, without the hints.
    pub fn words(&self) -> String {
        let environment = self.environment.as_deref().unwrap_or("its org");
        let at = self.step.as_ref().map(|step| format!(" at {step}")).unwrap_or_default();
        format!(
            "the operation {} of {} has {environment} first: {}, {}{at}",
            short(&self.by),
            self.actor,
            self.kind,
            self.state
        )
    }
}

/// Who has the org of an operation that waits for it; `None` when nobody else has.
pub async fn blocked(runtime: &Runtime, operation: &Operation) -> Result<Option<Blocked>, StoreError> {
    if operation.state.is_terminal() {
        return Ok(None);
    }
    let Some(holder) = runtime.store.holder(operation).await? else {
        return Ok(None);
    };
    let hints = hints(runtime, &holder);
    Ok(Some(Blocked {
        by: holder.id,
        actor: holder.actor,
        kind: holder.kind,
        environment: holder.environment,
        state: holder.state,
        step: holder.step,
        message: holder.message,
        hints,
    }))
}

fn hints(runtime: &Runtime, holder: &Operation) -> Vec<String> {
    let id = short(&holder.id);
    match holder.state {
        State::Errored => {
            let kind = runtime.kind(&holder.kind);
            let step = kind.and_then(|kind| kind.step(holder.step.as_deref()));
            let cancel = match holder.step.is_none() || step.is_some_and(|step| step.may_stop) {
                true => format!("`syncline operation cancel {id} --reason TEXT` gives it up"),
                false => "it cannot be given up, because the org may be half done".to_owned(),
            };
            vec![format!("`syncline operation retry {id}` goes on with it"), cancel]
        }
        State::NeedsPerson => vec![format!("`syncline operation show {id}` tells what it asks")],
        _ => vec![format!(
            "it goes on by itself; `syncline operation watch {id}` follows it"
        )],
    }
}
