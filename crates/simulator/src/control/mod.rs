//! The simulator's own endpoints, under `/_simulator/` of every org's origin. They are not Salesforce's: they let a test or
//! a person look behind the scenes and move the clock. Only this machine may call them, and no web page of another origin.
//!
//! | method | path | what |
//! |---|---|---|
//! | GET | `/_simulator/world` | orgs, origins, users, a token of each administrator |
//! | POST | `/_simulator/token` | `{"username": …}` → an access token of that user of this org |
//! | GET, POST | `/_simulator/clock` | `{"set": ms}`, `{"step": ms}`, `{"pace": "stepped"}`; several at once are taken in this order: pace, set, step |
//! | GET, POST | `/_simulator/switches` | all switches; those to change |
//! | GET, POST, DELETE | `/_simulator/faults` | the faults in force; one more; none any more |
//! | GET, DELETE | `/_simulator/log` | the last 10,000 requests to all orgs, `?org=prod`; forget them |
//! | GET | `/_simulator/events` | what waits in this org |
//! | GET | `/_simulator/records/{object}` | rows of this org as they are stored, `?limit=1000&offset=0` |
//! | GET | `/_simulator/components` | metadata components of this org, `?type=ApexClass` |
//!
//! No request here settles events, so what waits can be seen; a request to the org's API does.

mod faults;
mod log;
mod state;
mod world;

pub use log::{Entry, RequestLog};

use crate::error::ApiError;
use crate::http::{Reply, Request};
use crate::org::Org;
use crate::world::World;
use std::sync::Arc;

/// First segment of all paths here.
pub(crate) const ROOT: &str = "_simulator";

/// A request to the controls. No org is locked.
pub(crate) struct Control<'a> {
    pub(crate) world: &'a Arc<World>,
    pub(crate) org: &'a Arc<Org>,
    pub(crate) request: Request,
}

impl Control<'_> {
    fn json(&self) -> Result<serde_json::Value, ApiError> {
        serde_json::from_slice(&self.request.body)
            .map_err(|error| ApiError::new("JSON_PARSER_ERROR", error.to_string()))
    }
}

/// An endpoint here.
type Run = fn(&Control<'_>) -> Result<Reply, ApiError>;

const ROUTES: &[(&str, &str, Run)] = &[
    ("GET", "/_simulator/world", world::show),
    ("POST", "/_simulator/token", world::token),
    ("GET", "/_simulator/clock", world::clock),
    ("POST", "/_simulator/clock", world::set_clock),
    ("GET", "/_simulator/switches", world::switches),
    ("POST", "/_simulator/switches", world::set_switches),
    ("GET", "/_simulator/faults", faults::show),
    ("POST", "/_simulator/faults", faults::add),
    ("DELETE", "/_simulator/faults", faults::clear),
    ("GET", "/_simulator/log", log::show),
    ("DELETE", "/_simulator/log", log::clear),
    ("GET", "/_simulator/events", state::events),
    ("GET", "/_simulator/records/{object}", state::records),
    ("GET", "/_simulator/components", state::components),
];

/// Answers a request to the controls.
pub(crate) fn answer(
    world: &Arc<World>,
    org: &Arc<Org>,
    mut request: Request,
    segments: &[String],
) -> Result<Reply, ApiError> {
    if let Some(origin) = request.header("origin")
        && !world
            .orgs()
            .iter()
            .any(|org| org.origin.http == origin || org.origin.https.as_deref() == Some(origin))
    {
        return Err(ApiError::new(
            "INSUFFICIENT_ACCESS",
            "a page of another origin may not control the simulator",
        )
        .status(403));
    }
    let fits: Vec<_> = ROUTES
        .iter()
        .filter_map(|route| crate::http::fit(route.1, segments).map(|(_, params)| (route, params)))
        .collect();
    let known = !fits.is_empty();
    let Some((route, params)) = fits.into_iter().find(|(route, _)| route.0 == request.method.as_str()) else {
        let method = &request.method;
        return Err(match known {
            true => ApiError::new("METHOD_NOT_ALLOWED", format!("HTTP Method '{method}' not allowed.")).status(405),
            false => ApiError::not_found(),
        });
    };
    request.params = params;
    (route.2)(&Control { world, org, request })
}
