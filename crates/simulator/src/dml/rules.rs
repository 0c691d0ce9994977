//! Validation rules and duplicate rules of an object.

use super::Options;
use super::change::{Change, Op};
use crate::error::ApiError;
use crate::formula;
use crate::http::Call;
use crate::schema::Object;
use rusqlite::params_from_iter;
use rusqlite::types::Value;

struct Validation {
    formula: String,
    message: String,
    field: Option<String>,
}

struct Duplicates {
    fields: Vec<String>,
    blocks: bool,
    message: String,
}

/// The active rules.
pub(super) struct Rules {
    validations: Vec<Validation>,
    duplicates: Vec<Duplicates>,
}

const ALERT: &str = "You're creating a duplicate record. We recommend you use an existing record instead.";

impl Rules {
    pub(super) fn of(call: &Call<'_>, object: &Object) -> Result<Self, ApiError> {
        let mut read = call.db.prepare_cached(
            "SELECT formula, message, field FROM _validation WHERE object = ?1 AND active = 1 ORDER BY name",
        )?;
        let validations = read
            .query_map([&object.name], |row| {
                Ok(Validation {
                    formula: row.get(0)?,
                    message: row.get(1)?,
                    field: row.get(2)?,
                })
            })?
            .collect::<Result<_, _>>()?;
        let mut read = call.db.prepare_cached(
            "SELECT fields, action, message FROM _duplicate_rule WHERE object = ?1 AND active = 1 ORDER BY name",
        )?;
        let duplicates = read
            .query_map([&object.name], |row| {
                Ok(Duplicates {
                    fields: row
                        .get::<_, String>(0)?
                        .split(',')
                        .map(|f| f.trim().to_owned())
                        .collect(),
                    blocks: row.get::<_, String>(1)?.eq_ignore_ascii_case("block"),
                    message: row.get::<_, Option<String>>(2)?.unwrap_or_else(|| ALERT.to_owned()),
                })
            })?
            .collect::<Result<_, _>>()?;
        Ok(Self {
            validations,
            duplicates,
        })
    }

    /// Refuses a record for which the formula of a rule holds.
    pub(super) fn validate(&self, call: &Call<'_>, change: &Change<'_>) -> Result<(), ApiError> {
        if self.validations.is_empty() {
            return Ok(());
        }
        let (object, schema) = (change.object, call.schema());
        let context = formula::Context {
            new: change.op == Op::Insert,
            old: Some("o"),
            ..formula::Context::reading(&schema, call.now, &call.user)
        };
        let row = |from: usize| {
            let columns: Vec<String> = object
                .fields
                .iter()
                .enumerate()
                .map(|(at, field)| format!("?{} AS \"{}\"", from + at, field.name))
                .collect();
            format!("(SELECT {})", columns.join(", "))
        };
        let rows = format!("{} r, {} o", row(1), row(1 + object.fields.len()));
        let old = change.old.as_ref().unwrap_or(&change.new);
        let values: Vec<&Value> = change.new.iter().chain(old).collect();
        for rule in &self.validations {
            let holds = formula::condition(&context, object, "r", &rule.formula).map_err(|problem| {
                ApiError::new(
                    "FIELD_CUSTOM_VALIDATION_EXCEPTION",
                    format!("a validation rule cannot be evaluated: {problem}"),
                )
            })?;
            let refused: bool = call
                .db
                .prepare_cached(&format!("SELECT {holds} FROM {rows}"))?
                .query_row(params_from_iter(&values), |row| row.get(0))?;
            if refused {
                return Err(ApiError::new("FIELD_CUSTOM_VALIDATION_EXCEPTION", &rule.message).fields(rule.field.iter()));
            }
        }
        Ok(())
    }

    /// Refuses a record that is like another. `Sforce-Duplicate-Rule-Header` passes rules that only warn.
    pub(super) fn duplicates(&self, call: &Call<'_>, change: &Change<'_>, options: &Options) -> Result<(), ApiError> {
        for rule in &self.duplicates {
            let positions: Option<Vec<usize>> = rule.fields.iter().map(|field| change.object.position(field)).collect();
            let Some(positions) = positions.filter(|_| rule.blocks || !options.allow_save) else {
                continue;
            };
            let fits = |at: &usize| change.new[*at] != Value::Null;
            if !positions.iter().all(fits) || !positions.iter().any(|at| change.is_given(*at) && change.changes(*at)) {
                continue;
            }
            let same: Vec<String> = positions
                .iter()
                .enumerate()
                .map(|(n, at)| format!("\"{}\" = ?{} COLLATE NOCASE", change.object.fields[*at].name, n + 2))
                .collect();
            let key = [Value::Text(change.id.clone())];
            let values = key.iter().chain(positions.iter().map(|at| &change.new[*at]));
            if let Some(at) = positions.first() {
                let name = &change.object.fields[*at].name;
                call.db
                    .execute_batch(&crate::org::index(&change.object.name, name, true))?;
            }
            let alike: bool = call
                .db
                .prepare_cached(&format!(
                    "SELECT EXISTS (SELECT 1 FROM \"{}\" WHERE {} AND \"IsDeleted\" = 0 AND \"Id\" <> ?1)",
                    change.object.name,
                    same.join(" AND ")
                ))?
                .query_row(params_from_iter(values), |row| row.get(0))?;
            if alike {
                return Err(ApiError::new("DUPLICATES_DETECTED", &rule.message));
            }
        }
        Ok(())
    }
}
