//! People and their roles.

use serde::Serialize;
use serde_json::json;
use syncline_domain::audit::Draft;
use syncline_domain::time::Millis;

use crate::dialect::args;
use crate::error::failed;
use crate::{Result, Store};

/// A role of a person in an environment, or in all with `*`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, sqlx::FromRow)]
pub struct Assignment {
    /// The person.
    pub person: String,
    /// The environment, or `*`.
    pub environment: String,
    /// The role.
    pub role: String,
}

impl Store {
    /// Gives a person a role; a person that is not known yet is added.
    pub async fn assign_role(&self, assignment: &Assignment, actor: &str, now: Millis) -> Result<()> {
        let attempted = "could not give a role";
        let Assignment {
            person,
            environment,
            role,
        } = assignment;
        let mut tx = self.begin(attempted).await?;
        tx.run(
            "INSERT INTO person (name, created) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING",
            args![person, now],
        )
        .await
        .map_err(failed(attempted))?;
        let new = tx
            .run(
                "INSERT INTO role_assignment (person, environment, role, created) VALUES ($1, $2, $3, $4)
                 ON CONFLICT (person, environment, role) DO NOTHING",
                args![person, environment, role, now],
            )
            .await
            .map_err(failed(attempted))?;
        if new == 1 {
            crate::audit::append(&mut tx, &[changed("role.give", assignment, actor, now)]).await?;
        }
        tx.commit().await.map_err(failed(attempted))
    }

    /// Takes a role from a person. Whether the person had it.
    pub async fn revoke_role(&self, assignment: &Assignment, actor: &str, now: Millis) -> Result<bool> {
        let attempted = "could not take a role";
        let mut tx = self.begin(attempted).await?;
        let gone = tx
            .run(
                "DELETE FROM role_assignment WHERE person = $1 AND environment = $2 AND role = $3",
                args![&assignment.person, &assignment.environment, &assignment.role],
            )
            .await
            .map_err(failed(attempted))?;
        if gone == 1 {
            crate::audit::append(&mut tx, &[changed("role.take", assignment, actor, now)]).await?;
        }
        tx.commit().await.map_err(failed(attempted))?;
        Ok(gone == 1)
    }

    /// All assignments, by person and environment.
    pub async fn assignments(&self) -> Result<Vec<Assignment>> {
        let rows = self
            .db
            .all(
                "SELECT person, environment, role FROM role_assignment ORDER BY person, environment, role",
                &[],
            )
            .await;
        rows.map_err(failed("could not read roles"))
    }
}

fn changed(action: &str, assignment: &Assignment, actor: &str, now: Millis) -> Draft {
    Draft {
        at: now,
        actor: actor.to_owned(),
        action: action.to_owned(),
        subject: format!("person:{}", assignment.person),
        outcome: "succeeded".to_owned(),
        details: json!({"role": assignment.role, "environment": assignment.environment}),
    }
}
