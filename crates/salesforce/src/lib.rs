//! The client of a Salesforce org: sign-in, limits, REST, Tooling, Bulk 2.0, sandboxes.
//!
//! [`Connection::open`] signs in with a [`Login`]; everything else is a method of [`Connection`], in the module of its API.
//! Every request passes [`Connection::send`], which holds the session, refuses writes to production, repeats what is safe to
//! repeat, and reads Salesforce's errors. Nothing here knows about metadata's meaning, environments or policies.

mod address;
mod answer;
pub mod auth;
pub mod bulk;
mod clock;
mod connection;
mod envelope;
mod error;
mod guard;
mod hint;
mod http;
mod id;
mod limits;
pub mod metadata;
mod organization;
mod poll;
mod request;
pub mod rest;
mod retry;
mod secret;
mod send;
mod session;
pub mod soap;
pub mod soql;
mod still;
pub mod tooling;
mod version;

pub use address::Address;
pub use answer::{Answer, Download};
pub use auth::Login;
pub use clock::{BoxFuture, Clock};
pub use connection::{Connection, OnRotation, Options};
pub use envelope::{Fault, faults_of_result};
pub use error::{Error, Kind, Result};
pub use guard::{Effect, Refusal, WritePermit};
pub use http::Http;
pub use id::{Id, OrgId};
pub use limits::{Limit, Limits, Reserve, Usage, parse_limit_info};
pub use organization::{OrgKind, Organization};
pub use poll::{Poll, Waiting};
pub use request::{Request, segment};
pub use retry::Retry;
pub use secret::Secret;
pub use still::Still;
pub use version::ApiVersion;

#[cfg(test)]
mod tests {
    use super::*;

    /// Operations run on any thread of a worker.
    #[test]
    fn connections_and_their_futures_go_to_other_threads() {
        fn sent<T: Send>(_: impl FnOnce(&Connection, &Id) -> T) {}
        fn shared<T: Send + Sync>() {}
        shared::<Connection>();
        shared::<Error>();
        let poll = Poll::default();
        let record = rest::Record::new();
        let ingest = bulk::Ingest::new(bulk::Operation::Insert, "Account");
        let query = bulk::BulkQuery::new("SELECT Id FROM Account");
        sent(|_, _| async { Connection::open(&Http::new()?, parse(), Options::named("uat")).await });
        sent(|org, _| {
            let org = org.clone();
            async move { org.send(Request::get("x", "y")).await }
        });
        sent(|org, id| {
            let (org, id, record) = (org.clone(), id.clone(), record.clone());
            async move { org.update("Account", &id, &record).await }
        });
        sent(|org, _| {
            let (org, record) = (org.clone(), record.clone());
            async move { org.create_all(&[("Account", &record)], rest::AllOrNone::All).await }
        });
        sent(|org, _| {
            let (org, query, poll) = (org.clone(), query.clone(), poll);
            async move { org.export(&query, &mut Vec::new(), &poll).await }
        });
        sent(|org, _| {
            let (org, ingest, poll) = (org.clone(), ingest.clone(), poll);
            async move { org.ingest(&ingest, b"A\n1\n".as_slice(), &poll).await }
        });
        sent(|org, id| {
            let (org, id, poll) = (org.clone(), id.clone(), poll);
            async move { org.wait_for_tests(&id, &poll).await }
        });
    }

    fn parse() -> Login {
        let instance = "https://acme.my.salesforce.com".parse().unwrap();
        let token = "x".into();
        Login::AccessToken { instance, token }
    }
}
