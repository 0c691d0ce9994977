//! Single records.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::connection::Connection;
use crate::envelope::{self, Fault};
use crate::error::{Error, Result};
use crate::id::Id;
use crate::request::{Request, segment};

/// Field names and values. `Id` and `attributes` are left away when it is written.
pub type Record = Map<String, Value>;

/// What an upsert did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Upserted {
    /// A new record.
    Created(Id),
    /// A record that was there. Old versions of the API do not tell its id.
    Updated(Option<Id>),
    /// Several records have this external id; nothing was done. Holds their paths.
    Ambiguous(Vec<String>),
}

/// The answer to a write.
#[derive(Deserialize)]
pub(crate) struct SavedRecord {
    pub(crate) id: Option<Id>,
    pub(crate) success: bool,
    #[serde(default)]
    pub(crate) errors: Vec<Value>,
    created: Option<bool>,
}

impl SavedRecord {
    /// The id of a success.
    pub(crate) fn into_id(self, attempted: &str) -> Result<Id> {
        if !self.success {
            let faults: Vec<Fault> = self.errors.iter().map(envelope::fault).collect();
            return Err(match faults.is_empty() {
                true => Error::unexpected(attempted, "no success, but no error"),
                false => Error::Answered {
                    attempted: attempted.to_owned(),
                    status: 200,
                    faults,
                },
            });
        }
        self.id.ok_or_else(|| Error::unexpected(attempted, "it has no id"))
    }
}

/// The fields without those that stand in the path or that no write takes.
pub(crate) fn writable(fields: &Record) -> Record {
    let mut body = fields.clone();
    body.retain(|name, _| !name.eq_ignore_ascii_case("Id") && name != "attributes");
    body
}

fn path(object: &str, id: &Id) -> String {
    format!("sobjects/{}/{id}", segment(object))
}

impl Connection {
    /// Reads fields of a record; all of them when none are named.
    ///
    /// # Errors
    /// `salesforce_error` with `NOT_FOUND` when there is no such record.
    pub async fn record<T: DeserializeOwned>(&self, object: &str, id: &Id, fields: &[&str]) -> Result<T> {
        let mut request = Request::get(format!("read a record of {object}"), path(object, id));
        if !fields.is_empty() {
            request = request.with("fields", fields.join(","));
        }
        self.send(request).await?.json()
    }

    /// Creates a record.
    ///
    /// # Errors
    /// `salesforce_error`, with the fields that it is about; `unknown_outcome` when it may have happened.
    pub async fn create(&self, object: &str, fields: &Record) -> Result<Id> {
        let what = format!("create a record of {object}");
        let path = format!("sobjects/{}", segment(object));
        let saved: SavedRecord = self
            .send(Request::post(what.clone(), path).json(&writable(fields))?)
            .await?
            .json()?;
        saved.into_id(&what)
    }

    /// Changes fields of a record.
    pub async fn update(&self, object: &str, id: &Id, fields: &Record) -> Result<()> {
        let what = format!("change a record of {object}");
        self.send(Request::patch(what, path(object, id)).json(&writable(fields))?)
            .await?;
        Ok(())
    }

    /// Deletes a record.
    pub async fn delete(&self, object: &str, id: &Id) -> Result<()> {
        let what = format!("delete a record of {object}");
        self.send(Request::delete(what, path(object, id))).await?;
        Ok(())
    }

    /// Changes the record with an external id, or creates it.
    pub async fn upsert(&self, object: &str, key: &str, value: &str, fields: &Record) -> Result<Upserted> {
        let what = format!("upsert a record of {object} by {key}");
        let path = format!("sobjects/{}/{}/{}", segment(object), segment(key), segment(value));
        let mut fields = writable(fields);
        fields.retain(|name, _| !name.eq_ignore_ascii_case(key));
        let request = Request::patch(what.clone(), path).json(&fields)?.accepting(&[300]);
        let answer = self.send(request).await?;
        match answer.status {
            300 => Ok(Upserted::Ambiguous(answer.json()?)),
            204 => Ok(Upserted::Updated(None)),
            status => {
                let saved: SavedRecord = answer.json()?;
                let created = saved.created.unwrap_or(status == 201);
                let id = saved.into_id(&what)?;
                Ok(if created {
                    Upserted::Created(id)
                } else {
                    Upserted::Updated(Some(id))
                })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_body_has_only_fields_that_can_be_written() {
        let record = json!({"attributes": {"type": "Account"}, "Id": "x", "id": "y", "Name": "n", "ParentId": null});
        let Value::Object(record) = record else { panic!() };
        assert_eq!(Value::Object(writable(&record)), json!({"Name": "n", "ParentId": null}));
    }

    #[test]
    fn a_failure_inside_a_success_is_an_error() {
        let saved = |value: Value| serde_json::from_value::<SavedRecord>(value).unwrap().into_id("create");
        let id = saved(json!({"id": "001D000000IRt53IAD", "success": true, "errors": []})).unwrap();
        assert_eq!(id.as_str(), "001D000000IRt53IAD");
        let failed = json!({"id": null, "success": false, "errors": [{"statusCode": "DUPLICATE_VALUE", "message": "m", "fields": []}]});
        assert!(saved(failed).unwrap_err().has_fault("DUPLICATE_VALUE"));
        assert_eq!(
            saved(json!({"success": false})).unwrap_err().code(),
            "unexpected_answer"
        );
    }
}
