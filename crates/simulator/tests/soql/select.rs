//! What a select list gives.

use crate::org::{Asked, text};
use rusqlite::types::Value;

/// Two accounts, three contacts, two widgets.
fn small() -> Asked {
    let asked = Asked::new();
    let acme = asked.insert("Account", &[("Name", text("Acme")), ("OwnerId", text(&asked.user))]);
    let beta = asked.insert("Account", &[("Name", text("Beta")), ("ParentId", text(&acme))]);
    let mut ada = String::new();
    for (name, account) in [("Ada", &acme), ("Bob", &acme), ("Cid", &beta)] {
        let id = asked.insert(
            "Contact",
            &[
                ("LastName", text(name)),
                ("Name", text(name)),
                ("AccountId", text(account)),
            ],
        );
        if name == "Ada" {
            ada = id;
        }
    }
    asked.insert(
        "Widget__c",
        &[
            ("Name", text("w1")),
            ("About__c", text(&acme)),
            ("Account__c", text(&beta)),
            ("Count__c", Value::Integer(3)),
            ("Price__c", Value::Real(1234.5)),
            ("Active__c", Value::Integer(1)),
            ("Due__c", text("2026-03-09")),
            ("Seen__c", Value::Integer(1_772_446_530_123)),
            ("State__c", text("N")),
            ("Picture__c", Value::Blob(vec![1, 2])),
            ("Place__Latitude__s", Value::Real(1.5)),
        ],
    );
    asked.insert(
        "Widget__c",
        &[
            ("Name", text("w2")),
            ("About__c", text(&ada)),
            ("Price__c", Value::Real(10.0)),
        ],
    );
    asked
}

fn check(asked: &Asked, soql: &str, expected: &str) {
    assert_eq!(asked.rows(soql), expected, "{soql}");
}

#[test]
fn fields_and_parents() {
    let asked = small();
    check(
        &asked,
        "SELECT Name, Parent.Name FROM Account ORDER BY Name",
        r#"[["Acme",null],["Beta",["Acme"]]]"#,
    );
    check(
        &asked,
        "SELECT Name, Account.Parent.Owner.Alias FROM Contact WHERE Account.Parent.Name = 'acme'",
        r#"[["Cid",[[["admin"]]]]]"#,
    );
    check(
        &asked,
        "SELECT a.Name FROM Account a WHERE a.Name = 'BETA'",
        r#"[["Beta"]]"#,
    );
    check(
        &asked,
        "SELECT Count__c, Price__c, Active__c, Due__c, Seen__c, Place__c FROM Widget__c WHERE Name = 'w1'",
        r#"[[3,1234.5,true,"2026-03-09","2026-03-02T10:15:30.123+0000",[1.5,null]]]"#,
    );
    check(
        &asked,
        "SELECT toLabel(State__c), FORMAT(Price__c) money, FORMAT(Due__c), FORMAT(Seen__c) FROM Widget__c WHERE Name = 'w1'",
        r#"[["New","$1,234.50","3/9/2026","3/2/2026, 10:15 AM"]]"#,
    );
    let blob = asked.query("SELECT Picture__c FROM Widget__c ORDER BY Name");
    let url = blob["records"][0]["attributes"]["url"].as_str().expect("url");
    assert_eq!(blob["records"][0]["Picture__c"], format!("{url}/Picture__c"));
    assert_eq!(blob["records"][1]["Picture__c"], serde_json::Value::Null);
}

#[test]
fn parents_of_several_objects() {
    let asked = small();
    check(
        &asked,
        "SELECT Name, About__r.Name, About__r.Type FROM Widget__c WHERE About__r.Type = 'Contact' OR About__r.Name = 'Acme' ORDER BY Name",
        r#"[["w1",["Acme","Account"]],["w2",["Ada","Contact"]]]"#,
    );
    let body = asked.query("SELECT About__r.Name FROM Widget__c ORDER BY Name");
    assert_eq!(body["records"][1]["About__r"]["attributes"]["type"], "Name");
    let url = body["records"][1]["About__r"]["attributes"]["url"]
        .as_str()
        .expect("url");
    assert!(url.starts_with("/services/data/v67.0/sobjects/Contact/003"), "{url}");
    let body = asked.query(
        "SELECT TYPEOF About__r WHEN Account THEN Industry, Name WHEN Contact THEN LastName END FROM Widget__c ORDER BY Name",
    );
    let about = |n: usize| body["records"][n]["About__r"].clone();
    assert_eq!(about(0)["attributes"]["type"], "Account");
    assert_eq!((&about(0)["Name"], about(0).get("LastName")), (&"Acme".into(), None));
    assert_eq!((&about(1)["LastName"], about(1).get("Name")), (&"Ada".into(), None));
    assert!(
        asked
            .refusal("query", "SELECT About__r.Industry, About__r.Nothing FROM Widget__c")
            .contains("No such column 'Nothing' on entity 'Name'")
    );
}

#[test]
fn children() {
    let asked = small();
    check(
        &asked,
        "SELECT Name, (SELECT Name FROM Contacts ORDER BY Name DESC LIMIT 1), (SELECT Id FROM Widgets__r) FROM Account ORDER BY Name",
        r#"[["Acme",[["Bob"]],null],["Beta",[["Cid"]],[["a00001000000001AAA"]]]]"#,
    );
    check(
        &asked,
        "SELECT Name, (SELECT Name, (SELECT Name FROM Contacts WHERE Name != 'x') FROM ChildAccounts) FROM Account WHERE Name = 'Acme'",
        r#"[["Acme",[["Beta",[["Cid"]]]]]]"#,
    );
    let body = asked.query("SELECT (SELECT Name FROM Contacts) FROM Account WHERE Name = 'Acme'");
    let contacts = &body["records"][0]["Contacts"];
    assert_eq!((&contacts["totalSize"], &contacts["done"]), (&2.into(), &true.into()));
    assert!(
        asked
            .refusal("query", "SELECT (SELECT Name FROM Friends) FROM Account")
            .starts_with("INVALID_TYPE: \n")
    );
}

#[test]
fn fields_of_all_kinds() {
    let asked = small();
    let body = asked.query("SELECT FIELDS(ALL) FROM Account LIMIT 1");
    assert_eq!(body["records"][0]["IsDeleted"], false);
    assert!(asked.query("SELECT FIELDS(STANDARD) FROM Account")["records"][1]["Name"].is_string());
    let body = asked.query("SELECT FIELDS(CUSTOM) FROM Widget__c LIMIT 200");
    assert_eq!(body["records"][0].get("Name"), None);
    for soql in [
        "SELECT FIELDS(ALL) FROM Account",
        "SELECT FIELDS(CUSTOM) FROM Account LIMIT 201",
    ] {
        assert_eq!(
            asked.refusal("query", soql),
            "MALFORMED_QUERY: The SOQL FIELDS function must have a LIMIT of at most 200"
        );
    }
}

#[test]
fn the_schema_as_rows() {
    let asked = small();
    check(
        &asked,
        "SELECT QualifiedApiName, KeyPrefix, Label FROM EntityDefinition WHERE QualifiedApiName IN ('Account', 'Widget__c')",
        r#"[["Account","001","Account"],["Widget__c","a00","Widget"]]"#,
    );
    check(
        &asked,
        "SELECT QualifiedApiName, DataType, EntityDefinition.Label FROM FieldDefinition WHERE EntityDefinitionId = 'widget__c' AND IsPolymorphicForeignKey = true",
        r#"[["About__c","Lookup(Account,Contact)",["Widget"]]]"#,
    );
    check(
        &asked,
        "SELECT QualifiedApiName, (SELECT QualifiedApiName FROM Fields WHERE IsNameField = true) FROM EntityDefinition WHERE DurableId = 'Account'",
        r#"[["Account",[["Name"]]]]"#,
    );
    assert_eq!(
        asked.refusal("tooling/query", "SELECT Id FROM FieldDefinition"),
        "MALFORMED_QUERY: FieldDefinition: a filter on a reified column is required \
         [EntityDefinitionId,EntityDefinition,DurableId]"
    );
}
