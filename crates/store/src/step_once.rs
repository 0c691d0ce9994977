//! Steps of a deployment that run once in each environment: begun before the effect, done after it.

use serde::Serialize;
use serde_json::Value;
use syncline_domain::time::Millis;

use crate::dialect::args;
use crate::error::failed;
use crate::{Result, Store, StoreError};

/// A step in an environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StepOnce {
    /// The environment.
    pub environment: String,
    /// The step's id in syncline.toml.
    pub step: String,
    /// The operation that began it.
    pub operation: String,
    /// When it began.
    pub begun: Millis,
    /// When it was done; `None` when that is not known.
    pub done: Option<Millis>,
    /// What is known of the effect, to look for it: the id of a job.
    pub detail: Value,
}

#[derive(sqlx::FromRow)]
struct Row {
    environment: String,
    step: String,
    operation: String,
    begun: i64,
    done: Option<i64>,
    detail: String,
}

impl TryFrom<Row> for StepOnce {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self> {
        Ok(Self {
            detail: serde_json::from_str(&row.detail).map_err(|error| StoreError::Damaged {
                what: "step",
                name: row.step.clone(),
                why: format!("holds no JSON: {error}"),
            })?,
            environment: row.environment,
            step: row.step,
            operation: row.operation,
            begun: row.begun,
            done: row.done,
        })
    }
}

impl Store {
    /// Begins a step in an environment: `true` when it is new and the caller has to run it; `false` when it was begun before:
    /// see [`Store::steps_once`] by which operation and whether it is done.
    pub async fn begin_once(&self, environment: &str, step: &str, operation: &str, now: Millis) -> Result<bool> {
        let attempted = "could not begin a step";
        let mut tx = self.begin(attempted).await?;
        let new = tx
            .run(
                "INSERT INTO step_once (environment, step, operation, begun, detail) VALUES ($1, $2, $3, $4, '{}')
                 ON CONFLICT (environment, step) DO NOTHING",
                args![environment, step, operation, now],
            )
            .await
            .map_err(failed(attempted))?;
        tx.commit().await.map_err(failed(attempted))?;
        Ok(new == 1)
    }

    /// Notes what is known of the effect, and that it is done. Only the operation that began the step can.
    pub async fn note_once(
        &self,
        environment: &str,
        step: &str,
        operation: &str,
        detail: &Value,
        done: Option<Millis>,
    ) -> Result<()> {
        let attempted = "could not note a step";
        let mut tx = self.begin(attempted).await?;
        let changed = tx
            .run(
                "UPDATE step_once SET detail = $4, done = $5
                 WHERE environment = $1 AND step = $2 AND operation = $3 AND done IS NULL",
                args![environment, step, operation, detail, done],
            )
            .await
            .map_err(failed(attempted))?;
        if changed != 1 {
            return Err(StoreError::Changed {
                what: "step",
                name: step.to_owned(),
            });
        }
        tx.commit().await.map_err(failed(attempted))
    }

    /// Forgets that a step was begun, so that it can run again: it had no effect, or the environment was made anew. With no
    /// step, all of the environment. The number of forgotten ones.
    pub async fn forget_once(&self, environment: &str, step: Option<&str>) -> Result<u64> {
        let attempted = "could not forget a step";
        let mut tx = self.begin(attempted).await?;
        let forgotten = tx
            .run(
                "DELETE FROM step_once WHERE environment = $1 AND ($2 IS NULL OR step = $2)",
                args![environment, step],
            )
            .await
            .map_err(failed(attempted))?;
        tx.commit().await.map_err(failed(attempted))?;
        Ok(forgotten)
    }

    /// The steps that were begun in an environment, the oldest first.
    pub async fn steps_once(&self, environment: &str) -> Result<Vec<StepOnce>> {
        let rows = self
            .db
            .all::<Row>(
                "SELECT environment, step, operation, begun, done, detail FROM step_once WHERE environment = $1
                 ORDER BY begun, step",
                args![environment],
            )
            .await
            .map_err(failed("could not read steps"))?;
        rows.into_iter().map(TryInto::try_into).collect()
    }
}
