//! Listens: one origin per org.

use crate::config::{Config, ConfigError};
use crate::error::ApiError;
use crate::http::{Reply, answer};
use crate::org::{Org, OrgKind, Origin};
use crate::world::World;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
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

/// A simulator that cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
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

/// Opens all orgs of a configuration and serves them on tasks of the present runtime.
pub async fn start(config: Config, folder: Option<PathBuf>) -> Result<Arc<World>, StartError> {
    let orgs = config.orgs.clone();
    let production = orgs
        .iter()
        .find(|org| org.kind == "production")
        .map(|org| org.name.clone());
    let world = Arc::new(World::new(config, folder)?);
    for org in orgs {
        let kind = match org.kind.as_str() {
            "production" => OrgKind::Production,
            "developer-edition" => OrgKind::DeveloperEdition,
            license => OrgKind::Sandbox {
                of: org.of.clone().or_else(|| production.clone()).unwrap_or_default(),
                license: license.to_uppercase(),
            },
        };
        open(&world, &org.name, kind).await?;
    }
    Ok(world)
}

/// Opens one more org and serves it.
pub async fn open(world: &Arc<World>, name: &str, kind: OrgKind) -> Result<Arc<Org>, StartError> {
    let offset = u16::try_from(world.orgs().len()).unwrap_or(u16::MAX);
    let port = if world.config.port == 0 {
        0
    } else {
        world.config.port.saturating_add(offset)
    };
    let address = format!("{}:{port}", world.config.address);
    let listener = listen(&address).map_err(|source| StartError::Listen {
        address: address.clone(),
        source,
    })?;
    let bound = listener
        .local_addr()
        .map_err(|source| StartError::Listen { address, source })?;
    let origin = Origin {
        http: format!("http://{bound}"),
        https: None,
    };
    let org = world.add_org(name, kind, origin).map_err(|source| StartError::Org {
        org: name.to_owned(),
        source,
    })?;
    let app = router(Arc::clone(world), Arc::clone(&org));
    tokio::spawn(async move {
        // Ends with the process.
        let _ = axum::serve(listener, app).await;
    });
    Ok(org)
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

fn router(world: Arc<World>, org: Arc<Org>) -> axum::Router {
    axum::Router::new().fallback(move |request: Request| {
        let (world, org) = (Arc::clone(&world), Arc::clone(&org));
        async move { serve(world, org, request).await }
    })
}

async fn serve(world: Arc<World>, org: Arc<Org>, request: Request) -> Response {
    let (head, body) = request.into_parts();
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
