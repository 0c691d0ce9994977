//! The ports of an org, and the connections on them.

use super::StartError;
use crate::error::ApiError;
use crate::faults::Fate;
use crate::http::{Delivery, Reply, SECURE, deliver};
use crate::org::Origin;
use crate::world::World;
use axum::body::{Body, HttpBody, to_bytes};
use axum::http::{HeaderValue, Request, Response, StatusCode};
use bytes::Bytes;
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpSocket};
use tokio::time::Sleep;

/// Connections that may wait to be accepted: some clients open 500 at once.
const BACKLOG: u32 = 1024;
/// Greatest request body: 150 MB of bulk data and the overhead of base64.
const BODY: usize = 256 * 1024 * 1024;
/// Ports that are tried for an org that is made while the world runs.
const TRIES: u16 = 500;
/// The port for TLS stands so far above the other.
const TLS_ABOVE: u16 = 100;

/// Ports that are ours and not served yet.
pub(crate) struct Door {
    /// The origin they will serve.
    pub(crate) origin: Origin,
    listener: TcpListener,
    secure: Option<TcpListener>,
}

impl Door {
    /// Takes a port, and one for TLS if the world serves it; 0: any.
    pub(super) fn bind(world: &World, port: u16, tls_port: Option<u16>) -> Result<Self, StartError> {
        let _runtime = world.runtime().enter();
        let address = &world.config.address;
        let (listener, bound) = listen(address, port)?;
        let secure = match &world.tls {
            Some(_) => Some(listen(
                address,
                tls_port.unwrap_or(if port == 0 { 0 } else { port.saturating_add(TLS_ABOVE) }),
            )?),
            None => None,
        };
        Ok(Self {
            origin: Origin {
                http: format!("http://{bound}"),
                // The certificate is for this name too, and clients know it.
                https: secure
                    .as_ref()
                    .map(|(_, bound)| format!("https://localhost:{}", bound.port())),
            },
            listener,
            secure: secure.map(|(listener, _)| listener),
        })
    }

    /// Takes free ports for an org that is made while the world runs.
    pub(crate) fn free(world: &World) -> Result<Self, ApiError> {
        let base = world.config.port;
        let mut ports = if base == 0 {
            0..=0
        } else {
            base..=base.saturating_add(TRIES)
        };
        ports
            .find_map(|port| Self::bind(world, port, None).ok())
            .ok_or_else(|| {
                ApiError::new(
                    "UNKNOWN_EXCEPTION",
                    format!("no free port from {base} on for one more org"),
                )
                .status(500)
            })
    }

    /// Serves from now on whichever org is at this origin.
    pub(crate) fn open(self, world: &Arc<World>) {
        let at: Arc<str> = self.origin.http.as_str().into();
        let runtime = world.runtime();
        runtime.spawn(accept(Arc::clone(world), Arc::clone(&at), self.listener, false));
        if let Some(listener) = self.secure {
            runtime.spawn(accept(Arc::clone(world), at, listener, true));
        }
    }
}

fn listen(address: &str, port: u16) -> Result<(TcpListener, SocketAddr), StartError> {
    let address = format!("{address}:{port}");
    let fail = |source| StartError::Listen {
        address: address.clone(),
        source,
    };
    let parsed: SocketAddr = address.parse().map_err(|_| {
        let problem = "no address of the form 127.0.0.1:8911";
        fail(std::io::Error::new(std::io::ErrorKind::InvalidInput, problem))
    })?;
    let socket = match parsed.is_ipv4() {
        true => TcpSocket::new_v4(),
        false => TcpSocket::new_v6(),
    };
    let listener = socket
        .and_then(|socket| {
            socket.set_reuseaddr(true)?;
            socket.bind(parsed)?;
            socket.listen(BACKLOG)
        })
        .map_err(fail)?;
    let bound = listener.local_addr().map_err(fail)?;
    Ok((listener, bound))
}

/// Takes connections until the process ends.
async fn accept(world: Arc<World>, at: Arc<str>, listener: TcpListener, secure: bool) {
    loop {
        let Ok((stream, peer)) = listener.accept().await else {
            // Too many open files, or a client that is gone already: the next may do better.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let (world, at) = (Arc::clone(&world), Arc::clone(&at));
        tokio::spawn(async move {
            // Without this small answers wait for the client's acknowledgement.
            let _ = stream.set_nodelay(true);
            match world.tls.clone().filter(|_| secure) {
                Some(tls) => {
                    if let Ok(stream) = tls.acceptor.accept(stream).await {
                        converse(world, at, peer, stream, true).await;
                    }
                }
                None => converse(world, at, peer, stream, false).await,
            }
        });
    }
}

async fn converse(
    world: Arc<World>,
    at: Arc<str>,
    peer: SocketAddr,
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    secure: bool,
) {
    let service = service_fn(move |request| serve(Arc::clone(&world), Arc::clone(&at), peer, secure, request));
    // How a connection ends is the client's business, or that of a fault.
    let _ = hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

/// An answer that is lost on purpose.
#[derive(Debug, thiserror::Error)]
#[error("the answer was lost on purpose")]
struct Lost;

async fn serve(
    world: Arc<World>,
    at: Arc<str>,
    peer: SocketAddr,
    secure: bool,
    request: Request<Incoming>,
) -> Result<Response<Body>, Lost> {
    let Some(org) = world.at(&at) else {
        return Ok(respond(Reply::gone(), None));
    };
    let (mut head, body) = request.into_parts();
    head.headers.remove(SECURE);
    if secure {
        head.headers.insert(SECURE, HeaderValue::from_static("1"));
    }
    if head.uri.path().starts_with("/_simulator") && !peer.ip().is_loopback() {
        let reply = Reply::text(403, "text/plain", "only this machine may control the simulator");
        return Ok(respond(reply, None));
    }
    let Ok(body) = to_bytes(Body::new(body), BODY).await else {
        let reply = Reply::text(413, "text/plain", "request body too large or cut off");
        return Ok(respond(reply, None));
    };
    let delivery = tokio::task::spawn_blocking(move || {
        let query = head.uri.query().unwrap_or_default().to_owned();
        deliver(&world, &org, head.method, head.uri.path(), &query, head.headers, body)
    })
    .await
    .unwrap_or_else(|error| Delivery {
        reply: Reply::text(500, "text/plain", format!("the simulator failed: {error}")),
        delay: 0,
        fate: None,
    });
    if delivery.delay > 0 {
        tokio::time::sleep(Duration::from_millis(delivery.delay)).await;
    }
    match delivery.fate {
        Some(Fate::Lost) => Err(Lost),
        fate => Ok(respond(delivery.reply, fate)),
    }
}

fn respond(reply: Reply, fate: Option<Fate>) -> Response<Body> {
    let mut response = Response::builder().status(reply.status);
    for (name, value) in reply.headers {
        response = response.header(name, value);
    }
    let body = match fate {
        Some(Fate::Cut) => {
            response = response.header("Content-Length", reply.body.len());
            Body::new(Cut::new(&reply.body))
        }
        _ => Body::from(reply.body),
    };
    response.body(body).unwrap_or_else(|_| {
        let mut failed = Response::new(Body::empty());
        *failed.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        failed
    })
}

/// The first half of a body, then the end of the connection.
struct Cut {
    half: Option<Bytes>,
    /// Lets the half be sent before the connection ends.
    pause: Pin<Box<Sleep>>,
}

impl Cut {
    fn new(body: &Bytes) -> Self {
        Self {
            half: Some(body.slice(..body.len() / 2)),
            pause: Box::pin(tokio::time::sleep(Duration::from_millis(50))),
        }
    }
}

impl HttpBody for Cut {
    type Data = Bytes;
    type Error = Lost;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Lost>>> {
        if let Some(half) = self.half.take() {
            return Poll::Ready(Some(Ok(Frame::data(half))));
        }
        self.pause.as_mut().poll(context).map(|()| Some(Err(Lost)))
    }
}
