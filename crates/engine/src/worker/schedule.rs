//! Operations that begin at regular times, each instant once, whichever worker sees it first.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use syncline_domain::schedule::Schedule;
use syncline_domain::time::Millis;
use syncline_store::{NewOperation, StoreError};

use crate::operation::Runtime;

/// What begins at regular times.
#[derive(Debug, Clone)]
pub struct Scheduled {
    /// The schedule's name: unique.
    pub name: String,
    /// When.
    pub schedule: Schedule,
    /// What begins.
    pub request: Request,
}

/// An operation to begin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// The kind.
    pub kind: String,
    /// The environment.
    pub environment: Option<String>,
    /// Only one operation with this key runs at a time.
    pub exclusive_key: Option<String>,
    /// What is asked for.
    pub params: Value,
}

/// Why schedules cannot be kept.
#[derive(Debug, thiserror::Error)]
pub enum ScheduleError {
    /// The database refuses.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A request cannot be written.
    #[error("the schedule `{name}` cannot be written")]
    Request {
        /// The schedule.
        name: String,
        /// Why.
        source: serde_json::Error,
    },
}

/// Keeps exactly these schedules; a new or changed one is due from now on.
pub async fn set_schedules(runtime: &Runtime, schedules: &[Scheduled]) -> Result<(), ScheduleError> {
    let now = runtime.now();
    let row = |one: &Scheduled| {
        Ok(syncline_store::Schedule {
            name: one.name.clone(),
            cron: one.schedule.cron.to_string(),
            zone: one.schedule.zone.to_string(),
            request: serde_json::to_value(&one.request).map_err(|source| ScheduleError::Request {
                name: one.name.clone(),
                source,
            })?,
            next_at: one.schedule.next(now),
            version: 0,
        })
    };
    let rows = schedules.iter().map(row).collect::<Result<Vec<_>, ScheduleError>>()?;
    Ok(runtime.store.set_schedules(&rows).await?)
}

/// Begins what is due. Of several instants that passed while no worker ran, only the last one counts.
pub(super) async fn fire_due(runtime: &Runtime) -> Result<u64, StoreError> {
    let now = runtime.now();
    let mut fired = 0;
    for row in runtime.store.schedules().await? {
        let Some(first) = row.next_at.filter(|at| *at <= now) else {
            continue;
        };
        let damaged = |why: String| StoreError::Damaged {
            what: "schedule",
            name: row.name.clone(),
            why,
        };
        let schedule = Schedule {
            cron: row.cron.parse().map_err(|error| damaged(format!("{error}")))?,
            zone: row.zone.parse().map_err(|error| damaged(format!("{error}")))?,
        };
        let request: Request =
            serde_json::from_value(row.request.clone()).map_err(|error| damaged(error.to_string()))?;
        let (instant, next) = last_due(&schedule, first, now);
        let new = NewOperation {
            kind: request.kind,
            environment: request.environment,
            exclusive_key: request.exclusive_key,
            params: request.params,
            actor: format!("schedule {}", row.name),
        };
        let begun = runtime.store.fire(&row, instant, next, &new, now).await?;
        fired += u64::from(begun.is_some());
    }
    Ok(fired)
}

/// The last instant that is due, and the first one that is not yet.
fn last_due(schedule: &Schedule, first: Millis, now: Millis) -> (Millis, Option<Millis>) {
    let mut instant = first;
    loop {
        match schedule.next(instant) {
            Some(next) if next <= now => instant = next,
            next => return (instant, next),
        }
    }
}
