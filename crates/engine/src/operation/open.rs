//! The runtime of a repository, and a worker inside a command.

use std::sync::Arc;
use std::time::Duration;

use syncline_domain::operation::State;
use syncline_git::Repository;
use syncline_salesforce::Clock;
use syncline_store::{Filter, Operation, Store, StoreError};

use super::{KINDS, Runtime};
use crate::command::Allowed;
use crate::deployment::Limits;
use crate::org::login::Orgs;
use crate::worker::{self, Options, Stop, Until};

/// Operations that a command runs at once.
const SLOTS: usize = 4;
const LEASE: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(200);
/// How long a command waits for what becomes due by itself: another try, not a freeze or a soak time.
const PATIENCE: Duration = Duration::from_secs(120);

/// Where the operations of a repository are kept when nobody says otherwise: beside git's own files, shared by all working trees.
pub fn database(repository: &Repository) -> std::path::PathBuf {
    repository.common_dir().join("syncline").join("syncline.db")
}

/// Opens the database and what operations work with. `SYNCLINE_ALLOW_COMMANDS` lists the programs that may run. `url` is that of another database.
pub async fn open(repository: &Repository, orgs: Orgs, url: Option<String>) -> Result<Runtime, StoreError> {
    let url = url.unwrap_or_else(|| format!("sqlite:{}", database(repository).display()));
    Ok(Runtime {
        store: Store::open(&url).await?,
        repository: repository.worktree().unwrap_or(repository.git_dir()).to_owned(),
        orgs,
        clock: Clock::system(),
        commands: Allowed::from_environment(),
        limits: Limits::default(),
        kinds: KINDS,
    })
}

/// The name of a worker in this process: host and process, so that people find it and two machines never share one.
pub fn worker_name() -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let host = host.or_else(|| std::env::var("HOSTNAME").ok());
    let host = host.as_deref().map_or("worker", str::trim);
    format!("{host} {}", std::process::id())
}

/// Runs a worker for these operations until each waits for a person or a time, or has ended, and gives them as they are then.
pub async fn finish(runtime: &Arc<Runtime>, ids: &[String], stop: &Stop) -> Result<Vec<Operation>, StoreError> {
    let options = Options {
        name: worker_name(),
        slots: SLOTS,
        lease: LEASE,
        poll: POLL,
        only: ids.to_vec(),
        until: Until::Idle { patience: PATIENCE },
    };
    loop {
        if !ids.is_empty() {
            worker::run(runtime, &options, stop).await?;
        }
        let mut found = Vec::new();
        for id in ids {
            found.push(runtime.store.operation(id).await?);
        }
        if stop.is_requested() || !is_next(runtime, &found).await? {
            return Ok(found);
        }
        runtime.clock.sleep(POLL).await;
    }
}

/// Whether one of the operations is queued behind another with the same org that somebody works on now.
async fn is_next(runtime: &Runtime, found: &[Operation]) -> Result<bool, StoreError> {
    let keys: Vec<_> = found
        .iter()
        .filter(|one| one.state == State::Queued)
        .filter_map(|one| one.exclusive_key.as_ref())
        .collect();
    if keys.is_empty() {
        return Ok(false);
    }
    let open = Filter {
        open: true,
        ..Filter::default()
    };
    let now = runtime.now();
    let others = runtime.store.operations(&open).await?;
    Ok(others.iter().any(|other| {
        let works = other.state == State::Running && other.lease_until.is_some_and(|until| until > now);
        works && other.exclusive_key.as_ref().is_some_and(|key| keys.contains(&key))
    }))
}
