//! Records with their children in one call, all or nothing.

use serde::Deserialize;
use serde_json::{Value, json};

use super::record::{Record, writable};
use crate::connection::Connection;
use crate::error::{Error, Result};
use crate::id::Id;
use crate::request::{Request, segment};

/// The most records of a tree, over all levels.
const RECORDS: usize = 200;

/// A record of a tree.
#[derive(Debug, Clone)]
pub struct TreeRow {
    /// Its name in this call.
    pub name: String,
    /// The object.
    pub object: String,
    /// The fields.
    pub fields: Record,
    /// Relationship name, as in `Contacts`, and the records below it.
    pub children: Vec<(String, Vec<TreeRow>)>,
}

/// A created record.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct TreeResult {
    /// The name that the row had in the call.
    #[serde(rename = "referenceId")]
    pub name: String,
    /// The record.
    pub id: Id,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TreeAnswer {
    has_errors: bool,
    results: Vec<Value>,
}

impl TreeRow {
    fn count(&self) -> usize {
        let children = self.children.iter().flat_map(|(_, rows)| rows);
        1 + children.map(Self::count).sum::<usize>()
    }

    fn json(&self) -> Value {
        let mut record = Record::new();
        record.insert(
            "attributes".to_owned(),
            json!({"type": self.object, "referenceId": self.name}),
        );
        record.extend(writable(&self.fields));
        for (relationship, rows) in &self.children {
            let rows: Vec<Value> = rows.iter().map(Self::json).collect();
            record.insert(relationship.clone(), json!({"records": rows}));
        }
        Value::Object(record)
    }
}

impl Connection {
    /// Creates records of one object with their children, all of them or none.
    ///
    /// # Errors
    /// `salesforce_error` with the errors of all refused rows; `bad_argument` for more than 200 records.
    pub async fn create_tree(&self, object: &str, rows: &[TreeRow]) -> Result<Vec<TreeResult>> {
        let count: usize = rows.iter().map(TreeRow::count).sum();
        if count == 0 || count > RECORDS {
            return Err(Error::argument(format!(
                "a tree has 1 to {RECORDS} records, not {count}"
            )));
        }
        let what = format!("create a tree of {object}");
        let records: Vec<Value> = rows.iter().map(TreeRow::json).collect();
        let request = Request::post(what.clone(), format!("composite/tree/{}", segment(object)));
        let answer = self.send(request.json(&json!({"records": records}))?).await?;
        let tree: TreeAnswer = answer.json()?;
        if tree.has_errors || tree.results.len() != count {
            return Err(Error::unexpected(
                &what,
                format!("{} of {count} records", tree.results.len()),
            ));
        }
        let read =
            |row: Value| serde_json::from_value(row).map_err(|error| Error::unexpected(&what, error.to_string()));
        tree.results.into_iter().map(read).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn children_are_counted_and_written_below_their_relationship() {
        let row = |name: &str, object: &str, children| TreeRow {
            name: name.to_owned(),
            object: object.to_owned(),
            fields: Record::from_iter([("Name".to_owned(), json!(name))]),
            children,
        };
        let tree = row(
            "a",
            "Account",
            vec![("Contacts".to_owned(), vec![row("c", "Contact", Vec::new())])],
        );
        assert_eq!(tree.count(), 2);
        let expected = json!({
            "attributes": {"type": "Account", "referenceId": "a"}, "Name": "a",
            "Contacts": {"records": [{"attributes": {"type": "Contact", "referenceId": "c"}, "Name": "c"}]},
        });
        assert_eq!(tree.json(), expected);
    }
}
