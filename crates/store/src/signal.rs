//! Signals: what wakes a waiting operation, kept until a step has taken it in.

use serde::Serialize;
use serde_json::Value;
use syncline_domain::time::Millis;
use uuid::Uuid;

use crate::dialect::{Tx, args};
use crate::error::failed;
use crate::operation::{about, refused};
use crate::{Result, Store, StoreError};

/// A signal for an operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Signal {
    /// Its id.
    pub id: String,
    /// What it is about: `approval`, `conflicts`, `cancel`.
    pub name: String,
    /// What comes with it.
    pub payload: Value,
    /// Who sent it.
    pub actor: String,
    /// When.
    pub created: Millis,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    name: String,
    payload: String,
    actor: String,
    created: i64,
}

impl Store {
    /// Sends a signal to an operation that has not ended. It is kept when nothing waits for it yet.
    pub async fn signal(&self, operation: &str, name: &str, payload: &Value, actor: &str, now: Millis) -> Result<()> {
        let attempted = "could not send a signal";
        let found = self.operation(operation).await?;
        if found.state.is_terminal() {
            return Err(refused(&found, "it has ended already"));
        }
        let mut tx = self.begin(attempted).await?;
        insert(&mut tx, operation, name, payload, actor, now).await?;
        let detail = serde_json::json!({"name": name, "payload": payload});
        crate::audit::append(&mut tx, &[about(&found, actor, "signal", "succeeded", detail, now)]).await?;
        tx.commit().await.map_err(failed(attempted))
    }

    /// Signals that no step has taken in yet, the oldest first.
    pub async fn pending_signals(&self, operation: &str) -> Result<Vec<Signal>> {
        let rows = self
            .db
            .all::<Row>(
                "SELECT id, name, payload, actor, created FROM signal WHERE operation = $1 AND consumed IS NULL ORDER BY id",
                args![operation],
            )
            .await
            .map_err(failed("could not read signals"))?;
        rows.into_iter()
            .map(|row| {
                Ok(Signal {
                    payload: serde_json::from_str(&row.payload).map_err(|error| StoreError::Damaged {
                        what: "signal",
                        name: row.id.clone(),
                        why: format!("holds no JSON: {error}"),
                    })?,
                    id: row.id,
                    name: row.name,
                    actor: row.actor,
                    created: row.created,
                })
            })
            .collect()
    }
}

pub(crate) async fn insert(
    tx: &mut Tx,
    operation: &str,
    name: &str,
    payload: &Value,
    actor: &str,
    now: Millis,
) -> Result<()> {
    tx.run(
        "INSERT INTO signal (id, operation, name, payload, actor, created) VALUES ($1, $2, $3, $4, $5, $6)",
        args![Uuid::now_v7().to_string(), operation, name, payload, actor, now],
    )
    .await
    .map_err(failed("could not send a signal"))?;
    Ok(())
}

pub(crate) async fn consume(tx: &mut Tx, ids: &[String], now: Millis) -> Result<()> {
    for id in ids {
        tx.run(
            "UPDATE signal SET consumed = $2 WHERE id = $1 AND consumed IS NULL",
            args![id, now],
        )
        .await
        .map_err(failed("could not take in a signal"))?;
    }
    Ok(())
}
