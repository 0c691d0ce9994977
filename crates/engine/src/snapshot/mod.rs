//! Snapshots of environments: their orgs as they are now, several at once.

mod common;

use std::collections::BTreeMap;
use std::thread;

use serde::Serialize;
use syncline_domain::config::Environment;
use syncline_domain::policy::{Action, Actor};
use syncline_git::{CommitTime, Oid, Repository, RepositoryHandle, Signature};
use syncline_salesforce::Connection;
use tokio::runtime::Handle;

pub(crate) use common::{agreed, brought, remember};

use crate::environment::{EnvironmentError, network, org_of, sealer_of, select, tip};
use crate::org::login::Orgs;
use crate::org::retrieve::{self, Scope, Snapshot};
use crate::org::seal::Sealer;
use crate::permission::ask;
use crate::scope;
use crate::wire;
use crate::{back_promote, config};

/// What is to be taken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// The environments; none: all that have an org.
    pub environments: Vec<String>,
    /// Retrieve everything anew.
    pub full: bool,
    /// The environments lead to new orgs, as after a refresh.
    pub new_org: bool,
}

/// The snapshot of one environment.
#[derive(Debug)]
pub struct Taken {
    /// The environment.
    pub environment: String,
    /// What became of it.
    pub result: Result<Snapshotted, EnvironmentError>,
}

/// A snapshot that was taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Snapshotted {
    /// Its commit.
    #[serde(with = "wire::shown")]
    pub commit: Oid,
    /// Its tree.
    #[serde(with = "wire::shown")]
    pub tree: Oid,
    /// Whether it differs from the one before.
    pub changed: bool,
    /// Components retrieved.
    pub retrieved: usize,
    /// Components that have not changed since.
    pub unchanged: usize,
    /// Components that are gone from the org.
    pub gone: Vec<String>,
    /// What the org says of components that it cannot give.
    pub messages: Vec<String>,
    /// Types that could not be listed, and why: nothing is known about them.
    pub not_listed: BTreeMap<String, String>,
    /// Files that were left out, and why.
    pub left_out: Vec<(String, String)>,
}

/// Told an environment, retrieves done and in all.
pub type Progress<'a> = &'a (dyn Fn(&str, usize, usize) + Sync);

/// Takes a snapshot of each environment, all orgs at once. One that fails does not stop the others.
///
/// # Errors
/// What concerns all: a wrong configuration, an unknown name, no identity for commits.
pub fn snapshots(
    repository: &Repository,
    orgs: &Orgs,
    request: &Request,
    actor: &Actor,
    now: CommitTime,
    progress: Progress<'_>,
) -> Result<Vec<Taken>, EnvironmentError> {
    let config = config::read(repository)?;
    let environments = select(&config, &request.environments)?;
    for environment in &environments {
        ask(actor, Action::Snapshot, Some(environment))?;
    }
    if environments.is_empty() {
        return Err(EnvironmentError::Argument {
            what: "no environment in syncline.toml has an org".to_owned(),
            hint: "name the login of its org in syncline.toml, as in `org = \"uat\"`".to_owned(),
        });
    }
    let author = back_promote::signature(repository.committer()?, now);
    let network = network()?;
    let one = |environment: &Environment, handle: RepositoryHandle| -> Result<Snapshotted, EnvironmentError> {
        let repository = handle.open()?;
        take(
            &repository,
            network.handle(),
            orgs,
            environment,
            request,
            &author,
            &|done, total| {
                progress(&environment.name, done, total);
            },
        )
    };
    let results = thread::scope(|scope| {
        let running: Vec<_> = environments
            .iter()
            .map(|environment| {
                let handle = repository.handle();
                let one = &one;
                scope.spawn(move || one(environment, handle))
            })
            .collect();
        let ended = running
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        ended.collect::<Vec<_>>()
    });
    let names = environments.iter().map(|environment| environment.name.clone());
    Ok(names
        .zip(results)
        .map(|(environment, result)| Taken { environment, result })
        .collect())
}

/// Takes the snapshot of one environment by its login.
pub(crate) fn take(
    repository: &Repository,
    network: &Handle,
    orgs: &Orgs,
    environment: &Environment,
    request: &Request,
    author: &Signature,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<Snapshotted, EnvironmentError> {
    let login = org_of(environment)?;
    let sealer = sealer_of(&orgs.vault, repository, environment)?;
    network.block_on(async {
        let connection = orgs.connect(login).await?;
        let place = Place {
            repository,
            environment,
            sealer: &sealer,
            author,
        };
        take_over(&connection, place, request, &mut |done, total| progress(done, total)).await
    })
}

/// Where a snapshot goes.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    /// Where it is kept.
    pub(crate) repository: &'a Repository,
    /// The environment.
    pub(crate) environment: &'a Environment,
    /// Seals secrets before they are written.
    pub(crate) sealer: &'a Sealer,
    /// Who takes it, and when.
    pub(crate) author: &'a Signature,
}

/// Takes the snapshot of an environment over a connection to its org, and settles what branch and org have in common. Nothing else
/// takes the snapshot of an environment.
pub(crate) async fn take_over(
    connection: &Connection,
    place: Place<'_>,
    request: &Request,
    progress: retrieve::Progress<'_>,
) -> Result<Snapshotted, EnvironmentError> {
    let Place {
        repository,
        environment,
        sealer,
        author,
    } = place;
    let branch = tip(repository, environment)?;
    let wanted = Snapshot {
        repository,
        name: &environment.name,
        branch,
        scope: Scope::managed(scope::read(repository)?),
        since_last: !request.full,
        new_org: request.new_org,
        sealer,
        author: author.clone(),
    };
    let taken = retrieve::snapshot(connection, wanted, progress).await?;
    if let Some(branch) = branch {
        remember(repository, environment, branch, taken.commit, author)?;
    }
    Ok(Snapshotted {
        commit: taken.commit,
        tree: taken.tree,
        changed: taken.changed,
        retrieved: taken.retrieved,
        unchanged: taken.unchanged,
        gone: taken.gone,
        messages: taken.messages.into_iter().map(|message| message.problem).collect(),
        not_listed: taken.refused,
        left_out: taken.left,
    })
}
