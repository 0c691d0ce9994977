//! What a production org knows of sandboxes from the beginning: its templates, and the sandboxes that the configuration names.

use super::license::{self, DAY, Template};
use super::process;
use crate::error::ApiError;
use crate::http::in_call;
use crate::ids;
use crate::org::{Org, OrgKind, records};
use crate::world::World;
use rusqlite::types::Value as Sql;
use rusqlite::{OptionalExtension, params};
use std::sync::Arc;

/// Age of the sandboxes that a world begins with: none is too young to be refreshed.
const AGE: i64 = 60 * DAY;

/// Makes a production org's templates, or makes a sandbox known to its production org.
pub(crate) fn org(world: &Arc<World>, org: &Arc<Org>) -> Result<(), ApiError> {
    match &org.kind {
        OrgKind::Production => templates(world, org),
        OrgKind::Sandbox { of, license } => {
            let Some(production) = world.org(of).filter(|org| org.kind == OrgKind::Production) else {
                return Err(ApiError::new(
                    "INVALID_CROSS_REFERENCE_KEY",
                    format!(
                        "the sandbox {} is of the org {of}, which is no production org of this world",
                        org.name
                    ),
                ));
            };
            sandbox(world, &production, org, license)
        }
        OrgKind::DeveloperEdition => Ok(()),
    }
}

fn text(text: &str) -> Sql {
    Sql::Text(text.to_owned())
}

fn templates(world: &Arc<World>, org: &Arc<Org>) -> Result<(), ApiError> {
    let mut state = org.lock();
    in_call(world, org, &mut state, None, |call| {
        let object = call.object("PartitionLevelScheme")?;
        for template in &world.config.templates {
            let values = [
                ("DeveloperName", text(&template.name)),
                ("MasterLabel", text(&template.name.replace('_', " "))),
                ("Description", text(&template.description)),
            ];
            let id = records::insert(org, call.db, &object, &values, "", call.now)?;
            for name in &template.objects {
                call.db.execute(
                    "INSERT OR IGNORE INTO _template (id, object) VALUES (?1, ?2)",
                    [&id, name],
                )?;
            }
        }
        Ok(())
    })
}

fn sandbox(world: &Arc<World>, production: &Arc<Org>, org: &Arc<Org>, license: &str) -> Result<(), ApiError> {
    let license = license::of(license)
        .ok_or_else(|| ApiError::new("INVALID_INPUT", format!("`{license}` is no kind of org or sandbox")))?;
    let mut state = production.lock();
    in_call(world, production, &mut state, None, |call| {
        let admin: String = call
            .db
            .query_row("SELECT Id FROM User ORDER BY Id LIMIT 1", [], |row| row.get(0))?;
        call.user.clone_from(&admin);
        let template: Option<String> = match license.template {
            Template::Required => call
                .db
                .query_row("SELECT Id FROM PartitionLevelScheme ORDER BY Id LIMIT 1", [], |row| {
                    row.get(0)
                })
                .optional()?,
            _ => None,
        };
        let at = call.now - AGE;
        let values = [
            ("SandboxName", text(&org.name)),
            ("LicenseType", text(license.name)),
            ("TemplateId", template.map_or(Sql::Null, Sql::Text)),
            ("AutoActivate", Sql::Integer(0)),
            ("CopyChatter", Sql::Integer(0)),
            ("CopyArchivedActivities", Sql::Integer(0)),
            ("HistoryDays", Sql::Integer(0)),
        ];
        let info_object = call.object("SandboxInfo")?;
        let info_id = records::insert(production, call.db, &info_object, &values, &admin, at)?;
        let info = super::info::row(call, &info_id)?;
        let id = process::insert(call, &info, at)?;
        process::set(
            call,
            &id,
            &[
                ("Status", text("Completed")),
                ("SandboxOrganization", text(ids::short(&org.id))),
                ("StartDate", Sql::Integer(at)),
                ("EndDate", Sql::Integer(at)),
                (
                    "CopyProgress",
                    if info["TemplateId"].is_string() {
                        Sql::Null
                    } else {
                        Sql::Integer(100)
                    },
                ),
            ],
        )?;
        call.db.execute(
            "UPDATE SandboxProcessStage SET Status = 'Completed', StartTime = ?2, EndTime = ?2 WHERE SandboxProcess = ?1",
            params![id, at],
        )?;
        call.db.execute(
            "INSERT INTO _copy (process_id, info_id, org_id, pod, refresh, by_user, requested, ready) VALUES (?1, ?2, ?3, ?4, 0, ?5, ?6, ?6)",
            params![id, info_id, org.id, org.pod, admin, at],
        )?;
        call.db.execute(
            "INSERT INTO _sandbox (info_id, connect_id, org_id) VALUES (?1, ?2, ?3)",
            params![info_id, call.next_id("07E")?, org.id],
        )?;
        Ok(())
    })
}
