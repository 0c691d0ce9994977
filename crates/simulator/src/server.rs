//! Listens: one origin per org.

use crate::config::Config;
use crate::error::ApiError;
use crate::http::{Reply, SECURE, answer};
use crate::org::{Org, OrgKind, Origin};
use crate::sandbox;
use crate::world::{World, WorldError};
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Request};
use axum::http::StatusCode;
use axum::response::Response;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::net::{TcpListener, TcpSocket};

/// Connections that may wait to be accepted: some clients open 500 at once.
const BACKLOG: u32 = 1024;
/// Greatest request body: 150 MB of bulk data and the overhead of base64.
const BODY: usize = 256 * 1024 * 1024;
/// Ports that are tried for an org that is made while the world runs.
const TRIES: u16 = 500;

/// A simulator that cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The world cannot be made or found again.
    #[error(transparent)]
    World(#[from] WorldError),
    /// A port cannot be had.
    #[error("cannot listen on {address}")]
    Listen {
        /// Address and port.
        address: String,
        /// Why.
        source: std::io::Error,
    },
    /// An org's database cannot be opened.
    #[error("cannot open the org {org}: {source}")]
    Org {
        /// Its name.
        org: String,
        /// Why.
        source: ApiError,
    },
}

/// Opens all orgs of a configuration and serves them on tasks of the present runtime. In a folder that holds a world
/// already, that world is served with the orgs it had.
pub async fn start(config: Config, folder: Option<PathBuf>) -> Result<Arc<World>, StartError> {
    let orgs = config.orgs.clone();
    let production = orgs
        .iter()
        .find(|org| org.kind == "production")
        .map(|org| org.name.clone());
    let world = Arc::new(World::new(config, folder)?);
    world.serve_on(tokio::runtime::Handle::current());
    let failed = |org: &str| {
        let org = org.to_owned();
        move |source| StartError::Org { org, source }
    };
    let kept = world.kept_orgs().map_err(failed("of the world"))?;
    for entry in &kept {
        let door = Door::bind(&world, entry.port)?;
        world.reopen(entry, door.origin.clone()).map_err(failed(&entry.name))?;
        door.open(&world);
    }
    if world.is_made().map_err(failed("of the world"))? {
        return Ok(world);
    }
    for (at, org) in (0..).zip(orgs) {
        if world.org(&org.name).is_some() {
            continue;
        }
        let kind = match org.kind.as_str() {
            "production" => OrgKind::Production,
            "developer-edition" => OrgKind::DeveloperEdition,
            license => OrgKind::Sandbox {
                of: org.of.clone().or_else(|| production.clone()).unwrap_or_default(),
                license: license.to_uppercase(),
            },
        };
        let base = world.config.port;
        let door = Door::bind(&world, if base == 0 { 0 } else { base.saturating_add(at) })?;
        let made = world.add_org(&org.name, kind, door.origin.clone());
        made.and_then(|made| sandbox::seed::org(&world, &made))
            .map_err(failed(&org.name))?;
        door.open(&world);
    }
    world.set_made().map_err(failed("of the world"))?;
    Ok(world)
}

/// A port that is ours and not served yet.
pub(crate) struct Door {
    /// The origin it will serve.
    pub(crate) origin: Origin,
    listener: TcpListener,
}

impl Door {
    /// Takes a port; 0: any.
    fn bind(world: &World, port: u16) -> Result<Self, StartError> {
        let address = format!("{}:{port}", world.config.address);
        let fail = |source| StartError::Listen {
            address: address.clone(),
            source,
        };
        let _runtime = world.runtime().enter();
        let listener = listen(&address).map_err(fail)?;
        let bound = listener.local_addr().map_err(fail)?;
        Ok(Self {
            origin: Origin {
                http: format!("http://{bound}"),
                https: None,
            },
            listener,
        })
    }

    /// Takes a free port for an org that is made while the world runs.
    pub(crate) fn free(world: &World) -> Result<Self, ApiError> {
        let base = world.config.port;
        let ports: Vec<u16> = if base == 0 {
            vec![0]
        } else {
            (base..base.saturating_add(TRIES)).collect()
        };
        ports
            .into_iter()
            .find_map(|port| Self::bind(world, port).ok())
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
        let (at, world) = (self.origin.http, Arc::clone(world));
        let runtime = world.runtime();
        let app = axum::Router::new().fallback(move |peer: ConnectInfo<SocketAddr>, request: Request| {
            let (world, at) = (Arc::clone(&world), at.clone());
            async move { serve(world, &at, peer.0, request).await }
        });
        runtime.spawn(async move {
            // Ends with the process.
            let _ = axum::serve(self.listener, app.into_make_service_with_connect_info::<SocketAddr>()).await;
        });
    }
}

fn listen(address: &str) -> std::io::Result<TcpListener> {
    let address: SocketAddr = address.parse().map_err(|_| {
        std::io::Error::new(
            std::io::ErrorKind::InvalidInput,
            "no address of the form 127.0.0.1:8911",
        )
    })?;
    let socket = if address.is_ipv4() {
        TcpSocket::new_v4()?
    } else {
        TcpSocket::new_v6()?
    };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

async fn serve(world: Arc<World>, at: &str, peer: SocketAddr, request: Request) -> Response {
    let Some(org) = world.at(at) else {
        return respond(Reply::gone());
    };
    let (mut head, body) = request.into_parts();
    head.headers.remove(SECURE);
    if head.uri.path().starts_with("/_simulator") && !peer.ip().is_loopback() {
        return respond(Reply::text(
            403,
            "text/plain",
            "only this machine may control the simulator",
        ));
    }
    let body = match to_bytes(body, BODY).await {
        Ok(body) => body,
        Err(_) => return respond(Reply::text(413, "text/plain", "request body too large or cut off")),
    };
    let reply = tokio::task::spawn_blocking(move || {
        let query = head.uri.query().unwrap_or_default().to_owned();
        answer(&world, &org, head.method, head.uri.path(), &query, head.headers, body)
    })
    .await
    .unwrap_or_else(|error| Reply::text(500, "text/plain", format!("the simulator failed: {error}")));
    respond(reply)
}

fn respond(reply: Reply) -> Response {
    let mut response = Response::builder().status(reply.status);
    for (name, value) in reply.headers {
        response = response.header(name, value);
    }
    response.body(Body::from(reply.body)).unwrap_or_else(|_| {
        let mut failed = Response::new(Body::empty());
        *failed.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        failed
    })
}

/// Opens one more org at a free port and serves it.
pub fn open(world: &Arc<World>, name: &str, kind: OrgKind) -> Result<Arc<Org>, ApiError> {
    let door = Door::free(world)?;
    let org = world.add_org(name, kind, door.origin.clone())?;
    sandbox::seed::org(world, &org)?;
    door.open(world);
    Ok(org)
}
