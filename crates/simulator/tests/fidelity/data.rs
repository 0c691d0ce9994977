//! Records over REST: section 12, items 11 to 13, 15, 17, 45 and 46.

use crate::rig::{Rig, check, shown};

fn accounts() -> Rig {
    let rig = Rig::new();
    for name in ["Acme", "Beta"] {
        check(&rig, &format!(r#"POST sobjects/Account {{"Name":"{name}"}}"#), "201 …");
    }
    rig
}

#[test]
fn item_11_changes_answer_without_a_body_and_tooling_creates_with_two_more_lists() {
    let rig = accounts();
    let reply = rig.reply(r#"PATCH sobjects/Account/001#1 {"Phone":"1"}"#, &[]);
    assert_eq!((reply.status, reply.body.len()), (204, 0));
    let reply = rig.reply("DELETE sobjects/Account/001#2", &[]);
    assert_eq!((reply.status, reply.body.len()), (204, 0));
    check(
        &rig,
        r#"POST tooling/sobjects/Group {"Name":"Testers","DeveloperName":"Testers"}"#,
        r#"201 {"id":"00G#1","success":true,"errors":[],"warnings":[],"infos":[]}"#,
    );
}

#[test]
fn item_12_requests_fail_with_a_list_and_rows_with_status_codes() {
    let rig = accounts();
    check(
        &rig,
        r#"POST sobjects/Contact {}"#,
        r#"400 [{"message":"Required fields are missing: [LastName]","errorCode":"REQUIRED_FIELD_MISSING","fields":["LastName"]}]"#,
    );
    check(
        &rig,
        r#"POST composite/sobjects {"records":[{"attributes":{"type":"Contact"}}]}"#,
        r#"200 [{"success":false,"errors":[{"statusCode":"REQUIRED_FIELD_MISSING","message":"Required fields are missing: [LastName]","fields":["LastName"]}]}]"#,
    );
}

#[test]
fn item_13_calls_are_counted_but_not_the_list_of_versions() {
    let rig = accounts();
    let usage = |request: &str| {
        let reply = rig.reply(request, &[]);
        let header = reply.headers.iter().find(|(name, _)| *name == "Sforce-Limit-Info");
        header.map(|(_, value)| value.clone())
    };
    assert_eq!(usage("GET limits").as_deref(), Some("api-usage=3/100000"));
    assert_eq!(usage("GET /services/data"), None);
    assert_eq!(
        usage("GET sobjects/Nothing/describe").as_deref(),
        Some("api-usage=4/100000")
    );
    check(
        &rig,
        "GET limits",
        r#"200 {"DailyApiRequests":{"Max":100000,"Remaining":99995}…"#,
    );
}

#[test]
fn item_15_records_have_attributes_and_the_names_of_the_api() {
    let rig = accounts();
    check(
        &rig,
        "GET sobjects/account/001#1?fields=name,PARENTID",
        r#"200 {"attributes":{"type":"Account","url":"/services/data/v67.0/sobjects/Account/001#1"},"Id":"001#1","Name":"Acme","ParentId":null}"#,
    );
}

#[test]
fn item_17_collections_answer_200_in_order_and_trees_tell_only_failures() {
    let rig = accounts();
    let records = r#""records":[{"attributes":{"type":"Contact"},"LastName":"a"},{"attributes":{"type":"Account"}},{"attributes":{"type":"Contact"},"LastName":"b"}]"#;
    check(
        &rig,
        &format!("POST composite/sobjects {{{records}}}"),
        r#"200 [{"id":"003#1","success":true,"errors":[]},{"success":false,"errors":[{"statusCode":"REQUIRED_FIELD_MISSING"…},{"id":"003#2","success":true,"errors":[]}]"#,
    );
    check(
        &rig,
        &format!("POST composite/sobjects {{\"allOrNone\":true,{records}}}"),
        r#"200 [{"success":false,"errors":[{"statusCode":"ALL_OR_NONE_OPERATION_ROLLED_BACK"…{"statusCode":"REQUIRED_FIELD_MISSING"…{"statusCode":"ALL_OR_NONE_OPERATION_ROLLED_BACK"…"#,
    );
    assert_eq!(
        rig.rows("SELECT LastName FROM Contact ORDER BY LastName"),
        r#"[["a"],["b"]]"#
    );
    let tree = |last: &str| {
        format!(
            r#"POST composite/tree/Account {{"records":[{{"attributes":{{"type":"Account","referenceId":"r1"}},"Name":"T","Contacts":{{"records":[{{"attributes":{{"type":"Contact","referenceId":"r2"}}{last}}}]}}}}]}}"#
        )
    };
    check(
        &rig,
        &tree(""),
        r#"400 {"hasErrors":true,"results":[{"referenceId":"r2","errors":[{"statusCode":"REQUIRED_FIELD_MISSING","message":"Required fields are missing: [LastName]","fields":["LastName"]}]}]}"#,
    );
    assert_eq!(rig.rows("SELECT Name FROM Account WHERE Name = 'T'"), "[]");
    check(
        &rig,
        &tree(r#","LastName":"c""#),
        r#"201 {"hasErrors":false,"results":[{"referenceId":"r1","id":"001#…"},{"referenceId":"r2","id":"003#…"}]}"#,
    );
}

#[test]
fn item_45_locked_rows_are_refused_with_their_id() {
    let rig = accounts();
    let id = crate::rig::long("001#1");
    rig.sql(&format!(
        "INSERT INTO _lock VALUES ('{id}', {}, 'fault')",
        rig.world.clock.now() + 5_000
    ));
    let locked = r#"400 [{"message":"unable to obtain exclusive access to this record or 1 records: 001#1","errorCode":"UNABLE_TO_LOCK_ROW"}]"#;
    check(&rig, r#"PATCH sobjects/Account/001#1 {"Phone":"1"}"#, locked);
    check(
        &rig,
        r#"POST sobjects/Contact {"LastName":"x","AccountId":"001#1"}"#,
        locked,
    );
    check(&rig, "DELETE sobjects/Account/001#1", locked);
    rig.world.clock.step(5_000);
    check(&rig, r#"PATCH sobjects/Account/001#1 {"Phone":"1"}"#, "204");
}

#[test]
fn composites_refer_back_and_halt() {
    let rig = accounts();
    let composite = |all: bool, last: &str| {
        format!(
            r#"POST composite {{"allOrNone":{all},"compositeRequest":[{{"method":"POST","url":"/services/data/v67.0/sobjects/Account","referenceId":"a1","body":{{"Name":"C"}}}},{{"method":"POST","url":"/services/data/v67.0/sobjects/Contact","referenceId":"c1","body":{{"AccountId":"@{{a1.id}}"{last}}}}},{{"method":"GET","url":"/services/data/v67.0/query?q=SELECT+Name+FROM+Contact+WHERE+AccountId='@{{a1.id}}'","referenceId":"q1"}}]}}"#
        )
    };
    check(
        &rig,
        &composite(true, r#","LastName":"x""#),
        r#"200 {"compositeResponse":[{"body":{"id":"001#3"…"httpStatusCode":201,"referenceId":"a1"},{"body":{"id":"003#1"…"httpStatusCode":201,"referenceId":"c1"},{"body":{"totalSize":1…"Name":"x"}]},"httpHeaders":{},"httpStatusCode":200,"referenceId":"q1"}]}"#,
    );
    let halted = r#"{"body":[{"errorCode":"PROCESSING_HALTED","message":"The transaction was rolled back since another operation in the same transaction failed."}],"httpHeaders":{},"httpStatusCode":400"#;
    check(
        &rig,
        &composite(true, ""),
        &format!(
            r#"200 {{"compositeResponse":[{halted},"referenceId":"a1"}},{{"body":[{{"message":"Required fields…"httpStatusCode":400,"referenceId":"c1"}},{halted},"referenceId":"q1"}}]}}"#
        ),
    );
    assert_eq!(rig.rows("SELECT COUNT(Id) n FROM Account"), "[[3]]");
    check(
        &rig,
        &composite(false, ""),
        r#"200 {"compositeResponse":[…201,"referenceId":"a1"}…400,"referenceId":"c1"}…"totalSize":0…"#,
    );
    assert_eq!(rig.rows("SELECT COUNT(Id) n FROM Account"), "[[4]]");
    check(
        &rig,
        r#"POST composite/batch {"batchRequests":[{"method":"GET","url":"v67.0/sobjects/Account/001#1?fields=Name"},{"method":"PATCH","url":"v67.0/sobjects/Account/001#9","richInput":{"Name":"x"}}]}"#,
        r#"200 {"hasErrors":true,"results":[{"statusCode":200,"result":{…"Name":"Acme"}},{"statusCode":404,"result":[{…NOT_FOUND…"#,
    );
    check(
        &rig,
        r#"POST composite/graph {"graphs":[{"graphId":"g1","compositeRequest":[{"method":"POST","url":"/services/data/v67.0/sobjects/Account","referenceId":"a","body":{"Name":"G"}}]},{"graphId":"g2","compositeRequest":[{"method":"POST","url":"/services/data/v67.0/sobjects/Account","referenceId":"a","body":{}}]}]}"#,
        r#"200 {"graphs":[{"graphId":"g1","graphResponse":{"compositeResponse":[…201…]},"isSuccessful":true},{"graphId":"g2",…"isSuccessful":false}]}"#,
    );
}

#[test]
fn a_description_that_did_not_change_is_304() {
    let rig = accounts();
    let first = rig.reply("GET sobjects/Account/describe", &[]);
    assert_eq!(first.status, 200);
    let modified = first
        .headers
        .iter()
        .find(|(name, _)| *name == "Last-Modified")
        .map(|(_, v)| v.clone());
    let modified = modified.expect("Last-Modified");
    let again = rig.reply("GET sobjects/Account/describe", &[("if-modified-since", &modified)]);
    assert_eq!(shown(&again), "304");
    rig.world.clock.step(2_000);
    rig.add_field(
        "Account",
        syncline_simulator::schema::Field::new("New__c", syncline_simulator::schema::Kind::Boolean),
    );
    let changed = rig.reply("GET sobjects/Account/describe", &[("if-modified-since", &modified)]);
    assert_eq!(changed.status, 200);
    assert!(shown(&changed).contains("\"New__c\""));
    check(&rig, "GET tooling/sobjects/SourceNothing/describe", "404 …NOT_FOUND…");
    check(&rig, "GET sobjects/SandboxInfo/describe", "404 …NOT_FOUND…");
    check(
        &rig,
        "GET tooling/sobjects/SandboxInfo/describe",
        r#"200 {…"name":"SandboxName"…"#,
    );
}
