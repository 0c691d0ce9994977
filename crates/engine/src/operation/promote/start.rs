//! Operations begun: one for each target.

use syncline_domain::operation::State;
use syncline_domain::pipeline::WayError;
use syncline_domain::policy::{Action, Actor};
use syncline_git::Repository;
use syncline_store::{Filter, NewOperation, Operation, Store, StoreError};

use super::data::{Direction, Kept, Params, Undo};
use crate::back_promote::Selection;
use crate::config::{self, Config, ReadConfigError};
use crate::environment::EnvironmentError;
use crate::operation::{OperationError, Runtime, short, start};
use crate::org::OrgError;
use crate::permission::{Refusal, ask, environment_of};
use crate::state::{self, Source, StateError};
use crate::work;

/// What is to be brought where.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// The source: an environment, a branch or any revision.
    pub from: String,
    /// The target: an environment with an org.
    pub to: String,
    /// Only these components and elements.
    pub selection: Selection,
    /// Up or down.
    pub direction: Direction,
    /// Why the path is left, if it is.
    pub bypass: Option<String>,
}

/// An operation cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ReadConfigError),
    /// The policy does not allow it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The source cannot be found.
    #[error(transparent)]
    State(#[from] StateError),
    /// The work items cannot be read.
    #[error(transparent)]
    Work(#[from] Box<EnvironmentError>),
    /// No way leads there.
    #[error(transparent)]
    Way(#[from] WayError),
    /// The target has no org.
    #[error("`{0}` has no `org` in syncline.toml, so nothing can be deployed to it")]
    NoOrg(String),
    /// The login.
    #[error(transparent)]
    Org(#[from] OrgError),
    /// The environment, or what differs in it.
    #[error(transparent)]
    Environment(#[from] EnvironmentError),
    /// A bypass without a reason.
    #[error("a bypass of the path needs a reason; give one with `--reason TEXT`")]
    NoReason,
    /// What is to be undone was not deployed.
    #[error("the operation {operation} deployed nothing that could be rolled back: it is {state}")]
    NothingToUndo {
        /// The operation.
        operation: String,
        /// Where it stands.
        state: State,
    },
    /// It was undone already, or is being.
    #[error("the operation {operation} is rolled back by {by} already")]
    Undone {
        /// The operation.
        operation: String,
        /// The rollback.
        by: String,
    },
    /// The operation cannot be kept or read.
    #[error(transparent)]
    Operation(#[from] OperationError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What an operation keeps cannot be read.
    #[error("what the operation keeps is not of the form that this program writes")]
    Kept(#[from] serde_json::Error),
}

/// Begins to bring changes to one target; a worker does the work. What was asked for before and has not ended goes on instead.
pub async fn promote(
    runtime: &Runtime,
    repository: &Repository,
    wanted: &Wanted,
    actor: &Actor,
) -> Result<Operation, StartError> {
    bring(runtime, repository, wanted, None, actor).await
}

/// What begins an operation by itself.
pub(crate) struct Once {
    /// Its name: the operation begins once for each.
    pub(crate) event: String,
    /// The source, where it is not what the name in [`Wanted`] stands for now.
    pub(crate) source: Option<Source>,
}

/// The same as [`promote`], once for an event.
pub(crate) async fn promote_once(
    runtime: &Runtime,
    repository: &Repository,
    wanted: &Wanted,
    once: Once,
    actor: &Actor,
) -> Result<Operation, StartError> {
    bring(runtime, repository, wanted, Some(once), actor).await
}

async fn bring(
    runtime: &Runtime,
    repository: &Repository,
    wanted: &Wanted,
    once: Option<Once>,
    actor: &Actor,
) -> Result<Operation, StartError> {
    let config = config::read(repository)?;
    let (event, source) = once.map_or((None, None), |once| (Some(once.event), once.source));
    let source = match source {
        Some(source) => source,
        None => state::source(repository, &config, &wanted.from)?,
    };
    let Some(target) = config.environment(&wanted.to) else {
        return Err(WayError::Unknown {
            name: wanted.to.clone(),
            known: config
                .environments()
                .iter()
                .map(|one| one.name.as_str())
                .collect::<Vec<_>>()
                .join(", "),
        }
        .into());
    };
    let action = match wanted.direction {
        Direction::Up => Action::Promote,
        _ => Action::BackPromote,
    };
    ask(actor, action, Some(target))?;
    if wanted.bypass.is_some() {
        ask(actor, Action::Bypass, Some(target))?;
    }
    if wanted.bypass.as_ref().is_some_and(|reason| reason.trim().is_empty()) {
        return Err(StartError::NoReason);
    }
    let made_in = made_in(repository, &config, &source)?;
    let way = config.way(made_in.as_deref().unwrap_or(&source.name), &target.name);
    if wanted.direction == Direction::Up && wanted.bypass.is_none() {
        way.as_ref().map_err(Clone::clone)?;
    }
    // Where nothing is selected, the way says what goes along it.
    let selection = match &way {
        Ok(way) if wanted.selection.is_all() => Selection {
            components: way.select.clone(),
            ..Selection::default()
        },
        _ => wanted.selection.clone(),
    };
    let params = Params {
        from: source.name,
        to: target.name.clone(),
        made_in,
        commit: source.commit.to_string(),
        branch: source.branch,
        direction: wanted.direction,
        selection,
        bypass: wanted.bypass.clone(),
        undo: None,
        revert: None,
    };
    begin(
        runtime,
        "promote",
        &params,
        target.org.as_deref(),
        event.as_deref(),
        actor,
    )
    .await
}

/// The environment in which a work item was made, if the source is one.
fn made_in(repository: &Repository, config: &Config, source: &Source) -> Result<Option<String>, StartError> {
    let Some(branch) = source
        .branch
        .as_ref()
        .filter(|_| config.environment(&source.name).is_none())
    else {
        return Ok(None);
    };
    let changes = work::changes(repository, config).map_err(Box::new)?;
    let change = changes.into_iter().find(|change| change.branch == *branch);
    Ok(change.and_then(|change| change.environment))
}

/// Begins to undo what an operation deployed: a merge of the state before it into what the org has now.
pub async fn rollback(
    runtime: &Runtime,
    repository: &Repository,
    operation: &str,
    actor: &Actor,
) -> Result<Operation, StartError> {
    let done = runtime.store.find_operation(operation).await?;
    ask(actor, Action::Rollback, Some(&environment_of(runtime, &done)))?;
    let kept: Kept = serde_json::from_value(done.data.clone())?;
    let nothing = || StartError::NothingToUndo {
        operation: done.id.clone(),
        state: done.state,
    };
    let (Some(snapshot), Some(result)) = (&kept.snapshot, &kept.result) else {
        return Err(nothing());
    };
    if kept.deployed.is_empty() || !done.state.is_terminal() {
        return Err(nothing());
    }
    let before: Params = serde_json::from_value(done.params.clone())?;
    let filter = Filter {
        kind: Some("rollback".to_owned()),
        ..Filter::default()
    };
    for other in runtime.store.operations(&filter).await? {
        let theirs: Params = serde_json::from_value(other.params.clone())?;
        let same = theirs.undo.is_some_and(|undo| undo.operation == done.id);
        if same && (!other.state.is_terminal() || other.state == State::Succeeded) {
            return Err(StartError::Undone {
                operation: done.id,
                by: other.id,
            });
        }
    }
    let branch = match (&kept.branch_tip, &kept.branch_commit) {
        (Some(tip), Some(commit)) if tip != commit => Some((tip.clone(), commit.clone())),
        _ => None,
    };
    let config = config::read(repository)?;
    let target = config.environment(&before.to);
    let params = Params {
        from: format!("{} before {}", before.to, short(&done.id)),
        to: before.to.clone(),
        made_in: None,
        commit: snapshot.clone(),
        branch: None,
        direction: Direction::Back,
        selection: Selection::default(),
        bypass: None,
        undo: Some(Undo {
            operation: done.id.clone(),
            org: result.clone(),
            branch,
            base: kept.shared,
        }),
        revert: None,
    };
    begin(
        runtime,
        "rollback",
        &params,
        target.and_then(|target| target.org.as_deref()),
        None,
        actor,
    )
    .await
}

pub(super) async fn begin(
    runtime: &Runtime,
    kind: &str,
    params: &Params,
    login: Option<&str>,
    event: Option<&str>,
    actor: &Actor,
) -> Result<Operation, StartError> {
    let to = params.to.clone();
    let login = login.ok_or_else(|| StartError::NoOrg(to.clone()))?;
    let params = serde_json::to_value(params)?;
    // The same is under way already: then that goes on.
    let open = Filter {
        kind: Some(kind.to_owned()),
        open: true,
        ..Filter::default()
    };
    let same = runtime
        .store
        .operations(&open)
        .await?
        .into_iter()
        .find(|other| other.params == params);
    if let Some(same) = same {
        return Ok(same);
    }
    let org = runtime.orgs.summary(login)?.org_id;
    let new = NewOperation {
        kind: kind.to_owned(),
        environment: Some(to),
        exclusive_key: Some(org.as_str().to_owned()),
        params,
        actor: actor.name.clone(),
    };
    Ok(match event {
        Some(event) => runtime.store.create_once(event, &new, runtime.now()).await?,
        None => start(runtime, &new).await?,
    })
}

/// Tells operations that wait for conflicts that some were decided: a decision settles the same conflict everywhere. The number of
/// operations that look again.
pub async fn conflicts_decided(store: &Store, actor: &str, now: i64) -> Result<usize, StoreError> {
    let filter = Filter {
        open: true,
        ..Filter::default()
    };
    let mut woken = 0;
    for operation in store.operations(&filter).await? {
        if operation.waits_for.as_deref() == Some("conflicts") {
            let nothing = serde_json::Value::Null;
            store.signal(&operation.id, "conflicts", &nothing, actor, now).await?;
            woken += 1;
        }
    }
    Ok(woken)
}
