//! Schedules, and which of their instants have begun an operation: each at most one.

use serde::Serialize;
use serde_json::Value;
use syncline_domain::time::Millis;

use crate::dialect::args;
use crate::error::failed;
use crate::operation::{NewOperation, Operation, insert, opened};
use crate::{Result, Store, StoreError};

/// When something begins by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Schedule {
    /// Its name.
    pub name: String,
    /// The cron pattern.
    pub cron: String,
    /// The time zone that the pattern is read in.
    pub zone: String,
    /// What begins.
    pub request: Value,
    /// The next instant; `None` when there is none.
    pub next_at: Option<Millis>,
    /// How often the row was written.
    pub version: i64,
}

#[derive(sqlx::FromRow)]
struct Row {
    name: String,
    cron: String,
    zone: String,
    request: String,
    next_at: Option<i64>,
    version: i64,
}

impl TryFrom<Row> for Schedule {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self> {
        Ok(Self {
            request: serde_json::from_str(&row.request).map_err(|error| StoreError::Damaged {
                what: "schedule",
                name: row.name.clone(),
                why: format!("holds no JSON: {error}"),
            })?,
            name: row.name,
            cron: row.cron,
            zone: row.zone,
            next_at: row.next_at,
            version: row.version,
        })
    }
}

impl Store {
    /// Keeps exactly these schedules. One that is unchanged keeps its next instant; `version` of the given ones is not looked at.
    pub async fn set_schedules(&self, schedules: &[Schedule]) -> Result<()> {
        let attempted = "could not keep the schedules";
        let kept = self.schedules().await?;
        let same = |one: &Schedule, other: &Schedule| {
            (&one.name, &one.cron, &one.zone, &one.request) == (&other.name, &other.cron, &other.zone, &other.request)
        };
        let gone = kept
            .iter()
            .filter(|old| !schedules.iter().any(|new| new.name == old.name));
        let new: Vec<&Schedule> = schedules
            .iter()
            .filter(|new| !kept.iter().any(|old| same(old, new)))
            .collect();
        let mut tx = self.begin(attempted).await?;
        for schedule in gone {
            tx.run("DELETE FROM schedule WHERE name = $1", args![&schedule.name])
                .await
                .map_err(failed(attempted))?;
        }
        for schedule in new {
            tx.run(
                "INSERT INTO schedule (name, cron, zone, request, next_at, version) VALUES ($1, $2, $3, $4, $5, 1)
                 ON CONFLICT (name) DO UPDATE SET cron = excluded.cron, zone = excluded.zone, request = excluded.request,
                    next_at = excluded.next_at, version = schedule.version + 1",
                args![
                    &schedule.name,
                    &schedule.cron,
                    &schedule.zone,
                    &schedule.request,
                    schedule.next_at
                ],
            )
            .await
            .map_err(failed(attempted))?;
        }
        tx.commit().await.map_err(failed(attempted))
    }

    /// All schedules by name.
    pub async fn schedules(&self) -> Result<Vec<Schedule>> {
        let rows = self
            .db
            .all::<Row>(
                "SELECT name, cron, zone, request, next_at, version FROM schedule ORDER BY name",
                &[],
            )
            .await
            .map_err(failed("could not read the schedules"))?;
        rows.into_iter().map(TryInto::try_into).collect()
    }

    /// Begins the operation of an event, once: the one that the event has begun before, if it has.
    pub async fn create_once(&self, event: &str, new: &NewOperation, now: Millis) -> Result<Operation> {
        let attempted = "could not begin an operation for an event";
        if let Some(known) = self.begun_by(event).await? {
            return Ok(known);
        }
        let mut tx = self.begin(attempted).await?;
        let operation = insert(&mut tx, new, now).await?;
        // An event is a schedule with one instant.
        let first = tx
            .run(
                "INSERT INTO schedule_run (schedule, instant, operation) VALUES ($1, 0, $2) ON CONFLICT DO NOTHING",
                args![event, &operation.id],
            )
            .await
            .map_err(failed(attempted))?;
        if first != 1 {
            drop(tx);
            let known = self.begun_by(event).await?;
            return known.ok_or_else(|| StoreError::Changed {
                what: "event",
                name: event.to_owned(),
            });
        }
        crate::audit::append(&mut tx, &[opened(&operation)]).await?;
        tx.commit().await.map_err(failed(attempted))?;
        Ok(operation)
    }

    async fn begun_by(&self, event: &str) -> Result<Option<Operation>> {
        let row = self
            .db
            .first::<crate::operation::Row>(
                "SELECT o.* FROM operation o JOIN schedule_run r ON r.operation = o.id
                 WHERE r.schedule = $1 AND r.instant = 0",
                args![event],
            )
            .await
            .map_err(failed("could not look for the operation of an event"))?;
        row.map(TryInto::try_into).transpose()
    }

    /// Begins the operation of a schedule's instant and moves the schedule on to `next_at`. `None` when another worker did, or
    /// the instant has begun one before.
    pub async fn fire(
        &self,
        schedule: &Schedule,
        instant: Millis,
        next_at: Option<Millis>,
        new: &NewOperation,
        now: Millis,
    ) -> Result<Option<Operation>> {
        #[derive(sqlx::FromRow)]
        struct Run {
            #[expect(dead_code, reason = "only whether there is a row matters")]
            instant: i64,
        }
        let attempted = "could not begin a scheduled operation";
        let mut tx = self.begin(attempted).await?;
        let moved = tx
            .run(
                "UPDATE schedule SET next_at = $3, version = version + 1 WHERE name = $1 AND version = $2",
                args![&schedule.name, schedule.version, next_at],
            )
            .await
            .map_err(failed(attempted))?;
        if moved != 1 {
            return Ok(None);
        }
        let ran = tx
            .first::<Run>(
                "SELECT instant FROM schedule_run WHERE schedule = $1 AND instant = $2",
                args![&schedule.name, instant],
            )
            .await
            .map_err(failed(attempted))?;
        if ran.is_some() {
            tx.commit().await.map_err(failed(attempted))?;
            return Ok(None);
        }
        let operation = insert(&mut tx, new, now).await?;
        tx.run(
            "INSERT INTO schedule_run (schedule, instant, operation) VALUES ($1, $2, $3)",
            args![&schedule.name, instant, &operation.id],
        )
        .await
        .map_err(failed(attempted))?;
        crate::audit::append(&mut tx, &[opened(&operation)]).await?;
        tx.commit().await.map_err(failed(attempted))?;
        Ok(Some(operation))
    }
}
