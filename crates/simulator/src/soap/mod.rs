//! SOAP 1.1: one route for each of the three services, with any tail behind the version.
//!
//! Elements are matched by local names, because clients differ in prefixes and leave namespaces out.

pub(crate) mod date;
mod partner;
pub(crate) mod xml;

use crate::error::ApiError;
use crate::http::{Call, Reply, Route, Surface};
use crate::org::sessions;
use roxmltree::{Document, Node, ParsingOptions};
use serde_json::Value;

/// What an operation answers.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    /// Elements of the SOAP header.
    pub header: String,
    /// Elements inside `<operationResponse>`.
    pub body: String,
}

impl From<Value> for Answer {
    /// `<result>` elements: one for each item of an array, none for an empty one.
    fn from(result: Value) -> Self {
        let mut body = String::new();
        xml::write(&mut body, "result", &result);
        Self {
            header: String::new(),
            body,
        }
    }
}

/// An operation of a service.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Operation {
    /// Local name of the element in the SOAP body.
    pub name: &'static str,
    /// Needs no session.
    pub open: bool,
    /// What it does with that element.
    pub run: fn(&Call<'_>, Node<'_, '_>) -> Result<Answer, ApiError>,
}

impl Operation {
    /// An operation for users with a session.
    pub(crate) const fn new(name: &'static str, run: fn(&Call<'_>, Node<'_, '_>) -> Result<Answer, ApiError>) -> Self {
        Self { name, open: false, run }
    }
}

/// A SOAP service of an org.
struct Service {
    letter: &'static str,
    namespace: &'static str,
    operations: &'static [Operation],
}

const SERVICES: &[Service] = &[
    Service {
        letter: "m",
        namespace: "http://soap.sforce.com/2006/04/metadata",
        operations: crate::metadata::OPERATIONS,
    },
    Service {
        letter: "u",
        namespace: "urn:partner.soap.sforce.com",
        operations: partner::OPERATIONS,
    },
    Service {
        letter: "s",
        namespace: "http://soap.sforce.com/2006/08/apex",
        operations: crate::metadata::APEX_OPERATIONS,
    },
];

pub(crate) const ROUTES: &[Route] = &[Route::on(
    Surface::Soap,
    "POST",
    "/services/Soap/{service}/{*rest}",
    serve,
)];

/// Largest SOAP request. Source: Metadata API Developer Guide, limits.
const MAX_REQUEST: usize = 52_428_800;

/// Reads version and session of a SOAP request into the call, before the endpoint runs.
pub(crate) fn open(call: &mut Call<'_>) -> Result<(), ApiError> {
    let rest = call.request.param("rest").to_owned();
    let version = rest.split('/').next().unwrap_or_default();
    call.version = version
        .trim_start_matches('v')
        .strip_suffix(".0")
        .and_then(|v| v.parse().ok())
        .filter(|v| (31..=call.world.config.api_version).contains(v))
        .ok_or_else(|| ApiError::new("UNSUPPORTED_API_VERSION", "Invalid Api version specified on URL"))?;
    let Some(token) = session(call) else { return Ok(()) };
    // The Metadata API does not take tokens in the form of a JWT.
    let user = if call.request.param("service") == "m" {
        sessions::user_of(call.db, &token, "access")?
    } else {
        sessions::rest_user(call.db, &token)?
    };
    call.user = user.unwrap_or_default();
    Ok(())
}

/// The session id in the SOAP header, else the one in `Authorization`.
fn session(call: &Call<'_>) -> Option<String> {
    let body = std::str::from_utf8(&call.request.body).ok()?;
    let in_header = body
        .find("sessionId>")
        .and_then(|at| body[at + 10..].split_once('<'))
        .map(|(token, _)| token.trim())
        .filter(|token| !token.is_empty());
    let token = in_header.or_else(|| Some(call.request.header("authorization")?.split_once(' ')?.1.trim()))?;
    Some(token.replace("&amp;", "&"))
}

fn lost_session() -> ApiError {
    ApiError::new(
        "INVALID_SESSION_ID",
        "Invalid Session ID found in SessionHeader: Illegal Session. Session not found, missing session hash",
    )
}

fn serve(call: &Call<'_>) -> Result<Reply, ApiError> {
    let service = SERVICES
        .iter()
        .find(|service| service.letter.eq_ignore_ascii_case(call.request.param("service")))
        .ok_or_else(ApiError::not_found)?;
    if call.request.body.len() > MAX_REQUEST {
        return Err(ApiError::new(
            "EXCEEDED_MAX_SIZE_REQUEST",
            format!("Maximum size of request reached. Maximum size of request is {MAX_REQUEST} bytes."),
        ));
    }
    let malformed = |problem: String| ApiError::new("UNKNOWN_EXCEPTION", format!("malformed SOAP request: {problem}"));
    let text = std::str::from_utf8(&call.request.body).map_err(|error| malformed(error.to_string()))?;
    let options = ParsingOptions {
        allow_dtd: false,
        ..ParsingOptions::default()
    };
    let document = Document::parse_with_options(text, options).map_err(|error| malformed(error.to_string()))?;
    let request = xml::child(document.root_element(), "Body")
        .and_then(|body| body.first_element_child())
        .ok_or_else(|| malformed("no element in soapenv:Body".to_owned()))?;
    let name = request.tag_name().name();
    let operation = service
        .operations
        .iter()
        .find(|operation| operation.name == name)
        .ok_or_else(|| {
            ApiError::new(
                "UNKNOWN_EXCEPTION",
                format!(
                    "No operation available for request {{{}}}{name}, please check the WSDL for the service.",
                    service.namespace
                ),
            )
        })?;
    if !operation.open && call.user.is_empty() {
        return Err(lost_session());
    }
    if service.letter == "m" {
        crate::metadata::allow(call)?;
    }
    let answer = (operation.run)(call, request)?;
    Ok(Reply::text(
        200,
        "text/xml; charset=utf-8",
        envelope(service.namespace, name, &answer),
    ))
}

fn envelope(namespace: &str, name: &str, answer: &Answer) -> String {
    let mut out = String::with_capacity(answer.body.len() + 512);
    out.push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?>");
    let root = format!(
        "soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\" xmlns=\"{namespace}\" \
         xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\""
    );
    xml::wrap(&mut out, &root, |out| {
        if !answer.header.is_empty() {
            xml::wrap(out, "soapenv:Header", |out| out.push_str(&answer.header));
        }
        xml::wrap(out, "soapenv:Body", |out| {
            xml::wrap(out, &format!("{name}Response"), |out| out.push_str(&answer.body));
        });
    });
    out
}
