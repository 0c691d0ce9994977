//! Queries: rows of REST and Tooling as a table.

use std::fmt::Write;
use std::path::Path;

use serde::Serialize;
use serde_json::{Map, Value};
use syncline_salesforce::Connection;
use syncline_salesforce::bulk::BulkQuery;
use syncline_salesforce::metadata::polling;
use tokio::io::AsyncWriteExt;

use super::OrgError;

/// Where a query runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Records.
    Records,
    /// Records, deleted and archived ones too.
    AllRecords,
    /// Objects of the Tooling API.
    Tooling,
}

/// The result of a query.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Rows {
    /// Rows of the whole result; more than `records` has for `COUNT()`.
    pub total_size: u64,
    /// The rows as the org gives them, without `attributes`.
    pub records: Vec<Map<String, Value>>,
}

/// Columns and cells of rows; fields of parents have a dot in their name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Table {
    /// The columns in the order in which they first come.
    pub columns: Vec<String>,
    /// The rows; a cell without value is empty.
    pub rows: Vec<Vec<String>>,
}

/// Runs a query and reads all its pages; `seen` is told rows so far and in all.
pub async fn rows(
    connection: &Connection,
    soql: &str,
    place: Place,
    seen: &mut (dyn FnMut(u64, u64) + Send),
) -> Result<Rows, OrgError> {
    let mut pages = match place {
        Place::Records => connection.query(soql),
        Place::AllRecords => connection.query_all(soql),
        Place::Tooling => connection.tooling_query(soql),
    };
    let mut records: Vec<Map<String, Value>> = Vec::new();
    while let Some(page) = pages.next::<Map<String, Value>>().await? {
        records.extend(page.into_iter().map(plain));
        seen(records.len() as u64, pages.total().unwrap_or(0));
    }
    Ok(Rows {
        total_size: pages.total().unwrap_or(0),
        records,
    })
}

/// Runs a query as a job of Bulk 2.0 and writes its rows as CSV; the number of rows is returned.
pub async fn export(connection: &Connection, soql: &str, all: bool, to: &Path) -> Result<u64, OrgError> {
    let query = BulkQuery {
        all,
        ..BulkQuery::new(soql)
    };
    let mut file = tokio::fs::File::create(to)
        .await
        .map_err(OrgError::file("could not write", to))?;
    let exported = connection.export(&query, &mut file, &polling()).await?;
    file.shutdown().await.map_err(OrgError::file("could not write", to))?;
    Ok(exported.rows)
}

/// A row without `attributes`, its parents and children alike.
fn plain(row: Map<String, Value>) -> Map<String, Value> {
    let inside = |value: Value| match value {
        Value::Object(row) => Value::Object(plain(row)),
        Value::Array(rows) => rows
            .into_iter()
            .map(|row| match row {
                Value::Object(row) => Value::Object(plain(row)),
                other => other,
            })
            .collect(),
        other => other,
    };
    row.into_iter()
        .filter(|(name, _)| name != "attributes")
        .map(|(name, value)| (name, inside(value)))
        .collect()
}

impl Rows {
    /// The rows as a table. Rows of children are JSON in their cell.
    pub fn table(&self) -> Table {
        let flat: Vec<Vec<(String, String)>> = self.records.iter().map(|row| cells(row, "")).collect();
        let mut columns: Vec<String> = Vec::new();
        for row in &flat {
            let mut after = 0;
            for (name, _) in row {
                match columns.iter().position(|known| known == name) {
                    Some(at) => after = at + 1,
                    None => {
                        columns.insert(after, name.clone());
                        after += 1;
                    }
                }
            }
        }
        // A parent that is nothing in one row has fields in another.
        let parents: Vec<String> = columns
            .iter()
            .filter(|name| columns.iter().any(|other| other.starts_with(&format!("{name}."))))
            .cloned()
            .collect();
        columns.retain(|name| !parents.contains(name));
        let rows = flat
            .into_iter()
            .map(|row| {
                let cell = |column: &String| row.iter().find(|(name, _)| name == column);
                columns
                    .iter()
                    .map(|column| cell(column).map_or_else(String::new, |(_, text)| text.clone()))
                    .collect()
            })
            .collect();
        Table { columns, rows }
    }
}

fn cells(row: &Map<String, Value>, prefix: &str) -> Vec<(String, String)> {
    let mut cells = Vec::new();
    for (name, value) in row {
        let name = format!("{prefix}{name}");
        match value {
            Value::Object(inner) if !inner.contains_key("records") => cells.extend(cells_of(inner, &name)),
            Value::Null => cells.push((name, String::new())),
            Value::String(text) => cells.push((name, text.clone())),
            other => cells.push((name, other.to_string())),
        }
    }
    cells
}

fn cells_of(row: &Map<String, Value>, name: &str) -> Vec<(String, String)> {
    cells(row, &format!("{name}."))
}

impl Table {
    /// CSV as RFC 4180 has it, with line feeds.
    pub fn csv(&self) -> String {
        let mut text = String::new();
        for row in std::iter::once(&self.columns).chain(&self.rows) {
            for (number, cell) in row.iter().enumerate() {
                let comma = if number == 0 { "" } else { "," };
                // Writing to a String cannot fail.
                let _ = match cell.contains([',', '"', '\n', '\r']) {
                    true => write!(text, "{comma}\"{}\"", cell.replace('"', "\"\"")),
                    false => write!(text, "{comma}{cell}"),
                };
            }
            text.push('\n');
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn table(records: Value) -> Table {
        let records: Vec<Map<String, Value>> = serde_json::from_value(records).expect("rows");
        let records: Vec<_> = records.into_iter().map(plain).collect();
        Rows {
            total_size: records.len() as u64,
            records,
        }
        .table()
    }

    #[test]
    fn parents_become_columns() {
        let table = table(json!([
            {"attributes": {"type": "Account"}, "Name": "A, \"B\"", "Owner": null, "Rate": 1.5},
            {"attributes": {"type": "Account"}, "Name": "C", "Owner": {"attributes": {}, "Name": "Ops"}, "Rate": null,
             "Contacts": {"totalSize": 1, "records": [{"attributes": {}, "Name": "D"}]}},
        ]));
        assert_eq!(table.columns, ["Name", "Owner.Name", "Rate", "Contacts"]);
        assert_eq!(
            table.csv(),
            "Name,Owner.Name,Rate,Contacts\n\"A, \"\"B\"\"\",,1.5,\nC,Ops,,\"{\"\"totalSize\"\":1,\"\"records\"\":[{\"\"Name\"\":\"\"D\"\"}]}\"\n"
        );
    }
}
