//! What a step has in hand.

use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use syncline_domain::audit::Draft;
use syncline_domain::operation::Problem;
use syncline_domain::time::Millis;
use syncline_store::{Claim, Interim, Operation, Signal, StoreError, about};

use super::lease::Lease;
use super::{Runtime, StepError};
use crate::worker::Stop;

/// What a step has in hand: the world, the operation as it was claimed, what earlier steps kept.
#[derive(Debug)]
pub struct StepContext {
    /// Database, repository, logins, time.
    pub runtime: Arc<Runtime>,
    /// The operation as it was when this worker claimed it. What it keeps is in `data`.
    pub operation: Operation,
    /// What the steps keep. It is saved when the step ends, and by [`StepContext::save`].
    pub data: Value,
    /// The worker's lease: look at [`Lease::is_lost`] right before an external effect.
    pub lease: Lease,
    /// The worker is to stop: a step that waits for long can return [`Wait`](super::Outcome::Wait) now.
    pub stop: Stop,
    pub(super) claim: Claim,
    pub(super) signals: Vec<Signal>,
    pub(super) consumed: Vec<String>,
    pub(super) audit: Vec<Draft>,
    pub(super) message: Option<String>,
}

impl StepContext {
    /// The time.
    pub fn now(&self) -> Millis {
        self.runtime.now()
    }

    /// What was asked for.
    pub fn params<T: DeserializeOwned>(&self) -> Result<T, StepError> {
        read(&self.operation.params, "parameters")
    }

    /// What the steps keep, as a type. A type with defaults reads the empty object that an operation begins with.
    pub fn data<T: DeserializeOwned>(&self) -> Result<T, StepError> {
        read(&self.data, "data")
    }

    /// Replaces what the steps keep.
    pub fn set_data(&mut self, data: &impl Serialize) -> Result<(), StepError> {
        self.data = serde_json::to_value(data)?;
        Ok(())
    }

    /// Writes `data`, the audit entries so far and the signals taken so far, at once. An error means that nothing was written;
    /// when the lease is lost there is one. An intent is saved before its effect.
    pub async fn save(&mut self) -> Result<(), StepError> {
        if self.lease.is_lost() {
            self.lease.lose();
        }
        let interim = Interim {
            data: self.data.clone(),
            message: self.message.clone(),
            consumed: self.consumed.clone(),
            audit: self.audit.clone(),
        };
        let saved = self.runtime.store.save(&self.claim, &interim, self.now()).await;
        if let Err(StoreError::Lost { .. }) = saved {
            self.lease.lose();
        }
        saved?;
        self.consumed.clear();
        self.audit.clear();
        Ok(())
    }

    /// Signals of a name that no step has taken in yet, the oldest first. They count as taken in with the next save.
    pub fn signals(&mut self, name: &str) -> Vec<Signal> {
        let (taken, kept) = std::mem::take(&mut self.signals)
            .into_iter()
            .partition(|signal| signal.name == name);
        self.signals = kept;
        let taken: Vec<Signal> = taken;
        self.consumed.extend(taken.iter().map(|signal| signal.id.clone()));
        taken
    }

    /// Notes what happens to the operation; it is written with the next save. An entry is `opened` before an effect (and saved),
    /// and closed after it: `succeeded`, `failed`.
    pub fn audit(&mut self, action: &str, outcome: &str, details: Value) {
        let actor = &self.operation.actor;
        self.audit
            .push(about(&self.operation, actor, action, outcome, details, self.now()));
    }

    /// A person asked to cancel. A step that can stop what it waits for may do so.
    pub fn is_cancelling(&self) -> bool {
        self.lease.is_cancelling()
    }

    /// Everything that is to be written with the end of the step.
    pub(super) fn take(&mut self) -> Interim {
        Interim {
            data: self.data.clone(),
            message: self.message.take(),
            consumed: std::mem::take(&mut self.consumed),
            audit: std::mem::take(&mut self.audit),
        }
    }

    /// What people read of the operation from now on.
    pub fn say(&mut self, message: impl Into<String>) {
        self.message = Some(message.into());
    }

    /// Tells others how far the step is: `done` of `total` units ("components", "tests"). The expected end is worked out from
    /// `since`, when the counted work began.
    pub async fn progress(&self, done: u64, total: u64, unit: &str, since: Millis) -> Result<(), StepError> {
        let now = self.now();
        let progress = json!({
            "done": done,
            "total": total,
            "unit": unit,
            "ends_at": ends_at(done, total, since, now),
        });
        let told = self.runtime.store.progress(&self.claim, &progress, now).await;
        if let Err(StoreError::Lost { .. }) = told {
            self.lease.lose();
        }
        Ok(told?)
    }
}

/// When work ends that goes on as fast as until now.
fn ends_at(done: u64, total: u64, since: Millis, now: Millis) -> Option<Millis> {
    let spent = u128::try_from(now.checked_sub(since)?).ok()?;
    let left = u128::from(total.checked_sub(done)?) * spent / u128::from(Some(done).filter(|done| *done > 0)?);
    now.checked_add(Millis::try_from(left).ok()?)
}

fn read<T: DeserializeOwned>(value: &Value, what: &str) -> Result<T, StepError> {
    T::deserialize(value).map_err(|error| {
        let message = format!("the operation's {what} are not of the form that this program writes");
        StepError::new(Problem::new("operation.form", message).details(json!({"causes": [error.to_string()]})))
    })
}

#[cfg(test)]
mod tests {
    use super::ends_at;

    #[test]
    fn the_end_is_as_far_as_the_speed_says() {
        assert_eq!(ends_at(0, 10, 0, 1_000), None);
        assert_eq!(ends_at(5, 10, 0, 1_000), Some(2_000));
        assert_eq!(ends_at(10, 10, 0, 1_000), Some(1_000));
        assert_eq!(ends_at(11, 10, 0, 1_000), None);
        assert_eq!(ends_at(1, 10, 2_000, 1_000), None, "a clock that went back");
    }
}
