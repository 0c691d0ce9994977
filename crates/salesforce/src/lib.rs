//! The client of a Salesforce org: sign-in, limits, REST, Tooling, Bulk 2.0, sandboxes.
//!
//! [`Connection::open`] signs in with a [`Login`]; everything else is a method of [`Connection`], in the module of its API.
//! Every request passes [`Connection::send`], which holds the session, refuses writes to production, repeats what is safe to
//! repeat, and reads Salesforce's errors. Nothing here knows about metadata's meaning, environments or policies.

mod address;
mod answer;
pub mod auth;
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
mod request;
pub mod rest;
mod retry;
mod secret;
mod send;
mod session;
pub mod soap;
pub mod soql;
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
pub use request::{Request, segment};
pub use retry::Retry;
pub use secret::Secret;
pub use version::ApiVersion;
