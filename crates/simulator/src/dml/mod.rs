//! Writing records with the rules of the platform: types, required fields, references, uniqueness, validation, automations.
//!
//! All surfaces write through a [`Writer`], REST a record at a time and Bulk a batch at a time.

mod automations;
mod change;
pub(crate) mod checks;
mod computed;
mod delete;
mod history;
mod hooks;
mod input;
mod links;
mod rules;
pub(crate) mod value;
mod writer;

pub use change::{Change, Op};
pub use input::Column;
pub use writer::Writer;

use crate::error::ApiError;
use crate::http::Call;
use serde_json::{Map, Value as Json};

/// How a write is meant.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Duplicate rules that only warn are passed: `Sforce-Duplicate-Rule-Header: allowSave=true`.
    pub allow_save: bool,
    /// Deleted records do not go to the recycle bin.
    pub hard_delete: bool,
    /// Who writes, when records are locked by another: a bulk job's id.
    pub holder: String,
}

impl Options {
    /// As the headers of a request say.
    pub fn of(call: &Call<'_>) -> Self {
        let allows = |value: &str| {
            value
                .split([';', ','])
                .any(|part| part.replace(' ', "").eq_ignore_ascii_case("allowSave=true"))
        };
        Self {
            allow_save: call.request.header("sforce-duplicate-rule-header").is_some_and(allows),
            ..Self::default()
        }
    }
}

/// A record that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// 18 characters.
    pub id: String,
    /// It is new.
    pub created: bool,
}

/// What became of a record. In an error, `code` is the status code of the row.
pub type RowResult = Result<Written, ApiError>;

/// Makes a record.
pub fn insert(call: &Call<'_>, object: &str, record: &Map<String, Json>, options: &Options) -> RowResult {
    let object = call.object(object)?;
    Writer::new(call, &object, options)?.insert_json(record)
}

/// Changes a record.
pub fn update(call: &Call<'_>, object: &str, id: &str, record: &Map<String, Json>, options: &Options) -> RowResult {
    let object = call.object(object)?;
    Writer::new(call, &object, options)?.update_json(id, record)
}

/// Changes the record whose field `key` has that value, or makes one. Several such records are `DUPLICATE_EXTERNAL_ID`.
pub fn upsert(
    call: &Call<'_>,
    object: &str,
    key: &str,
    value: &str,
    record: &Map<String, Json>,
    options: &Options,
) -> RowResult {
    let object = call.object(object)?;
    Writer::new(call, &object, options)?.upsert_json(key, value, record)
}

/// Deletes a record and what goes with it.
pub fn delete(call: &Call<'_>, object: &str, id: &str, options: &Options) -> RowResult {
    let object = call.object(object)?;
    Writer::new(call, &object, options)?.delete(id)
}

/// Brings a deleted record back with what went with it.
pub fn undelete(call: &Call<'_>, object: &str, id: &str, options: &Options) -> RowResult {
    let object = call.object(object)?;
    Writer::new(call, &object, options)?.undelete(id)
}
