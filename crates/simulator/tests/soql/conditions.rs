//! What `WHERE`, `ORDER BY`, `LIMIT` and `OFFSET` give.

use crate::org::{Asked, text};
use rusqlite::types::Value;

fn widgets() -> Asked {
    let asked = Asked::new();
    let acme = asked.insert("Account", &[("Name", text("Acme"))]);
    let null = Value::Null;
    let day = |day: &str| text(day);
    // Seen a second before midnight of 1 March, at midnight of 2 March.
    let (before, at) = (Value::Integer(1_772_409_599_000), Value::Integer(1_772_409_600_000));
    let rows = [
        ("Ärger", "a", day("2026-03-01"), before, "red;blue", null.clone()),
        ("50%_off", "A", day("2026-03-02"), at, "red", text(&acme)),
        ("50 off", "b", null.clone(), null.clone(), "", null),
    ];
    for (name, code, due, seen, colours, account) in rows {
        asked.insert(
            "Widget__c",
            &[
                ("Name", text(name)),
                ("Code__c", text(code)),
                ("Due__c", due),
                ("Seen__c", seen),
                ("Opens__c", text("10:15:30.000Z")),
                (
                    "Colours__c",
                    if colours.is_empty() { Value::Null } else { text(colours) },
                ),
                ("Account__c", account),
            ],
        );
    }
    asked
}

fn check(asked: &Asked, condition: &str, expected: &str) {
    let rows: Vec<Vec<String>> =
        serde_json::from_str(&asked.rows(&format!("SELECT Code__c FROM Widget__c WHERE {condition}"))).expect("rows");
    assert_eq!(rows.concat().concat(), expected, "{condition}");
}

#[test]
fn texts() {
    let asked = widgets();
    for (condition, expected) in [
        ("Name = 'ärger'", "a"),
        ("Name = 'ÄRGER'", "a"),
        ("Name != 'ärger'", "Ab"),
        ("Name IN ('ÄRGER', '50 OFF')", "ab"),
        ("Name NOT IN ('ÄRGER', '50 OFF')", "A"),
        ("Name LIKE 'är%'", "a"),
        ("Name LIKE '50_off'", "b"),
        ("Name LIKE '50%off'", "Ab"),
        (r"Name LIKE '50\%\_off'", "A"),
        (r"Name = '50\%\_off'", "A"),
        ("NOT Name LIKE '50%'", "a"),
        ("(NOT Name LIKE '50%') AND Code__c != 'x'", "a"),
        // This field heeds case.
        ("Code__c = 'a'", "a"),
        ("Code__c IN ('A')", "A"),
        ("Code__c = 'ä'", ""),
        ("Name > '50 p'", "aA"),
    ] {
        check(&asked, condition, expected);
    }
}

#[test]
fn nothing_and_its_relatives() {
    let asked = widgets();
    for (condition, expected) in [
        ("Due__c = null", "b"),
        ("Due__c != NULL", "aA"),
        ("Colours__c = ''", "b"),
        ("Colours__c != 'red'", "ab"),
        ("Colours__c NOT IN ('red', null)", "a"),
        ("Active__c = false", "aAb"),
        ("Account__r.Name = null", "ab"),
        ("Account__r.IsDeleted = false", "aAb"),
        ("Account__r.Name != 'Beta'", "aAb"),
        ("NOT (Due__c > 2026-03-01 OR Account__c = null)", ""),
        ("Due__c < null", ""),
    ] {
        check(&asked, condition, expected);
    }
}

#[test]
fn days_and_moments() {
    let asked = widgets();
    for (condition, expected) in [
        ("Due__c = TODAY", "A"),
        ("Due__c < TODAY", "a"),
        ("Due__c >= YESTERDAY", "aA"),
        ("Due__c != TODAY", "ab"),
        ("Due__c = LAST_N_DAYS:1", "aA"),
        ("Due__c IN (TODAY, 2026-03-01)", "aA"),
        ("Due__c = 2026-03-02", "A"),
        ("Seen__c = TODAY", "A"),
        ("Seen__c = YESTERDAY", "a"),
        ("Seen__c <= YESTERDAY", "a"),
        ("Seen__c > YESTERDAY", "A"),
        ("Seen__c = 2026-03-02T00:00:00Z", "A"),
        ("Seen__c < 2026-03-02T01:00:00+01:00", "a"),
        ("Seen__c = THIS_WEEK", "aA"),
        ("Seen__c = last_week", ""),
        ("CALENDAR_MONTH(Seen__c) = 3", "aA"),
        ("DAY_IN_MONTH(convertTimezone(Seen__c)) = 1", "a"),
        ("DAY_ONLY(Seen__c) = 2026-03-02", "A"),
        ("HOUR_IN_DAY(Seen__c) > 22", "a"),
        ("DAY_IN_WEEK(Due__c) = 2", "A"),
        ("Opens__c = 10:15:30Z", "aAb"),
        ("Opens__c > 10:15:30.000Z", ""),
    ] {
        check(&asked, condition, expected);
    }
}

#[test]
fn several_values_of_one_field() {
    let asked = widgets();
    for (condition, expected) in [
        ("Colours__c INCLUDES ('RED')", "aA"),
        ("Colours__c INCLUDES ('blue;red')", "a"),
        ("Colours__c INCLUDES ('blue', 'green')", "a"),
        ("Colours__c EXCLUDES ('blue')", "Ab"),
        ("Colours__c INCLUDES ('re')", ""),
    ] {
        check(&asked, condition, expected);
    }
}

#[test]
fn ids_and_other_queries() {
    let asked = widgets();
    let acme = asked.query("SELECT Id FROM Account")["records"][0]["Id"]
        .as_str()
        .expect("id")
        .to_owned();
    check(&asked, &format!("Account__c = '{}'", &acme[..15]), "A");
    check(&asked, &format!("Account__c IN ('{acme}')"), "A");
    check(&asked, &format!("Account__c != '{acme}'"), "ab");
    check(
        &asked,
        "Account__c IN (SELECT Id FROM Account WHERE Name = 'Acme')",
        "A",
    );
    check(
        &asked,
        "Account__c NOT IN (SELECT Id FROM Account WHERE Name = 'Acme')",
        "ab",
    );
    let accounts = |condition: &str| asked.rows(&format!("SELECT Name FROM Account WHERE {condition}"));
    assert_eq!(accounts("Id IN (SELECT Account__c FROM Widget__c)"), r#"[["Acme"]]"#);
    assert_eq!(accounts("Id NOT IN (SELECT Account__c FROM Widget__c)"), "[]");
    assert_eq!(
        accounts("Id NOT IN (SELECT Account__c FROM Widget__c WHERE Code__c = 'a') AND Name = 'acme'"),
        r#"[["Acme"]]"#
    );
}

#[test]
fn order_and_limits() {
    let asked = widgets();
    let codes = |rest: &str| asked.rows(&format!("SELECT Code__c FROM Widget__c {rest}"));
    assert_eq!(codes("ORDER BY Due__c"), r#"[["b"],["a"],["A"]]"#);
    assert_eq!(codes("ORDER BY Due__c DESC NULLS LAST"), r#"[["A"],["a"],["b"]]"#);
    assert_eq!(
        codes("ORDER BY Account__r.Name NULLS LAST, Code__c DESC LIMIT 2"),
        r#"[["A"],["b"]]"#
    );
    assert_eq!(codes("LIMIT 1 OFFSET 1"), r#"[["A"]]"#);
    assert_eq!(codes("ORDER BY Name LIMIT 1 FOR VIEW"), r#"[["b"]]"#);
    assert_eq!(
        codes("WHERE Code__c = 'b' WITH SECURITY_ENFORCED LIMIT 5 FOR REFERENCE"),
        r#"[["b"]]"#
    );
    assert_eq!(codes("USING SCOPE everything WITH USER_MODE LIMIT 1"), r#"[["a"]]"#);
    asked.insert("Account", &[("Name", text("Mine")), ("OwnerId", text(&asked.user))]);
    assert_eq!(asked.rows("SELECT Name FROM Account USING SCOPE Mine"), r#"[["Mine"]]"#);
}

#[test]
fn deleted_rows_are_for_query_all() {
    let asked = widgets();
    asked.sql("UPDATE Widget__c SET IsDeleted = 1 WHERE Code__c = 'A'");
    let soql = "SELECT Code__c FROM Widget__c";
    assert_eq!(asked.rows(soql), r#"[["a"],["b"]]"#);
    assert_eq!(asked.get("queryAll", &[("q", soql)], &[]).1["totalSize"], 3);
    assert_eq!(
        asked.rows(&format!("{soql} WHERE IsDeleted = true ALL ROWS")),
        r#"[["A"]]"#
    );
    let widgets = "SELECT Name, (SELECT Code__c FROM Widgets__r) FROM Account";
    assert_eq!(asked.rows(widgets), r#"[["Acme",null]]"#);
    assert_eq!(
        asked.get("queryAll", &[("q", widgets)], &[]).1["records"][0]["Widgets__r"]["totalSize"],
        1
    );
}

#[test]
fn a_thousand_conditions() {
    let asked = widgets();
    let any: Vec<String> = (0..1500).map(|n| format!("Name = 'n{n}'")).collect();
    check(&asked, &format!("({}) OR Code__c = 'a'", any.join(" OR ")), "a");
    let list: Vec<String> = (0..9000).map(|n| format!("'n{n}'")).collect();
    check(&asked, &format!("Name IN ({}, 'ärger')", list.join(",")), "a");
}
