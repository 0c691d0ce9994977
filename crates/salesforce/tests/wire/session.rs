//! Sessions that end.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::json;
use syncline_salesforce::{Http, Login, Options, Request};

use crate::server::{ORG, OTHER_ORG, Reply, Server};

/// The first token is dead after it was given; others live.
async fn expiring(second: &'static str) -> Server {
    let logins = AtomicUsize::new(0);
    Server::start(move |call, host| {
        if call.is("POST", "/oauth2/token") {
            let first = logins.fetch_add(1, Ordering::SeqCst) == 0;
            return Reply::token(if first { "00DD000000IRt53!one" } else { second }, host);
        }
        if call.token().ends_with("!one") {
            return Reply::fault(401, "INVALID_SESSION_ID", "Session expired or invalid");
        }
        Reply::ok(json!({"token": call.token()}))
    })
    .await
}

#[tokio::test]
async fn many_callers_with_an_ended_session_sign_in_once() {
    let server = expiring("00DD000000IRt53!two").await;
    let org = server.connect(|_| {}).await.0.unwrap();
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let org = org.clone();
        calls.spawn(async move {
            org.send(Request::get("look", "limits"))
                .await
                .unwrap()
                .json::<serde_json::Value>()
        });
    }
    while let Some(answer) = calls.join_next().await {
        assert_eq!(answer.unwrap().unwrap()["token"], "00DD000000IRt53!two");
    }
    assert_eq!(server.count("POST", "/oauth2/token"), 2);
}

#[tokio::test]
async fn another_org_behind_the_same_login_is_refused() {
    let server = expiring("00DD000000IRt54!two").await;
    let org = server.connect(|_| {}).await.0.unwrap();
    let error = org.send(Request::get("look", "limits")).await.unwrap_err();
    assert_eq!(error.code(), "wrong_org");
    assert!(
        error.to_string().contains(ORG) && error.to_string().contains(OTHER_ORG),
        "{error}"
    );

    let server = expiring("00DD000000IRt53!two").await;
    let connected = server
        .connect(|options| options.expected_org = Some(OTHER_ORG.parse().unwrap()))
        .await
        .0;
    assert_eq!(connected.unwrap_err().code(), "wrong_org");
}

#[tokio::test]
async fn a_session_that_cannot_be_renewed_says_so() {
    let server = Server::start(|_, _| Reply::fault(401, "INVALID_SESSION_ID", "Session expired or invalid")).await;
    let login = Login::AccessToken {
        instance: format!("http://{}", server.address).parse().unwrap(),
        token: format!("{ORG}!x").as_str().into(),
    };
    let mut options = Options::named("uat");
    options.api_version = Some("66.0".parse().unwrap());
    let org = syncline_salesforce::Connection::open(&Http::new().unwrap(), login, options)
        .await
        .unwrap();
    let error = org.send(Request::get("look", "limits")).await.unwrap_err();
    assert_eq!((error.code(), server.calls().len()), ("session_ended", 1));
    assert!(!error.hints().is_empty());
}

#[tokio::test]
async fn some_refused_sessions_are_not_renewed() {
    for text in [
        "Connected app is not attached to Agent",
        "This session is not valid for use with the REST API",
    ] {
        let server = Server::start(move |call, host| match call.is("POST", "/oauth2/token") {
            true => Reply::token("00DD000000IRt53!one", host),
            false => Reply::fault(401, "INVALID_SESSION_ID", text),
        })
        .await;
        let org = server.connect(|_| {}).await.0.unwrap();
        let error = org.send(Request::get("look", "limits")).await.unwrap_err();
        assert!(error.has_fault("INVALID_SESSION_ID"));
        assert_eq!(server.count("POST", "/oauth2/token"), 1, "{text}");
    }
}

#[tokio::test]
async fn a_login_that_is_refused_is_tried_once_for_all_waiters() {
    let logins = AtomicUsize::new(0);
    let server = Server::start(move |call, host| {
        if !call.is("POST", "/oauth2/token") {
            return Reply::fault(401, "INVALID_SESSION_ID", "Session expired or invalid");
        }
        match logins.fetch_add(1, Ordering::SeqCst) {
            0 => Reply::token("00DD000000IRt53!one", host),
            _ => Reply::Json(
                400,
                json!({"error": "invalid_grant", "error_description": "expired access/refresh token"}),
            ),
        }
    })
    .await;
    let org = server.connect(|_| {}).await.0.unwrap();
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..5 {
        let org = org.clone();
        calls.spawn(async move { org.send(Request::get("look", "limits")).await.unwrap_err() });
    }
    while let Some(error) = calls.join_next().await {
        assert_eq!(error.unwrap().code(), "login_refused");
    }
    assert_eq!(server.count("POST", "/oauth2/token"), 2);
}

#[tokio::test]
async fn a_soap_fault_renews_the_session_too() {
    let logins = AtomicUsize::new(0);
    let server = Server::start(move |call, host| {
        if call.is("POST", "/oauth2/token") {
            let number = logins.fetch_add(1, Ordering::SeqCst);
            return Reply::token(&format!("00DD000000IRt53!{number}"), host);
        }
        let xml = vec![("content-type", "text/xml".to_owned())];
        if call.body.contains("<sessionId>00DD000000IRt53!0</sessionId>") {
            let fault = "<E><Fault><faultcode>sf:INVALID_SESSION_ID</faultcode><faultstring>INVALID_SESSION_ID: x</faultstring></Fault></E>";
            return Reply::Text(500, xml, fault.to_owned());
        }
        Reply::Text(200, xml, "<E/>".to_owned())
    })
    .await;
    let org = server.connect(|_| {}).await.0.unwrap();
    let answer = org
        .soap("/services/Soap/m/66.0", "urn:m", "listMetadata", "", "<listMetadata/>")
        .await
        .unwrap();
    assert_eq!(answer.text().unwrap(), "<E/>");
    assert_eq!(server.count("POST", "/Soap/"), 2);
}

#[tokio::test]
async fn a_new_refresh_token_replaces_the_old_one_and_is_saved() {
    let server = Server::start(|call, host| {
        let number = usize::from(call.body.contains("second"));
        let Reply::Json(status, mut body) = Reply::token("00DD000000IRt53!one", host) else {
            return Reply::HangUp;
        };
        if call.is("POST", "/oauth2/token") {
            body["refresh_token"] = json!(["second", "third"][number]);
            return Reply::Json(status, body);
        }
        match call.path.contains("first") {
            true => Reply::ok(json!({})),
            false => Reply::fault(401, "INVALID_SESSION_ID", "x"),
        }
    })
    .await;
    let saved = Arc::new(Mutex::new(Vec::new()));
    let noted = saved.clone();
    let save = move |options: &mut Options| {
        options.on_rotation = Some(Arc::new(move |token| {
            noted.lock().unwrap().push(token.expose().clone());
            Box::pin(std::future::ready(Ok(())))
        }));
    };
    let org = server.connect(save).await.0.unwrap();
    assert!(org.send(Request::get("look", "second")).await.is_err());
    assert_eq!(*saved.lock().unwrap(), ["second", "third"]);
    let logins: Vec<String> = server
        .calls()
        .into_iter()
        .filter(|call| call.method == "POST")
        .map(|call| call.body)
        .collect();
    assert!(
        logins[0].contains("refresh_token=CANARY-refresh") && logins[1].contains("refresh_token=second"),
        "{logins:?}"
    );
}
