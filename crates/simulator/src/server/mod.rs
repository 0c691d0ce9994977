//! Listens: one origin per org.

mod door;
mod tls;

pub(crate) use door::Door;
pub(crate) use tls::{Tls, open as open_tls};

use crate::config::Config;
use crate::error::ApiError;
use crate::generate::generate;
use crate::org::{Org, OrgKind};
use crate::sandbox;
use crate::world::{World, WorldError};
use std::path::PathBuf;
use std::sync::Arc;

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
        let door = Door::bind(&world, entry.port, entry.tls_port)?;
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
        let door = Door::bind(&world, if base == 0 { 0 } else { base.saturating_add(at) }, None)?;
        let made = world.add_org(&org.name, kind, door.origin.clone());
        made.and_then(|made| sandbox::seed::org(&world, &made))
            .map_err(failed(&org.name))?;
        door.open(&world);
    }
    for wanted in &world.config.generate {
        let unknown = || {
            ApiError::new(
                "INVALID_INPUT",
                "[[generate]] names an org that the world does not have",
            )
        };
        let org = world
            .org(&wanted.org)
            .ok_or_else(unknown)
            .map_err(failed(&wanted.org))?;
        generate(&world, &org, wanted.components, wanted.records, world.config.seed).map_err(failed(&wanted.org))?;
    }
    world.set_made().map_err(failed("of the world"))?;
    Ok(world)
}

/// Opens one more org at a free port and serves it.
pub fn open(world: &Arc<World>, name: &str, kind: OrgKind) -> Result<Arc<Org>, ApiError> {
    let door = Door::free(world)?;
    let org = world.add_org(name, kind, door.origin.clone())?;
    sandbox::seed::org(world, &org)?;
    door.open(world);
    Ok(org)
}
