//! From an HTTP request to an endpoint and back: one table of routes, one way to authenticate, one place where errors are dressed.

mod call;
mod dispatch;
mod reply;
mod request;
mod routes;
pub(crate) mod usage;

pub use call::{Call, in_call};
pub use dispatch::{Delivery, answer, deliver};
pub(crate) use dispatch::{SECURE, bearer, escape, fit, within};
pub use reply::Reply;
pub use request::Request;
pub use routes::{EventHandler, EventPreparation, Route, Surface, event_handler, event_preparation};
