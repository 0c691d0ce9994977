//! Bulk API 2.0: section 12, item 39, and what else clients rely on.

use crate::rig::{Rig, check, fits, shown};

/// Makes a job, uploads and starts it, lets it run; gives its id as `750#1`.
fn run(rig: &Rig, job: &str, csv: &str) -> String {
    let made = rig.ask(&format!("POST jobs/ingest {job}"));
    let id = made
        .split("\"id\":\"")
        .nth(1)
        .and_then(|rest| rest.split('"').next())
        .expect("id")
        .to_owned();
    check(rig, &format!("PUT jobs/ingest/{id}/batches {csv}"), "201");
    check(
        rig,
        &format!(r#"PATCH jobs/ingest/{id} {{"state":"UploadComplete"}}"#),
        r#"200 {…"state":"UploadComplete"…"#,
    );
    rig.world.clock.step(60_000);
    id
}

fn lines(rig: &Rig, path: &str) -> Vec<String> {
    let text = rig.ask(&format!("GET {path}"));
    text.lines().map(str::to_owned).collect()
}

#[test]
fn item_39_a_job_is_complete_though_all_rows_failed() {
    let rig = Rig::new();
    check(
        &rig,
        r#"POST jobs/ingest {"object":"contact","operation":"insert","lineEnding":"LF"}"#,
        r#"200 {"id":"750#1","operation":"insert","object":"Contact","createdById":"005#1","createdDate":"2026-03-02T10:00:00.000+0000","systemModstamp":"2026-03-02T10:00:00.000+0000","state":"Open","concurrencyMode":"Parallel","contentType":"CSV","apiVersion":67.0,"contentUrl":"services/data/v67.0/jobs/ingest/750#1/batches","lineEnding":"LF","columnDelimiter":"COMMA"}"#,
    );
    let id = run(
        &rig,
        r#"{"object":"Contact","operation":"insert"}"#,
        "FirstName,LastName\nAda,\n",
    );
    check(
        &rig,
        &format!("GET jobs/ingest/{id}/"),
        r#"200 {…"state":"JobComplete"…"jobType":"V2Ingest","numberRecordsProcessed":1…"numberRecordsFailed":1…"#,
    );
    assert_eq!(
        lines(&rig, &format!("jobs/ingest/{id}/failedResults")),
        [
            r#"200 "sf__Id","sf__Error",FirstName,LastName"#,
            r#""","REQUIRED_FIELD_MISSING:Required fields are missing: [LastName]:LastName --",Ada,"#
        ]
    );
    assert_eq!(
        lines(&rig, &format!("jobs/ingest/{id}/successfulResults/")),
        [r#"200 "sf__Id","sf__Created",FirstName,LastName"#]
    );
    assert_eq!(
        lines(&rig, &format!("jobs/ingest/{id}/unprocessedrecords")),
        ["200 FirstName,LastName"]
    );
}

#[test]
fn item_39_results_are_not_in_the_order_of_the_upload() {
    let rig = Rig::new();
    let id = run(
        &rig,
        r#"{"object":"Account","operation":"insert"}"#,
        "Name\na\nb\nc\nd\n",
    );
    let names: Vec<String> = lines(&rig, &format!("jobs/ingest/{id}/successfulResults"))
        .iter()
        .skip(1)
        .map(|line| line.rsplit(',').next().unwrap_or_default().to_owned())
        .collect();
    let mut sorted = names.clone();
    sorted.sort();
    assert_eq!(sorted, ["a", "b", "c", "d"]);
    assert_ne!(names, sorted);
}

#[test]
fn item_39_an_empty_cell_changes_nothing_and_n_a_empties() {
    let rig = Rig::new();
    check(
        &rig,
        r#"POST sobjects/Account {"Name":"Acme","Phone":"1","Fax":"2","Ext__c":"a1"}"#,
        "201 …",
    );
    run(
        &rig,
        r#"{"object":"Account","operation":"update"}"#,
        "Id,Phone,Fax\n001#1,,#N/A\n",
    );
    assert_eq!(rig.rows("SELECT Phone, Fax FROM Account"), r#"[["1",null]]"#);
    let id = run(
        &rig,
        r#"{"object":"Account","operation":"upsert","externalIdFieldName":"ext__c","columnDelimiter":"SEMICOLON","lineEnding":"CRLF"}"#,
        "Ext__c;Name\r\na1;\"Acme; \"\"Inc\"\"\"\r\na2;Beta\r\n",
    );
    assert_eq!(
        rig.rows("SELECT Name, Ext__c FROM Account ORDER BY Ext__c"),
        r#"[["Acme; \"Inc\"","a1"],["Beta","a2"]]"#
    );
    let results = lines(&rig, &format!("jobs/ingest/{id}/successfulResults"));
    assert!(results.contains(&r#""001#2";"true";a2;Beta"#.to_owned()), "{results:?}");
    assert!(
        results.contains(&r#""001#1";"false";a1;"Acme; ""Inc""""#.to_owned()),
        "{results:?}"
    );
    run(
        &rig,
        r#"{"object":"Contact","operation":"insert"}"#,
        "LastName,Account.Ext__c,Owner.Username\nIto,a2,admin@prod.example\n",
    );
    assert_eq!(rig.rows("SELECT AccountId FROM Contact"), r#"[["001#2"]]"#);
    run(
        &rig,
        r#"{"object":"Account","operation":"delete"}"#,
        "Id\n001#2\n001#9\n",
    );
    assert_eq!(rig.rows("SELECT COUNT(Id) n FROM Account"), "[[1]]");
    assert_eq!(rig.rows("SELECT COUNT(Id) n FROM Contact"), "[[0]]");
}

#[test]
fn item_39_the_last_locator_is_the_word_null() {
    let rig = Rig::new();
    let csv: String = (0..5).map(|n| format!("name {n},\"a \"\"{n}\"\"\"\n")).collect();
    run(
        &rig,
        r#"{"object":"Account","operation":"insert"}"#,
        &format!("Name,Description\n{csv}"),
    );
    check(
        &rig,
        r#"POST jobs/query {"operation":"query","query":"SELECT Name, Description, ParentId FROM account ORDER BY Name"}"#,
        r#"200 {"id":"750#2","operation":"query","object":"Account"…"state":"UploadComplete"…"#,
    );
    check(&rig, "GET jobs/query/750#2/results", "400 …INVALIDJOBSTATE…");
    rig.world.clock.step(10_000);
    check(
        &rig,
        "GET jobs/query/750#2",
        r#"200 {…"state":"JobComplete"…"numberRecordsProcessed":5…"#,
    );
    let page = |query: &str| {
        let reply = rig.reply(&format!("GET jobs/query/750#2/results{query}"), &[]);
        let header = |name: &str| {
            let found = reply.headers.iter().find(|(each, _)| *each == name);
            found.map(|(_, value)| value.clone()).unwrap_or_default()
        };
        (
            header("Sforce-Locator"),
            header("Sforce-NumberOfRecords"),
            shown(&reply),
        )
    };
    let head = "200 \"Name\",\"Description\",\"ParentId\"\n";
    let (locator, count, text) = page("?maxRecords=3");
    assert_eq!((locator.as_str(), count.as_str()), ("Mw==", "3"));
    assert_eq!(text.lines().count(), 4);
    let (locator, count, text) = page("?maxRecords=3&locator=Mw==");
    assert_eq!((locator.as_str(), count.as_str()), ("null", "2"));
    assert_eq!(
        text,
        format!("{head}\"name 3\",\"a \"\"3\"\"\",\"\"\n\"name 4\",\"a \"\"4\"\"\",\"\"")
    );
    check(
        &rig,
        "GET jobs/query/750#2/resultPages?maxRecords=3",
        r#"200 {"done":true,"nextRecordsUrl":null,"resultPages":[{"resultUrl":"/services/data/v67.0/jobs/query/750#2/results?locator=MA==&maxRecords=3"},{…Mw==…}]}"#,
    );
    check(&rig, "GET /services/data/v66.0/jobs/query/750#2", "409 …");
    check(
        &rig,
        r#"POST jobs/query {"operation":"query","query":"SELECT COUNT(Id) FROM Account"}"#,
        "400 [{…",
    );
}

#[test]
fn wrong_files_fail_the_job() {
    let rig = Rig::new();
    let failed = |job: &str, csv: &str, text: &str| {
        let id = run(&rig, job, csv);
        check(
            &rig,
            &format!("GET jobs/ingest/{id}"),
            &format!(r#"200 {{…"state":"Failed"…"errorMessage":"{text}"}}"#),
        );
        id
    };
    let job = r#"{"object":"Account","operation":"insert"}"#;
    let id = failed(job, "Name,Nope\nx,y\n", "InvalidBatch : Field name not found : Nope");
    assert_eq!(
        lines(&rig, &format!("jobs/ingest/{id}/unprocessedrecords")),
        ["200 Name,Nope", "x,y"]
    );
    failed(
        job,
        "Name\r\nx\r\n",
        "InvalidBatch : LineEnding is invalid on user data. Current LineEnding setting is LF",
    );
    failed(
        job,
        "Name,Phone\nx\n",
        "InvalidBatch : row 1 has 1 cells, the header has 2",
    );
    assert_eq!(rig.rows("SELECT Id FROM Account"), "[]");
    check(
        &rig,
        r#"POST jobs/ingest {"object":"Nope","operation":"insert"}"#,
        "400 …INVALIDENTITY…",
    );
    check(
        &rig,
        r#"POST jobs/ingest {"object":"Account","operation":"upsert"}"#,
        r#"400 [{"message":"InvalidJob : External ID was blank for Account. An external ID must be specified for upsert.","errorCode":"INVALIDJOB"}]"#,
    );
}

#[test]
fn jobs_are_started_at_once_aborted_listed_and_deleted() {
    let rig = Rig::new();
    let body = "--b\r\nContent-Disposition: form-data; name=\"job\"\r\nContent-Type: application/json\r\n\r\n\
                {\"object\":\"Account\",\"operation\":\"insert\"}\r\n--b\r\nContent-Disposition: form-data; name=\"content\"; \
                filename=\"content\"\r\nContent-Type: text/csv\r\n\r\nName\nx\n\r\n--b--\r\n";
    let reply = rig.reply(
        &format!("POST jobs/ingest {body}"),
        &[("content-type", "multipart/form-data; boundary=b")],
    );
    assert!(
        fits(&shown(&reply), r#"200 {"id":"750#1",…"state":"UploadComplete"…"#),
        "{}",
        shown(&reply)
    );
    check(&rig, "DELETE jobs/ingest/750#1", "400 …INVALIDJOBSTATE…");
    rig.world.clock.step(10_000);
    check(&rig, "GET jobs/ingest/750#1", r#"200 {…"state":"JobComplete"…"#);
    check(
        &rig,
        r#"POST jobs/ingest {"object":"Account","operation":"insert"}"#,
        r#"200 {"id":"750#2"…"#,
    );
    check(&rig, "PUT jobs/ingest/750#2/batches Name\ny\n", "201");
    check(
        &rig,
        "PUT jobs/ingest/750#2/batches Name\ny\n",
        "400 …Found multiple contents for job: <750#2>…",
    );
    check(
        &rig,
        r#"PATCH jobs/ingest/750#2 {"state":"Aborted"}"#,
        r#"200 {…"state":"Aborted"…"#,
    );
    assert_eq!(lines(&rig, "jobs/ingest/750#2/unprocessedrecords"), ["200 Name", "y"]);
    check(
        &rig,
        "GET jobs/ingest?jobType=V2Ingest",
        r#"200 {"done":true,"nextRecordsUrl":null,"records":[{"id":"750#1"…},{"id":"750#2"…}]}"#,
    );
    check(
        &rig,
        "GET jobs/ingest?jobType=Classic",
        r#"200 {"done":true,"nextRecordsUrl":null,"records":[]}"#,
    );
    assert_eq!(rig.reply("DELETE jobs/ingest/750#2", &[]).status, 204);
    check(&rig, "GET jobs/ingest/750#2", "404 …");
    assert_eq!(rig.rows("SELECT Name FROM Account"), r#"[["x"]]"#);
}

#[test]
fn jobs_at_the_same_time_lock_each_others_parents() {
    let rig = Rig::new();
    check(&rig, r#"POST sobjects/Account {"Name":"Acme"}"#, "201 …");
    for id in ["750#1", "750#2"] {
        check(
            &rig,
            r#"POST jobs/ingest {"object":"Contact","operation":"insert"}"#,
            "200 …",
        );
        let csv: String = (0..2000).map(|n| format!("{n},001#1\n")).collect();
        check(
            &rig,
            &format!("PUT jobs/ingest/{id}/batches LastName,AccountId\n{csv}"),
            "201",
        );
        check(
            &rig,
            &format!(r#"PATCH jobs/ingest/{id} {{"state":"UploadComplete"}}"#),
            "200 …",
        );
    }
    rig.world.clock.step(10_000);
    check(&rig, "GET jobs/ingest/750#1", r#"200 {…"numberRecordsFailed":0…"#);
    check(
        &rig,
        "GET jobs/ingest/750#2",
        r#"200 {…"numberRecordsProcessed":2000…"numberRecordsFailed":2000…"#,
    );
    let failed = lines(&rig, "jobs/ingest/750#2/failedResults");
    assert!(
        failed[1].starts_with(
            r#""","UNABLE_TO_LOCK_ROW:unable to obtain exclusive access to this record or 1 records: 001#1:--""#
        ),
        "{}",
        failed[1]
    );
    check(&rig, r#"PATCH sobjects/Account/001#1 {"Phone":"1"}"#, "204");
}

#[test]
fn large_jobs_run_in_batches() {
    let rig = Rig::new();
    let csv: String = (0..25_000).map(|n| format!("name {n}\n")).collect();
    let id = run(
        &rig,
        r#"{"object":"Account","operation":"insert"}"#,
        &format!("Name\n{csv}"),
    );
    check(
        &rig,
        &format!("GET jobs/ingest/{id}"),
        r#"200 {…"numberRecordsProcessed":25000…"numberRecordsFailed":0…"#,
    );
    assert_eq!(rig.rows("SELECT COUNT(Id) n FROM Account"), "[[25000]]");
    let limits = rig.ask("GET limits");
    assert!(
        fits(
            &limits,
            r#"200 {…"DailyBulkApiBatches":{"Max":15000,"Remaining":14997}…"#
        ),
        "{limits}"
    );
}
