//! Sending a request: session, guard, limits, repeats, errors.

use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use reqwest::Url;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};

use crate::answer::{Answer, Download};
use crate::connection::Connection;
use crate::envelope::{self, Envelope, Fault};
use crate::error::{Error, Result};
use crate::guard::{self, Effect, Refusal};
use crate::http::{CLIENT, reason};
use crate::organization::Organization;
use crate::request::{Body, Request};
use crate::retry::{self, Next, Seen};
use crate::session::Session;
use crate::soap;

/// A failed attempt.
enum Failure {
    /// Nothing was sent.
    NotSent(Error),
    /// No whole answer.
    Lost { error: Error, why: String },
    /// The answer is an error.
    Answered {
        error: Error,
        retry_after: Option<Duration>,
    },
    /// The request cannot be sent at all.
    Never(Error),
}

enum Got {
    Whole(Answer),
    Open(Download),
}

/// A session that another login would not help.
const NOT_RENEWABLE: [&str; 2] = [
    "Connected app is not attached to Agent",
    "This session is not valid for use with the REST API",
];

impl Connection {
    /// Sends a request and reads the whole answer.
    ///
    /// # Errors
    /// `salesforce_error` and the other errors of [`Error`]; `unknown_outcome` when something that writes got no answer;
    /// `production_write` without a permit.
    pub async fn send(&self, request: Request) -> Result<Answer> {
        match self.run(&request, true).await? {
            Got::Whole(answer) => Ok(answer),
            Got::Open(download) => Err(Error::unexpected(&download.what, "the body was not read")),
        }
    }

    /// Sends a request and hands the body out piece by piece. Only what comes before the body is repeated.
    pub async fn download(&self, request: Request) -> Result<Download> {
        match self.run(&request, false).await? {
            Got::Open(download) => Ok(download),
            Got::Whole(answer) => Err(Error::unexpected(&answer.what, "the body was read")),
        }
    }

    /// Calls SOAP and gives the whole answer, an envelope. `path` is as in `/services/Soap/m/66.0`; `headers` and `call` are
    /// XML whose unprefixed elements are in `namespace`; the session is added here.
    ///
    /// # Errors
    /// `salesforce_error` with the fault's code.
    pub async fn soap(
        &self,
        path: &str,
        namespace: &'static str,
        operation: &str,
        headers: &str,
        call: &str,
    ) -> Result<Answer> {
        let mut request = Request::post(operation.to_owned(), path);
        request.body = Body::Soap {
            namespace,
            operation: operation.to_owned(),
            headers: headers.to_owned(),
            call: call.to_owned(),
        };
        self.send(request).await
    }

    async fn run(&self, request: &Request, whole: bool) -> Result<Got> {
        let inner = &self.inner;
        let effect = request.effect();
        if effect == Effect::Write {
            self.allow_write(request).await?;
        }
        inner
            .limits
            .allow(self.name(), request.background, inner.options.reserve)?;
        let mut renewed = false;
        let mut attempt = 0;
        loop {
            attempt += 1;
            if effect == Effect::Write && self.still.as_ref().is_some_and(|still| !still.may()) {
                return Err(Error::Refused(Refusal::Withdrawn {
                    attempted: request.what.to_string(),
                    org: self.name().to_owned(),
                }));
            }
            let session = self.session();
            let failure = match self.attempt(request, &session, whole).await {
                Ok(got) => return Ok(got),
                Err(failure) => failure,
            };
            if let Failure::Answered { error, .. } = &failure
                && session_ended(error)
            {
                if !renewed && inner.renewal.renews() {
                    renewed = true;
                    self.renew(&session).await?;
                    continue;
                }
                return Err(self.no_session(failure, request, &session, renewed));
            }
            let (seen, retry_after) = match &failure {
                Failure::NotSent(_) => (Seen::NotSent, None),
                Failure::Lost { .. } => (Seen::Lost, None),
                Failure::Never(_) => return Err(failure.into_error()),
                Failure::Answered { error, retry_after } => (seen(error), *retry_after),
            };
            match retry::next(effect, seen) {
                Next::GiveUp => return Err(failure.into_error()),
                Next::Unknown => return Err(failure.unknown(request)),
                Next::Again => match inner.options.retry.wait(attempt, retry_after) {
                    Some(wait) => {
                        tracing::debug!(attempt, wait_ms = wait.as_millis(), "{}: trying again", request.what);
                        self.clock().sleep(wait).await;
                    }
                    None => return Err(failure.into_error()),
                },
            }
        }
    }

    /// Writes to a production need a permit that names it. When we cannot tell, it may be one.
    async fn allow_write(&self, request: &Request) -> Result<()> {
        let options = &self.inner.options;
        if options
            .permit
            .as_ref()
            .is_some_and(|permit| permit.permits(&options.name))
        {
            return Ok(());
        }
        match self.asked_organization().await {
            Ok(organization) => Ok(guard::judge(
                request,
                &options.name,
                options.permit.as_ref(),
                organization,
            )?),
            Err(error @ Error::Answered { .. }) if error.status() != Some(401) => {
                Err(Error::Refused(Refusal::UnknownOrg {
                    attempted: request.what.to_string(),
                    org: options.name.clone(),
                    why: error.to_string(),
                }))
            }
            Err(error) => Err(error),
        }
    }

    /// Asking is a request, too: on the heap, so that the futures have a size.
    fn asked_organization(&self) -> Pin<Box<dyn Future<Output = Result<&Organization>> + Send + '_>> {
        Box::pin(self.organization())
    }

    async fn attempt(&self, request: &Request, session: &Arc<Session>, whole: bool) -> Result<Got, Failure> {
        let started = Instant::now();
        let what = format!("{} in {}", request.what, self.name());
        let host = session.instance.host();
        let builder = self.build(request, session).map_err(Failure::Never)?;
        let mut response = builder.send().await.map_err(|error| {
            let (wrong, unsent, why) = (error.is_builder(), error.is_connect(), reason(&error));
            let error = Error::Transport {
                attempted: what.clone(),
                host: host.clone(),
                source: error.without_url(),
            };
            match (wrong, unsent) {
                (true, _) => Failure::Never(error),
                (_, true) => Failure::NotSent(error),
                _ => Failure::Lost { error, why },
            }
        })?;
        let status = response.status().as_u16();
        let headers = std::mem::take(response.headers_mut());
        self.inner.limits.note(&headers);
        let request_id = ["x-sfdc-request-id", "x-request-id"]
            .iter()
            .find_map(|name| headers.get(*name));
        let request_id = request_id.and_then(|value| value.to_str().ok()).unwrap_or_default();
        let (method, ms) = (request.method.as_str(), started.elapsed().as_millis());
        tracing::debug!(method, status, request_id, ms, "{what}");

        let success = matches!(status, 200..=299 | 304) || request.accepted.contains(&status);
        if success && !whole && !is_html(&headers) {
            return Ok(Got::Open(Download {
                what,
                host,
                status,
                headers,
                response,
            }));
        }
        let body = response.bytes().await.map_err(|error| Failure::Lost {
            error: Error::Transport {
                attempted: what.clone(),
                host,
                source: error.without_url(),
            },
            why: "the answer broke off".to_owned(),
        })?;
        let retry_after = retry::retry_after(&headers);
        if success && is_html(&headers) {
            let title = match envelope::read(&body) {
                Envelope::Other { title } => title,
                _ => String::new(),
            };
            let error = Error::NotApi {
                attempted: what,
                status,
                title,
            };
            return Err(Failure::Answered { error, retry_after });
        }
        if success {
            let faults = envelope::faults_in_success(&body);
            if faults.is_empty() {
                return Ok(Got::Whole(Answer {
                    what,
                    status,
                    headers,
                    body,
                }));
            }
            let error = answered(what, status, faults);
            return Err(Failure::Answered { error, retry_after });
        }
        let error = match envelope::read(&body) {
            Envelope::Faults(faults) => answered(what, status, faults),
            Envelope::Login { error, description } => answered(what, status, vec![fault(error, description)]),
            Envelope::Other { title } if status == 401 => {
                answered(what, status, vec![fault("INVALID_SESSION_ID".to_owned(), title)])
            }
            Envelope::Other { title } => Error::NotApi {
                attempted: what,
                status,
                title,
            },
        };
        Err(Failure::Answered { error, retry_after })
    }

    fn build(&self, request: &Request, session: &Session) -> Result<reqwest::RequestBuilder> {
        let mut url = self.url(request, session)?;
        if !request.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&request.query);
        }
        let mut builder = self.inner.http.client().request(request.method.clone(), url);
        if !matches!(request.body, Body::Soap { .. }) {
            let bearer = format!("Bearer {}", session.token.expose());
            let mut bearer = HeaderValue::from_str(&bearer).map_err(|_| {
                Error::argument(format!(
                    "the access token of {} has characters that no token has",
                    self.name()
                ))
            })?;
            bearer.set_sensitive(true);
            builder = builder
                .header(AUTHORIZATION, bearer)
                .header("accept", "application/json, */*;q=0.5")
                .header("sforce-call-options", format!("client={CLIENT}"));
        }
        builder = builder.headers(request.headers.clone());
        Ok(match &request.body {
            Body::None => builder,
            Body::Bytes { content_type, data } => builder.header(CONTENT_TYPE, *content_type).body(data.clone()),
            Body::Multipart(form) => builder.multipart(form()),
            Body::Soap {
                namespace,
                headers,
                call,
                ..
            } => builder
                .header(CONTENT_TYPE, "text/xml; charset=utf-8")
                .header("soapaction", "\"\"")
                .body(soap::envelope(namespace, session.token.expose(), CLIENT, headers, call)),
        })
    }

    fn url(&self, request: &Request, session: &Session) -> Result<Url> {
        let path = &request.path;
        let url = if path.starts_with('/') {
            session.instance.at(path)
        } else {
            session
                .instance
                .at(&format!("/services/data/v{}/{path}", self.inner.api_version))
        };
        url.ok_or_else(|| Error::Internal {
            what: format!("{}: the path leads away from the org", request.what),
        })
    }

    fn no_session(&self, failure: Failure, request: &Request, session: &Session, renewed: bool) -> Error {
        if renewed && session.is_jwt() && request.soap_operation().is_some() {
            return Error::Configuration {
                what: format!(
                    "{} in {}: SOAP takes no access token in JWT form",
                    request.what,
                    self.name()
                ),
                hint: "turn off \"Issue JSON Web Token (JWT)-based access tokens\" in the app",
            };
        }
        if self.inner.renewal.renews() {
            return failure.into_error();
        }
        Error::SessionEnded {
            attempted: format!("{} in {}", request.what, self.name()),
        }
    }
}

impl Failure {
    fn into_error(self) -> Error {
        match self {
            Self::NotSent(error) | Self::Never(error) | Self::Lost { error, .. } | Self::Answered { error, .. } => {
                error
            }
        }
    }

    fn unknown(self, request: &Request) -> Error {
        let why = match self {
            Self::Lost { why, .. } => why,
            other => other.into_error().to_string(),
        };
        Error::UnknownOutcome {
            attempted: request.what.to_string(),
            why,
        }
    }
}

fn answered(attempted: String, status: u16, faults: Vec<Fault>) -> Error {
    Error::Answered {
        attempted,
        status,
        faults,
    }
}

fn fault(code: String, message: String) -> Fault {
    Fault {
        code,
        message,
        fields: Vec::new(),
    }
}

fn seen(error: &Error) -> Seen<'_> {
    match error {
        Error::Answered { status, faults, .. } => Seen::Faults {
            status: *status,
            faults,
        },
        other => Seen::Page {
            status: other.status().unwrap_or_default(),
        },
    }
}

fn session_ended(error: &Error) -> bool {
    let Error::Answered { status, faults, .. } = error else {
        return false;
    };
    let helpless = |fault: &Fault| NOT_RENEWABLE.iter().any(|text| fault.message.contains(text));
    (*status == 401 || error.has_fault("INVALID_SESSION_ID")) && !faults.iter().any(helpless)
}

fn is_html(headers: &reqwest::header::HeaderMap) -> bool {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    content_type.is_some_and(|text| text.trim_start().to_ascii_lowercase().starts_with("text/html"))
}
