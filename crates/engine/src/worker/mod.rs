//! The worker: claims operations, runs them in slots, begins scheduled ones, and stops without leaving anything undone.

mod checkpoints;
mod rules;
mod schedule;
mod stop;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use syncline_domain::operation::State;
use syncline_domain::time::Millis;
use syncline_store::StoreError;
use tokio::runtime::Handle;
use tokio::task::{JoinHandle, JoinSet};

use crate::operation::{self, Runtime};

pub use schedule::{Request, ScheduleError, Scheduled, set_schedules};
pub use stop::Stop;

/// How a worker works.
#[derive(Debug, Clone)]
pub struct Options {
    /// Its name: unique, with host and process for people.
    pub name: String,
    /// How many operations it runs at once.
    pub slots: usize,
    /// How long an operation is its own without a heartbeat.
    pub lease: Duration,
    /// How long it waits between looks at the database.
    pub poll: Duration,
    /// Only these operations; all when empty.
    pub only: Vec<String>,
    /// Whether to end when there is nothing to do.
    pub until: Until,
}

/// When a worker ends by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// Never.
    Stopped,
    /// When nothing runs and nothing becomes due by itself within this time.
    Idle {
        /// How long it is worth waiting for.
        patience: Duration,
    },
}

/// What a worker did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// How often it had an operation.
    pub claimed: u64,
    /// How often an operation was taken from it.
    pub lost: u64,
    /// How operations stood when it left them, by state.
    pub ended: BTreeMap<&'static str, u64>,
    /// Errors of the database that passed.
    pub database_errors: u64,
    /// What could not be looked at or pushed the last time beside operations, and why: environments with rules, `schedules`, `audit`.
    pub problems: BTreeMap<String, String>,
}

/// How often in a row the database may fail before the worker gives up.
const DATABASE_FAILURES: u32 = 20;

/// Works until it is stopped, or idle. The future has to run on a runtime with threads of its own, or with nothing else that
/// blocks.
pub async fn run(runtime: &Arc<Runtime>, options: &Options, stop: &Stop) -> Result<Report, StoreError> {
    run_and_tell(runtime, options, stop, &mut |_, _| {}).await
}

/// Is told what could not be looked at or pushed beside operations, and why, when it is new.
pub type Tell<'a> = &'a mut dyn FnMut(&str, &str);

/// The same, and tells of [`Report::problems`] as they come.
pub async fn run_and_tell(
    runtime: &Arc<Runtime>,
    options: &Options,
    stop: &Stop,
    tell: Tell<'_>,
) -> Result<Report, StoreError> {
    let mut report = Report::default();
    let mut slots: JoinSet<Result<State, StoreError>> = JoinSet::new();
    let mut failures = 0;
    let mut watch = Watch::of(runtime, options);
    loop {
        watch.look(runtime, &mut report, tell).await;
        let looked = look(runtime, options, stop, &mut slots, &mut report).await;
        let next = match looked {
            Ok(next) => {
                failures = 0;
                next
            }
            Err(error) if error.is_passing() && failures < DATABASE_FAILURES => {
                failures += 1;
                report.database_errors += 1;
                Next::Look
            }
            Err(error) => {
                stop.request();
                drain(&mut slots, &mut report).await;
                return Err(error);
            }
        };
        let is_idle = next == Next::Nothing && slots.is_empty();
        if stop.is_requested() || (is_idle && watch.is_done(&report)) {
            drain(&mut slots, &mut report).await;
            watch.finish(&mut report, tell).await;
            return Ok(report);
        }
        tokio::select! {
            Some(ended) = slots.join_next() => {
                let full = count(&mut report, ended);
                // Who works for somebody that waits says so at once; what was not saved goes on when its lease has run out.
                if let (Some(error), Until::Idle { .. }) = (full, options.until) {
                    stop.request();
                    drain(&mut slots, &mut report).await;
                    return Err(error);
                }
            }
            () = stop.requested() => {}
            () = runtime.clock.sleep(options.poll) => {}
        }
    }
}

/// Looks at the rules of ways beside the slots: it asks remotes and orgs, which takes a while.
struct Watch {
    /// When it looks next; `None` when it does not.
    next: Option<Millis>,
    running: Option<JoinHandle<BTreeMap<String, String>>>,
    /// How many operations had been left when it looked last: they move branches and orgs.
    left: Option<u64>,
}

impl Watch {
    /// A worker for certain operations only begins no others.
    fn of(runtime: &Runtime, options: &Options) -> Self {
        let looks = options.only.is_empty() && runtime.kind(operation::follow::FOLLOW.name).is_some();
        Self {
            next: looks.then(|| runtime.now()),
            running: None,
            left: None,
        }
    }

    async fn look(&mut self, runtime: &Arc<Runtime>, report: &mut Report, tell: Tell<'_>) {
        if self.running.as_ref().is_some_and(JoinHandle::is_finished) {
            self.finish(report, tell).await;
        }
        if self.running.is_none() && self.next.is_some_and(|next| next <= runtime.now()) {
            self.next = Some(runtime.now().saturating_add(rules::EVERY));
            self.left = Some(report.ended.values().sum());
            let (runtime, handle) = (Arc::clone(runtime), Handle::current());
            self.running = Some(tokio::task::spawn_blocking(move || {
                handle.block_on(async {
                    let mut problems = rules::look(&runtime).await;
                    if let Err(error) = checkpoints::tend(&runtime).await {
                        problems.insert("audit".to_owned(), rules::told(&*error));
                    }
                    problems
                })
            }));
        }
    }

    /// Whether it has seen what the last operations have left; if not it looks again at once.
    fn is_done(&mut self, report: &Report) -> bool {
        let left: u64 = report.ended.values().sum();
        if self.running.is_some() {
            return false;
        }
        let is_done = self.next.is_none() || self.left == Some(left);
        if !is_done {
            self.next = Some(Millis::MIN);
        }
        is_done
    }

    async fn finish(&mut self, report: &mut Report, tell: Tell<'_>) {
        if let Some(running) = self.running.take() {
            let problems = running.await.unwrap_or_else(|error| {
                BTreeMap::from([("worker".to_owned(), format!("looking at the rules broke down: {error}"))])
            });
            for (what, why) in &problems {
                if report.problems.get(what) != Some(why) {
                    tell(what, why);
                }
            }
            report.problems = problems;
        }
    }
}

#[derive(PartialEq, Eq)]
enum Next {
    /// Look again after a while.
    Look,
    /// There is nothing to do.
    Nothing,
}

async fn look(
    runtime: &Arc<Runtime>,
    options: &Options,
    stop: &Stop,
    slots: &mut JoinSet<Result<State, StoreError>>,
    report: &mut Report,
) -> Result<Next, StoreError> {
    let kinds: Vec<&str> = runtime.kinds.iter().map(|kind| kind.name).collect();
    if options.only.is_empty() {
        schedule::fire_due(runtime).await?;
    }
    while slots.len() < options.slots && !stop.is_requested() {
        let now = runtime.now();
        let lease_until = now.saturating_add(millis(options.lease));
        let store = &runtime.store;
        let claimed = store
            .claim(&options.name, &kinds, &options.only, now, lease_until)
            .await?;
        let Some((claim, operation)) = claimed else { break };
        report.claimed += 1;
        let (runtime, stop, lease) = (Arc::clone(runtime), stop.clone(), options.lease);
        let handle = Handle::current();
        // A thread of its own: steps read and merge for seconds, and heartbeats go on meanwhile.
        slots.spawn_blocking(move || handle.block_on(operation::run(&runtime, &claim, operation, lease, &stop)));
    }
    let Until::Idle { patience } = options.until else {
        return Ok(Next::Look);
    };
    let horizon = runtime.now().saturating_add(millis(patience));
    let due = runtime.store.next_due(&kinds, &options.only).await?;
    Ok(match due {
        Some(due) if due <= horizon => Next::Look,
        _ => Next::Nothing,
    })
}

async fn drain(slots: &mut JoinSet<Result<State, StoreError>>, report: &mut Report) {
    while let Some(ended) = slots.join_next().await {
        count(report, ended);
    }
}

/// Counts how an operation was left; the error when it could not be saved since the disk is full.
fn count(report: &mut Report, ended: Result<Result<State, StoreError>, tokio::task::JoinError>) -> Option<StoreError> {
    let mut full = None;
    let word = match ended {
        Ok(Ok(state)) => state.name(),
        Ok(Err(StoreError::Lost { .. })) => {
            report.lost += 1;
            "lost"
        }
        // The operation stays as it was saved last, and is claimed again when its lease has run out.
        Ok(Err(error)) => {
            report.database_errors += 1;
            full = Some(error).filter(|error| matches!(error, StoreError::DiskFull { .. }));
            "unsaved"
        }
        Err(_) => "broken",
    };
    *report.ended.entry(word).or_default() += 1;
    full
}

fn millis(time: Duration) -> Millis {
    Millis::try_from(time.as_millis()).unwrap_or(Millis::MAX)
}
