//! Operations as rows: begun by a person or a schedule, looked at, cancelled, tried again. What workers do with them is in
//! `lease.rs`.

use serde::Serialize;
use serde_json::{Value, json};
use syncline_domain::audit::Draft;
use syncline_domain::operation::{Change, Event, Problem, Question, Standing, State};
use syncline_domain::time::Millis;
use uuid::Uuid;

use crate::dialect::{Tx, args};
use crate::error::failed;
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
    /// The step that runs, or runs next; `None` before the first one.
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
    /// What went wrong last.
    pub problem: Option<Problem>,
    /// How far the step is: `done`, `total`, `unit`, `ends_at`.
    pub progress: Option<Value>,
    /// Technical failures in a row.
    pub attempts: u32,
    /// A person asked to cancel it.
    pub cancelling: bool,
    /// The worker that has it, or had it last.
    pub lease_owner: Option<String>,
    /// How long it has it without a heartbeat.
    pub lease_until: Option<Millis>,
    /// How often it was claimed.
    pub lease_epoch: i64,
    /// How often the row was written, heartbeats apart.
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

impl Operation {
    /// What is counted beside the state.
    pub fn standing(&self) -> Standing {
        Standing {
            attempts: self.attempts,
            cancelling: self.cancelling,
        }
    }
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

/// Which operations to list.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only those of this environment.
    pub environment: Option<String>,
    /// Only those of this kind.
    pub kind: Option<String>,
    /// Only those that are not over: what is errored needs a look.
    pub open: bool,
    /// At most so many, the newest first; 0 for all.
    pub limit: u32,
}

#[derive(sqlx::FromRow)]
pub(crate) struct Row {
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
    attempts: i64,
    cancelling: i64,
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
        let state = State::named(&row.state);
        let attempts = u32::try_from(row.attempts);
        Ok(Self {
            params: json(&row.params).map_err(damaged)?,
            data: json(&row.data).map_err(damaged)?,
            question: row.question.as_deref().map(json).transpose().map_err(damaged)?,
            problem: row.problem.as_deref().map(json).transpose().map_err(damaged)?,
            progress: row.progress.as_deref().map(json).transpose().map_err(damaged)?,
            state: state.ok_or_else(|| damaged(format!("has the unknown state `{}`", row.state)))?,
            attempts: attempts.map_err(|_| damaged("has a wrong number of attempts".to_owned()))?,
            cancelling: row.cancelling == 1,
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

/// No worker takes an operation for so long, in milliseconds.
const LONGEST_LEASE: i64 = 60 * 60_000;

impl Store {
    /// Begins an operation: it is queued until a worker claims it.
    pub async fn create(&self, new: &NewOperation, now: Millis) -> Result<Operation> {
        let attempted = "could not begin an operation";
        let mut tx = self.begin(attempted).await?;
        let operation = insert(&mut tx, new, now).await?;
        crate::audit::append(&mut tx, &[opened(&operation)]).await?;
        tx.commit().await.map_err(failed(attempted))?;
        Ok(operation)
    }

    /// An operation by its id.
    pub async fn operation(&self, id: &str) -> Result<Operation> {
        let row = self
            .db
            .first::<Row>("SELECT * FROM operation WHERE id = $1", args![id])
            .await;
        match row.map_err(failed("could not read an operation"))? {
            Some(row) => row.try_into(),
            None => Err(unknown(id)),
        }
    }

    /// The operation whose id begins or ends with a text of at least four characters. Ids of one day begin alike, so people
    /// write the end.
    pub async fn find_operation(&self, part: &str) -> Result<Operation> {
        let fits = |c: char| c.is_ascii_hexdigit() || c == '-';
        if part.len() < 4 || !part.chars().all(fits) {
            return Err(unknown(part));
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
                found: ids.join(", "),
                part,
            });
        }
        rows.into_iter().next().ok_or_else(|| unknown(&part))?.try_into()
    }

    /// Operations, the newest first.
    pub async fn operations(&self, filter: &Filter) -> Result<Vec<Operation>> {
        let limit = match filter.limit {
            0 => i64::MAX,
            limit => i64::from(limit),
        };
        let rows = self
            .db
            .all::<Row>(
                "SELECT * FROM operation
                 WHERE ($1 IS NULL OR environment = $1) AND ($2 IS NULL OR kind = $2)
                   AND ($3 = 0 OR state IN ('queued', 'running', 'waiting', 'needs_person', 'errored'))
                 ORDER BY id DESC LIMIT $4",
                args![&filter.environment, &filter.kind, filter.open, limit],
            )
            .await
            .map_err(failed("could not list operations"))?;
        rows.into_iter().map(TryInto::try_into).collect()
    }

    /// The other operation that holds the key of this one, which has to end before this one begins.
    pub async fn holder(&self, operation: &Operation) -> Result<Option<Operation>> {
        let row = self
            .db
            .first::<Row>(
                "SELECT * FROM operation WHERE exclusive_key = $1 AND holds_key = 1 AND id <> $2",
                args![&operation.exclusive_key, &operation.id],
            )
            .await;
        row.map_err(failed("could not look for the holder of a key"))?
            .map(TryInto::try_into)
            .transpose()
    }

    /// Cancels an operation as it was seen, or asks its worker to. `may_stop` is whether it may end before its step runs again.
    pub async fn cancel(
        &self,
        seen: &Operation,
        may_stop: bool,
        actor: &str,
        reason: &str,
        now: Millis,
    ) -> Result<Operation> {
        let details = json!({"reason": reason});
        let event = Event::Cancel { may_stop };
        let message = format!("cancelled by {actor}: {reason}");
        self.change(
            seen,
            event,
            Some(message),
            |operation| {
                let outcome = if operation.state.is_terminal() {
                    "succeeded"
                } else {
                    "opened"
                };
                about(operation, actor, "cancel", outcome, details, now)
            },
            now,
        )
        .await
    }

    /// Queues an operation again that broke or failed; it goes on with the step that it was at. One that runs is left to its worker,
    /// but where the lease lies so far ahead that the clock of who had it was wrong: that one can write no more.
    pub async fn retry(&self, seen: &Operation, actor: &str, now: Millis) -> Result<Operation> {
        let ahead = seen
            .lease_until
            .is_some_and(|until| until > now.saturating_add(LONGEST_LEASE));
        let event = match seen.state {
            State::Running if ahead => Event::Release,
            _ => Event::Retry,
        };
        self.change(
            seen,
            event,
            None,
            |operation| about(operation, actor, "retry", "succeeded", Value::Null, now),
            now,
        )
        .await
    }

    /// What a person does to an operation as it was seen.
    async fn change(
        &self,
        seen: &Operation,
        event: Event,
        message: Option<String>,
        entry: impl FnOnce(&Operation) -> Draft,
        now: Millis,
    ) -> Result<Operation> {
        let attempted = "could not change an operation";
        let (state, change) = seen.state.apply(event, seen.standing())?;
        let mut tx = self.begin(attempted).await?;
        let row = match state == seen.state {
            // What its worker has in hand stays.
            true => tx
                .first::<Row>(
                    "UPDATE operation SET cancelling = $3, updated = $4, version = version + 1
                     WHERE id = $1 AND version = $2 RETURNING *",
                    args![&seen.id, seen.version, change.standing.cancelling, now],
                )
                .await
                .map_err(failed(attempted))?,
            false => write(&mut tx, seen, state, &change, message, now).await?,
        };
        let row = row.ok_or_else(|| StoreError::Changed {
            what: "operation",
            name: seen.id.clone(),
        })?;
        let operation = Operation::try_from(row)?;
        crate::audit::append(&mut tx, &[entry(&operation)]).await?;
        tx.commit().await.map_err(failed(attempted))?;
        Ok(operation)
    }
}

async fn write(
    tx: &mut Tx,
    seen: &Operation,
    state: State,
    change: &Change,
    message: Option<String>,
    now: Millis,
) -> Result<Option<Row>> {
    let ended = state.is_terminal();
    tx.first::<Row>(
        "UPDATE operation SET state = $3, attempts = $4, cancelling = $5, wake_at = NULL, waits_for = NULL, question = NULL,
            problem = NULL, message = $6, updated = $7, ended = $8,
            holds_key = CASE WHEN $9 = 1 THEN 0 ELSE holds_key END, version = version + 1
         WHERE id = $1 AND version = $2 RETURNING *",
        args![
            &seen.id,
            seen.version,
            state.name(),
            change.standing.attempts,
            change.standing.cancelling,
            message,
            now,
            ended.then_some(now),
            ended
        ],
    )
    .await
    .map_err(failed("could not change an operation"))
}

/// Inserts an operation in a transaction; the audit entry is the caller's.
pub(crate) async fn insert(tx: &mut Tx, new: &NewOperation, now: Millis) -> Result<Operation> {
    let id = Uuid::now_v7().to_string();
    let row = tx
        .first::<Row>(
            "INSERT INTO operation (id, kind, environment, exclusive_key, params, actor, state, data, attempts, cancelling,
                holds_key, lease_epoch, version, created, updated)
             VALUES ($1, $2, $3, $4, $5, $6, 'queued', '{}', 0, 0, 0, 0, 1, $7, $7) RETURNING *",
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
    row.ok_or_else(|| unknown(&id))?.try_into()
}

/// The audit entry of a beginning.
pub(crate) fn opened(operation: &Operation) -> Draft {
    let details = json!({"environment": operation.environment, "params": operation.params});
    about(
        operation,
        &operation.actor,
        &operation.kind,
        "opened",
        details,
        operation.created,
    )
}

/// An audit entry about an operation.
pub fn about(operation: &Operation, actor: &str, action: &str, outcome: &str, details: Value, at: Millis) -> Draft {
    Draft {
        at,
        actor: actor.to_owned(),
        action: action.to_owned(),
        subject: format!("operation:{}", operation.id),
        outcome: outcome.to_owned(),
        details,
    }
}

/// The refusal of what does not fit an operation's state.
pub(crate) fn refused(operation: &Operation, why: &'static str) -> StoreError {
    StoreError::State {
        operation: operation.id.clone(),
        state: operation.state.to_string(),
        why,
    }
}

fn unknown(name: &str) -> StoreError {
    StoreError::Unknown {
        what: "operation",
        name: name.to_owned(),
    }
}
