//! What workers do with operations: claim them, say that they are alive, write what steps did.
//!
//! A claim raises the row's epoch. Everything that a worker writes names the epoch of its claim, so that a worker which was
//! frozen and comes back cannot write any more.

use serde_json::Value;
use syncline_domain::audit::Draft;
use syncline_domain::operation::{Event, Outcome, State};
use syncline_domain::time::Millis;

use crate::dialect::{Sql, Tx, args};
use crate::error::{failed, is_contention};
use crate::operation::{Operation, Row, about};
use crate::{Claim, Result, Store, StoreError};

/// What a worker writes while a step goes on.
#[derive(Debug, Clone, Default)]
pub struct Interim {
    /// What the steps keep.
    pub data: Value,
    /// What people read of the operation.
    pub message: Option<String>,
    /// Signals that were taken in, by id.
    pub consumed: Vec<String>,
    /// What happened.
    pub audit: Vec<Draft>,
}

/// What a worker writes at the end of a step.
#[derive(Debug, Clone)]
pub struct StepEnd {
    /// The number of the step's run.
    pub run: i64,
    /// How it ended.
    pub outcome: Outcome,
    /// The step that follows in the order of the kind, if there is one.
    pub next: Option<String>,
    /// Whether the operation may end before what would follow.
    pub may_stop: bool,
    /// Spreads the delays after errors.
    pub seed: u64,
    /// What the step has left beside its outcome.
    pub left: Interim,
}

macro_rules! claim_sql {
    ($lock:literal) => {
        concat!(
            "UPDATE operation SET state = 'running', lease_owner = $1, lease_until = $2, lease_epoch = lease_epoch + 1,
                version = version + 1, updated = $3, started = COALESCE(started, $3), holds_key = 1
             WHERE id = (
                SELECT o.id FROM operation o
                WHERE o.state IN ('queued', 'running', 'waiting', 'needs_person')
                  AND $4 LIKE '%,' || o.kind || ',%'
                  AND ($5 = '' OR $5 LIKE '%,' || o.id || ',%')
                  AND (o.state = 'queued'
                    OR (o.state = 'running' AND o.lease_until <= $3)
                    OR (o.state IN ('waiting', 'needs_person') AND (o.wake_at <= $3 OR EXISTS (
                        SELECT 1 FROM signal s
                        WHERE s.operation = o.id AND s.consumed IS NULL AND s.name = o.waits_for))))
                  AND (o.holds_key = 1 OR o.exclusive_key IS NULL OR NOT EXISTS (
                    SELECT 1 FROM operation h WHERE h.exclusive_key = o.exclusive_key AND h.holds_key = 1))
                ORDER BY o.id LIMIT 1 ",
            $lock,
            ") RETURNING *"
        )
    };
}

/// Takes the oldest operation that a worker can go on with. `$4` and `$5` are lists with a comma around each word: kinds that
/// the worker knows, and ids when it cares for these only.
const CLAIM: Sql = Sql {
    sqlite: claim_sql!(""),
    postgres: claim_sql!("FOR UPDATE OF o SKIP LOCKED"),
};

/// The row of a claim, locked. Nothing when another worker has it.
const OWN: Sql = Sql {
    sqlite: "SELECT * FROM operation WHERE id = $1 AND lease_epoch = $2 AND state = 'running'",
    postgres: "SELECT * FROM operation WHERE id = $1 AND lease_epoch = $2 AND state = 'running' FOR UPDATE",
};

fn list<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let mut text = String::new();
    for word in words {
        text.push(',');
        text.push_str(word);
    }
    if !text.is_empty() {
        text.push(',');
    }
    text
}

impl Store {
    /// Takes the oldest operation that can go on: queued ones whose key is free, waiting ones whose time or signal has come, and
    /// running ones whose worker has gone. `kinds` are the kinds that the worker knows; with `only`, others than these ids are
    /// left alone.
    pub async fn claim(
        &self,
        worker: &str,
        kinds: &[&str],
        only: &[String],
        now: Millis,
        lease_until: Millis,
    ) -> Result<Option<(Claim, Operation)>> {
        let (kinds, only) = (list(kinds.iter().copied()), list(only.iter().map(String::as_str)));
        let attempted = "could not claim an operation";
        let mut tx = self.begin(attempted).await?;
        let claimed = tx
            .first::<Row>(CLAIM, args![worker, lease_until, now, &kinds, &only])
            .await;
        let row = match claimed {
            Ok(row) => row,
            // Another worker has just taken one with the same key, or stood in the way: the next look finds what is left.
            Err(error) if is_contention(&error) || is_unique(&error) => return Ok(None),
            Err(error) => return Err(failed(attempted)(error)),
        };
        let Some(row) = row else { return Ok(None) };
        tx.commit().await.map_err(failed(attempted))?;
        let operation = Operation::try_from(row)?;
        let claim = Claim {
            operation: operation.id.clone(),
            worker: worker.to_owned(),
            epoch: operation.lease_epoch,
        };
        Ok(Some((claim, operation)))
    }

    /// Says that the worker is alive. Whether a person asked to cancel the operation; [`StoreError::Lost`] when the worker has
    /// it no more.
    pub async fn heartbeat(&self, claim: &Claim, lease_until: Millis) -> Result<bool> {
        #[derive(sqlx::FromRow)]
        struct Told {
            cancelling: i64,
        }
        let attempted = "could not prolong the lease of an operation";
        let mut tx = self.begin(attempted).await?;
        let told = tx
            .first::<Told>(
                "UPDATE operation SET lease_until = $3 WHERE id = $1 AND lease_epoch = $2 AND state = 'running'
                 RETURNING cancelling",
                args![&claim.operation, claim.epoch, lease_until],
            )
            .await
            .map_err(failed(attempted))?;
        let told = told.ok_or_else(|| lost(claim))?;
        tx.commit().await.map_err(failed(attempted))?;
        Ok(told.cancelling == 1)
    }

    /// Notes how far the step is.
    pub async fn progress(&self, claim: &Claim, progress: &Value, now: Millis) -> Result<()> {
        let attempted = "could not note the progress of an operation";
        let mut tx = self.begin(attempted).await?;
        let changed = tx
            .run(
                "UPDATE operation SET progress = $3, updated = $4, version = version + 1
                 WHERE id = $1 AND lease_epoch = $2 AND state = 'running'",
                args![&claim.operation, claim.epoch, progress, now],
            )
            .await
            .map_err(failed(attempted))?;
        owned(changed, claim)?;
        tx.commit().await.map_err(failed(attempted))
    }

    /// Notes that a step begins; the number of the run.
    pub async fn begin_step(&self, claim: &Claim, name: &str, now: Millis) -> Result<i64> {
        let attempted = "could not note the beginning of a step";
        let mut tx = self.begin(attempted).await?;
        let changed = tx
            .run(
                "UPDATE operation SET step = $3, updated = $4, version = version + 1
                 WHERE id = $1 AND lease_epoch = $2 AND state = 'running'",
                args![&claim.operation, claim.epoch, name, now],
            )
            .await
            .map_err(failed(attempted))?;
        owned(changed, claim)?;
        let number = crate::step::begin(&mut tx, claim, name, now).await?;
        tx.commit().await.map_err(failed(attempted))?;
        Ok(number)
    }

    /// Writes what a step did so far, all of it or nothing.
    pub async fn save(&self, claim: &Claim, interim: &Interim, now: Millis) -> Result<()> {
        let attempted = "could not save an operation";
        let mut tx = self.begin(attempted).await?;
        let changed = tx
            .run(
                "UPDATE operation SET data = $3, message = $4, updated = $5, version = version + 1
                 WHERE id = $1 AND lease_epoch = $2 AND state = 'running'",
                args![&claim.operation, claim.epoch, &interim.data, &interim.message, now],
            )
            .await
            .map_err(failed(attempted))?;
        owned(changed, claim)?;
        crate::signal::consume(&mut tx, &interim.consumed, now).await?;
        crate::audit::append(&mut tx, &interim.audit).await?;
        tx.commit().await.map_err(failed(attempted))
    }

    /// Writes how a step ended, all of it or nothing; the operation as it is then.
    pub async fn end_step(&self, claim: &Claim, end: &StepEnd, now: Millis) -> Result<Operation> {
        let attempted = "could not save the end of a step";
        let mut tx = self.begin(attempted).await?;
        let before = own(&mut tx, claim, attempted).await?;
        let event = Event::Ended {
            outcome: end.outcome.clone(),
            next: end.next.clone(),
            may_stop: end.may_stop,
            now,
            seed: end.seed,
        };
        let (state, change) = before.state.apply(event, before.standing())?;
        let ended = state.is_terminal();
        let question = change
            .question
            .as_ref()
            .map(|question| serde_json::json!(question).to_string());
        let waits_for = change.signal.or_else(|| change.question.map(|question| question.name));
        let problem = change
            .problem
            .as_ref()
            .map(|problem| serde_json::json!(problem).to_string());
        let row = tx
            .first::<Row>(
                "UPDATE operation SET state = $3, step = COALESCE($4, step), data = $5, question = $6, waits_for = $7,
                    wake_at = $8, message = $9, problem = $10, attempts = $11, cancelling = $12, updated = $13, ended = $14,
                    holds_key = CASE WHEN $15 = 1 THEN 0 ELSE holds_key END, progress = NULL, version = version + 1
                 WHERE id = $1 AND lease_epoch = $2 AND state = 'running' RETURNING *",
                args![
                    &claim.operation,
                    claim.epoch,
                    state.name(),
                    &change.step,
                    &end.left.data,
                    question,
                    waits_for,
                    change.wake_at,
                    message(&end.outcome, state).or_else(|| end.left.message.clone()),
                    problem,
                    change.standing.attempts,
                    change.standing.cancelling,
                    now,
                    ended.then_some(now),
                    ended,
                ],
            )
            .await
            .map_err(failed(attempted))?;
        let after = Operation::try_from(row.ok_or_else(|| lost(claim))?)?;
        crate::signal::consume(&mut tx, &end.left.consumed, now).await?;
        let log = serde_json::json!({"state": state, "next": after.step, "outcome": end.outcome});
        crate::step::end(&mut tx, &claim.operation, end.run, &log, now).await?;
        let mut audit = end.left.audit.clone();
        audit.extend(told(&before, &after, now));
        crate::audit::append(&mut tx, &audit).await?;
        tx.commit().await.map_err(failed(attempted))?;
        Ok(after)
    }

    /// Gives an operation back between two steps: any worker can go on with it.
    pub async fn release(&self, claim: &Claim, now: Millis) -> Result<()> {
        let attempted = "could not give an operation back";
        let mut tx = self.begin(attempted).await?;
        let before = own(&mut tx, claim, attempted).await?;
        let (state, _) = before.state.apply(Event::Release, before.standing())?;
        let changed = tx
            .run(
                "UPDATE operation SET state = $3, updated = $4, version = version + 1
                 WHERE id = $1 AND lease_epoch = $2 AND state = 'running'",
                args![&claim.operation, claim.epoch, state.name(), now],
            )
            .await
            .map_err(failed(attempted))?;
        owned(changed, claim)?;
        tx.commit().await.map_err(failed(attempted))
    }

    /// When the next operation is due that a worker with these kinds could take: in the past when one is due already, at the end
    /// of its lease when it runs. `None` when nothing becomes due by itself.
    pub async fn next_due(&self, kinds: &[&str], only: &[String]) -> Result<Option<Millis>> {
        #[derive(sqlx::FromRow)]
        struct Due {
            due: Option<i64>,
        }
        let (kinds, only) = (list(kinds.iter().copied()), list(only.iter().map(String::as_str)));
        let due = self
            .db
            .first::<Due>(
                "SELECT MIN(CASE WHEN o.state = 'running' THEN o.lease_until
                    WHEN o.state = 'queued' THEN 0
                    WHEN EXISTS (SELECT 1 FROM signal s
                        WHERE s.operation = o.id AND s.consumed IS NULL AND s.name = o.waits_for) THEN 0
                    ELSE o.wake_at END) AS due
                 FROM operation o
                 WHERE o.state IN ('queued', 'running', 'waiting', 'needs_person')
                   AND $1 LIKE '%,' || o.kind || ',%' AND ($2 = '' OR $2 LIKE '%,' || o.id || ',%')
                   AND (o.holds_key = 1 OR o.exclusive_key IS NULL OR NOT EXISTS (
                    SELECT 1 FROM operation h WHERE h.exclusive_key = o.exclusive_key AND h.holds_key = 1))",
                args![&kinds, &only],
            )
            .await
            .map_err(failed("could not look for due operations"))?;
        Ok(due.and_then(|due| due.due))
    }
}

async fn own(tx: &mut Tx, claim: &Claim, attempted: &'static str) -> Result<Operation> {
    let row = tx.first::<Row>(OWN, args![&claim.operation, claim.epoch]).await;
    row.map_err(failed(attempted))?.ok_or_else(|| lost(claim))?.try_into()
}

/// What people read after a step; `None` for what the step said.
fn message(outcome: &Outcome, state: State) -> Option<String> {
    match (outcome, state) {
        (_, State::Cancelled) => Some("cancelled".to_owned()),
        (Outcome::Wait { why, .. }, _) => Some(why.clone()),
        (Outcome::NeedsPerson { question }, _) => Some(question.text.clone()),
        (Outcome::Failed { problem } | Outcome::Errored { problem, .. } | Outcome::Stuck { problem }, _) => {
            Some(problem.message.clone())
        }
        (Outcome::Done | Outcome::Next { .. }, _) => None,
    }
}

/// The audit entry of a new state: what was opened is closed, and what a person is asked is told.
fn told(before: &Operation, after: &Operation, now: Millis) -> Option<Draft> {
    let entry =
        |action: &str, outcome: &str, details: Value| Some(about(after, &after.actor, action, outcome, details, now));
    match after.state {
        State::NeedsPerson if before.question != after.question => {
            entry("ask", "opened", serde_json::json!(after.question))
        }
        State::Succeeded => entry(&after.kind, "succeeded", serde_json::json!({"message": after.message})),
        State::Failed | State::Errored | State::Cancelled => entry(
            &after.kind,
            after.state.name(),
            serde_json::json!({"step": before.step, "problem": after.problem}),
        ),
        State::Queued | State::Running | State::Waiting | State::NeedsPerson => None,
    }
}

fn lost(claim: &Claim) -> StoreError {
    StoreError::Lost {
        operation: claim.operation.clone(),
        worker: claim.worker.clone(),
    }
}

fn owned(changed: u64, claim: &Claim) -> Result<()> {
    match changed {
        1 => Ok(()),
        _ => Err(lost(claim)),
    }
}

fn is_unique(error: &sqlx::Error) -> bool {
    error
        .as_database_error()
        .is_some_and(sqlx::error::DatabaseError::is_unique_violation)
}
