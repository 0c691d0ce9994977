//! Queries.

use crate::org::{Asked, text};

fn accounts(n: usize) -> Asked {
    let asked = Asked::new();
    asked.sql(&format!(
        "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {n}) \
         INSERT INTO Account (Id, IsDeleted, Name) SELECT '001001' || printf('%09d', n) || 'AAA', 0, 'a' || n FROM n"
    ));
    asked
}

fn count(body: &serde_json::Value) -> usize {
    body["records"].as_array().map_or(0, Vec::len)
}

#[test]
fn item_14_pages() {
    let asked = accounts(4100);
    let soql = "SELECT Id, Name FROM Account ORDER BY Name";
    let all = asked.query(&format!("{soql} LIMIT 2000"));
    assert_eq!(
        (count(&all), all["done"].as_bool(), all.get("nextRecordsUrl")),
        (2000, Some(true), None)
    );

    let first = asked.query(soql);
    assert_eq!(
        (count(&first), first["totalSize"].as_u64(), first["done"].as_bool()),
        (2000, Some(4100), Some(false))
    );
    let next = first["nextRecordsUrl"].as_str().expect("nextRecordsUrl").to_owned();
    assert!(next.starts_with("/services/data/v67.0/query/01g"), "{next}");
    assert!(next.ends_with("-2000"), "{next}");
    let (_, third) = asked.get(&next.replace("-2000", "-4000"), &[], &[]);
    assert_eq!(
        (count(&third), third["totalSize"].as_u64(), third["done"].as_bool()),
        (100, Some(4100), Some(true))
    );

    // The answer stands while rows change: no row twice, none left out, values of now.
    asked.sql("UPDATE Account SET Name = '0' || Name WHERE Name LIKE 'a9%'; DELETE FROM Account WHERE Name = 'a2000'");
    let names = |body: &serde_json::Value| -> Vec<String> {
        let records = body["records"].as_array().expect("records");
        records
            .iter()
            .map(|r| r["Id"].as_str().expect("Id").to_owned())
            .collect()
    };
    let mut seen = names(&first);
    let mut url = next.clone();
    loop {
        let (status, body) = asked.get(&url, &[], &[("sforce-query-options", "batchSize=300")]);
        assert_eq!(status, 200, "{body}");
        assert!(count(&body) <= 300);
        seen.extend(names(&body));
        match body["nextRecordsUrl"].as_str() {
            Some(next) => url = next.to_owned(),
            None => break,
        }
    }
    let read = seen.len();
    seen.sort();
    seen.dedup();
    assert_eq!((seen.len(), read >= 4099), (read, true));

    // queryAll goes on under /query/, its own path works too.
    let (_, all) = asked.get("queryAll", &[("q", soql)], &[]);
    let next = all["nextRecordsUrl"].as_str().expect("nextRecordsUrl").to_owned();
    assert!(next.contains("/query/01g"), "{next}");
    assert_eq!(asked.get(&next.replace("/query/", "/queryAll/"), &[], &[]).0, 200);

    // Smaller pages by request and by width.
    let (_, small) = asked.get("query", &[("q", soql)], &[("sforce-query-options", "batchSize=250")]);
    assert_eq!(count(&small), 250);
    let (_, small) = asked.get("query", &[("q", soql)], &[("sforce-query-options", "batchSize=1")]);
    assert_eq!(count(&small), 200);
    asked.sql(
        "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 2000) \
         INSERT INTO Widget__c (Id, IsDeleted) SELECT 'a00001' || printf('%09d', n) || 'AAA', 0 FROM n",
    );
    assert_eq!(count(&asked.query("SELECT Id, Picture__c FROM Widget__c")), 1960);
}

#[test]
fn item_14_locators_end() {
    let asked = accounts(2001);
    let open = || {
        asked.query("SELECT Id FROM Account")["nextRecordsUrl"]
            .as_str()
            .expect("next")
            .to_owned()
    };
    let refused = |url: &str| {
        let (status, body) = asked.get(url, &[], &[]);
        status == 400 && body[0]["errorCode"] == "INVALID_QUERY_LOCATOR"
    };
    let urls: Vec<String> = (0..11).map(|_| open()).collect();
    assert!(refused(&urls[0]), "the oldest of eleven gives way");
    assert!(!refused(&urls[1]) && !refused(&urls[10]));
    let short = urls[10].replace("AAA-", "-");
    assert!(!refused(&short), "15 characters do");
    for wrong in ["-2001", "-x", ""] {
        assert!(refused(&urls[10].replace("-2000", wrong)), "{wrong}");
    }
    assert!(refused("query/01g000000000000AAA-2000"));
    assert!(refused(&urls[10].replace("/query/", "/tooling/query/")));
    asked.world.clock.step(2 * 86_400_000 - 1);
    assert!(!refused(&urls[10]));
    asked.world.clock.step(1);
    assert!(refused(&urls[10]), "two days are over");
}

#[test]
fn item_15_records() {
    let asked = Asked::new();
    let id = asked.insert("Account", &[("Name", text("Acme"))]);
    let body = asked.query("select NAME, oWNER.nAME, (select ID from CONTACTS) from ACCOUNT");
    assert_eq!(
        body["records"][0].to_string(),
        format!(
            r#"{{"attributes":{{"type":"Account","url":"/services/data/v67.0/sobjects/Account/{id}"}},"Name":"Acme","Owner":null,"Contacts":null}}"#
        )
    );
    let (_, body) = asked.get(
        "/services/data/v50.0/query/",
        &[("q", "SELECT+Id FROM Account".replace('+', " ").as_str())],
        &[],
    );
    assert_eq!(
        body["records"][0]["attributes"]["url"],
        format!("/services/data/v50.0/sobjects/Account/{id}")
    );
}

#[test]
fn item_16_counts_and_groups() {
    let asked = accounts(3);
    assert_eq!(
        asked.query("SELECT COUNT() FROM Account").to_string(),
        r#"{"totalSize":3,"done":true,"records":[]}"#
    );
    assert_eq!(
        asked
            .query("SELECT COUNT(Id), COUNT(Name) CNT, MAX(Name) FROM Account")
            .to_string(),
        r#"{"totalSize":1,"done":true,"records":[{"attributes":{"type":"AggregateResult"},"expr0":3,"CNT":3,"expr1":"a3"}]}"#
    );
}

#[test]
fn tooling_answers_tell_more() {
    let asked = Asked::new();
    let (_, body) = asked.get(
        "tooling/query/",
        &[(
            "q",
            "SELECT QualifiedApiName FROM EntityDefinition WHERE KeyPrefix = '003'",
        )],
        &[],
    );
    assert_eq!(
        body.to_string(),
        r#"{"size":1,"totalSize":1,"done":true,"queryLocator":null,"entityTypeName":"EntityDefinition","records":[{"attributes":{"type":"EntityDefinition","url":"/services/data/v67.0/tooling/sobjects/EntityDefinition/Contact"},"QualifiedApiName":"Contact"}]}"#
    );
}

#[test]
fn columns_without_rows() {
    let asked = Asked::new();
    let columns = |soql: &str| asked.get("query", &[("q", soql), ("columns", "true")], &[]).1;
    let body = columns("SELECT Id, Name, Owner.Name, Owner.Email FROM Account");
    assert_eq!(
        (
            &body["entityName"],
            &body["idSelected"],
            &body["keyPrefix"],
            &body["groupBy"]
        ),
        (&"Account".into(), &true.into(), &"001".into(), &false.into())
    );
    let names = |columns: &serde_json::Value| -> Vec<String> {
        let columns = columns.as_array().expect("columns");
        columns
            .iter()
            .map(|c| c["columnName"].as_str().expect("columnName").to_owned())
            .collect()
    };
    assert_eq!(names(&body["columnMetadata"]), ["Id", "Name", "Owner"]);
    assert_eq!(names(&body["columnMetadata"][2]["joinColumns"]), ["Name", "Email"]);
    let body = columns("SELECT Name, COUNT(Id), MAX(Name) m FROM Account GROUP BY Name");
    assert_eq!(names(&body["columnMetadata"]), ["Name", "expr0", "m"]);
    assert_eq!(body["columnMetadata"][1]["displayName"], "COUNT(Id)");
    assert_eq!(body["columnMetadata"][1]["aggregate"], true);
}
