//! Secrets and records stay out of logs and errors.

use std::fmt::{Debug, Write};
use std::sync::{Arc, Mutex};

use serde_json::json;
use syncline_salesforce::rest::Record;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record as SpanRecord};
use tracing::{Event, Metadata, Subscriber};

use crate::server::{Reply, Server, sandbox};

/// Keeps all that is logged at any level by anything.
#[derive(Clone, Default)]
struct Logs(Arc<Mutex<String>>);

impl Visit for Logs {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let _ = write!(self.0.lock().unwrap(), "{field}={value:?} ");
    }
}

impl Subscriber for Logs {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        span.record(&mut self.clone());
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, values: &SpanRecord<'_>) {
        values.record(&mut self.clone());
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        event.record(&mut self.clone());
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[tokio::test]
async fn no_secret_and_no_value_of_a_record_is_logged_or_told() {
    let logs = Logs::default();
    let _kept = tracing::subscriber::set_default(logs.clone());
    let server = Server::start(|call, host| {
        sandbox(call, host).unwrap_or_else(|| match call.method.as_str() {
            "POST" => Reply::HangUp,
            _ => Reply::fault(404, "NOT_FOUND", "The requested resource does not exist"),
        })
    })
    .await;
    let org = server.connect(|_| {}).await.0.unwrap();
    let record = Record::from_iter([("Email".to_owned(), json!("CANARY@acme.example"))]);
    let mut told = format!("{org:?}");
    for error in [
        org.create("Contact", &record).await.map(|_| ()).unwrap_err(),
        org.upsert("Contact", "Ext__c", "CANARY", &record)
            .await
            .map(|_| ())
            .unwrap_err(),
        org.query("SELECT Id FROM Contact WHERE Email = 'CANARY'")
            .rows::<Record>()
            .await
            .map(|_| ())
            .unwrap_err(),
        org.execute_anonymous("CANARY").await.map(|_| ()).unwrap_err(),
    ] {
        let _ = write!(told, "{error} {error:?} {:?}", error.hints());
    }
    let logged = logs.0.lock().unwrap().clone();
    assert!(logged.contains("query in uat"), "{logged}");
    assert!(!logged.contains("CANARY"), "{logged}");
    assert!(!told.contains("CANARY"), "{told}");
}
