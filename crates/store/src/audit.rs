//! The audit chain and its checkpoints. Entries are only ever added, in the transaction of what they tell.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use syncline_domain::audit::{Entry, Event, digest};
use syncline_domain::time::Millis;

use crate::dialect::{Tx, args};
use crate::error::failed;
use crate::{Result, Store, StoreError};

/// A signed place of the chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, sqlx::FromRow)]
pub struct Checkpoint {
    /// The entry.
    pub seq: i64,
    /// Its digest.
    pub hash: String,
    /// When it was signed.
    pub at: Millis,
    /// The Ed25519 key that signed it, hexadecimal.
    pub public_key: String,
    /// The signature over [`Checkpoint::signed_text`], hexadecimal.
    pub signature: String,
}

impl Checkpoint {
    /// What is signed.
    pub fn signed_text(seq: i64, hash: &str, at: Millis) -> String {
        format!("syncline audit checkpoint 1\n{seq}\n{hash}\n{at}\n")
    }
}

#[derive(sqlx::FromRow)]
struct Row {
    seq: i64,
    at: i64,
    actor: String,
    action: String,
    environment: Option<String>,
    operation: Option<String>,
    detail: String,
    previous: String,
    hash: String,
}

impl TryFrom<Row> for Entry {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self> {
        let detail: Value = serde_json::from_str(&row.detail).map_err(|error| StoreError::Damaged {
            what: "audit entry",
            name: row.seq.to_string(),
            why: format!("holds no JSON: {error}"),
        })?;
        Ok(Self {
            seq: row.seq,
            event: Event {
                at: row.at,
                actor: row.actor,
                action: row.action,
                environment: row.environment,
                operation: row.operation,
                detail,
            },
            previous: row.previous,
            hash: row.hash,
        })
    }
}

impl Store {
    /// Adds an entry that belongs to no other change.
    pub async fn append_audit(&self, events: &[Event]) -> Result<()> {
        let attempted = "could not write the audit chain";
        let mut tx = self.begin(attempted).await?;
        append(&mut tx, events).await?;
        tx.commit().await.map_err(failed(attempted))
    }

    /// Entries after a place, in their order, at most `limit`. Readers of the whole chain call it page by page.
    pub async fn audit_entries(&self, after: i64, limit: u32) -> Result<Vec<Entry>> {
        let rows = self
            .db
            .all::<Row>(
                "SELECT * FROM audit WHERE seq > $1 ORDER BY seq LIMIT $2",
                args![after, limit],
            )
            .await
            .map_err(failed("could not read the audit chain"))?;
        rows.into_iter().map(TryInto::try_into).collect()
    }

    /// The newest entries of an operation or an environment, or of all, the oldest of them first.
    pub async fn recent_audit(
        &self,
        operation: Option<&str>,
        environment: Option<&str>,
        limit: u32,
    ) -> Result<Vec<Entry>> {
        let rows = self
            .db
            .all::<Row>(
                "SELECT * FROM audit WHERE ($1 IS NULL OR operation = $1) AND ($2 IS NULL OR environment = $2)
                 ORDER BY seq DESC LIMIT $3",
                args![operation, environment, limit],
            )
            .await
            .map_err(failed("could not read the audit chain"))?;
        rows.into_iter().rev().map(TryInto::try_into).collect()
    }

    /// The chain's last place and digest: 0 and zeros for an empty one.
    pub async fn audit_head(&self) -> Result<(i64, String)> {
        let head = self
            .db
            .first::<Head>("SELECT seq, hash FROM audit_head WHERE id = 1", &[])
            .await;
        let head = head
            .map_err(failed("could not read the audit chain"))?
            .ok_or_else(no_head)?;
        Ok((head.seq, head.hash))
    }

    /// Keeps a checkpoint; one of the same place stays.
    pub async fn add_checkpoint(&self, checkpoint: &Checkpoint) -> Result<()> {
        let attempted = "could not keep a checkpoint";
        let mut tx = self.begin(attempted).await?;
        tx.run(
            "INSERT INTO checkpoint (seq, hash, at, public_key, signature) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (seq) DO NOTHING",
            args![
                checkpoint.seq,
                &checkpoint.hash,
                checkpoint.at,
                &checkpoint.public_key,
                &checkpoint.signature
            ],
        )
        .await
        .map_err(failed(attempted))?;
        tx.commit().await.map_err(failed(attempted))
    }

    /// All checkpoints in their order.
    pub async fn checkpoints(&self) -> Result<Vec<Checkpoint>> {
        let rows = self
            .db
            .all(
                "SELECT seq, hash, at, public_key, signature FROM checkpoint ORDER BY seq",
                &[],
            )
            .await;
        rows.map_err(failed("could not read the checkpoints"))
    }
}

#[derive(sqlx::FromRow)]
struct Head {
    seq: i64,
    hash: String,
}

fn no_head() -> StoreError {
    StoreError::Damaged {
        what: "table",
        name: "audit_head".to_owned(),
        why: "has no row".to_owned(),
    }
}

/// Adds entries to the chain. The row of its head is locked until the transaction ends, so it is the last thing that a
/// transaction does.
pub(crate) async fn append(tx: &mut Tx, events: &[Event]) -> Result<()> {
    if events.is_empty() {
        return Ok(());
    }
    let attempted = failed("could not write the audit chain");
    let head = tx
        .first::<Head>("UPDATE audit_head SET seq = seq WHERE id = 1 RETURNING seq, hash", &[])
        .await;
    let mut head = head.map_err(&attempted)?.ok_or_else(no_head)?;
    for event in events {
        let seq = head.seq + 1;
        let hash = digest(seq, event, &head.hash);
        tx.run(
            "INSERT INTO audit (seq, at, actor, action, environment, operation, detail, previous, hash)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            args![
                seq,
                event.at,
                &event.actor,
                &event.action,
                &event.environment,
                &event.operation,
                &event.detail,
                &head.hash,
                &hash
            ],
        )
        .await
        .map_err(&attempted)?;
        head = Head { seq, hash };
    }
    tx.run(
        "UPDATE audit_head SET seq = $1, hash = $2 WHERE id = 1",
        args![head.seq, &head.hash],
    )
    .await
    .map_err(&attempted)?;
    Ok(())
}
