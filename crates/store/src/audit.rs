//! The audit chain and its checkpoints. Entries are only ever added, in the transaction of what they tell.

use syncline_domain::audit::{Checkpoint, Digest, Draft, Entry};

use crate::dialect::{Tx, args};
use crate::error::failed;
use crate::{Result, Store, StoreError};

#[derive(sqlx::FromRow)]
struct Row {
    seq: i64,
    at: i64,
    actor: String,
    action: String,
    subject: String,
    outcome: String,
    details: String,
    previous: String,
    hash: String,
}

fn damaged(what: &'static str, seq: i64) -> impl Fn(String) -> StoreError {
    move |why| StoreError::Damaged {
        what,
        name: seq.to_string(),
        why,
    }
}

fn digest(text: &str) -> std::result::Result<Digest, String> {
    text.parse().map_err(|_| "has a digest that is none".to_owned())
}

impl TryFrom<Row> for Entry {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self> {
        let wrong = damaged("audit entry", row.seq);
        let details = serde_json::from_str(&row.details);
        Ok(Self {
            seq: u64::try_from(row.seq).map_err(|_| wrong("has no number".to_owned()))?,
            draft: Draft {
                at: row.at,
                actor: row.actor,
                action: row.action,
                subject: row.subject,
                outcome: row.outcome,
                details: details.map_err(|error| wrong(format!("holds no JSON: {error}")))?,
            },
            previous: digest(&row.previous).map_err(&wrong)?,
            hash: digest(&row.hash).map_err(&wrong)?,
        })
    }
}

#[derive(sqlx::FromRow)]
struct CheckpointRow {
    seq: i64,
    hash: String,
    at: i64,
    key: String,
    signature: String,
}

impl TryFrom<CheckpointRow> for Checkpoint {
    type Error = StoreError;

    fn try_from(row: CheckpointRow) -> Result<Self> {
        let wrong = damaged("checkpoint", row.seq);
        Ok(Self {
            seq: u64::try_from(row.seq).map_err(|_| wrong("has no number".to_owned()))?,
            hash: digest(&row.hash).map_err(&wrong)?,
            at: row.at,
            key: row.key,
            signature: row.signature,
        })
    }
}

impl Store {
    /// Adds entries that belong to no other change.
    pub async fn append_audit(&self, drafts: &[Draft]) -> Result<()> {
        let attempted = "could not write the audit chain";
        let mut tx = self.begin(attempted).await?;
        append(&mut tx, drafts).await?;
        tx.commit().await.map_err(failed(attempted))
    }

    /// Entries after a number, in their order, at most `limit`. Readers of the whole chain call it page by page.
    pub async fn audit_entries(&self, after: u64, limit: u32) -> Result<Vec<Entry>> {
        let rows = self
            .db
            .all::<Row>(
                "SELECT * FROM audit WHERE seq > $1 ORDER BY seq LIMIT $2",
                args![number(after), limit],
            )
            .await
            .map_err(failed("could not read the audit chain"))?;
        rows.into_iter().map(TryInto::try_into).collect()
    }

    /// The newest entries, the oldest of them first; with a subject only those about it.
    pub async fn recent_audit(&self, subject: Option<&str>, limit: u32) -> Result<Vec<Entry>> {
        let rows = self
            .db
            .all::<Row>(
                "SELECT * FROM audit WHERE ($1 IS NULL OR subject = $1) ORDER BY seq DESC LIMIT $2",
                args![subject, limit],
            )
            .await
            .map_err(failed("could not read the audit chain"))?;
        rows.into_iter().rev().map(TryInto::try_into).collect()
    }

    /// The chain's last number and digest; `None` for an empty one.
    pub async fn audit_head(&self) -> Result<Option<(u64, Digest)>> {
        let head = self
            .db
            .first::<Head>("SELECT seq, hash FROM audit_head WHERE id = 1", &[])
            .await;
        head.map_err(failed("could not read the audit chain"))?
            .ok_or_else(no_head)?
            .last()
    }

    /// Keeps a checkpoint; one of the same entry stays.
    pub async fn add_checkpoint(&self, checkpoint: &Checkpoint) -> Result<()> {
        let attempted = "could not keep a checkpoint";
        let mut tx = self.begin(attempted).await?;
        tx.run(
            "INSERT INTO checkpoint (seq, hash, at, key, signature) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (seq) DO NOTHING",
            args![
                number(checkpoint.seq),
                checkpoint.hash.to_string(),
                checkpoint.at,
                &checkpoint.key,
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
            .all::<CheckpointRow>("SELECT seq, hash, at, key, signature FROM checkpoint ORDER BY seq", &[])
            .await
            .map_err(failed("could not read the checkpoints"))?;
        rows.into_iter().map(TryInto::try_into).collect()
    }
}

#[derive(sqlx::FromRow)]
struct Head {
    seq: i64,
    hash: String,
}

impl Head {
    fn last(&self) -> Result<Option<(u64, Digest)>> {
        let wrong = damaged("table", 0);
        let seq = u64::try_from(self.seq).map_err(|_| wrong("audit_head has no number".to_owned()))?;
        let hash = digest(&self.hash).map_err(&wrong)?;
        Ok((seq > 0).then_some((seq, hash)))
    }
}

fn no_head() -> StoreError {
    StoreError::Damaged {
        what: "table",
        name: "audit_head".to_owned(),
        why: "has no row".to_owned(),
    }
}

fn number(seq: u64) -> i64 {
    i64::try_from(seq).unwrap_or(i64::MAX)
}

/// Adds entries to the chain. The row of its head is locked until the transaction ends, so it is the last thing that a
/// transaction does.
pub(crate) async fn append(tx: &mut Tx, drafts: &[Draft]) -> Result<()> {
    if drafts.is_empty() {
        return Ok(());
    }
    let attempted = failed("could not write the audit chain");
    let head = tx
        .first::<Head>("UPDATE audit_head SET seq = seq WHERE id = 1 RETURNING seq, hash", &[])
        .await;
    let mut last = head.map_err(&attempted)?.ok_or_else(no_head)?.last()?;
    for draft in drafts {
        let entry = Entry::after(last, draft.clone());
        tx.run(
            "INSERT INTO audit (seq, at, actor, action, subject, outcome, details, previous, hash)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            args![
                number(entry.seq),
                draft.at,
                &draft.actor,
                &draft.action,
                &draft.subject,
                &draft.outcome,
                &draft.details,
                entry.previous.to_string(),
                entry.hash.to_string()
            ],
        )
        .await
        .map_err(&attempted)?;
        last = Some((entry.seq, entry.hash));
    }
    if let Some((seq, hash)) = last {
        tx.run(
            "UPDATE audit_head SET seq = $1, hash = $2 WHERE id = 1",
            args![number(seq), hash.to_string()],
        )
        .await
        .map_err(&attempted)?;
    }
    Ok(())
}
