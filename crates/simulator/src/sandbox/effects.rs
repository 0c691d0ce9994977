//! The post-copy class of a sandbox. The simulator runs no Apex: what a class does is declared in the configuration, and a
//! class that is not declared fails.

use super::process::{self, Process};
use crate::config::PostCopy;
use crate::error::ApiError;
use crate::http::{Call, in_call};
use crate::org::{Org, records};
use crate::schema::{Field, Kind};
use crate::world::World;
use rusqlite::types::Value as Sql;
use rusqlite::{Connection, OptionalExtension};
use std::sync::Arc;

/// Runs the class of a process in the new sandbox and leaves an AsyncApexJob there.
pub(super) fn post_copy(
    world: &Arc<World>,
    db: &Connection,
    sandbox: &Arc<Org>,
    process: &Process,
) -> Result<(), ApiError> {
    let Some(class_id) = &process.class else {
        return Ok(());
    };
    let name: Option<String> = db
        .query_row("SELECT Name FROM ApexClass WHERE Id = ?1", [class_id], |row| row.get(0))
        .optional()?;
    let declared = world
        .config
        .post_copy
        .iter()
        .find(|declared| Some(&declared.class) == name.as_ref());
    let context = [
        ("$sandboxId", process::context_id(&world.switches(), db, process)?),
        ("$sandboxName", process.name.clone()),
        ("$organizationId", sandbox.id.clone()),
    ];
    let mut state = sandbox.lock();
    in_call(world, sandbox, &mut state, None, |call| {
        let problem = match declared {
            Some(declared) => run(call, declared, &context).err().map(|error| error.to_string()),
            None => Some(format!(
                "the simulator does not know what {} does; declare it under [[post_copy]]",
                name.as_deref().unwrap_or("a deleted class")
            )),
        };
        let text = |text: &str| Sql::Text(text.to_owned());
        records::insert(
            sandbox,
            call.db,
            &*call.object("AsyncApexJob")?,
            &[
                ("JobType", text("Queueable")),
                ("ApexClassId", text(class_id)),
                ("MethodName", text("runApexClass")),
                ("Status", text(if problem.is_none() { "Completed" } else { "Failed" })),
                ("ExtendedStatus", problem.as_deref().map_or(Sql::Null, text)),
                ("JobItemsProcessed", Sql::Integer(0)),
                ("TotalJobItems", Sql::Integer(0)),
                ("NumberOfErrors", Sql::Integer(problem.is_some().into())),
                ("CompletedDate", Sql::Integer(call.now)),
            ],
            &process.by_user,
            call.now,
        )?;
        Ok(())
    })
}

/// Does what is declared: sets fields of all records of an object, or deletes them.
fn run(call: &Call<'_>, declared: &PostCopy, context: &[(&str, String)]) -> Result<(), ApiError> {
    for effect in &declared.effects {
        let object = call
            .schema()
            .object(&effect.object)
            .cloned()
            .ok_or_else(|| ApiError::new("INVALID_TYPE", format!("no object {}", effect.object)))?;
        if effect.delete {
            call.db.execute(&format!("DELETE FROM \"{}\"", object.name), [])?;
        }
        for (name, value) in &effect.set {
            let value = context
                .iter()
                .fold(value.clone(), |text, (name, value)| text.replace(name, value));
            let field = object
                .field(name)
                .ok_or_else(|| ApiError::new("INVALID_FIELD", format!("no field {}.{name}", object.name)))?;
            call.db.execute(
                &format!("UPDATE \"{}\" SET \"{}\" = ?1", object.name, field.name),
                [stored(field, &value)],
            )?;
        }
    }
    Ok(())
}

/// A value of the configuration as the database keeps it.
fn stored(field: &Field, value: &str) -> Sql {
    match field.kind {
        Kind::Boolean => Sql::Integer((value == "true").into()),
        Kind::Int => value.parse().map_or(Sql::Null, Sql::Integer),
        Kind::Double | Kind::Currency | Kind::Percent => value.parse().map_or(Sql::Null, Sql::Real),
        _ => Sql::Text(value.to_owned()),
    }
}
