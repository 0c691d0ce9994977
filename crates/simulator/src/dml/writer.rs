//! Writes records of one object, one after the other.

use super::automations::Automations;
use super::change::{Change, Load, Op};
use super::checks::Checks;
use super::computed::Computed;
use super::history::History;
use super::input::{self, Column};
use super::links::{self, Links};
use super::rules::Rules;
use super::value::wrong_id;
use super::{Options, RowResult, Written, hooks};
use crate::error::ApiError;
use crate::http::Call;
use crate::ids;
use crate::schema::{Field, Object, Schema};
use rusqlite::params_from_iter;
use rusqlite::types::Value;
use serde_json::{Map, Value as Json};
use std::collections::HashSet;
use std::sync::Arc;

/// Writes records of one object with all rules read once. A record that is refused leaves nothing behind.
pub struct Writer<'w, 'c> {
    pub(super) call: &'w Call<'c>,
    pub(super) object: &'w Arc<Object>,
    pub(super) schema: Arc<Schema>,
    pub(super) options: Options,
    pub(super) checks: Checks,
    pub(super) automations: Automations,
    pub(super) history: Option<History>,
    links: Links,
    computed: Computed,
    rules: Rules,
    insert_sql: String,
    load: Load,
    /// The last UPDATE and the positions it sets; the rows of a batch mostly set the same.
    update_sql: (Vec<usize>, String),
    /// Records more than the org can store; counted once.
    room: Option<u64>,
    /// Something may fail after the record is written, so that it must be taken back.
    guarded: bool,
    /// Parents of what was written, when they are noted.
    parents: Option<HashSet<String>>,
}

impl<'w, 'c> Writer<'w, 'c> {
    /// Reads the rules of the object.
    pub fn new(call: &'w Call<'c>, object: &'w Arc<Object>, options: &Options) -> Result<Self, ApiError> {
        let schema = call.schema();
        let places = vec!["?"; object.fields.len()].join(", ");
        let automations = Automations::of(call, object)?;
        Ok(Self {
            checks: Checks::new(call, object)?,
            links: Links::new(&schema, object),
            computed: Computed::of(object),
            rules: Rules::of(call, object)?,
            history: History::of(&schema, object),
            load: Load::of(object),
            update_sql: Default::default(),
            insert_sql: format!(
                "INSERT INTO \"{}\" ({}) VALUES ({places})",
                object.name,
                super::change::columns(object)
            ),
            room: crate::rest::limits::room_for_records(call)?,
            guarded: hooks::after(&object.name).next().is_some()
                || hooks::before(&object.name).next().is_some()
                || !automations.is_plain(),
            automations,
            parents: None,
            options: options.clone(),
            schema,
            call,
            object,
        })
    }

    /// Whether the parents of what is written are noted from now on.
    pub fn note_parents(&mut self, note: bool) {
        self.parents = note.then(HashSet::new);
    }

    /// The parents noted.
    pub fn noted_parents(&mut self) -> Vec<String> {
        self.parents.take().into_iter().flatten().collect()
    }

    /// Makes a record from a JSON body.
    pub fn insert_json(&mut self, body: &Map<String, Json>) -> RowResult {
        self.checks.access(self.object, Op::Insert)?;
        if let Some((name, _)) = body
            .iter()
            .find(|(name, value)| name.eq_ignore_ascii_case("Id") && !value.is_null())
        {
            return Err(no_id(name));
        }
        let mut change = Change::insert(self.object);
        input::fill(self.call, &mut change, body, &["Id"])?;
        self.write(change)
    }

    /// Changes a record by a JSON body; `Id` in it is passed over.
    pub fn update_json(&mut self, id: &str, body: &Map<String, Json>) -> RowResult {
        self.update_body(id, body, "Id")
    }

    fn update_body(&mut self, id: &str, body: &Map<String, Json>, key: &str) -> RowResult {
        let object = self.object;
        let mut change = self.existing(object, Op::Update, id)?;
        input::fill(self.call, &mut change, body, &["Id", key])?;
        self.write(change)
    }

    /// Changes the record that the field `key` names, or makes one.
    pub fn upsert_json(&mut self, key: &str, value: &str, body: &Map<String, Json>) -> RowResult {
        let field = self.key(key)?;
        match links::by_key(self.call, self.object, &field, value)? {
            Some(id) => self.update_body(&id, body, &field.name),
            None => {
                let mut body = body.clone();
                body.retain(|name, _| !name.eq_ignore_ascii_case(&field.name));
                body.insert(field.name.clone(), Json::String(value.to_owned()));
                self.insert_json(&body)
            }
        }
    }

    /// Makes a record from the cells of a CSV row.
    pub fn insert_cells<'x>(&mut self, cells: impl Iterator<Item = (&'x Column, &'x str)>) -> RowResult {
        self.checks.access(self.object, Op::Insert)?;
        let object = self.object;
        let mut change = Change::insert(object);
        input::fill_cells(self.call, &mut change, cells)?;
        if change.is_given(0) {
            return Err(no_id("Id"));
        }
        self.write(change)
    }

    /// Changes a record by the cells of a CSV row, which do not hold the `Id` nor the key.
    pub fn update_cells<'x>(&mut self, id: &str, cells: impl Iterator<Item = (&'x Column, &'x str)>) -> RowResult {
        let object = self.object;
        let mut change = self.existing(object, Op::Update, id)?;
        input::fill_cells(self.call, &mut change, cells)?;
        self.write(change)
    }

    /// The id of the record that the field `key` names.
    pub fn find(&self, key: &Field, value: &str) -> Result<Option<String>, ApiError> {
        links::by_key(self.call, self.object, key, value)
    }

    /// A field that can name records in upserts: the id, an external id, or one known to be unique.
    pub fn key(&self, name: &str) -> Result<Field, ApiError> {
        self.object
            .field(name)
            .filter(|field| field.external_id || field.unique || field.name == "Id" || id_lookup(self.object, field))
            .cloned()
            .ok_or_else(|| {
                ApiError::new(
                    "NOT_FOUND",
                    format!("Provided external ID field does not exist or is not accessible: {name}"),
                )
                .status(404)
            })
    }

    /// The record of an id, to be changed. A wrong id is `MALFORMED_ID`, none there `INVALID_CROSS_REFERENCE_KEY`,
    /// one in the recycle bin `ENTITY_IS_DELETED`.
    pub(super) fn existing<'o>(&self, object: &'o Object, op: Op, id: &str) -> Result<Change<'o>, ApiError> {
        self.checks.access(object, op)?;
        let key = &object.fields[0];
        let fits = |id: &String| {
            object
                .key_prefix
                .as_ref()
                .is_none_or(|prefix| id.starts_with(prefix.as_str()))
        };
        let id = ids::long(id).filter(fits).ok_or_else(|| wrong_id(key, id))?;
        let old = self
            .load
            .run(self.call.db, object, &id)?
            .ok_or_else(|| ApiError::new("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id").status(404))?;
        let deleted = object
            .position("IsDeleted")
            .is_some_and(|at| old[at] == Value::Integer(1));
        if deleted != (op == Op::Undelete) {
            return Err(if deleted {
                ApiError::new("ENTITY_IS_DELETED", "entity is deleted").status(404)
            } else {
                ApiError::new("UNDELETE_FAILED", "Entity is not in the recycle bin")
            });
        }
        Ok(Change::existing(object, op, &id, old))
    }

    fn write(&mut self, mut change: Change<'w>) -> RowResult {
        let call = self.call;
        self.checks.writable(call, &change)?;
        if change.op == Op::Insert {
            self.storage()?;
            self.checks.fill(call, &mut change);
        }
        let own = (!change.id.is_empty()).then_some(change.id.as_str());
        self.checks.unlocked(
            call,
            &self.options.holder,
            own.into_iter().chain(self.links.parents(&change)),
        )?;
        if !self.guarded {
            return self.finish(change);
        }
        call.db.execute_batch("SAVEPOINT row")?;
        let done = self.finish(change);
        call.db.execute_batch(if done.is_ok() {
            "RELEASE row"
        } else {
            "ROLLBACK TO row; RELEASE row"
        })?;
        done
    }

    /// Hooks, checks and the write itself.
    fn finish(&mut self, mut change: Change<'w>) -> RowResult {
        let (call, object) = (self.call, self.object);
        self.automations.before(call, &mut change)?;
        for hook in hooks::before(&object.name) {
            hook(call, &mut change)?;
        }
        self.computed.apply(&mut change);
        self.checks.required(&change)?;
        self.links.check(call, &change)?;
        self.checks.unique(call, &change)?;
        self.rules.validate(call, &change)?;
        self.rules.duplicates(call, &change, &self.options)?;
        let created = change.op == Op::Insert;
        if created {
            self.computed.number(call, &mut change)?;
            change.id = call.next_id(object.key_prefix.as_deref().unwrap_or("000"))?;
            change.new[0] = Value::Text(change.id.clone());
            call.db
                .prepare_cached(&self.insert_sql)?
                .execute(params_from_iter(&change.new))?;
        } else {
            self.update(&change)?;
        }
        if let Some(history) = &self.history {
            history.write(call, &change)?;
        }
        if let Some(noted) = &mut self.parents {
            let parents = self.links.parents(&change).filter(|id| !id.starts_with("005"));
            noted.extend(parents.map(str::to_owned));
        }
        self.automations.after(call, &change)?;
        for hook in hooks::after(&object.name) {
            hook(call, &change)?;
        }
        Ok(Written { id: change.id, created })
    }

    fn update(&mut self, change: &Change<'_>) -> Result<(), ApiError> {
        let call = self.call;
        let stamp = |name: &str| match name {
            "LastModifiedDate" | "SystemModstamp" => Some(Value::Integer(call.now)),
            "LastModifiedById" => Some(Value::Text(call.user.clone())),
            _ => None,
        };
        let fields = &change.object.fields;
        let (mut positions, mut values) = (Vec::new(), Vec::new());
        for (at, field) in fields.iter().enumerate() {
            let value = stamp(&field.name).or_else(|| change.is_given(at).then(|| change.new[at].clone()));
            if let Some(value) = value {
                positions.push(at);
                values.push(value);
            }
        }
        if positions != self.update_sql.0 {
            let set = |(n, at): (usize, &usize)| format!("\"{}\" = ?{}", fields[*at].name, n + 1);
            let sets: Vec<String> = positions.iter().enumerate().map(set).collect();
            let sql = format!(
                "UPDATE \"{}\" SET {} WHERE \"Id\" = ?{}",
                change.object.name,
                sets.join(", "),
                sets.len() + 1
            );
            self.update_sql = (positions, sql);
        }
        values.push(Value::Text(change.id.clone()));
        call.db
            .prepare_cached(&self.update_sql.1)?
            .execute(params_from_iter(values))?;
        Ok(())
    }

    fn storage(&mut self) -> Result<(), ApiError> {
        match &mut self.room {
            None => Ok(()),
            Some(0) => Err(ApiError::new("STORAGE_LIMIT_EXCEEDED", "storage limit exceeded")),
            Some(room) => {
                *room -= 1;
                Ok(())
            }
        }
    }
}

fn no_id(name: &str) -> ApiError {
    ApiError::new("INVALID_FIELD_FOR_INSERT_UPDATE", "cannot specify Id in an insert call").fields([name])
}

/// Fields that are looked up by without being external ids.
fn id_lookup(object: &Object, field: &Field) -> bool {
    matches!(
        (object.name.as_str(), field.name.as_str()),
        ("Contact" | "Lead" | "User", "Email") | ("Product2" | "Account" | "RecordType" | "Group", "Name")
    ) || field.name_field && object.custom
}
