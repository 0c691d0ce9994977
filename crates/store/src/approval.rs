//! Approvals: given or refused by a person for exactly one package of an operation.

use serde::Serialize;
use serde_json::json;
use syncline_domain::time::Millis;
use uuid::Uuid;

use crate::dialect::args;
use crate::error::failed;
use crate::operation::{about, refused};
use crate::{Result, Store};

/// What a person decided about a package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Approval {
    /// The package: approvals of another one do not count.
    pub digest: String,
    /// Who.
    pub actor: String,
    /// The roles that the person had then.
    pub roles: Vec<String>,
    /// Approved, or refused.
    pub granted: bool,
    /// In the person's words.
    pub reason: Option<String>,
    /// When.
    pub created: Millis,
}

#[derive(sqlx::FromRow)]
struct Row {
    digest: String,
    actor: String,
    roles: String,
    granted: i64,
    reason: Option<String>,
    created: i64,
}

impl Store {
    /// Keeps a decision, in place of one that the same person made about the same package, and wakes the operation with a
    /// signal.
    pub async fn approve(&self, operation: &str, approval: &Approval, signal: &str) -> Result<()> {
        let attempted = "could not keep an approval";
        let found = self.operation(operation).await?;
        if found.state.is_terminal() {
            return Err(refused(&found, "it has ended already"));
        }
        let mut tx = self.begin(attempted).await?;
        tx.run(
            "INSERT INTO approval (id, operation, digest, actor, roles, granted, reason, created)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
             ON CONFLICT (operation, digest, actor) DO UPDATE SET roles = excluded.roles, granted = excluded.granted,
                reason = excluded.reason, created = excluded.created",
            args![
                Uuid::now_v7().to_string(),
                operation,
                &approval.digest,
                &approval.actor,
                approval.roles.join(","),
                approval.granted,
                &approval.reason,
                approval.created
            ],
        )
        .await
        .map_err(failed(attempted))?;
        let payload = json!({"digest": approval.digest, "granted": approval.granted, "reason": approval.reason});
        crate::signal::insert(&mut tx, operation, signal, &payload, &approval.actor, approval.created).await?;
        let action = if approval.granted { "approve" } else { "reject" };
        let event = about(&found, &approval.actor, action, "succeeded", payload, approval.created);
        crate::audit::append(&mut tx, &[event]).await?;
        tx.commit().await.map_err(failed(attempted))
    }

    /// Decisions about a package of an operation, the oldest first.
    pub async fn approvals(&self, operation: &str, digest: &str) -> Result<Vec<Approval>> {
        let rows = self
            .db
            .all::<Row>(
                "SELECT digest, actor, roles, granted, reason, created FROM approval WHERE operation = $1 AND digest = $2
                 ORDER BY created, id",
                args![operation, digest],
            )
            .await
            .map_err(failed("could not read approvals"))?;
        Ok(rows.into_iter().map(Into::into).collect())
    }
}

impl From<Row> for Approval {
    fn from(row: Row) -> Self {
        Self {
            digest: row.digest,
            actor: row.actor,
            roles: row
                .roles
                .split(',')
                .filter(|role| !role.is_empty())
                .map(str::to_owned)
                .collect(),
            granted: row.granted == 1,
            reason: row.reason,
            created: row.created,
        }
    }
}
