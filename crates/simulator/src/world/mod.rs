//! A world: several orgs with one clock, one seed and names that are unique over all of them.

mod admin;
mod copies;
mod events;
mod names;
mod register;
mod restore;
mod seed;

pub use admin::Session;
pub use events::{Event, pending, schedule, settle};
pub use names::Kind as NameKind;
pub(crate) use register::Entry;
pub use restore::WorldError;

use crate::clock::Clock;
use crate::config::Config;
use crate::control::RequestLog;
use crate::error::ApiError;
use crate::faults::Faults;
use crate::ids;
use crate::org::{Org, OrgKind, Origin};
use crate::server::Tls;
use crate::switches::Switches;
use rusqlite::Connection;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};
use tokio::runtime::Handle;

/// All simulated orgs of one process.
#[derive(Debug)]
pub struct World {
    /// What it was made from.
    pub config: Config,
    /// What all orgs call now.
    pub clock: Clock,
    /// Folder of the databases; in memory when none.
    pub folder: Option<PathBuf>,
    /// The last requests.
    pub log: RequestLog,
    /// What goes wrong on purpose.
    pub faults: Faults,
    /// TLS, if the world serves it.
    pub(crate) tls: Option<Tls>,
    orgs: RwLock<Vec<Arc<Org>>>,
    switches: RwLock<Switches>,
    names: names::Names,
    register: register::Register,
    /// Databases of copies that are not activated yet, by org id, when the world is in memory.
    copies: Mutex<HashMap<String, Connection>>,
    runtime: OnceLock<Handle>,
}

impl World {
    /// A world without orgs yet. What its folder remembers of an earlier run is taken up.
    pub fn new(config: Config, folder: Option<PathBuf>) -> Result<Self, WorldError> {
        let register = restore::open(&config, folder.as_deref())?;
        let clock = restore::clock(&config, &register)?;
        let switches = restore::switches(&config, &register)?;
        let tls = restore::tls(&config, folder.as_deref())?;
        let faults = Faults::new(config.faults.clone(), config.seed);
        Ok(Self {
            config,
            clock,
            folder,
            log: RequestLog::default(),
            faults,
            tls,
            orgs: RwLock::default(),
            switches: RwLock::new(switches),
            names: names::Names::default(),
            register,
            copies: Mutex::default(),
            runtime: OnceLock::new(),
        })
    }

    /// Serves orgs that are made later on this runtime.
    pub(crate) fn serve_on(&self, runtime: Handle) {
        // A second runtime would be a second server of the same world; the first stays.
        let _ = self.runtime.set(runtime);
    }

    /// The runtime that serves the orgs.
    pub(crate) fn runtime(&self) -> Handle {
        self.runtime.get().cloned().unwrap_or_else(Handle::current)
    }

    /// The certificate of the authority behind the world's TLS, PEM, and the file it stands in.
    pub fn authority(&self) -> Option<(&str, Option<&std::path::Path>)> {
        self.tls.as_ref().map(|tls| (tls.ca.as_str(), tls.ca_file.as_deref()))
    }

    /// All orgs that can be reached.
    pub fn orgs(&self) -> Vec<Arc<Org>> {
        self.orgs.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The org of that short name.
    pub fn org(&self, name: &str) -> Option<Arc<Org>> {
        self.orgs().into_iter().find(|org| org.name == name)
    }

    /// The org that is reached at that origin (`http://127.0.0.1:8911`) now; none after its deletion.
    pub fn at(&self, origin: &str) -> Option<Arc<Org>> {
        self.orgs().into_iter().find(|org| org.origin.http == origin)
    }

    /// The switches in force.
    pub fn switches(&self) -> Switches {
        self.switches.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Puts other switches in force.
    pub fn set_switches(&self, switches: Switches) -> Result<(), ApiError> {
        let text = serde_json::to_string(&switches).unwrap_or_default();
        self.register.set("switches", &text)?;
        *self.switches.write().unwrap_or_else(PoisonError::into_inner) = switches;
        Ok(())
    }

    /// Remembers the clock, so that time does not go back when the world is opened again.
    pub fn keep_clock(&self) -> Result<(), ApiError> {
        match &self.folder {
            Some(_) => self.register.set("clock", &self.clock.state()),
            None => Ok(()),
        }
    }

    /// Whether another org than this has a user of that name. Usernames are unique over all orgs.
    pub fn username_taken(&self, username: &str, org: &str) -> bool {
        self.name_taken(NameKind::Username, username, org)
    }

    /// Whether another org than this has that name.
    pub fn name_taken(&self, kind: NameKind, name: &str, org: &str) -> bool {
        self.names.holder(kind, name).is_some_and(|holder| holder != org)
    }

    /// Whether this org has that name.
    pub(crate) fn holds_name(&self, kind: NameKind, name: &str, org: &str) -> bool {
        self.names.holder(kind, name).as_deref() == Some(org)
    }

    /// Gives an org a name; false when another org has it. Inside a call use `Call::claim_name`, which a rollback undoes.
    pub(crate) fn claim_name(&self, kind: NameKind, name: &str, org: &str) -> bool {
        self.names.claim(kind, name, org)
    }

    /// Takes a name from an org.
    pub(crate) fn release_name(&self, kind: NameKind, name: &str, org: &str) {
        self.names.release(kind, name, org);
    }

    /// Opens a new org, gives it what every org has, and adds it.
    pub fn add_org(&self, name: &str, kind: OrgKind, origin: Origin) -> Result<Arc<Org>, ApiError> {
        let (id, pod) = self.new_org_id()?;
        if self.org(name).is_some() || self.name_taken(NameKind::MyDomain, &domain(&kind, name), &id) {
            return Err(ApiError::new(
                "DUPLICATE_VALUE",
                format!("there is an org {name} in this world"),
            ));
        }
        let file = self.file_of(&id);
        let org = Arc::new(Org::open(id, name, kind, pod, origin, file.as_deref())?);
        seed::fill(self, &org)?;
        self.register.put(&Entry::of(&org))?;
        self.take_in(&org, None)?;
        Ok(org)
    }

    /// An id and an ordinal for one more org.
    pub(crate) fn new_org_id(&self) -> Result<(String, u32), ApiError> {
        let pod = self.register.next_pod()?;
        Ok((
            ids::make("00D", pod, self.config.seed % 62_000 * 62 + u64::from(pod)),
            pod,
        ))
    }

    /// The file of an org's database; none for a world in memory.
    pub(crate) fn file_of(&self, org_id: &str) -> Option<PathBuf> {
        let folder = self.folder.as_ref()?;
        Some(folder.join(format!("{}.sqlite", ids::short(org_id))))
    }

    /// Adds an org that is open, with its names; in the place of `old`, which loses its own.
    fn take_in(&self, org: &Arc<Org>, old: Option<&str>) -> Result<(), ApiError> {
        if let Some(old) = old {
            self.names.release_all(old);
        }
        self.names
            .claim(NameKind::MyDomain, &domain(&org.kind, &org.name), &org.id);
        let state = org.lock();
        let mut users = state.db.prepare("SELECT Username FROM User")?;
        for name in users.query_map([], |row| row.get::<_, String>(0))? {
            self.names.claim(NameKind::Username, &name?, &org.id);
        }
        drop(users);
        // A sandbox has the keys of its production, which holds them.
        if !org.kind.is_sandbox() {
            let mut apps = state.db.prepare("SELECT client_id FROM _app")?;
            for key in apps.query_map([], |row| row.get::<_, String>(0))? {
                self.names.claim(NameKind::ConsumerKey, &key?, &org.id);
            }
        }
        drop(state);
        let mut orgs = self.orgs.write().unwrap_or_else(PoisonError::into_inner);
        match orgs.iter().position(|each| Some(each.id.as_str()) == old) {
            Some(at) => orgs[at] = Arc::clone(org),
            None => orgs.push(Arc::clone(org)),
        }
        Ok(())
    }
}

/// The My Domain name: `acme`, `acme--uat`.
fn domain(kind: &OrgKind, name: &str) -> String {
    match kind {
        OrgKind::Sandbox { of, .. } => format!("{of}--{}", crate::org::sandbox_name(of, name)),
        _ => name.to_owned(),
    }
}
