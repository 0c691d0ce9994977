//! Operations: begun by a person or a schedule, claimed by a worker with a lease, written only by who has the lease.
//!
//! A claim raises the row's epoch. Everything a worker writes names the epoch of its claim, so that a worker which was frozen
//! and comes back cannot write any more.

use serde::Serialize;
use serde_json::Value;
use syncline_domain::audit::Event;
use syncline_domain::operation::{Question, State};
use syncline_domain::time::Millis;
use uuid::Uuid;

use crate::dialect::{Sql, Tx, args};
use crate::error::{failed, is_contention};
use crate::{Result, Store, StoreError};

/// What to begin.
#[derive(Debug, Clone)]
pub struct NewOperation {
    /// The kind: `promote`.
    pub kind: String,
    /// The environment that it changes.
    pub environment: Option<String>,
    /// Only one operation with this key runs at a time; the others stay queued. The id of an org.
    pub exclusive_key: Option<String>,
    /// What was asked for.
    pub params: Value,
    /// Who asked.
    pub actor: String,
}

/// An operation as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Operation {
    /// Its id, UUID version 7: ids are in the order of their beginnings.
    pub id: String,
    /// The kind: `promote`.
    pub kind: String,
    /// The environment that it changes.
    pub environment: Option<String>,
    /// Only one operation with this key runs at a time.
    pub exclusive_key: Option<String>,
    /// What was asked for.
    pub params: Value,
    /// Who asked.
    pub actor: String,
    /// Where it stands.
    pub state: State,
    /// The step that runs, or runs next.
    pub step: Option<String>,
    /// What its steps keep.
    pub data: Value,
    /// What a person has to answer.
    pub question: Option<Question>,
    /// The signal at which it goes on.
    pub waits_for: Option<String>,
    /// When it goes on by itself.
    pub wake_at: Option<Millis>,
    /// In words, why it waits or how it ended.
    pub message: Option<String>,
    /// Why it failed: message, causes.
    pub problem: Option<Value>,
    /// How far the step is: done, total, unit, expected end.
    pub progress: Option<Value>,
    /// Who asked to cancel it, and why.
    pub cancel: Option<Value>,
    /// Technical failures in a row.
    pub attempts: u32,
    /// The worker that has it, or had it last.
    pub lease_owner: Option<String>,
    /// How long it has it without a heartbeat.
    pub lease_until: Option<Millis>,
    /// How often it was claimed.
    pub lease_epoch: i64,
    /// How often the row was written.
    pub version: i64,
    /// When it was asked for.
    pub created: Millis,
    /// When it was first claimed.
    pub started: Option<Millis>,
    /// When it was last written, heartbeats apart.
    pub updated: Millis,
    /// When it ended.
    pub ended: Option<Millis>,
}

/// A worker's right to write an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The operation's id.
    pub operation: String,
    /// The worker.
    pub worker: String,
    /// The epoch of the claim.
    pub epoch: i64,
}

/// What a worker writes at the end of a step, or in its midst.
#[derive(Debug, Clone, Default)]
pub struct Change {
    /// The new state; `None` while the step goes on.
    pub state: Option<State>,
    /// The step that runs next.
    pub step: Option<String>,
    /// What the steps keep.
    pub data: Value,
    /// The question, in the state `needs_person`.
    pub question: Option<Question>,
    /// The signal at which it goes on.
    pub waits_for: Option<String>,
    /// When it goes on by itself.
    pub wake_at: Option<Millis>,
    /// In words, why it waits or how it ended.
    pub message: Option<String>,
    /// Why it failed.
    pub problem: Option<Value>,
    /// Technical failures in a row.
    pub attempts: u32,
    /// Signals that were taken in.
    pub consumed: Vec<String>,
    /// The run of the step that ends with this, and how.
    pub step_end: Option<(i64, Value)>,
    /// What happened.
    pub audit: Vec<Event>,
}

/// Which operations to list.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only those of this environment.
    pub environment: Option<String>,
    /// Only those of this kind.
    pub kind: Option<String>,
    /// Only those that have not ended.
    pub open: bool,
    /// At most so many, the newest first; 0 for all.
    pub limit: u32,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    kind: String,
    environment: Option<String>,
    exclusive_key: Option<String>,
    params: String,
    actor: String,
    state: String,
    step: Option<String>,
    data: String,
    question: Option<String>,
    waits_for: Option<String>,
    wake_at: Option<i64>,
    message: Option<String>,
    problem: Option<String>,
    progress: Option<String>,
    cancel: Option<String>,
    attempts: i64,
    lease_owner: Option<String>,
    lease_until: Option<i64>,
    lease_epoch: i64,
    version: i64,
    created: i64,
    started: Option<i64>,
    updated: i64,
    ended: Option<i64>,
}

impl TryFrom<Row> for Operation {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self> {
        let damaged = |why: String| StoreError::Damaged {
            what: "operation",
            name: row.id.clone(),
            why,
        };
        fn json<T: serde::de::DeserializeOwned>(text: &str) -> std::result::Result<T, String> {
            serde_json::from_str(text).map_err(|error| format!("holds no JSON of the right form: {error}"))
        }
        let optional = |text: &Option<String>| text.as_deref().map(json).transpose().map_err(damaged);
        Ok(Self {
            params: json(&row.params).map_err(damaged)?,
            data: json(&row.data).map_err(damaged)?,
            question: row.question.as_deref().map(json).transpose().map_err(damaged)?,
            problem: optional(&row.problem)?,
            progress: optional(&row.progress)?,
            cancel: optional(&row.cancel)?,
            state: row
                .state
                .parse()
                .map_err(|_| damaged(format!("has the unknown state `{}`", row.state)))?,
            attempts: u32::try_from(row.attempts).map_err(|_| damaged("has a wrong number of attempts".to_owned()))?,
            id: row.id,
            kind: row.kind,
            environment: row.environment,
            exclusive_key: row.exclusive_key,
            actor: row.actor,
            step: row.step,
            waits_for: row.waits_for,
            wake_at: row.wake_at,
            message: row.message,
            lease_owner: row.lease_owner,
            lease_until: row.lease_until,
            lease_epoch: row.lease_epoch,
            version: row.version,
            created: row.created,
            started: row.started,
            updated: row.updated,
            ended: row.ended,
        })
    }
}

macro_rules! claim_sql {
    ($lock:literal) => {
        concat!(
            "UPDATE operation SET state = 'running', lease_owner = $1, lease_until = $2, lease_epoch = lease_epoch + 1,
                version = version + 1, updated = $3, started = COALESCE(started, $3)
             WHERE id = (
                SELECT o.id FROM operation o
                WHERE o.state IN ('queued', 'running', 'waiting', 'needs_person')
                  AND $4 LIKE '%,' || o.kind || ',%'
                  AND ($5 = '' OR $5 LIKE '%,' || o.id || ',%')
                  AND (o.state = 'queued'
                    OR (o.state = 'running' AND o.lease_until <= $3)
                    OR (o.state IN ('waiting', 'needs_person') AND (o.wake_at <= $3 OR EXISTS (
                        SELECT 1 FROM signal s WHERE s.operation = o.id AND s.consumed IS NULL
                          AND (s.name = o.waits_for OR s.name = 'cancel')))))
                  AND (o.state <> 'queued' OR o.exclusive_key IS NULL OR NOT EXISTS (
                    SELECT 1 FROM operation h WHERE h.exclusive_key = o.exclusive_key
                      AND h.state IN ('running', 'waiting', 'needs_person')))
                ORDER BY o.id LIMIT 1 ",
            $lock,
            ") RETURNING *"
        )
    };
}
/// The oldest operation that a worker can go on with. `$4` and `$5` are lists with a comma around each word: kinds that the
/// worker knows, and ids when it cares for these only.
const CLAIM: Sql = Sql {
    sqlite: claim_sql!(""),
    postgres: claim_sql!("FOR UPDATE OF o SKIP LOCKED"),
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
    /// Begins an operation: it is queued until a worker claims it.
    pub async fn create(&self, new: &NewOperation, now: Millis) -> Result<Operation> {
        let mut tx = self.begin("could not begin an operation").await?;
        let operation = insert(&mut tx, new, now).await?;
        crate::audit::append(&mut tx, &[begun(&operation)]).await?;
        tx.commit().await.map_err(failed("could not begin an operation"))?;
        Ok(operation)
    }

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

    /// Says that the worker is alive. [`StoreError::Lost`] when it has the operation no more.
    pub async fn heartbeat(&self, claim: &Claim, lease_until: Millis) -> Result<()> {
        let attempted = "could not prolong the lease of an operation";
        let mut tx = self.begin(attempted).await?;
        let changed = tx
            .run(
                "UPDATE operation SET lease_until = $3 WHERE id = $1 AND lease_epoch = $2 AND state = 'running'",
                args![&claim.operation, claim.epoch, lease_until],
            )
            .await
            .map_err(failed(attempted))?;
        owned(changed, claim)?;
        tx.commit().await.map_err(failed(attempted))
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

    /// Writes what a step did, all of it or nothing. [`StoreError::Lost`] when the worker has the operation no more.
    pub async fn save(&self, claim: &Claim, change: &Change, now: Millis) -> Result<()> {
        let attempted = "could not save an operation";
        let mut tx = self.begin(attempted).await?;
        let state = change.state.unwrap_or(State::Running);
        let question = change
            .question
            .as_ref()
            .map(|question| serde_json::to_string(question).unwrap_or_default());
        let problem = change.problem.as_ref().map(Value::to_string);
        let changed = tx
            .run(
                "UPDATE operation SET state = $3, step = $4, data = $5, question = $6, waits_for = $7, wake_at = $8,
                    message = $9, problem = $10, attempts = $11, updated = $12, version = version + 1, ended = $13,
                    progress = CASE WHEN $14 = 1 THEN NULL ELSE progress END
                 WHERE id = $1 AND lease_epoch = $2 AND state = 'running'",
                args![
                    &claim.operation,
                    claim.epoch,
                    state.name(),
                    &change.step,
                    &change.data,
                    question,
                    &change.waits_for,
                    change.wake_at,
                    &change.message,
                    problem,
                    change.attempts,
                    now,
                    state.is_terminal().then_some(now),
                    change.step_end.is_some(),
                ],
            )
            .await
            .map_err(failed(attempted))?;
        owned(changed, claim)?;
        crate::signal::consume(&mut tx, &change.consumed, now).await?;
        if let Some((number, outcome)) = &change.step_end {
            crate::step::end(&mut tx, &claim.operation, *number, outcome, now).await?;
        }
        crate::audit::append(&mut tx, &change.audit).await?;
        tx.commit().await.map_err(failed(attempted))
    }

    /// An operation by its id.
    pub async fn operation(&self, id: &str) -> Result<Operation> {
        let row = self
            .db
            .first::<Row>("SELECT * FROM operation WHERE id = $1", args![id])
            .await;
        match row.map_err(failed("could not read an operation"))? {
            Some(row) => row.try_into(),
            None => Err(StoreError::Unknown {
                what: "operation",
                name: id.to_owned(),
            }),
        }
    }

    /// The operation whose id begins or ends with a text of at least four characters. Ids of the same hour begin alike, so
    /// people write the end.
    pub async fn find_operation(&self, part: &str) -> Result<Operation> {
        let unknown = || StoreError::Unknown {
            what: "operation",
            name: part.to_owned(),
        };
        let fits = |c: char| c.is_ascii_hexdigit() || c == '-';
        if part.len() < 4 || !part.chars().all(fits) {
            return Err(unknown());
        }
        let part = part.to_ascii_lowercase();
        let rows = self
            .db
            .all::<Row>(
                "SELECT * FROM operation WHERE id LIKE $1 || '%' OR id LIKE '%' || $1 ORDER BY id DESC LIMIT 5",
                args![&part],
            )
            .await
            .map_err(failed("could not look for an operation"))?;
        if rows.len() > 1 {
            let ids: Vec<&str> = rows.iter().map(|row| row.id.as_str()).collect();
            return Err(StoreError::Ambiguous {
                beginning: part,
                found: ids.join(", "),
            });
        }
        rows.into_iter().next().ok_or_else(unknown)?.try_into()
    }

    /// Operations, the newest first.
    pub async fn operations(&self, filter: &Filter) -> Result<Vec<Operation>> {
        let limit = if filter.limit == 0 {
            i64::MAX
        } else {
            i64::from(filter.limit)
        };
        let rows = self
            .db
            .all::<Row>(
                "SELECT * FROM operation
                 WHERE ($1 IS NULL OR environment = $1) AND ($2 IS NULL OR kind = $2)
                   AND ($3 = 0 OR state IN ('queued', 'running', 'waiting', 'needs_person'))
                 ORDER BY id DESC LIMIT $4",
                args![&filter.environment, &filter.kind, filter.open, limit],
            )
            .await
            .map_err(failed("could not list operations"))?;
        rows.into_iter().map(TryInto::try_into).collect()
    }

    /// When the next operation is due that a worker with these kinds could take, if none is taken or signalled before: now or
    /// earlier when one is due already. `None` when nothing will become due by itself. Leases of running ones count.
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
                    WHEN EXISTS (SELECT 1 FROM signal s WHERE s.operation = o.id AND s.consumed IS NULL
                        AND (s.name = o.waits_for OR s.name = 'cancel')) THEN 0
                    ELSE o.wake_at END) AS due
                 FROM operation o
                 WHERE o.state IN ('queued', 'running', 'waiting', 'needs_person')
                   AND $1 LIKE '%,' || o.kind || ',%' AND ($2 = '' OR $2 LIKE '%,' || o.id || ',%')
                   AND (o.state <> 'queued' OR o.exclusive_key IS NULL OR NOT EXISTS (
                    SELECT 1 FROM operation h WHERE h.exclusive_key = o.exclusive_key
                      AND h.state IN ('running', 'waiting', 'needs_person')))",
                args![&kinds, &only],
            )
            .await
            .map_err(failed("could not look for due operations"))?;
        Ok(due.and_then(|due| due.due))
    }

    /// Asks to cancel an operation. One that has not begun is cancelled at once, others by their worker at the next safe point.
    pub async fn cancel(&self, id: &str, actor: &str, reason: &str, now: Millis) -> Result<Operation> {
        let attempted = "could not cancel an operation";
        let mut tx = self.begin(attempted).await?;
        let cancel = serde_json::json!({"actor": actor, "reason": reason, "at": now});
        let row = tx
            .first::<Row>(
                "UPDATE operation SET cancel = $2, version = version + 1, updated = $3,
                    ended = CASE WHEN state = 'queued' AND step IS NULL THEN $3 ELSE ended END,
                    message = CASE WHEN state = 'queued' AND step IS NULL THEN $4 ELSE message END,
                    state = CASE WHEN state = 'queued' AND step IS NULL THEN 'cancelled' ELSE state END
                 WHERE id = $1 AND state IN ('queued', 'running', 'waiting', 'needs_person') RETURNING *",
                args![id, &cancel, now, format!("cancelled by {actor}: {reason}")],
            )
            .await
            .map_err(failed(attempted))?;
        let Some(row) = row else {
            drop(tx);
            return Err(ended(&self.operation(id).await?, "it has ended already"));
        };
        let operation = Operation::try_from(row)?;
        if !operation.state.is_terminal() {
            crate::signal::insert(&mut tx, id, "cancel", &cancel, actor, now).await?;
        }
        let action = if operation.state.is_terminal() {
            "operation.cancelled"
        } else {
            "operation.cancel-requested"
        };
        let event = about(&operation, actor, action, serde_json::json!({"reason": reason}), now);
        crate::audit::append(&mut tx, &[event]).await?;
        tx.commit().await.map_err(failed(attempted))?;
        Ok(operation)
    }

    /// Queues an operation again that ended by a technical failure or by a rule; it goes on with the step that failed.
    pub async fn retry(&self, id: &str, actor: &str, now: Millis) -> Result<Operation> {
        let attempted = "could not try an operation again";
        let mut tx = self.begin(attempted).await?;
        let row = tx
            .first::<Row>(
                "UPDATE operation SET state = 'queued', attempts = 0, cancel = NULL, ended = NULL, message = NULL, problem = NULL,
                    waits_for = NULL, wake_at = NULL, question = NULL, version = version + 1, updated = $2
                 WHERE id = $1 AND state IN ('errored', 'failed') RETURNING *",
                args![id, now],
            )
            .await
            .map_err(failed(attempted))?;
        let Some(row) = row else {
            drop(tx);
            let operation = self.operation(id).await?;
            return Err(ended(
                &operation,
                "only failed and errored operations can be tried again",
            ));
        };
        let operation = Operation::try_from(row)?;
        let event = about(&operation, actor, "operation.retried", Value::Null, now);
        crate::audit::append(&mut tx, &[event]).await?;
        tx.commit().await.map_err(failed(attempted))?;
        Ok(operation)
    }
}

/// Inserts an operation in a transaction; the audit entry is the caller's.
pub(crate) async fn insert(tx: &mut Tx, new: &NewOperation, now: Millis) -> Result<Operation> {
    let id = Uuid::now_v7().to_string();
    let row = tx
        .first::<Row>(
            "INSERT INTO operation (id, kind, environment, exclusive_key, params, actor, state, data, attempts, lease_epoch,
                version, created, updated)
             VALUES ($1, $2, $3, $4, $5, $6, 'queued', '{}', 0, 0, 1, $7, $7) RETURNING *",
            args![
                &id,
                &new.kind,
                &new.environment,
                &new.exclusive_key,
                &new.params,
                &new.actor,
                now
            ],
        )
        .await
        .map_err(failed("could not begin an operation"))?;
    let unknown = || StoreError::Unknown {
        what: "operation",
        name: id.clone(),
    };
    row.ok_or_else(unknown)?.try_into()
}

/// The audit entry of a beginning.
pub(crate) fn begun(operation: &Operation) -> Event {
    let detail = serde_json::json!({"kind": operation.kind, "params": operation.params});
    about(
        operation,
        &operation.actor,
        "operation.started",
        detail,
        operation.created,
    )
}

/// An audit entry about an operation.
pub(crate) fn about(operation: &Operation, actor: &str, action: &str, detail: Value, at: Millis) -> Event {
    Event {
        at,
        actor: actor.to_owned(),
        action: action.to_owned(),
        environment: operation.environment.clone(),
        operation: Some(operation.id.clone()),
        detail,
    }
}

/// The refusal of what does not fit an operation's state.
pub(crate) fn ended(operation: &Operation, why: &'static str) -> StoreError {
    StoreError::State {
        operation: operation.id.clone(),
        state: operation.state.to_string(),
        why,
    }
}

fn owned(changed: u64, claim: &Claim) -> Result<()> {
    match changed {
        1 => Ok(()),
        _ => Err(StoreError::Lost {
            operation: claim.operation.clone(),
            worker: claim.worker.clone(),
        }),
    }
}

fn is_unique(error: &sqlx::Error) -> bool {
    error
        .as_database_error()
        .is_some_and(sqlx::error::DatabaseError::is_unique_violation)
}
