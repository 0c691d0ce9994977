//! Aggregates and groups.

use crate::org::{Asked, text};
use rusqlite::types::Value;

fn widgets() -> Asked {
    let asked = Asked::new();
    let acme = asked.insert("Account", &[("Name", text("Acme"))]);
    for (name, state, count, price, due) in [
        ("a", "N", Some(1), Some(1.5), Some("2025-12-31")),
        ("A", "U", Some(2), None, Some("2026-01-01")),
        ("b", "n", None, Some(4.5), None),
    ] {
        let or_null = |value: Option<Value>| value.unwrap_or(Value::Null);
        asked.insert(
            "Widget__c",
            &[
                ("Name", text(name)),
                ("State__c", text(state)),
                ("Count__c", or_null(count.map(Value::Integer))),
                ("Price__c", or_null(price.map(Value::Real))),
                ("Due__c", or_null(due.map(text))),
                ("Account__c", if name == "a" { text(&acme) } else { Value::Null }),
            ],
        );
    }
    asked
}

#[test]
fn functions_of_all_rows() {
    let asked = widgets();
    let body = asked.query(
        "SELECT COUNT(Id), COUNT(Count__c) n, COUNT_DISTINCT(Name), SUM(Count__c) total, AVG(Price__c), MIN(Due__c), MAX(Price__c) \
         FROM Widget__c",
    );
    assert_eq!(
        body["records"][0].to_string(),
        r#"{"attributes":{"type":"AggregateResult"},"expr0":3,"n":2,"expr1":2,"total":3,"expr2":3.0,"expr3":"2025-12-31","expr4":4.5}"#
    );
    assert_eq!(
        asked.rows("SELECT SUM(Count__c) FROM Widget__c WHERE Name = 'x'"),
        "[[null]]"
    );
}

#[test]
fn groups_of_rows() {
    let asked = widgets();
    let check = |soql: &str, expected: &str| assert_eq!(asked.rows(soql), expected, "{soql}");
    check(
        "SELECT State__c, COUNT(Id) c FROM Widget__c GROUP BY State__c ORDER BY COUNT(Id) DESC",
        r#"[["N",2],["U",1]]"#,
    );
    check(
        "SELECT COUNT(Id) FROM Widget__c GROUP BY State__c HAVING COUNT(Id) > 1",
        "[[2]]",
    );
    check(
        "SELECT State__c FROM Widget__c GROUP BY State__c HAVING State__c = 'u' AND COUNT(Id) < 2",
        r#"[["U"]]"#,
    );
    check(
        "SELECT CALENDAR_YEAR(Due__c) y, COUNT(Id) FROM Widget__c GROUP BY CALENDAR_YEAR(Due__c) ORDER BY CALENDAR_YEAR(Due__c) NULLS LAST",
        "[[2025,1],[2026,1],[null,1]]",
    );
    check(
        "SELECT Account__r.Name, COUNT(Id) FROM Widget__c GROUP BY Account__r.Name ORDER BY Account__r.Name",
        r#"[[null,2],["Acme",1]]"#,
    );
    check(
        "SELECT State__c FROM Widget__c GROUP BY State__c LIMIT 1 OFFSET 1",
        r#"[["U"]]"#,
    );
    assert_eq!(asked.query("SELECT COUNT() FROM Widget__c LIMIT 2")["totalSize"], 2);
}

#[test]
fn refusals() {
    let asked = widgets();
    for (soql, reason) in [
        (
            "SELECT Name, COUNT(Id) FROM Widget__c",
            "Field must be grouped or aggregated: Name",
        ),
        (
            "SELECT SUM(Name) FROM Widget__c",
            "field Name does not support aggregate operator SUM",
        ),
        ("SELECT COUNT(Id) a, COUNT(Name) A FROM Widget__c", "duplicate alias: A"),
        (
            "SELECT COUNT(), Name FROM Widget__c GROUP BY Name",
            "COUNT() must be the only element",
        ),
        ("SELECT COUNT() FROM Widget__c GROUP BY Name", "write COUNT(Id)"),
        (
            "SELECT COUNT(Id) FROM Widget__c GROUP BY Price__c",
            "field 'Price__c' can not be grouped",
        ),
        (
            "SELECT COUNT(Id) FROM Widget__c GROUP BY ROLLUP(Name)",
            "GROUP BY ROLLUP is not supported by the simulator",
        ),
        (
            "SELECT COUNT(Id) FROM Widget__c ORDER BY Name",
            "Ordered field must be grouped or aggregated: Name",
        ),
        (
            "SELECT COUNT(Id) FROM Widget__c GROUP BY Name HAVING Count__c > 1",
            "Field must be grouped or aggregated: Count__c",
        ),
        (
            "SELECT COUNT(Id) FROM Widget__c GROUP BY UPPER(Name)",
            "unexpected token: 'UPPER'",
        ),
        (
            "SELECT Id, (SELECT COUNT(Id) FROM Contacts) FROM Account",
            "unexpected token",
        ),
    ] {
        let refusal = asked.refusal("query", soql);
        assert!(
            refusal.starts_with("MALFORMED_QUERY: ") && refusal.contains(reason),
            "{soql}: {refusal}"
        );
    }
    asked.sql(
        "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 2001) \
         INSERT INTO Widget__c (Id, IsDeleted, Name) SELECT 'a00' || n, 0, 'n' || n FROM n",
    );
    assert!(
        asked
            .refusal("query", "SELECT Name FROM Widget__c GROUP BY Name")
            .starts_with("EXCEEDED_ID_LIMIT: Aggregate query does not support queryMore()")
    );
}
