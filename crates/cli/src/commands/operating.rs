//! Operations that a command begins, works on, and tells of.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use syncline_engine::operation::promote::{Kept, StartError};
use syncline_engine::operation::{Operation, Runtime, State, StoreError, blocked, database, finish, open, short};
use syncline_engine::worker::Stop;
use syncline_git::Repository;

use super::operation::progress;
use super::org::session::orgs;
use crate::Status;
use crate::error::{CommandError, Kind};
use crate::output::Output;

/// The variable that names another database.
const DATABASE: &str = "SYNCLINE_DATABASE_URL";

/// Runs work that needs threads of its own.
pub(super) fn block_on<T>(work: impl Future<Output = Result<T, CommandError>>) -> Result<T, CommandError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| {
        CommandError::new(Kind::Internal, "operation.internal", "could not start threads").because(error)
    })?;
    runtime.block_on(work)
}

/// The operations of this repository.
pub(super) async fn runtime(repository: &Repository) -> Result<Arc<Runtime>, CommandError> {
    let url = std::env::var(DATABASE).ok().filter(|url| !url.is_empty());
    if url.is_none()
        && let Some(folder) = database(repository).parent()
    {
        std::fs::create_dir_all(folder).map_err(|error| {
            CommandError::user("file.unwritable", format_args!("could not create {}", folder.display())).because(error)
        })?;
    }
    Ok(Arc::new(open(repository, orgs()?, url).await?))
}

/// Whether there are operations at all.
pub(super) fn is_used(repository: &Repository) -> bool {
    std::env::var(DATABASE).is_ok_and(|url| !url.is_empty()) || database(repository).is_file()
}

/// Who asks: the committer of the repository.
pub(super) fn actor(repository: &Repository) -> Result<String, CommandError> {
    let who = repository
        .committer()
        .map_err(|error| CommandError::user("git.identity", "git does not know who you are").because(error))?;
    Ok(who.name)
}

/// A target with its operation, or why there is none.
pub(super) type Begun = (String, Result<Operation, StartError>);

/// Works on operations until each waits or has ended, and tells of each. Ctrl-C leaves them to go on later.
pub(super) async fn work(runtime: &Arc<Runtime>, begun: Vec<Begun>, out: &mut Output) -> Result<Status, CommandError> {
    let ids: Vec<String> = begun
        .iter()
        .filter_map(|(_, one)| Some(one.as_ref().ok()?.id.clone()))
        .collect();
    let stop = Stop::new();
    let asked = stop.clone();
    // A second handler in one process is refused; then Ctrl-C ends it at once, and the operations go on later all the same.
    let _ = ctrlc::set_handler(move || asked.request());
    let mut ended = follow(runtime, &ids, &stop, out).await?.into_iter();
    let mut told = Vec::new();
    let (mut waits, mut failed) = (false, Vec::new());
    for (target, one) in begun {
        match one {
            Err(error) => {
                failed.push(target.clone());
                told.push(serde_json::json!({ "target": target, "state": "refused", "message": error.to_string() }));
                if !out.json() {
                    out.line(format_args!("{target}: not begun: {error}"))?;
                }
            }
            Ok(_) => {
                let Some(operation) = ended.next() else { continue };
                waits |= !operation.state.is_terminal();
                if operation.state.is_terminal() && operation.state != State::Succeeded {
                    failed.push(target.clone());
                }
                told.push(serde_json::to_value(&operation).unwrap_or_default());
                if !out.json() {
                    tell(out, &target, &operation)?;
                    if let Some(blocked) = blocked(runtime, &operation).await? {
                        out.line(format_args!("  waits: {}", blocked.words()))?;
                        for hint in &blocked.hints {
                            out.line(format_args!("  {hint}"))?;
                        }
                    }
                }
            }
        }
    }
    if out.json() {
        out.value(&serde_json::json!({ "operations": told }))?;
    }
    if !failed.is_empty() {
        let message = format!("not done: {}", failed.join(", "));
        return Err(CommandError::user("promote.failed", message)
            .hint("what is done stays done; the operations tell what is wrong"));
    }
    Ok(match waits {
        true => Status::Found,
        false => Status::Done,
    })
}

/// How often the database is looked at for what goes on.
const LOOK: Duration = Duration::from_millis(200);

/// Works on the operations, and says meanwhile what each does.
async fn follow(
    runtime: &Arc<Runtime>,
    ids: &[String],
    stop: &Stop,
    out: &mut Output,
) -> Result<Vec<Operation>, CommandError> {
    let talks = !out.json();
    let work = finish(runtime, ids, stop);
    tokio::pin!(work);
    let mut told: BTreeMap<&String, String> = BTreeMap::new();
    loop {
        tokio::select! {
            biased;
            ended = &mut work => return Ok(ended?),
            () = runtime.clock.sleep(LOOK) => {}
        }
        for id in ids.iter().filter(|_| talks) {
            let operation = runtime.store.operation(id).await?;
            let Some(text) = doing(runtime, &operation) else {
                continue;
            };
            if told.get(id) != Some(&text) {
                out.note(&text);
                told.insert(id, text);
            }
        }
    }
}

/// What an operation does now: `uat: deploys: 120 of 300 components, until …`.
fn doing(runtime: &Runtime, operation: &Operation) -> Option<String> {
    let kind = runtime.kind(&operation.kind)?;
    let step = kind.step(operation.step.as_deref())?;
    let name = operation.environment.as_deref().unwrap_or(kind.name);
    let done = operation.progress.as_ref().map(progress);
    let done = done.map(|done| format!(": {done}")).unwrap_or_default();
    (operation.state == State::Running).then(|| format!("{name}: {}{done}", step.title))
}

fn tell(out: &mut Output, target: &str, operation: &Operation) -> Result<(), CommandError> {
    let id = short(&operation.id);
    let message = operation.message.clone().unwrap_or_default();
    let problem = operation.problem.as_ref().filter(|_| operation.state.is_terminal());
    let message = problem.map_or(message, |problem| problem.message.clone());
    out.line(format_args!("{target}: {} ({id}): {message}", operation.state))?;
    for hint in problem.map_or(&[][..], |problem| problem.hints.as_slice()) {
        out.line(format_args!("  {hint}"))?;
    }
    let Ok(kept) = serde_json::from_value::<Kept>(operation.data.clone()) else {
        return Ok(());
    };
    for note in &kept.notes {
        out.line(format_args!("  {note}"))?;
    }
    for one in &kept.irreversible {
        out.line(format_args!("  cannot be undone: {}: {}", one.component, one.words))?;
    }
    for one in &kept.exported {
        out.line(format_args!(
            "  data kept: {} rows of {} in {}",
            one.rows,
            one.object,
            one.file.display()
        ))?;
    }
    Ok(())
}

impl From<StoreError> for CommandError {
    fn from(error: StoreError) -> Self {
        let (kind, code) = match &error {
            StoreError::Unknown { .. } | StoreError::Ambiguous { .. } => (Kind::User, "operation.unknown"),
            StoreError::State { .. } | StoreError::Refused(_) => (Kind::User, "operation.refused"),
            StoreError::Changed { .. } | StoreError::Lost { .. } => (Kind::User, "operation.contended"),
            StoreError::NotEmpty { .. } => (Kind::User, "operation.database"),
            StoreError::Address { .. } | StoreError::Newer { .. } | StoreError::Seal(_) => {
                (Kind::Config, "operation.database")
            }
            _ => (Kind::Upstream, "operation.database"),
        };
        let told = Self::new(kind, code, &error).with_source_of(&error);
        match error.hint() {
            Some(hint) => told.hint(hint),
            None => told,
        }
    }
}

impl From<StartError> for CommandError {
    fn from(error: StartError) -> Self {
        Self::user("promote.refused", &error).with_source_of(error)
    }
}
