//! Up to 200 records in one call; longer lists are split.

use serde::Deserialize;
use serde_json::{Value, json};

use super::composite::same_count;
use super::record::{Record, writable};
use crate::connection::Connection;
use crate::envelope::{self, Fault};
use crate::error::{Error, Result};
use crate::id::Id;
use crate::request::{Request, segment};

/// The most records of one call.
pub const COLLECTION: usize = 200;

/// Whether one bad row undoes the others of its call. It reaches no further than one call of 200 rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AllOrNone {
    /// It does.
    All,
    /// Each row succeeds or fails by itself.
    Each,
}

/// What happened to a row, in the order of the rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowResult {
    /// The record was written; `created` is told by upserts.
    Done {
        /// The record.
        id: Id,
        /// Whether it is new.
        created: Option<bool>,
    },
    /// The row was refused.
    Failed(Vec<Fault>),
    /// Nobody knows: an earlier call of the same list got no answer, or this one did. Look before you repeat it.
    Unknown {
        /// What was seen.
        why: String,
    },
    /// It was not sent, because an earlier call failed.
    NotSent,
}

#[derive(Deserialize)]
struct Row {
    id: Option<Id>,
    success: bool,
    created: Option<bool>,
    #[serde(default)]
    errors: Vec<Value>,
}

impl Row {
    fn result(self) -> RowResult {
        match (self.success, self.id) {
            (true, Some(id)) => RowResult::Done {
                id,
                created: self.created,
            },
            _ => RowResult::Failed(self.errors.iter().map(envelope::fault).collect()),
        }
    }
}

impl Connection {
    /// Creates records. Each row: object and fields.
    ///
    /// # Errors
    /// When the first call fails. A later failure is told by its rows ([`RowResult::Unknown`], [`RowResult::NotSent`]), so that
    /// what happened before is not lost.
    pub async fn create_all(&self, rows: &[(&str, &Record)], mode: AllOrNone) -> Result<Vec<RowResult>> {
        let request = |chunk: &[(&str, &Record)]| {
            let records: Vec<Value> = chunk
                .iter()
                .map(|(object, fields)| record(object, None, fields))
                .collect();
            write(Request::post("create records", "composite/sobjects"), mode, &records)
        };
        self.in_chunks(rows, request).await
    }

    /// Changes records. Each row: object, id and fields.
    pub async fn update_all(&self, rows: &[(&str, &Id, &Record)], mode: AllOrNone) -> Result<Vec<RowResult>> {
        let request = |chunk: &[(&str, &Id, &Record)]| {
            let rows = chunk.iter();
            let records: Vec<Value> = rows
                .map(|(object, id, fields)| record(object, Some(id), fields))
                .collect();
            write(Request::patch("change records", "composite/sobjects"), mode, &records)
        };
        self.in_chunks(rows, request).await
    }

    /// Changes or creates records of one object by an external id, which the fields hold.
    pub async fn upsert_all(
        &self,
        object: &str,
        key: &str,
        rows: &[&Record],
        mode: AllOrNone,
    ) -> Result<Vec<RowResult>> {
        let request = |chunk: &[&Record]| {
            let records: Vec<Value> = chunk.iter().map(|fields| record(object, None, fields)).collect();
            let path = format!("composite/sobjects/{}/{}", segment(object), segment(key));
            write(
                Request::patch(format!("upsert records of {object} by {key}"), path),
                mode,
                &records,
            )
        };
        self.in_chunks(rows, request).await
    }

    /// Deletes records of any objects.
    pub async fn delete_all(&self, ids: &[&Id], mode: AllOrNone) -> Result<Vec<RowResult>> {
        let request = |chunk: &[&Id]| {
            let ids: Vec<&str> = chunk.iter().map(|id| id.as_str()).collect();
            let request = Request::delete("delete records", "composite/sobjects");
            let all = (mode == AllOrNone::All).to_string();
            Ok(request.with("ids", ids.join(",")).with("allOrNone", all))
        };
        self.in_chunks(ids, request).await
    }

    /// Reads fields of records by id; `None` for ids that are not there.
    pub async fn retrieve(&self, object: &str, ids: &[&Id], fields: &[&str]) -> Result<Vec<Option<Record>>> {
        let path = format!("composite/sobjects/{}", segment(object));
        let mut records = Vec::with_capacity(ids.len());
        for chunk in ids.chunks(COLLECTION) {
            let request = Request::post(format!("read records of {object}"), path.clone());
            let request = request.json(&json!({"ids": chunk, "fields": fields}))?;
            let rows: Vec<Option<Record>> = self.send(request).await?.json()?;
            records.extend(same_count("read records", rows, chunk.len())?);
        }
        Ok(records)
    }

    async fn in_chunks<T>(&self, rows: &[T], request: impl Fn(&[T]) -> Result<Request>) -> Result<Vec<RowResult>> {
        // Built first: a request that cannot be written fails before anything is sent.
        let requests = rows.chunks(COLLECTION).map(&request).collect::<Result<Vec<_>>>()?;
        let mut results = Vec::with_capacity(rows.len());
        for (request, chunk) in requests.into_iter().zip(rows.chunks(COLLECTION)) {
            let what = request.what.to_string();
            let answered = async {
                let found: Vec<Row> = self.send(request).await?.json()?;
                same_count(&what, found, chunk.len())
            };
            match answered.await {
                Ok(found) => results.extend(found.into_iter().map(Row::result)),
                Err(error) if results.is_empty() => return Err(error),
                Err(error) => {
                    let row = failed(error);
                    results.extend(chunk.iter().map(|_| row.clone()));
                    results.resize(rows.len(), RowResult::NotSent);
                    break;
                }
            }
        }
        Ok(results)
    }
}

/// What a failed call says about its rows.
fn failed(error: Error) -> RowResult {
    match error {
        Error::Answered { faults, .. } => RowResult::Failed(faults),
        Error::Refused(_) | Error::SessionEnded { .. } | Error::Login { .. } => RowResult::NotSent,
        other => RowResult::Unknown { why: other.to_string() },
    }
}

fn record(object: &str, id: Option<&Id>, fields: &Record) -> Value {
    let mut record = Record::new();
    record.insert("attributes".to_owned(), json!({"type": object}));
    if let Some(id) = id {
        record.insert("Id".to_owned(), json!(id));
    }
    record.extend(writable(fields));
    Value::Object(record)
}

fn write(request: Request, mode: AllOrNone, records: &[Value]) -> Result<Request> {
    request.json(&json!({"allOrNone": mode == AllOrNone::All, "records": records}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows() {
        let read = |text: &str| serde_json::from_str::<Row>(text).unwrap().result();
        let done = read(r#"{"id":"001D000000IRt53IAD","success":true,"errors":[],"created":true}"#);
        assert!(
            matches!(
                done,
                RowResult::Done {
                    created: Some(true),
                    ..
                }
            ),
            "{done:?}"
        );
        let failed =
            read(r#"{"success":false,"errors":[{"statusCode":"DUPLICATE_VALUE","message":"m","fields":["A"]}]}"#);
        let RowResult::Failed(faults) = failed else { panic!() };
        assert_eq!(faults[0].to_string(), "DUPLICATE_VALUE: m (A)");
    }
}
