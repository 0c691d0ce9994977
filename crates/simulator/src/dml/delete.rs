//! Deleting records with what goes with them, and bringing them back.

use super::change::{Change, Op};
use super::{RowResult, Writer, Written, hooks};
use crate::error::ApiError;
use crate::http::Call;
use crate::schema::{Field, Kind, Object, OnDelete, Schema};
use rusqlite::params;
use std::sync::Arc;

/// How deep details may hang below a record.
const DEPTH: u8 = 10;

impl Writer<'_, '_> {
    /// Deletes a record; details go with it, other references to it are cleared or refuse it.
    pub fn delete(&mut self, id: &str) -> RowResult {
        let object = self.object;
        let mut change = self.existing(object, Op::Delete, id)?;
        let call = self.call;
        let own = [change.id.clone()];
        self.checks
            .unlocked(call, &self.options.holder, own.iter().map(String::as_str))?;
        call.db.execute_batch("SAVEPOINT row")?;
        let done = self.remove(&mut change);
        call.db.execute_batch(match done {
            Ok(_) => "RELEASE row",
            Err(_) => "ROLLBACK TO row; RELEASE row",
        })?;
        done
    }

    fn remove(&mut self, change: &mut Change<'_>) -> RowResult {
        self.automations.before(self.call, change)?;
        for hook in hooks::before(&self.object.name) {
            hook(self.call, change)?;
        }
        let bin = Bin {
            call: self.call,
            schema: &self.schema,
            root: &change.id,
            hard: self.options.hard_delete,
        };
        bin.remove(self.object, &change.id, 0)?;
        self.automations.after(self.call, change)?;
        for hook in hooks::after(&self.object.name) {
            hook(self.call, change)?;
        }
        Ok(Written {
            id: change.id.clone(),
            created: false,
        })
    }

    /// Brings a record back from the recycle bin, with its details and the references that were cleared.
    pub fn undelete(&mut self, id: &str) -> RowResult {
        let object = self.object;
        let change = self.existing(object, Op::Undelete, id)?;
        let db = self.call.db;
        self.mark(object, &change.id, 0)?;
        let mut read = db.prepare("SELECT object, id, field FROM _recycle WHERE root = ?1")?;
        let rows: Vec<(String, String, String)> = read
            .query_map([&change.id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
            .collect::<Result<_, _>>()?;
        for (name, id, field) in rows {
            let (field, parent) = field.split_once('=').unwrap_or((&field, ""));
            // The object or field may be gone since.
            let Some(object) = self
                .schema
                .object(&name)
                .filter(|o| field.is_empty() || o.field(field).is_some())
            else {
                continue;
            };
            if field.is_empty() {
                self.mark(object, &id, 0)?;
            } else {
                let sql = format!("UPDATE \"{name}\" SET \"{field}\" = ?2 WHERE \"Id\" = ?1 AND \"{field}\" IS NULL");
                db.execute(&sql, [id.as_str(), parent])?;
            }
        }
        db.execute("DELETE FROM _recycle WHERE root = ?1", [&change.id])?;
        for hook in hooks::after(&self.object.name) {
            hook(self.call, &change)?;
        }
        Ok(Written {
            id: change.id,
            created: false,
        })
    }

    fn mark(&self, object: &Object, id: &str, deleted: i64) -> Result<(), ApiError> {
        mark(self.call, object, id, deleted)
    }
}

/// Sets whether a record is in the recycle bin.
fn mark(call: &Call<'_>, object: &Object, id: &str, deleted: i64) -> Result<(), ApiError> {
    let stamp = |name: &str, value: &str| {
        object
            .field(name)
            .map_or(String::new(), |_| format!(", \"{name}\" = {value}"))
    };
    let sql = format!(
        "UPDATE \"{}\" SET \"IsDeleted\" = ?2{}{}{} WHERE \"Id\" = ?1",
        object.name,
        stamp("LastModifiedDate", "?3"),
        stamp("SystemModstamp", "?3"),
        stamp("LastModifiedById", "?4"),
    );
    let mut write = call.db.prepare_cached(&sql)?;
    match write.parameter_count() {
        2 => write.execute(params![id, deleted])?,
        3 => write.execute(params![id, deleted, call.now])?,
        _ => write.execute(params![id, deleted, call.now, call.user])?,
    };
    Ok(())
}

/// One deletion and where it began.
struct Bin<'b, 'c> {
    call: &'b Call<'c>,
    schema: &'b Arc<Schema>,
    root: &'b str,
    hard: bool,
}

impl Bin<'_, '_> {
    fn remove(&self, object: &Object, id: &str, depth: u8) -> Result<(), ApiError> {
        if depth > DEPTH {
            return Err(ApiError::new("DELETE_FAILED", "too many levels of details"));
        }
        for (child, field) in self.schema.children_of(&object.name) {
            if refers(child, field) && self.call.has_rows(&child.name)? {
                self.child(object, id, child, field, depth)?;
            }
        }
        let db = self.call.db;
        if self.hard || object.field("IsDeleted").is_none() {
            db.prepare_cached(&format!("DELETE FROM \"{}\" WHERE \"Id\" = ?1", object.name))?
                .execute([id])?;
            return Ok(());
        }
        mark(self.call, object, id, 1)?;
        if id != self.root {
            self.keep(&object.name, id, "")?;
        }
        Ok(())
    }

    fn child(&self, object: &Object, id: &str, child: &Object, field: &Field, depth: u8) -> Result<(), ApiError> {
        let db = self.call.db;
        db.execute_batch(&crate::org::index(&child.name, &field.name, false))?;
        let alive = child.field("IsDeleted").map_or("", |_| " AND \"IsDeleted\" = 0");
        let found: Vec<String> = db
            .prepare_cached(&format!(
                "SELECT \"Id\" FROM \"{}\" WHERE \"{}\" = ?1{alive}",
                child.name, field.name
            ))?
            .query_map([id], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        if found.is_empty() {
            return Ok(());
        }
        match field.on_delete {
            OnDelete::Cascade => {
                for detail in found {
                    self.remove(child, &detail, depth + 1)?;
                }
            }
            OnDelete::Restrict => return Err(self.restricted(object, id, child, &found)?),
            OnDelete::Clear => {
                for other in &found {
                    if !self.hard {
                        self.keep(&child.name, other, &format!("{}={id}", field.name))?;
                    }
                }
                db.prepare_cached(&format!(
                    "UPDATE \"{}\" SET \"{1}\" = NULL WHERE \"{1}\" = ?1",
                    child.name, field.name
                ))?
                .execute([id])?;
            }
        }
        Ok(())
    }

    fn keep(&self, object: &str, id: &str, field: &str) -> Result<(), ApiError> {
        self.call
            .db
            .prepare_cached("INSERT INTO _recycle (root, object, id, field) VALUES (?1, ?2, ?3, ?4)")?
            .execute([self.root, object, id, field])?;
        Ok(())
    }

    fn restricted(&self, object: &Object, id: &str, child: &Object, found: &[String]) -> Result<ApiError, ApiError> {
        let name = |object: &Object, id: &str| -> Result<String, ApiError> {
            let field = object.name_field().map_or("Id", |field| &field.name);
            let sql = format!(
                "SELECT COALESCE(\"{field}\", \"Id\") FROM \"{}\" WHERE \"Id\" = ?1",
                object.name
            );
            Ok(self.call.db.query_row(&sql, [id], |row| row.get(0))?)
        };
        let others: Vec<String> = found
            .iter()
            .take(5)
            .map(|id| name(child, id))
            .collect::<Result<_, _>>()?;
        Ok(ApiError::new(
            "DELETE_FAILED",
            format!(
                "Your attempt to delete {} could not be completed because it is associated with the following {}.: {}",
                name(object, id)?,
                child.plural.to_lowercase(),
                others.join(", ")
            ),
        ))
    }
}

/// A stored reference that a deletion concerns: not who wrote or owns a record, nor what is computed.
fn refers(child: &Object, field: &Field) -> bool {
    field.kind == Kind::Reference
        && field.formula.is_none()
        && child.key_prefix.is_some()
        && !matches!(
            field.name.as_str(),
            "CreatedById" | "LastModifiedById" | "OwnerId" | "RecordTypeId"
        )
}
