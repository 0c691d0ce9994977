//! What is known of an environment beside git: the org it had, the last snapshot, how far it was looked at.

use serde::Serialize;
use serde_json::{Value, json};
use syncline_domain::time::Millis;

use crate::dialect::args;
use crate::error::failed;
use crate::{Result, Store, StoreError};

/// The state of an environment. One that was never seen has version 0 and knows nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EnvironmentState {
    /// The environment.
    pub environment: String,
    /// The org that it had when it was last seen; another one means that it was refreshed.
    pub org_id: Option<String>,
    /// The commit of the last snapshot.
    pub snapshot_commit: Option<String>,
    /// When that snapshot began.
    pub snapshot_at: Option<Millis>,
    /// The newest deployment in the org that was seen, by id.
    pub last_deploy: Option<String>,
    /// What else is kept between looks, by name.
    pub capture: Value,
    /// How often it was written.
    pub version: i64,
}

#[derive(sqlx::FromRow)]
struct Row {
    environment: String,
    org_id: Option<String>,
    snapshot_commit: Option<String>,
    snapshot_at: Option<i64>,
    last_deploy: Option<String>,
    capture: String,
    version: i64,
}

impl TryFrom<Row> for EnvironmentState {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self> {
        Ok(Self {
            capture: serde_json::from_str(&row.capture).map_err(|error| StoreError::Damaged {
                what: "environment",
                name: row.environment.clone(),
                why: format!("holds no JSON: {error}"),
            })?,
            environment: row.environment,
            org_id: row.org_id,
            snapshot_commit: row.snapshot_commit,
            snapshot_at: row.snapshot_at,
            last_deploy: row.last_deploy,
            version: row.version,
        })
    }
}

const COLUMNS: &str =
    "SELECT environment, org_id, snapshot_commit, snapshot_at, last_deploy, capture, version FROM environment_state
     WHERE $1 = '' OR environment = $1 ORDER BY environment";

impl Store {
    /// The state of an environment.
    pub async fn environment_state(&self, environment: &str) -> Result<EnvironmentState> {
        let row = self.db.first::<Row>(COLUMNS, args![environment]).await;
        match row.map_err(failed("could not read the state of an environment"))? {
            Some(row) => row.try_into(),
            None => Ok(EnvironmentState {
                environment: environment.to_owned(),
                org_id: None,
                snapshot_commit: None,
                snapshot_at: None,
                last_deploy: None,
                capture: json!({}),
                version: 0,
            }),
        }
    }

    /// The states of all environments that were ever seen, by name.
    pub async fn environment_states(&self) -> Result<Vec<EnvironmentState>> {
        let rows = self.db.all::<Row>(COLUMNS, args![""]).await;
        let rows = rows.map_err(failed("could not read the states of environments"))?;
        rows.into_iter().map(TryInto::try_into).collect()
    }

    /// Writes a state that was read before; [`StoreError::Changed`] when somebody else has written it since. The new version.
    pub async fn save_environment_state(&self, state: &EnvironmentState, now: Millis) -> Result<i64> {
        let attempted = "could not write the state of an environment";
        let mut tx = self.begin(attempted).await?;
        let write = match state.version {
            0 => {
                "INSERT INTO environment_state
                    (environment, org_id, snapshot_commit, snapshot_at, last_deploy, capture, version, updated)
                 VALUES ($1, $2, $3, $4, $5, $6, $7 + 1, $8) ON CONFLICT (environment) DO NOTHING"
            }
            _ => {
                "UPDATE environment_state SET org_id = $2, snapshot_commit = $3, snapshot_at = $4, last_deploy = $5,
                    capture = $6, version = $7 + 1, updated = $8
                 WHERE environment = $1 AND version = $7"
            }
        };
        let changed = tx
            .run(
                write,
                args![
                    &state.environment,
                    &state.org_id,
                    &state.snapshot_commit,
                    state.snapshot_at,
                    &state.last_deploy,
                    &state.capture,
                    state.version,
                    now
                ],
            )
            .await
            .map_err(failed(attempted))?;
        if changed != 1 {
            return Err(StoreError::Changed {
                what: "state of the environment",
                name: state.environment.clone(),
            });
        }
        tx.commit().await.map_err(failed(attempted))?;
        Ok(state.version + 1)
    }
}
