//! Operations begun: one for each target.

use syncline_domain::operation::State;
use syncline_domain::pipeline::WayError;
use syncline_git::Repository;
use syncline_store::{Filter, NewOperation, Operation, Store, StoreError};

use super::data::{Direction, Kept, Params, Undo};
use crate::back_promote::Selection;
use crate::config::{self, ReadConfigError};
use crate::operation::{OperationError, Runtime, short, start};
use crate::org::OrgError;
use crate::state::{self, StateError};

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
    /// The source cannot be found.
    #[error(transparent)]
    State(#[from] StateError),
    /// No way leads there.
    #[error(transparent)]
    Way(#[from] WayError),
    /// The target has no org.
    #[error("`{0}` has no `org` in syncline.toml, so nothing can be deployed to it")]
    NoOrg(String),
    /// The login.
    #[error(transparent)]
    Org(#[from] OrgError),
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
    actor: &str,
) -> Result<Operation, StartError> {
    let config = config::read(repository)?;
    let source = state::source(repository, &config, &wanted.from)?;
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
    if wanted.bypass.as_ref().is_some_and(|reason| reason.trim().is_empty()) {
        return Err(StartError::NoReason);
    }
    if wanted.direction == Direction::Up && wanted.bypass.is_none() {
        config.way(&source.name, &target.name)?;
    }
    let params = Params {
        from: source.name,
        to: target.name.clone(),
        commit: source.commit.to_string(),
        branch: source.branch,
        direction: wanted.direction,
        selection: wanted.selection.clone(),
        bypass: wanted.bypass.clone(),
        undo: None,
    };
    begin(runtime, "promote", &params, target.org.as_deref(), actor).await
}

/// Begins to undo what an operation deployed: a merge of the state before it into what the org has now.
pub async fn rollback(
    runtime: &Runtime,
    repository: &Repository,
    operation: &str,
    actor: &str,
) -> Result<Operation, StartError> {
    let done = runtime.store.find_operation(operation).await?;
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
    };
    begin(
        runtime,
        "rollback",
        &params,
        target.and_then(|target| target.org.as_deref()),
        actor,
    )
    .await
}

async fn begin(
    runtime: &Runtime,
    kind: &str,
    params: &Params,
    login: Option<&str>,
    actor: &str,
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
        actor: actor.to_owned(),
    };
    Ok(start(runtime, &new).await?)
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
