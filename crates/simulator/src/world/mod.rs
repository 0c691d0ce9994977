//! A world: several orgs with one clock, one seed and names that are unique over all of them.

mod admin;
mod events;
mod seed;

pub use admin::Session;
pub use events::{Event, schedule, settle};

use crate::clock::Clock;
use crate::config::Config;
use crate::error::ApiError;
use crate::ids;
use crate::org::{Org, OrgKind, Origin};
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};

/// All simulated orgs of one process.
#[derive(Debug)]
pub struct World {
    /// What it was made from.
    pub config: Config,
    /// What all orgs call now.
    pub clock: Clock,
    /// Folder of the databases; in memory when none.
    pub folder: Option<PathBuf>,
    orgs: RwLock<Vec<Arc<Org>>>,
}

impl World {
    /// A world without orgs yet.
    pub fn new(config: Config, folder: Option<PathBuf>) -> Result<Self, crate::config::ConfigError> {
        let clock = Clock::new(config.pace()?, config.start);
        Ok(Self {
            config,
            clock,
            folder,
            orgs: RwLock::default(),
        })
    }

    /// All orgs.
    pub fn orgs(&self) -> Vec<Arc<Org>> {
        self.orgs.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The org of that short name.
    pub fn org(&self, name: &str) -> Option<Arc<Org>> {
        self.orgs().into_iter().find(|org| org.name == name)
    }

    /// Opens a new org, gives it what every org has, and adds it.
    pub fn add_org(&self, name: &str, kind: OrgKind, origin: Origin) -> Result<Arc<Org>, ApiError> {
        let pod = u32::try_from(self.orgs().len()).unwrap_or(u32::MAX) + 1;
        let id = ids::make("00D", pod, self.config.seed % 62_000 * 62 + u64::from(pod));
        let file = self
            .folder
            .as_ref()
            .map(|folder| folder.join(format!("{}.sqlite", ids::short(&id))));
        let org = Arc::new(Org::open(id, name, kind, pod, origin, file.as_deref())?);
        seed::fill(self, &org)?;
        self.orgs
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .push(Arc::clone(&org));
        Ok(org)
    }
}
