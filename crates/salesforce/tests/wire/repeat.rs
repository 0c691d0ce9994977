//! Which attempts are repeated on the wire.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use serde_json::json;
use syncline_salesforce::metadata::{DeployIntent, DeployOptions};
use syncline_salesforce::rest::Record;
use syncline_salesforce::{Request, Reserve, Still};

use crate::server::{ORG, Reply, Server, sandbox};

/// Answers the calls of a sandbox with these replies in turn; the last stays.
async fn turns(replies: Vec<fn() -> Reply>) -> Server {
    let turn = AtomicUsize::new(0);
    Server::start(move |call, host| {
        sandbox(call, host).unwrap_or_else(|| {
            let index = turn.fetch_add(1, Ordering::SeqCst).min(replies.len() - 1);
            replies[index]()
        })
    })
    .await
}

fn page() -> Reply {
    let headers = vec![("content-type", "text/html".to_owned())];
    Reply::Text(503, headers, "<html><title>Maintenance</title></html>".to_owned())
}

fn fine() -> Reply {
    Reply::ok(json!({"id": "001D000000IRt53", "success": true}))
}

#[tokio::test]
async fn a_read_is_repeated_until_it_is_answered() {
    let server = turns(vec![
        page,
        || Reply::HangUp,
        || Reply::Cut(Vec::new(), "{".to_owned()),
        fine,
    ])
    .await;
    let (org, waits) = server.connect(|_| {}).await;
    org.unwrap().send(Request::get("look", "x")).await.unwrap();
    assert_eq!(server.count("GET", "/x"), 4);
    assert_eq!(waits.lock().unwrap().len(), 3);
}

#[tokio::test]
async fn a_read_ends_with_what_was_seen_last() {
    let server = turns(vec![page]).await;
    let org = server.connect(|_| {}).await.0.unwrap();
    let error = org.send(Request::get("look", "x")).await.unwrap_err();
    assert_eq!((error.code(), error.status()), ("no_api_answer", Some(503)));
    assert!(error.to_string().contains("Maintenance"));
    assert_eq!(server.count("GET", "/x"), 5);
}

#[tokio::test]
async fn a_write_whose_answer_is_lost_is_not_repeated() {
    let lost: [fn() -> Reply; 3] = [|| Reply::HangUp, || Reply::Cut(Vec::new(), "{".to_owned()), page];
    for reply in lost {
        let server = turns(vec![reply, fine]).await;
        let org = server.connect(|_| {}).await.0.unwrap();
        let error = org.create("Account", &Record::new()).await.unwrap_err();
        assert_eq!(error.code(), "unknown_outcome", "{error}");
        assert_eq!(server.count("POST", "/sobjects/"), 1);
    }
}

#[tokio::test]
async fn a_write_is_not_repeated_once_its_sender_may_not() {
    let may = Arc::new(AtomicBool::new(true));
    let (asked, told) = (may.clone(), may.clone());
    let server = Server::start(move |call, host| {
        sandbox(call, host).unwrap_or_else(|| {
            told.store(false, Ordering::SeqCst);
            Reply::fault(400, "UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access")
        })
    })
    .await;
    let org = server.connect(|_| {}).await.0.unwrap();
    let org = org.only_while(Still::new(move || asked.load(Ordering::SeqCst)));
    let error = org.create("Account", &Record::new()).await.unwrap_err();
    assert_eq!(error.code(), "withdrawn", "{error}");
    assert_eq!(server.count("POST", "/sobjects/"), 1);
}

/// Whether the user may see deployments is not told by an org that is busy: then nothing is planned.
#[tokio::test]
async fn a_busy_org_does_not_tell_what_the_user_may() {
    for (code, planned) in [("REQUEST_LIMIT_EXCEEDED", false), ("INVALID_TYPE", true)] {
        let server = Server::start(move |call, host| {
            sandbox(call, host).unwrap_or_else(|| match call.is("GET", "/tooling/query") {
                true => Reply::fault(403, code, "TotalRequests Limit exceeded."),
                false => Reply::ok(json!({
                    "user_id": "005D000000IRt53", "organization_id": ORG, "preferred_username": "a@example.com",
                })),
            })
        })
        .await;
        let org = server.connect(|_| {}).await.0.unwrap();
        let intent = org.plan_deploy(&Bytes::new(), &DeployOptions::default()).await;
        match intent {
            Ok(intent) => assert!(planned && intent.before.is_none(), "{code}"),
            Err(error) => assert!(!planned && error.has_fault(code), "{code}: {error}"),
        }
    }
}

/// Who may not send any more ends the request in the middle of the zip, so that the server acts on nothing.
#[tokio::test]
async fn a_zip_breaks_off_when_its_sender_may_not() {
    let server = turns(vec![|| Reply::ok(json!({"id": "0AfD000000IRt53", "deployResult": {}}))]).await;
    let org = server.connect(|_| {}).await.0.unwrap();
    let looks = Arc::new(AtomicUsize::new(0));
    let (counted, zip) = (looks.clone(), Bytes::from(vec![0; 1024 * 1024]));
    let intent = DeployIntent {
        options: DeployOptions::default(),
        zip_size: Some(zip.len() as u64),
        user: "005D000000IRt53".to_owned(),
        before: None,
    };
    // The request begins, and three pieces are sent.
    let org = org.only_while(Still::new(move || counted.fetch_add(1, Ordering::SeqCst) < 4));
    let error = org.send_deploy(zip, &intent).await.unwrap_err();
    assert_eq!(error.code(), "unknown_outcome", "{error}");
    assert_eq!(server.count("POST", "/metadata/deployRequest"), 0, "no whole request");
    assert_eq!(looks.load(Ordering::SeqCst), 5);
}

#[tokio::test]
async fn a_write_that_was_refused_is_repeated() {
    let server = turns(vec![
        || {
            Reply::fault(
                400,
                "UNABLE_TO_LOCK_ROW",
                "unable to obtain exclusive access to this record",
            )
        },
        || Reply::Text(429, vec![("retry-after", "7".to_owned())], String::new()),
        fine,
    ])
    .await;
    let (org, waits) = server.connect(|_| {}).await;
    org.unwrap().create("Account", &Record::new()).await.unwrap();
    assert_eq!(server.count("POST", "/sobjects/"), 3);
    assert_eq!(waits.lock().unwrap()[1], Duration::from_secs(7));
}

#[tokio::test]
async fn an_array_of_errors_in_a_success_is_an_error() {
    let server = turns(vec![|| Reply::fault(200, "TXN_SECURITY_NO_ACCESS", "no")]).await;
    let org = server.connect(|_| {}).await.0.unwrap();
    let error = org.send(Request::get("look", "x")).await.unwrap_err();
    assert!(error.has_fault("TXN_SECURITY_NO_ACCESS"), "{error}");
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let server = turns(vec![|| {
        Reply::Text(
            302,
            vec![("location", "http://127.0.0.1:1/x".to_owned())],
            String::new(),
        )
    }])
    .await;
    let org = server.connect(|_| {}).await.0.unwrap();
    assert_eq!(
        org.send(Request::get("look", "x")).await.unwrap_err().status(),
        Some(302)
    );
}

#[tokio::test]
async fn background_work_stops_at_the_reserve() {
    let info = || {
        Reply::Text(
            200,
            vec![("sforce-limit-info", "api-usage=95/100; api-bursts=1/750".to_owned())],
            "{}".to_owned(),
        )
    };
    let server = turns(vec![info]).await;
    let org = server
        .connect(|options| options.reserve = Reserve { percent: 10 })
        .await
        .0
        .unwrap();
    org.send(Request::get("look", "x").background()).await.unwrap();
    assert_eq!(org.usage().unwrap().left(), 5);
    let error = org.send(Request::get("look", "x").background()).await.unwrap_err();
    assert_eq!(error.code(), "api_reserve");
    org.send(Request::get("look", "x")).await.unwrap();
    assert_eq!(server.count("GET", "/x"), 2);
}

#[tokio::test]
async fn a_lost_cursor_is_an_error() {
    let server = Server::start(|call, host| {
        sandbox(call, host).unwrap_or_else(|| match call.path.contains("01gD") {
            true => Reply::fault(400, "INVALID_QUERY_LOCATOR", "invalid query locator"),
            false => Reply::ok(json!({"totalSize": 3, "done": false, "records": [{}, {}],
                "nextRecordsUrl": "/services/data/v66.0/query/01gD0000-2"})),
        })
    })
    .await;
    let org = server.connect(|_| {}).await.0.unwrap();
    let mut pages = org.query("SELECT Id FROM Account");
    assert_eq!(pages.next::<Record>().await.unwrap().unwrap().len(), 2);
    assert!(
        pages
            .next::<Record>()
            .await
            .unwrap_err()
            .has_fault("INVALID_QUERY_LOCATOR")
    );
    assert!(pages.next::<Record>().await.unwrap().is_none());
}

#[tokio::test]
async fn a_query_too_long_for_an_address_travels_in_a_body() {
    let server = Server::start(|call, host| {
        sandbox(call, host).unwrap_or_else(|| {
            let body = match call.body.contains("FROM%20Nothing") {
                true => json!([{"errorCode": "INVALID_TYPE", "message": "sObject type 'Nothing' is not supported."}]),
                false => json!({"totalSize": 1, "done": true, "records": [{"Id": "x"}]}),
            };
            let status = if body.is_array() { 400 } else { 200 };
            Reply::ok(json!({"compositeResponse": [{"referenceId": "query", "httpStatusCode": status, "body": body}]}))
        })
    })
    .await;
    let org = server.connect(|_| {}).await.0.unwrap();
    let soql = |object: &str| format!("SELECT Id FROM {object} WHERE Name IN ('{}')", "x','".repeat(4000));
    let rows: Vec<Record> = org.query(&soql("Account")).rows().await.unwrap();
    assert_eq!(rows.len(), 1);
    let error = org.query(&soql("Nothing")).rows::<Record>().await.unwrap_err();
    assert!(error.has_fault("INVALID_TYPE"), "{error}");
    // It only reads, so nobody asks whether this is a production.
    assert_eq!((server.count("POST", "/composite"), server.count("GET", "/")), (2, 0));
}
