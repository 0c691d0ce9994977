//! The table of routes. A new endpoint is a file with its own `ROUTES` and a line here.

use super::{Call, Reply};
use crate::error::ApiError;
use crate::org::{Org, State};
use crate::world::{Event, World};
use std::sync::Arc;

/// How a route authenticates and how its errors look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Surface {
    /// No session; errors as a JSON array.
    Open,
    /// Bearer token; errors as a JSON array.
    Rest,
    /// No session; errors as a JSON object with `error` and `error_description`.
    OAuth,
    /// The session stands in the SOAP header (the endpoint sees to it); errors as a fault with status 500.
    Soap,
    /// The simulator's own controls, not Salesforce's: no session; errors as a JSON array.
    Control,
}

/// An endpoint.
#[derive(Debug, Clone, Copy)]
pub struct Route {
    /// How it authenticates.
    pub surface: Surface,
    /// Method.
    pub method: &'static str,
    /// Path with `{name}` for one segment and `{*name}` for the rest.
    /// `{version}` takes `v67.0` and sets [`Call::version`].
    pub path: &'static str,
    /// The endpoint.
    pub run: fn(&Call<'_>) -> Result<Reply, ApiError>,
}

impl Route {
    /// A route of the REST API.
    pub const fn rest(method: &'static str, path: &'static str, run: fn(&Call<'_>) -> Result<Reply, ApiError>) -> Self {
        Self {
            surface: Surface::Rest,
            method,
            path,
            run,
        }
    }

    /// A route of another surface.
    pub const fn on(
        surface: Surface,
        method: &'static str,
        path: &'static str,
        run: fn(&Call<'_>) -> Result<Reply, ApiError>,
    ) -> Self {
        Self {
            surface,
            method,
            path,
            run,
        }
    }
}

/// Every route of an org.
pub(super) const ROUTES: &[&[Route]] = &[
    crate::metadata::ROUTES,
    crate::metadata::TOOLING_ROUTES,
    crate::rest::versions::ROUTES,
    crate::oauth::token::ROUTES,
    crate::oauth::authorize::ROUTES,
    crate::oauth::identity::ROUTES,
    crate::oauth::sso::ROUTES,
    crate::rest::collections::ROUTES,
    crate::rest::composite::ROUTES,
    crate::rest::describe::ROUTES,
    crate::rest::external::ROUTES,
    crate::rest::graph::ROUTES,
    crate::rest::limits::ROUTES,
    crate::rest::objects::ROUTES,
    crate::rest::record::ROUTES,
    crate::rest::tree::ROUTES,
    crate::sandbox::auth::ROUTES,
    crate::sandbox::connect::ROUTES,
    crate::sandbox::email::ROUTES,
    crate::rest::query::ROUTES,
    crate::rest::search::ROUTES,
    crate::soap::ROUTES,
    crate::bulk::ingest::ROUTES,
    crate::bulk::list::ROUTES,
    crate::bulk::query::ROUTES,
    crate::bulk::results::ROUTES,
];

/// What runs when an event is due.
pub type EventHandler = fn(&Call<'_>, &Event) -> Result<(), ApiError>;

/// What an event needs done outside of a transaction, before its handler: copies of databases. It may run twice when the
/// process is killed in between.
pub type EventPreparation = fn(&Arc<World>, &Arc<Org>, &mut State, &Event) -> Result<(), ApiError>;

/// Preparations of events by kind.
const PREPARATIONS: &[&[(&str, EventPreparation)]] = &[crate::sandbox::run::PREPARATIONS];

/// The preparation of a kind of event.
pub fn event_preparation(kind: &str) -> Option<EventPreparation> {
    PREPARATIONS
        .iter()
        .copied()
        .flatten()
        .find(|(name, _)| *name == kind)
        .map(|(_, run)| *run)
}

/// Handlers of events by kind.
const EVENTS: &[&[(&str, EventHandler)]] = &[
    crate::bulk::EVENTS,
    crate::metadata::EVENTS,
    crate::sandbox::run::EVENTS,
];

/// The handler of a kind of event.
pub fn event_handler(kind: &str) -> Option<EventHandler> {
    EVENTS
        .iter()
        .copied()
        .flatten()
        .find(|(name, _)| *name == kind)
        .map(|(_, run)| *run)
}
