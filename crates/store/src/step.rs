//! The log of an operation: each run of a step, when, by whom and how it ended.

use serde::Serialize;
use serde_json::Value;
use syncline_domain::time::Millis;

use crate::dialect::{Tx, args};
use crate::error::failed;
use crate::operation::Claim;
use crate::{Result, Store, StoreError};

/// A run of a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StepRun {
    /// Its number in the operation, from 1.
    pub number: i64,
    /// The step.
    pub name: String,
    /// The epoch of the worker's claim.
    pub epoch: i64,
    /// The worker.
    pub worker: String,
    /// When it began.
    pub started: Millis,
    /// When it ended; `None` while it runs, and for ever when its worker was killed.
    pub ended: Option<Millis>,
    /// How it ended.
    pub outcome: Option<Value>,
}

#[derive(sqlx::FromRow)]
struct Row {
    number: i64,
    name: String,
    epoch: i64,
    worker: String,
    started: i64,
    ended: Option<i64>,
    outcome: Option<String>,
}

impl Store {
    /// All runs of an operation's steps, in their order.
    pub async fn step_runs(&self, operation: &str) -> Result<Vec<StepRun>> {
        let rows = self
            .db
            .all::<Row>(
                "SELECT number, name, epoch, worker, started, ended, outcome FROM step WHERE operation = $1 ORDER BY number",
                args![operation],
            )
            .await
            .map_err(failed("could not read the log of an operation"))?;
        rows.into_iter()
            .map(|row| {
                let outcome = row.outcome.as_deref().map(serde_json::from_str).transpose();
                Ok(StepRun {
                    outcome: outcome.map_err(|error| StoreError::Damaged {
                        what: "step of the operation",
                        name: operation.to_owned(),
                        why: format!("holds no JSON: {error}"),
                    })?,
                    number: row.number,
                    name: row.name,
                    epoch: row.epoch,
                    worker: row.worker,
                    started: row.started,
                    ended: row.ended,
                })
            })
            .collect()
    }
}

#[derive(sqlx::FromRow)]
struct Number {
    number: i64,
}

/// Notes that a step begins; the number of the run. The caller has locked the operation's row.
pub(crate) async fn begin(tx: &mut Tx, claim: &Claim, name: &str, now: Millis) -> Result<i64> {
    let row = tx
        .first::<Number>(
            "INSERT INTO step (operation, number, name, epoch, worker, started)
             SELECT $1, COALESCE(MAX(number), 0) + 1, $2, $3, $4, $5 FROM step WHERE operation = $1 RETURNING number",
            args![&claim.operation, name, claim.epoch, &claim.worker, now],
        )
        .await
        .map_err(failed("could not note the beginning of a step"))?;
    row.map(|row| row.number).ok_or_else(|| StoreError::Unknown {
        what: "step",
        name: name.to_owned(),
    })
}

pub(crate) async fn end(tx: &mut Tx, operation: &str, number: i64, outcome: &Value, now: Millis) -> Result<()> {
    tx.run(
        "UPDATE step SET ended = $3, outcome = $4 WHERE operation = $1 AND number = $2",
        args![operation, number, now, outcome],
    )
    .await
    .map_err(failed("could not note the end of a step"))?;
    Ok(())
}
