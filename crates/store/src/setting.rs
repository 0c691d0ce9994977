//! Settings of the installation: a name and a JSON value.

use serde::Serialize;
use serde_json::Value;
use syncline_domain::time::Millis;

use crate::dialect::args;
use crate::error::failed;
use crate::{Result, Store, StoreError};

/// A setting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Setting {
    /// Its name.
    pub name: String,
    /// Its value; null when it was never set.
    pub value: Value,
    /// How often it was written; 0 when never.
    pub version: i64,
}

#[derive(sqlx::FromRow)]
struct Row {
    value: String,
    version: i64,
}

impl Store {
    /// A setting.
    pub async fn setting(&self, name: &str) -> Result<Setting> {
        let row = self
            .db
            .first::<Row>("SELECT value, version FROM setting WHERE name = $1", args![name])
            .await;
        let row = row.map_err(failed("could not read a setting"))?;
        let (value, version) = match row {
            Some(row) => (serde_json::from_str(&row.value), row.version),
            None => (Ok(Value::Null), 0),
        };
        Ok(Setting {
            value: value.map_err(|error| StoreError::Damaged {
                what: "setting",
                name: name.to_owned(),
                why: format!("holds no JSON: {error}"),
            })?,
            name: name.to_owned(),
            version,
        })
    }

    /// Writes a setting that was read before; [`StoreError::Changed`] when somebody else has written it since.
    pub async fn save_setting(&self, setting: &Setting, now: Millis) -> Result<()> {
        let attempted = "could not write a setting";
        let mut tx = self.begin(attempted).await?;
        let write = match setting.version {
            0 => {
                "INSERT INTO setting (name, value, version, updated) VALUES ($1, $2, $3 + 1, $4) ON CONFLICT (name) DO NOTHING"
            }
            _ => "UPDATE setting SET value = $2, version = $3 + 1, updated = $4 WHERE name = $1 AND version = $3",
        };
        let changed = tx
            .run(write, args![&setting.name, &setting.value, setting.version, now])
            .await
            .map_err(failed(attempted))?;
        if changed != 1 {
            return Err(StoreError::Changed {
                what: "setting",
                name: setting.name.clone(),
            });
        }
        tx.commit().await.map_err(failed(attempted))
    }
}
