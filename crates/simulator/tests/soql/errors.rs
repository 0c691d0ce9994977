//! What a wrong query is told.

use crate::org::{Asked, text};

#[test]
fn a_refusal_shows_the_place() {
    let asked = Asked::new();
    assert_eq!(
        asked.refusal("query", "SELECT Foo__c FROM Account"),
        "INVALID_FIELD: \nSELECT Foo__c FROM Account\n       ^\nERROR at Row:1:Column:8\nNo such column 'Foo__c' on entity \
         'Account'. If you are attempting to use a custom field, be sure to append the '__c' after the custom field name. Please \
         reference your WSDL or the describe call for the appropriate names."
    );
    assert_eq!(
        asked.refusal("query", "SELECT Id\nFROM  ScratchOrgInfo limit 1"),
        "INVALID_TYPE: \nSELECT Id FROM  ScratchOrgInfo limit 1\n                ^\nERROR at Row:2:Column:7\nsObject type \
         'ScratchOrgInfo' is not supported. If you are attempting to use a custom object, be sure to append the '__c' after the \
         entity name. Please reference your WSDL or the describe call for the appropriate names."
    );
    assert_eq!(
        asked.refusal("query", "SELECT Id FROM Account WHERE"),
        "MALFORMED_QUERY: \nSELECT Id FROM Account WHERE\n                            ^\nERROR at Row:1:Column:29\nunexpected \
         token: '<EOF>'"
    );
}

#[test]
fn refusals() {
    let asked = Asked::new();
    for (soql, code, reason) in [
        ("SELECT FROM Account", "MALFORMED_QUERY", "unexpected token: 'FROM'"),
        (
            "SELECT Id FROM Account WHERE Name = 'x",
            "MALFORMED_QUERY",
            "unexpected token: '<EOF>'",
        ),
        (
            "SELECT Id FROM Account WHERE Name = :x",
            "MALFORMED_QUERY",
            "Bind variables only allowed in Apex code",
        ),
        (
            "SELECT Id FROM Account WHERE Name = 'a' AND Id != null OR Name = 'b'",
            "MALFORMED_QUERY",
            "unexpected token: 'OR'",
        ),
        (
            "SELECT Id FROM Account LIMIT -1",
            "MALFORMED_QUERY",
            "unexpected token: '-1'",
        ),
        (
            "SELECT Id FROM Account; DROP TABLE Account",
            "MALFORMED_QUERY",
            "unexpected token: ';'",
        ),
        (
            "SELECT Id, Id FROM Account",
            "MALFORMED_QUERY",
            "duplicate field selected: Id",
        ),
        (
            "SELECT Name n FROM Account",
            "MALFORMED_QUERY",
            "only aggregate expressions use field aliasing",
        ),
        ("SELECT * FROM Account", "MALFORMED_QUERY", "unexpected token: '*'"),
        (
            "SELECT Boss.Name FROM Account",
            "INVALID_FIELD",
            "Didn't understand relationship 'Boss' in field path",
        ),
        (
            "SELECT Id FROM Account WHERE Name = 1",
            "INVALID_FIELD",
            "field 'Name' must be of type string and should be enclosed in quotes",
        ),
        (
            "SELECT Id FROM Account WHERE CreatedDate > '2026-01-01'",
            "INVALID_FIELD",
            "field 'CreatedDate' must be of type dateTime and should not be enclosed in quotes",
        ),
        (
            "SELECT Id FROM Account WHERE CreatedDate > 2026-01-01",
            "INVALID_FIELD",
            "must be of type dateTime",
        ),
        (
            "SELECT Id FROM Account WHERE IsDeleted = 'false'",
            "INVALID_FIELD",
            "must be of type boolean",
        ),
        (
            "SELECT Id FROM Account WHERE Id = 'abc'",
            "INVALID_QUERY_FILTER_OPERATOR",
            "invalid ID field: abc",
        ),
        (
            "SELECT Id FROM Account WHERE Id LIKE '001%'",
            "INVALID_QUERY_FILTER_OPERATOR",
            "invalid operator on id field",
        ),
        (
            "SELECT Id FROM Account WHERE IsDeleted > false",
            "INVALID_QUERY_FILTER_OPERATOR",
            "invalid operator on boolean field",
        ),
        (
            "SELECT Id FROM Account WHERE Name INCLUDES ('a')",
            "INVALID_QUERY_FILTER_OPERATOR",
            "invalid operator on string field",
        ),
        (
            "SELECT Id FROM Widget__c WHERE Notes__c = 'a'",
            "INVALID_FIELD",
            "field 'Notes__c' can not be filtered in a query call",
        ),
        (
            "SELECT Id FROM Widget__c ORDER BY Notes__c",
            "INVALID_FIELD",
            "field 'Notes__c' can not be sorted in a query call",
        ),
        (
            "SELECT Id FROM Account OFFSET 2001",
            "NUMBER_OUTSIDE_VALID_RANGE",
            "Maximum SOQL offset allowed is 2000",
        ),
        (
            "SELECT Id FROM Account HAVING Id != null",
            "MALFORMED_QUERY",
            "HAVING needs GROUP BY",
        ),
        (
            "SELECT Id FROM Account ORDER BY COUNT(Id)",
            "MALFORMED_QUERY",
            "ORDER BY an aggregate function needs GROUP BY",
        ),
        (
            "SELECT Id FROM Account WHERE COUNT(Id) > 1",
            "MALFORMED_QUERY",
            "unexpected token: 'COUNT(Id)'",
        ),
        (
            "SELECT Id FROM Account WHERE Id IN (SELECT Name FROM Contact)",
            "MALFORMED_QUERY",
            "should point to the same object type",
        ),
        (
            "SELECT Id FROM Account WHERE Id IN (SELECT AccountId FROM Contact WHERE Id IN (SELECT Id FROM Contact))",
            "MALFORMED_QUERY",
            "Nesting of semi join sub-selects is not supported",
        ),
        (
            "SELECT Id FROM Account WHERE Name = 'a' WITH DATA",
            "MALFORMED_QUERY",
            "unexpected token: 'DATA'",
        ),
        (
            "SELECT A.B.C.D.E.F.G FROM Account",
            "MALFORMED_QUERY",
            "more than 5 levels",
        ),
        (
            "SELECT Id FROM Account USING SCOPE team",
            "INVALID_QUERY_SCOPE",
            "scope 'team' is not supported for Account",
        ),
        ("", "MALFORMED_QUERY", "A query string has to be specified"),
    ] {
        let refusal = asked.refusal("query", soql);
        assert!(refusal.starts_with(&format!("{code}: ")), "{soql}: {refusal}");
        assert!(refusal.contains(reason), "{soql}: {refusal}");
    }
    let deep = format!(
        "SELECT Id FROM Account WHERE {}Id = null{}",
        "(".repeat(40_000),
        ")".repeat(40_000)
    );
    assert!(asked.refusal("query", &deep).contains("nested too deeply"));
    let long = format!("SELECT Id FROM Account WHERE Name = '{}'", "x".repeat(100_000));
    assert_eq!(
        asked.refusal("query", &long),
        "MALFORMED_QUERY: SOQL statements cannot be longer than 100000 characters."
    );
}

#[test]
fn values_never_become_sql() {
    let asked = Asked::new();
    for evil in ["' OR '1' = '1", "x\"; DROP TABLE \"Account\"; --", "\u{0}", "%' --"] {
        asked.insert("Account", &[("Name", text(evil))]);
        let quoted = evil.replace('\'', "\\'").replace('%', "\\%");
        assert_eq!(
            asked.query(&format!("SELECT Id FROM Account WHERE Name = '{quoted}'"))["totalSize"],
            1,
            "{evil}"
        );
    }
    asked.refusal("query", "SELECT \"Id\" FROM Account");
    asked.refusal("query", "SELECT Id FROM _session");
    asked.refusal("query", "SELECT Id FROM sqlite_master");
    asked.refusal("query", "SELECT rowid FROM Account");
    assert_eq!(asked.query("SELECT COUNT() FROM Account")["totalSize"], 4);
}

#[test]
fn objects_with_refusals() {
    let asked = Asked::new();
    let object = |name: &str, fields: &[&str]| {
        let schema = asked.org.lock();
        let mut object = (**schema.schema.object("Widget__c").expect("Widget__c")).clone();
        object.name = name.to_owned();
        object.custom = false;
        object.key_prefix = Some("zzz".to_owned());
        object.fields.truncate(2);
        object.fields.extend(
            fields
                .iter()
                .map(|name| syncline_simulator::schema::Field::new(name, syncline_simulator::schema::Kind::String)),
        );
        object
    };
    asked.put_object(object("SetupAuditTrail", &["Action", "Section", "Display"]));
    asked.put_object(object("FlowVersionView", &["DurableId", "FlowDefinitionViewId"]));
    asked.put_object(object(
        "MetadataComponentDependency",
        &["MetadataComponentType", "MetadataComponentName"],
    ));
    asked.query("SELECT Section, Display FROM SetupAuditTrail WHERE Action = 'x' ORDER BY Section");
    asked.query("SELECT Id FROM FlowVersionView WHERE FlowDefinitionViewId = 'x'");
    asked.query(
        "SELECT Id FROM MetadataComponentDependency WHERE MetadataComponentType = 'x' OR MetadataComponentType != 'y'",
    );
    for (soql, reason) in [
        (
            "SELECT Id FROM SetupAuditTrail WHERE Section = 'x'",
            "'Section' can not be filtered",
        ),
        (
            "SELECT Id FROM FlowVersionView",
            "a filter on a reified column is required",
        ),
        (
            "SELECT Id FROM FlowVersionView WHERE NOT DurableId = 'x'",
            "a filter on a reified column is required",
        ),
        (
            "SELECT Id FROM MetadataComponentDependency ORDER BY Id",
            "does not support ORDER BY",
        ),
        (
            "SELECT COUNT() FROM MetadataComponentDependency",
            "does not support aggregate functions",
        ),
        (
            "SELECT Id FROM MetadataComponentDependency WHERE MetadataComponentName = 'x'",
            "can not be filtered",
        ),
        (
            "SELECT Id FROM MetadataComponentDependency WHERE MetadataComponentType LIKE 'x'",
            "can only be filtered with",
        ),
        (
            "SELECT Id FROM MetadataComponentDependency WHERE MetadataComponentType IN ('x')",
            "can only be filtered with",
        ),
    ] {
        let refusal = asked.refusal("query", soql);
        assert!(refusal.contains(reason), "{soql}: {refusal}");
    }
    asked.sql(
        "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 2001) \
         INSERT INTO MetadataComponentDependency (Id, IsDeleted) SELECT 'zzz' || n, 0 FROM n",
    );
    assert!(
        asked
            .refusal("query", "SELECT Id FROM MetadataComponentDependency")
            .starts_with("EXCEEDED_ID_LIMIT")
    );
    assert_eq!(
        asked.query("SELECT Id FROM MetadataComponentDependency LIMIT 2000")["done"],
        true
    );
}

#[test]
fn whole_metadata_is_for_one_row() {
    let asked = Asked::new();
    let mut class = (**asked.org.lock().schema.object("Widget__c").expect("Widget__c")).clone();
    class.name = "ApexClass".to_owned();
    class.api = syncline_simulator::schema::Api::Tooling;
    class.fields.truncate(4);
    class.fields.push(syncline_simulator::schema::Field::new(
        "Metadata",
        syncline_simulator::schema::Kind::Complexvalue,
    ));
    asked.put_object(class);
    for name in ["a", "b"] {
        asked.insert(
            "ApexClass",
            &[("Name", text(name)), ("Metadata", text(r#"{"apiVersion":67.0}"#))],
        );
    }
    let (_, one) = asked.get(
        "tooling/query",
        &[("q", "SELECT Metadata FROM ApexClass WHERE Name = 'a'")],
        &[],
    );
    assert_eq!(one["records"][0]["Metadata"]["apiVersion"], 67.0);
    assert_eq!(
        asked.refusal("tooling/query", "SELECT Metadata FROM ApexClass"),
        "MALFORMED_QUERY: When retrieving results with Metadata or FullName fields, the query qualifications must specify no \
         more than one row for retrieval. Result size: 2"
    );
    assert!(
        asked
            .refusal("query", "SELECT Id FROM ApexClass")
            .starts_with("INVALID_TYPE")
    );
    assert!(
        asked
            .refusal("tooling/query", "SELECT Id FROM Account")
            .starts_with("INVALID_TYPE")
    );
}
