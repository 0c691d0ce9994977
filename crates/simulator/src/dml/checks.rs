//! Checks of a change against the object's fields and the other records: rights, required, unique, locked.

use super::change::{Change, Op};
use super::value::{Given, read};
use crate::error::ApiError;
use crate::http::Call;
use crate::ids;
use crate::schema::{Field, Kind, Object};
use crate::world::NameKind;
use rusqlite::types::Value;
use rusqlite::{OptionalExtension, params};

/// Fields that may be set on insert where the org lets audit fields be set.
const AUDIT: &[&str] = &["CreatedDate", "CreatedById", "LastModifiedDate", "LastModifiedById"];

/// Who or when.
#[derive(Debug, Clone, Copy)]
enum Stamp {
    User,
    Now,
}

/// What new records get of the call.
const STAMPS: &[(&str, Stamp)] = &[
    ("OwnerId", Stamp::User),
    ("CreatedById", Stamp::User),
    ("LastModifiedById", Stamp::User),
    ("CreatedDate", Stamp::Now),
    ("LastModifiedDate", Stamp::Now),
    ("SystemModstamp", Stamp::Now),
];

/// What can be said about an object's fields before any record is seen.
pub(super) struct Checks {
    required: Vec<usize>,
    unique: Vec<usize>,
    defaults: Vec<(usize, Value)>,
    stamps: Vec<(usize, Stamp)>,
    /// The user may only read.
    refused: bool,
    /// Some records are locked.
    locks: bool,
    /// The username and where it stands, for users.
    username: Option<usize>,
}

impl Checks {
    pub(super) fn new(call: &Call<'_>, object: &Object) -> Result<Self, ApiError> {
        let positions = |fits: fn(&Field) -> bool| -> Vec<usize> {
            (0..object.fields.len())
                .filter(|at| fits(&object.fields[*at]))
                .collect()
        };
        let mut defaults = Vec::new();
        for (at, field) in object.fields.iter().enumerate() {
            if let Some(value) = default(call, object, field)? {
                defaults.push((at, value));
            }
        }
        Ok(Self {
            required: positions(|f| f.required && f.createable && f.kind != Kind::Boolean),
            unique: positions(|f| f.unique && f.name != "Id"),
            defaults,
            stamps: STAMPS
                .iter()
                .filter_map(|(name, stamp)| Some((object.position(name)?, *stamp)))
                .collect(),
            refused: reads_only(call)?,
            locks: call
                .db
                .prepare_cached("SELECT EXISTS (SELECT 1 FROM _lock WHERE until > ?1)")?
                .query_row([call.now], |row| row.get(0))?,
            username: (object.name == "User").then(|| object.position("Username")).flatten(),
        })
    }

    /// Whether the user may do this to records of the object at all.
    pub(super) fn access(&self, object: &Object, op: Op) -> Result<(), ApiError> {
        let (open, code) = match op {
            Op::Insert => (object.createable, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"),
            Op::Update => (object.updateable, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"),
            Op::Delete | Op::Undelete => (object.deletable, "INSUFFICIENT_ACCESS_OR_READONLY"),
        };
        if self.refused {
            let text = "insufficient access rights on object id";
            return Err(ApiError::new("INSUFFICIENT_ACCESS_OR_READONLY", text).status(403));
        }
        if open {
            return Ok(());
        }
        Err(ApiError::new(
            code,
            format!("entity type cannot be {}: {}", done(op), object.label),
        ))
    }

    /// Refuses values for fields that cannot be written.
    pub(super) fn writable(&self, call: &Call<'_>, change: &Change<'_>) -> Result<(), ApiError> {
        for (at, field) in change.object.fields.iter().enumerate() {
            if !change.is_given(at) {
                continue;
            }
            let open = if change.op == Op::Insert {
                field.createable || (call.world.config.set_audit_fields && AUDIT.contains(&field.name.as_str()))
            } else {
                field.updateable
            };
            if !open {
                return Err(read_only(&field.name));
            }
        }
        Ok(())
    }

    /// Gives a new record what it was not given.
    pub(super) fn fill(&self, call: &Call<'_>, change: &mut Change<'_>) {
        for (at, value) in &self.defaults {
            if !change.is_given(*at) {
                change.new[*at] = value.clone();
            }
        }
        for (at, stamp) in &self.stamps {
            if !change.is_given(*at) {
                change.new[*at] = match stamp {
                    Stamp::User => Value::Text(call.user.clone()),
                    Stamp::Now => Value::Integer(call.now),
                };
            }
        }
    }

    /// Refuses a record without a value it must have.
    pub(super) fn required(&self, change: &Change<'_>) -> Result<(), ApiError> {
        let missing: Vec<&str> = self
            .required
            .iter()
            .filter(|at| change.new[**at] == Value::Null && (change.op == Op::Insert || change.is_given(**at)))
            .map(|at| change.object.fields[*at].name.as_str())
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        Err(ApiError::new(
            "REQUIRED_FIELD_MISSING",
            format!("Required fields are missing: [{}]", missing.join(", ")),
        )
        .fields(missing))
    }

    /// Refuses a value another record has.
    pub(super) fn unique(&self, call: &Call<'_>, change: &Change<'_>) -> Result<(), ApiError> {
        for at in &self.unique {
            let value = &change.new[*at];
            if !change.is_given(*at) || *value == Value::Null || !change.changes(*at) {
                continue;
            }
            let field = &change.object.fields[*at];
            let collate = if field.case_sensitive { "" } else { " COLLATE NOCASE" };
            let other: Option<String> = call
                .db
                .prepare_cached(&format!(
                    "SELECT \"Id\" FROM \"{}\" WHERE \"{}\" = ?1{collate} AND \"Id\" <> ?2 LIMIT 1",
                    change.object.name, field.name
                ))?
                .query_row(params![value, change.id], |row| row.get(0))
                .optional()?;
            if self.username == Some(*at) {
                self.username(call, change, other.is_some())?;
            } else if let Some(other) = other {
                return Err(ApiError::new(
                    "DUPLICATE_VALUE",
                    format!(
                        "duplicate value found: {} duplicates value on record with id: {}",
                        field.name,
                        ids::short(&other)
                    ),
                )
                .fields([&field.name]));
            }
        }
        Ok(())
    }

    /// Usernames are unique over all orgs of the world.
    fn username(&self, call: &Call<'_>, change: &Change<'_>, taken: bool) -> Result<(), ApiError> {
        let name = change.text("Username").unwrap_or_default();
        if !taken && call.claim_name(NameKind::Username, name) {
            if let Value::Text(old) = change.was("Username") {
                call.release_name(NameKind::Username, old);
            }
            return Ok(());
        }
        Err(ApiError::new(
            "DUPLICATE_USERNAME",
            "Duplicate Username.<br>The username already exists in this or another Salesforce organization. Usernames must be \
             unique across all Salesforce organizations. To resolve, use a different username (it doesn't need to match the \
             user's email address). ",
        )
        .fields(["Username"]))
    }

    /// Refuses a change while the record or one of the parents it names is locked by another.
    pub(super) fn unlocked<'i>(
        &self,
        call: &Call<'_>,
        holder: &str,
        ids: impl Iterator<Item = &'i str>,
    ) -> Result<(), ApiError> {
        if !self.locks {
            return Ok(());
        }
        for id in ids {
            let locked: bool = call
                .db
                .prepare_cached("SELECT EXISTS (SELECT 1 FROM _lock WHERE id = ?1 AND until > ?2 AND holder <> ?3)")?
                .query_row(params![id, call.now, holder], |row| row.get(0))?;
            if locked {
                return Err(ApiError::new(
                    "UNABLE_TO_LOCK_ROW",
                    format!(
                        "unable to obtain exclusive access to this record or 1 records: {}",
                        ids::short(id)
                    ),
                ));
            }
        }
        Ok(())
    }
}

/// `INVALID_FIELD_FOR_INSERT_UPDATE`
pub(super) fn read_only(field: &str) -> ApiError {
    ApiError::new(
        "INVALID_FIELD_FOR_INSERT_UPDATE",
        format!(
            "Unable to create/update fields: {field}. Please check the security settings of this field and verify that it is \
             read/write for your profile or permission set."
        ),
    )
    .fields([field])
}

fn done(op: Op) -> &'static str {
    match op {
        Op::Insert => "inserted",
        Op::Update => "updated",
        Op::Delete => "deleted",
        Op::Undelete => "undeleted",
    }
}

fn default(call: &Call<'_>, object: &Object, field: &Field) -> Result<Option<Value>, ApiError> {
    let chosen = field.picklist.iter().find(|value| value.default && value.active);
    Ok(match (&field.default, chosen, field.kind) {
        (Some(text), ..) => match read(field, Given::Text(text.trim_matches(['"', '\'']))) {
            Ok(value) => Some(value),
            // A default may be a formula.
            Err(_) => Some(computed_default(call, object, field, text)?),
        },
        (None, Some(chosen), _) => Some(Value::Text(chosen.value.clone())),
        (None, None, Kind::Boolean) => Some(Value::Integer(0)),
        _ => None,
    })
}

fn computed_default(call: &Call<'_>, object: &Object, field: &Field, text: &str) -> Result<Value, ApiError> {
    let schema = call.schema();
    let context = crate::formula::Context::reading(&schema, call.now, &call.user);
    let of = Field {
        formula: Some(text.to_owned()),
        ..field.clone()
    };
    let refuse = |problem: String| {
        ApiError::new(
            "UNKNOWN_EXCEPTION",
            format!(
                "the default of {}.{} cannot be computed: {problem}",
                object.name, field.name
            ),
        )
        .status(500)
    };
    let sql = crate::formula::value(&context, object, "r", &of).map_err(refuse)?;
    Ok(call.db.query_row(&format!("SELECT {sql}"), [], |row| row.get(0))?)
}

/// Whether the user's profile is one that only reads. What runs without a user may write.
pub(crate) fn reads_only(call: &Call<'_>) -> Result<bool, ApiError> {
    Ok(call
        .db
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM \"User\" u JOIN \"Profile\" p ON p.\"Id\" = u.\"ProfileId\" \
             WHERE u.\"Id\" = ?1 AND p.\"Name\" = 'Read Only')",
        )?
        .query_row([&call.user], |row| row.get(0))?)
}
