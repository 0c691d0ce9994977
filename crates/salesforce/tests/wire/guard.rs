//! Writes to production.

use serde_json::json;
use syncline_salesforce::rest::Record;
use syncline_salesforce::{Kind, Request, WritePermit};

use crate::server::{Reply, Server, organization, sandbox};

async fn production() -> Server {
    Server::start(|call, host| {
        if call.is("GET", "FROM+Organization") {
            return organization(false);
        }
        let done = || Reply::Json(201, json!({"id": "001D000000IRt53", "success": true, "errors": []}));
        sandbox(call, host).unwrap_or_else(done)
    })
    .await
}

#[tokio::test]
async fn every_way_to_write_is_refused() {
    let server = production().await;
    let org = server.connect(|_| {}).await.0.unwrap();
    let record = Record::new();
    let id = "001D000000IRt53".parse().unwrap();
    let errors = [
        org.create("Account", &record).await.map(|_| ()).unwrap_err(),
        org.update("Account", &id, &record).await.unwrap_err(),
        org.delete("Account", &id).await.unwrap_err(),
        org.upsert("Account", "Ext__c", "x", &record)
            .await
            .map(|_| ())
            .unwrap_err(),
        org.execute_anonymous("x").await.map(|_| ()).unwrap_err(),
        org.create_sandbox(&record).await.map(|_| ()).unwrap_err(),
        org.soap("/services/Soap/m/66.0", "urn:m", "deploy", "", "<deploy/>")
            .await
            .map(|_| ())
            .unwrap_err(),
        org.send(Request::put("upload", "jobs/ingest/750/batches"))
            .await
            .map(|_| ())
            .unwrap_err(),
    ];
    for error in errors {
        assert_eq!(
            (error.code(), error.kind()),
            ("production_write", Kind::Refused),
            "{error}"
        );
        assert!(error.to_string().contains("uat"), "{error}");
    }
    // The login, and one question for the kind of org.
    assert_eq!(server.calls().len(), 2, "{:?}", server.calls());
}

#[tokio::test]
async fn reads_pass_whatever_their_method() {
    let server = production().await;
    let org = server.connect(|_| {}).await.0.unwrap();
    org.send(Request::get("look", "limits")).await.unwrap();
    org.send(Request::post("start a query", "jobs/query")).await.unwrap();
    org.soap("/services/Soap/m/66.0", "urn:m", "retrieve", "", "<retrieve/>")
        .await
        .unwrap();
    assert_eq!(server.count("GET", "Organization"), 0);
}

#[tokio::test]
async fn a_permit_for_this_very_org_lets_writes_pass() {
    let server = production().await;
    let org = server
        .connect(|options| options.permit = Some(WritePermit::naming("uat")))
        .await
        .0
        .unwrap();
    org.create("Account", &Record::new()).await.unwrap();
    let org = server
        .connect(|options| options.permit = Some(WritePermit::naming("prod")))
        .await
        .0
        .unwrap();
    assert_eq!(
        org.create("Account", &Record::new()).await.unwrap_err().code(),
        "production_write"
    );
}

#[tokio::test]
async fn an_org_that_does_not_tell_what_it_is_counts_as_production() {
    let server = Server::start(|call, host| match call.is("GET", "Organization") {
        true => Reply::fault(400, "INVALID_TYPE", "sObject type 'Organization' is not supported"),
        false => sandbox(call, host).unwrap_or(Reply::ok(json!({}))),
    })
    .await;
    let org = server.connect(|_| {}).await.0.unwrap();
    assert_eq!(
        org.create("Account", &Record::new()).await.unwrap_err().code(),
        "unknown_org"
    );
}
