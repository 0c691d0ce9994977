//! Finds the route, settles what is due, authenticates, runs the endpoint and dresses its errors.

use super::request::{decode, pairs};
use super::routes::ROUTES;
use super::{Call, Reply, Request, Route, Surface, in_call, usage};
use crate::control;
use crate::error::ApiError;
use crate::faults::{self, Fate};
use crate::org::{Org, sessions};
use crate::world::{World, settle};
use axum::http::{HeaderMap, Method};
use bytes::Bytes;
use rusqlite::Connection;
use serde_json::json;
use std::collections::HashMap;
use std::sync::Arc;

/// Header that the server puts on what came over TLS, and takes off what clients send.
pub(crate) const SECURE: &str = "x-simulator-tls";

/// An answer and what becomes of it on its way.
#[derive(Debug)]
pub struct Delivery {
    /// The answer.
    pub reply: Reply,
    /// How long it is held back, milliseconds of real time.
    pub delay: u64,
    /// What goes wrong on the way.
    pub fate: Option<Fate>,
}

/// Answers one request to an org. Blocks: call it off the async threads.
pub fn answer(
    world: &Arc<World>,
    org: &Arc<Org>,
    method: Method,
    path: &str,
    query: &str,
    headers: HeaderMap,
    body: Bytes,
) -> Reply {
    deliver(world, org, method, path, query, headers, body).reply
}

/// As [`answer`], with the faults that strike the answer on its way.
pub fn deliver(
    world: &Arc<World>,
    org: &Arc<Org>,
    method: Method,
    path: &str,
    query: &str,
    headers: HeaderMap,
    body: Bytes,
) -> Delivery {
    let segments: Vec<String> = path.split('/').filter(|s| !s.is_empty()).map(decode).collect();
    let request = Request {
        method,
        path: format!("/{}", segments.join("/")),
        query: pairs(query),
        secure: headers.contains_key(SECURE),
        headers,
        body,
        params: HashMap::new(),
    };
    if segments.first().is_some_and(|first| first == control::ROOT) {
        let reply = control::answer(world, org, request, &segments);
        return Delivery {
            reply: reply.unwrap_or_else(|error| dress(Surface::Control, &error)),
            delay: 0,
            fate: None,
        };
    }
    let struck = world.faults.strike(&org.name, request.method.as_str(), &request.path);
    let mut entry = log_entry(world, org, &request, query);
    let reply = match find(&request.method, &segments) {
        Ok((route, params)) => {
            let request = Request { params, ..request };
            struck
                .iter()
                .find_map(|fault| faults::instead(fault.kind))
                .unwrap_or_else(|| run(world, org, route, request))
                .unwrap_or_else(|error| dress(route.surface, &error))
        }
        Err(error) => dress(Surface::Rest, &error),
    };
    let fate = struck.iter().find_map(|fault| faults::fate(fault.kind));
    entry.status = if fate == Some(Fate::Lost) { 0 } else { reply.status };
    entry.faults = struck.iter().map(|fault| fault.kind).collect();
    world.log.push(entry);
    Delivery {
        reply,
        delay: struck.iter().filter_map(|fault| fault.millis).sum(),
        fate,
    }
}

fn log_entry(world: &Arc<World>, org: &Arc<Org>, request: &Request, query: &str) -> control::Entry {
    let options = request.header("sforce-call-options").unwrap_or_default();
    let client = options
        .split(',')
        .find_map(|option| option.trim().strip_prefix("client="))
        .or_else(|| request.header("user-agent"))
        .unwrap_or_default();
    let mark = if query.is_empty() { "" } else { "?" };
    control::Entry {
        at: world.clock.now(),
        org: org.name.clone(),
        method: request.method.to_string(),
        path: format!("{}{mark}{query}", request.path),
        status: 0,
        client: client.to_owned(),
        body: request.body.len(),
        faults: Vec::new(),
    }
}

fn run(world: &Arc<World>, org: &Arc<Org>, route: Route, request: Request) -> Result<Reply, ApiError> {
    // A sandbox copy is an event of production that changes other orgs, so every org is settled, one at a time.
    for each in world.orgs() {
        settle(world, &each)?;
    }
    // A refresh may have put another org in the place of this one, a deletion none.
    let Some(org) = &world.at(&org.origin.http) else {
        return Ok(Reply::gone());
    };
    let mut state = org.lock();
    let usage = match route.surface {
        Surface::Rest => charge(world, &state.db, &request)?,
        _ => None,
    };
    let reply = in_call(world, org, &mut state, Some(request), |call| {
        address(call)?;
        if route.surface == Surface::Rest {
            let token = bearer(&call.request).ok_or_else(ApiError::session)?;
            call.user = sessions::rest_user(call.db, token)?.ok_or_else(ApiError::session)?;
        }
        if route.surface == Surface::Soap {
            crate::soap::open(call)?;
        }
        (route.run)(call)
    });
    let reply = reply.unwrap_or_else(|error| dress(route.surface, &error));
    Ok(match usage {
        Some(usage) => reply.header("Sforce-Limit-Info", usage),
        None => reply,
    })
}

/// Counts a call with a session against the day's limit; gives `api-usage=17/100000`. A refused call counts too.
fn charge(world: &World, db: &Connection, request: &Request) -> Result<Option<String>, ApiError> {
    let Some(token) = bearer(request) else { return Ok(None) };
    if sessions::rest_user(db, token)?.is_none() {
        return Ok(None);
    }
    let most = world.config.limits.daily_api_requests;
    let used = usage::spend(db, "api", world.clock.now(), 1)?;
    if used > most {
        return Err(ApiError::new("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.").status(403));
    }
    Ok(Some(format!("api-usage={used}/{most}")))
}

/// Reads the API and its version from the path.
fn address(call: &mut Call<'_>) -> Result<(), ApiError> {
    if let Some(version) = call.request.params.get("version") {
        call.version = version_of(version, call.world.config.api_version)?;
    }
    call.tooling = call.request.path.contains("/tooling/");
    Ok(())
}

/// Answers a request of the REST API within a call: in its transaction, for its user. An error leaves nothing behind.
pub(crate) fn within(call: &Call<'_>, method: Method, url: &str, headers: HeaderMap, body: Bytes) -> Reply {
    let done = try_within(call, method, url, headers, body);
    done.unwrap_or_else(|error| dress(Surface::Rest, &error))
}

fn try_within(call: &Call<'_>, method: Method, url: &str, headers: HeaderMap, body: Bytes) -> Result<Reply, ApiError> {
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    let segments: Vec<String> = path.split('/').filter(|s| !s.is_empty()).map(decode).collect();
    let (route, params) = find(&method, &segments)?;
    if route.surface != Surface::Rest {
        return Err(ApiError::not_found());
    }
    let mut inner = call.within(Request {
        method,
        path: format!("/{}", segments.join("/")),
        query: pairs(query),
        headers,
        body,
        secure: call.request.secure,
        params,
    });
    address(&mut inner)?;
    call.db.execute_batch("SAVEPOINT within")?;
    let done = (route.run)(&inner);
    call.db.execute_batch(match done {
        Ok(_) => "RELEASE within",
        Err(_) => "ROLLBACK TO within; RELEASE within",
    })?;
    if done.is_ok() {
        call.adopt(inner.schema());
    }
    done
}

/// The token of `Authorization: Bearer …`, or of the older `OAuth …`.
pub(crate) fn bearer(request: &Request) -> Option<&str> {
    let (scheme, token) = request.header("authorization")?.split_once(' ')?;
    (scheme.eq_ignore_ascii_case("bearer") || scheme.eq_ignore_ascii_case("oauth")).then(|| token.trim())
}

/// `v67.0` → 67; versions from v31 to the newest answer.
fn version_of(text: &str, newest: u16) -> Result<u16, ApiError> {
    text.strip_prefix('v')
        .and_then(|v| v.strip_suffix(".0"))
        .and_then(|v| v.parse().ok())
        .filter(|v| (31..=newest).contains(v))
        .ok_or_else(ApiError::not_found)
}

/// The route with the most literal segments among those that fit.
fn find(method: &Method, segments: &[String]) -> Result<(Route, HashMap<&'static str, String>), ApiError> {
    let mut best: Option<(usize, Route, HashMap<&'static str, String>)> = None;
    let mut other_method = false;
    for route in ROUTES.iter().copied().flatten() {
        let Some((literal, params)) = fit(route.path, segments) else {
            continue;
        };
        if route.method != method.as_str() {
            other_method = true;
        } else if best.as_ref().is_none_or(|(most, ..)| literal > *most) {
            best = Some((literal, *route, params));
        }
    }
    match best {
        Some((_, route, params)) => Ok((route, params)),
        None if other_method => {
            Err(ApiError::new("METHOD_NOT_ALLOWED", format!("HTTP Method '{method}' not allowed.")).status(405))
        }
        None => Err(ApiError::not_found()),
    }
}

pub(crate) fn fit(pattern: &'static str, segments: &[String]) -> Option<(usize, HashMap<&'static str, String>)> {
    let mut params = HashMap::new();
    let mut literal = 0;
    let mut at = 0;
    for part in pattern.split('/').filter(|part| !part.is_empty()) {
        if let Some(name) = part.strip_prefix("{*").and_then(|p| p.strip_suffix('}')) {
            params.insert(name, segments[at.min(segments.len())..].join("/"));
            return Some((literal, params));
        }
        let segment = segments.get(at)?;
        if let Some(name) = part.strip_prefix('{').and_then(|p| p.strip_suffix('}')) {
            params.insert(name, segment.clone());
        } else if part.eq_ignore_ascii_case(segment) {
            literal += 1;
        } else {
            return None;
        }
        at += 1;
    }
    (at == segments.len()).then_some((literal, params))
}

/// Gives an error the shape its surface has.
fn dress(surface: Surface, error: &ApiError) -> Reply {
    match surface {
        Surface::OAuth => Reply::json_status(
            error.status,
            &json!({ "error": error.code, "error_description": error.message }),
        ),
        Surface::Soap => Reply::text(
            500,
            "text/xml; charset=utf-8",
            format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?><soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\" \
                 xmlns:sf=\"http://soap.sforce.com/2006/04/metadata\"><soapenv:Body><soapenv:Fault><faultcode>sf:{code}</faultcode>\
                 <faultstring>{code}: {text}</faultstring></soapenv:Fault></soapenv:Body></soapenv:Envelope>",
                code = error.code,
                text = escape(&error.message),
            ),
        ),
        Surface::Open | Surface::Rest | Surface::Control => {
            let mut entry = json!({ "message": error.message, "errorCode": error.code });
            if !error.fields.is_empty() {
                entry["fields"] = json!(error.fields);
            }
            Reply::json_status(error.status, &json!([entry]))
        }
    }
}

/// Text for XML.
pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&apos;")
}
