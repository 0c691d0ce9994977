//! Secrets, sealed with the server key and bound to their row.

use serde_json::json;
use syncline_domain::audit::Draft;
use syncline_domain::time::Millis;

use crate::dialect::args;
use crate::error::failed;
use crate::seal::{Plain, SealError, ServerKey};
use crate::{Result, Store, StoreError};

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    key_id: String,
    sealed: String,
}

fn place(id: &str) -> String {
    format!("secret/{id}/sealed")
}

impl Row {
    fn open(&self, key: &ServerKey) -> std::result::Result<Plain, SealError> {
        if self.key_id != key.id() {
            return Err(SealError::OtherKey {
                id: self.id.clone(),
                found: self.key_id.clone(),
                given: key.id().to_owned(),
            });
        }
        key.open(&place(&self.id), &self.sealed).map_err(|error| match error {
            SealError::Changed { .. } => SealError::Changed { id: self.id.clone() },
            other => other,
        })
    }
}

impl Store {
    /// Keeps a secret in place of one with the same id.
    pub async fn put_secret(&self, key: &ServerKey, id: &str, plain: &Plain, now: Millis) -> Result<()> {
        self.write_secret(
            key,
            id,
            plain,
            now,
            "INSERT INTO secret (id, key_id, sealed, updated) VALUES ($1, $2, $3, $4)
             ON CONFLICT (id) DO UPDATE SET key_id = excluded.key_id, sealed = excluded.sealed, updated = excluded.updated",
        )
        .await
    }

    /// Keeps a secret unless there is one with that id; of several that make one at once, one stays.
    pub async fn add_secret(&self, key: &ServerKey, id: &str, plain: &Plain, now: Millis) -> Result<()> {
        self.write_secret(
            key,
            id,
            plain,
            now,
            "INSERT INTO secret (id, key_id, sealed, updated) VALUES ($1, $2, $3, $4) ON CONFLICT (id) DO NOTHING",
        )
        .await
    }

    async fn write_secret(
        &self,
        key: &ServerKey,
        id: &str,
        plain: &Plain,
        now: Millis,
        sql: &'static str,
    ) -> Result<()> {
        let attempted = "could not keep a secret";
        let sealed = key.seal(&place(id), plain)?;
        let mut tx = self.begin(attempted).await?;
        tx.run(sql, args![id, key.id(), &sealed, now])
            .await
            .map_err(failed(attempted))?;
        tx.commit().await.map_err(failed(attempted))
    }

    /// A secret; `None` when there is none with that id.
    pub async fn secret(&self, key: &ServerKey, id: &str) -> Result<Option<Plain>> {
        let row = self
            .db
            .first::<Row>("SELECT id, key_id, sealed FROM secret WHERE id = $1", args![id])
            .await
            .map_err(failed("could not read a secret"))?;
        Ok(row.map(|row| row.open(key)).transpose()?)
    }

    /// Ids of keys that secrets are sealed with: none without secrets, several never outside of a rotation's transaction.
    pub async fn key_ids(&self) -> Result<Vec<String>> {
        #[derive(sqlx::FromRow)]
        struct Key {
            key_id: String,
        }
        let rows = self
            .db
            .all::<Key>("SELECT DISTINCT key_id FROM secret ORDER BY key_id", &[])
            .await
            .map_err(failed("could not read the keys of secrets"))?;
        Ok(rows.into_iter().map(|row| row.key_id).collect())
    }

    /// Seals all secrets with another key, all or none. Their number.
    pub async fn rotate_key(&self, old: &ServerKey, new: &ServerKey, actor: &str, now: Millis) -> Result<usize> {
        let attempted = "could not seal the secrets with the new key";
        let mut tx = self.begin(attempted).await?;
        let rows = tx
            .all::<Row>(
                crate::dialect::Sql {
                    sqlite: "SELECT id, key_id, sealed FROM secret ORDER BY id",
                    postgres: "SELECT id, key_id, sealed FROM secret ORDER BY id FOR UPDATE",
                },
                &[],
            )
            .await
            .map_err(failed(attempted))?;
        for row in &rows {
            let plain = row.open(old)?;
            let sealed = new.seal(&place(&row.id), &plain)?;
            let changed = tx
                .run(
                    "UPDATE secret SET key_id = $2, sealed = $3, updated = $4 WHERE id = $1 AND key_id = $5",
                    args![&row.id, new.id(), &sealed, now, old.id()],
                )
                .await
                .map_err(failed(attempted))?;
            if changed != 1 {
                return Err(StoreError::Changed {
                    what: "secret",
                    name: row.id.clone(),
                });
            }
        }
        let event = Draft {
            at: now,
            actor: actor.to_owned(),
            action: "key.rotate".to_owned(),
            subject: format!("key:{}", new.id()),
            outcome: "succeeded".to_owned(),
            details: json!({"from": old.id(), "secrets": rows.len()}),
        };
        crate::audit::append(&mut tx, &[event]).await?;
        tx.commit().await.map_err(failed(attempted))?;
        Ok(rows.len())
    }
}
