//! Evidence: what a person attached to an operation, or what a gate measured.

use serde::Serialize;
use serde_json::{Value, json};
use syncline_domain::time::Millis;
use uuid::Uuid;

use crate::dialect::args;
use crate::error::failed;
use crate::operation::about;
use crate::{Result, Store, StoreError};

/// A piece of evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Evidence {
    /// What it shows: `ticket`, `tests`, `analysis`.
    pub name: String,
    /// The evidence itself.
    pub content: Value,
    /// Who attached it.
    pub actor: String,
    /// When.
    pub created: Millis,
}

#[derive(sqlx::FromRow)]
struct Row {
    name: String,
    content: String,
    actor: String,
    created: i64,
}

impl Store {
    /// Attaches evidence to an operation and wakes it with a signal.
    pub async fn attach_evidence(&self, operation: &str, evidence: &Evidence, signal: &str) -> Result<()> {
        let attempted = "could not attach evidence";
        let found = self.operation(operation).await?;
        let mut tx = self.begin(attempted).await?;
        tx.run(
            "INSERT INTO evidence (id, operation, name, content, actor, created) VALUES ($1, $2, $3, $4, $5, $6)",
            args![
                Uuid::now_v7().to_string(),
                operation,
                &evidence.name,
                &evidence.content,
                &evidence.actor,
                evidence.created
            ],
        )
        .await
        .map_err(failed(attempted))?;
        let detail = json!({"name": evidence.name, "content": evidence.content});
        crate::signal::insert(&mut tx, operation, signal, &detail, &evidence.actor, evidence.created).await?;
        let event = about(
            &found,
            &evidence.actor,
            "attach-evidence",
            "succeeded",
            detail,
            evidence.created,
        );
        crate::audit::append(&mut tx, &[event]).await?;
        tx.commit().await.map_err(failed(attempted))
    }

    /// The evidence of an operation, the oldest first.
    pub async fn evidence(&self, operation: &str) -> Result<Vec<Evidence>> {
        let rows = self
            .db
            .all::<Row>(
                "SELECT name, content, actor, created FROM evidence WHERE operation = $1 ORDER BY id",
                args![operation],
            )
            .await
            .map_err(failed("could not read evidence"))?;
        rows.into_iter()
            .map(|row| {
                Ok(Evidence {
                    content: serde_json::from_str(&row.content).map_err(|error| StoreError::Damaged {
                        what: "evidence",
                        name: row.name.clone(),
                        why: format!("holds no JSON: {error}"),
                    })?,
                    name: row.name,
                    actor: row.actor,
                    created: row.created,
                })
            })
            .collect()
    }
}
