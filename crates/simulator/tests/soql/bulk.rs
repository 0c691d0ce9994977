//! Rows for Bulk queries.

use crate::org::{Asked, text};
use rusqlite::types::Value;
use syncline_simulator::error::ApiError;
use syncline_simulator::soql;

fn cells(asked: &Asked, query: &str, all_rows: bool) -> Result<(String, Vec<String>), ApiError> {
    asked.call(|call| {
        let mut rows = Vec::new();
        let columns = soql::each_row(call, query, all_rows, &mut |row| {
            let row: Vec<String> = row
                .iter()
                .map(|cell| cell.as_deref().unwrap_or("-").to_owned())
                .collect();
            rows.push(row.join(","));
            Ok(())
        })?;
        assert_eq!(soql::columns(call, query, all_rows)?, columns);
        Ok((columns.join(","), rows))
    })
}

#[test]
fn rows_are_flat_cells() {
    let asked = Asked::new();
    let acme = asked.insert("Account", &[("Name", text("Acme"))]);
    asked.insert(
        "Widget__c",
        &[
            ("Name", text("w")),
            ("Account__c", text(&acme)),
            ("Active__c", Value::Integer(1)),
            ("Price__c", Value::Real(10.0)),
            ("Due__c", text("2026-03-02")),
            ("Seen__c", Value::Integer(1_772_446_530_123)),
        ],
    );
    asked.insert("Widget__c", &[("Name", text("gone")), ("IsDeleted", Value::Integer(1))]);
    let query = "select name, account__r.name, active__c, price__c, count__c, due__c, seen__c FROM widget__c";
    let (columns, rows) = cells(&asked, query, false).expect("rows");
    assert_eq!(
        columns,
        "Name,Account__r.Name,Active__c,Price__c,Count__c,Due__c,Seen__c"
    );
    assert_eq!(rows, ["w,Acme,true,10.0,-,2026-03-02,2026-03-02T10:15:30.123Z"]);
    assert_eq!(
        cells(&asked, "SELECT Name FROM Widget__c", true).expect("rows").1,
        ["w", "gone"]
    );
}

#[test]
fn what_bulk_does_not_take() {
    let asked = Asked::new();
    for query in [
        "SELECT COUNT(Id) FROM Account",
        "SELECT Name FROM Account GROUP BY Name",
        "SELECT (SELECT Id FROM Contacts) FROM Account",
        "SELECT Id FROM Account OFFSET 1",
        "SELECT FIELDS(ALL) FROM Account LIMIT 1",
        "SELECT toLabel(Industry) FROM Account",
        "SELECT Picture__c FROM Widget__c",
        "SELECT Place__c FROM Widget__c",
        "SELECT TYPEOF About__r WHEN Account THEN Name END FROM Widget__c",
    ] {
        assert_eq!(
            cells(&asked, query, false).expect_err(query).code,
            "API_ERROR",
            "{query}"
        );
    }
    let stop = asked.call(|call| {
        soql::each_row(call, "SELECT Id FROM User", false, &mut |_| {
            Err(ApiError::new("STOP", "enough"))
        })
    });
    assert_eq!(stop.expect_err("stopped").code, "STOP");
}
