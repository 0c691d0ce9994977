//! Operations that a command begins, works on, and tells of.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use syncline_engine::operation::promote::{Kept, StartError};
use syncline_engine::operation::{
    Blocked, Operation, OperationError, QuestionKind, Runtime, State, StoreError, blocked, database, finish, open,
    short, worker_name,
};
use syncline_engine::permission::Refusal;
use syncline_engine::policy::Actor;
use syncline_engine::status::{OpenOperation, open_operations};
use syncline_engine::time::rfc3339;
use syncline_engine::worker::Stop;
use syncline_git::Repository;

use super::environment::shortened;
use super::operation::progress;
use super::org::session::orgs;
use crate::Status;
use crate::error::{CommandError, Kind};
use crate::output::Output;

/// Characters of a question that a line shows.
const QUESTION: usize = 100;
/// How often a command looks at the operations that it works on.
const LOOK: Duration = Duration::from_millis(200);
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

/// The operations of this repository that are not over; none where there were never any.
pub(super) fn open_ones(repository: &Repository) -> Result<Vec<Operation>, CommandError> {
    if !is_used(repository) {
        return Ok(Vec::new());
    }
    block_on(async { Ok(open_operations(&runtime(repository).await?.store).await?) })
}

/// An operation that is not over, in a line.
pub(super) fn in_short(one: &OpenOperation) -> String {
    let id = short(&one.id);
    let mut line = format!("operation {id} ({}) is {}", one.kind, one.state);
    if let Some(step) = &one.step {
        line.push_str(&format!(" at {step}"));
    }
    if let Some(text) = one.question.as_ref().or(one.message.as_ref()) {
        line.push_str(&format!(": {}", shortened(text, QUESTION)));
    }
    line
}

/// Who asks: the committer of the repository. It is the owner's own database, so everything is allowed.
pub(super) fn actor(repository: &Repository) -> Result<Actor, CommandError> {
    let who = repository
        .committer()
        .map_err(|error| CommandError::user("git.identity", "git does not know who you are").because(error))?;
    Ok(Actor::owner(who.name))
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
    let alone = begun.len() == 1;
    let mut ended = follow(runtime, &ids, &stop, out).await?.into_iter();
    let mut told = Vec::new();
    let (mut waits, mut failed) = (false, Vec::new());
    for (target, one) in begun {
        match one {
            Err(error) if alone => return Err(error.into()),
            Err(error) => {
                failed.push(target.clone());
                told.push(serde_json::json!({ "target": target, "state": "refused", "message": error.to_string() }));
                if !out.json() {
                    out.line(format_args!("{target}: not begun: {error}"))?;
                }
            }
            Ok(_) => {
                let Some(operation) = ended.next() else { continue };
                match operation.state {
                    State::Succeeded => {}
                    State::Failed | State::Errored | State::Cancelled => failed.push(target.clone()),
                    State::Queued | State::Running | State::Waiting | State::NeedsPerson => waits = true,
                }
                told.push(serde_json::to_value(&operation).unwrap_or_default());
                if !out.json() {
                    tell(out, &target, &operation, blocked(runtime, &operation).await?.as_ref())?;
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
            .hint("what is done stays done; correct what is named above, then run the same command or `syncline operation retry` again"));
    }
    Ok(match waits {
        true => Status::Found,
        false => Status::Done,
    })
}

/// Works on operations, and tells meanwhile what each does and what keeps it from going on.
async fn follow(
    runtime: &Arc<Runtime>,
    ids: &[String],
    stop: &Stop,
    out: &mut Output,
) -> Result<Vec<Operation>, StoreError> {
    let mut told: BTreeMap<&String, String> = BTreeMap::new();
    let own = worker_name();
    let mut work = std::pin::pin!(finish(runtime, ids, stop));
    loop {
        tokio::select! {
            biased;
            ended = &mut work => return ended,
            () = runtime.clock.sleep(LOOK) => {}
        }
        for id in ids {
            // A database that is busy is asked again.
            let Ok(operation) = runtime.store.operation(id).await else {
                continue;
            };
            let text = elsewhere(&operation, &own).or_else(|| trouble(&operation));
            let text = text.or_else(|| doing(runtime, &operation).filter(|_| !out.json()));
            if let Some(text) = text
                && told.get(id) != Some(&text)
            {
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

/// Which other worker has an operation. The time until which it has it goes on while it works, and is told once.
fn elsewhere(operation: &Operation, own: &str) -> Option<String> {
    let owner = operation.lease_owner.as_deref().filter(|owner| *owner != own)?;
    let environment = operation.environment.as_deref().unwrap_or(&operation.kind);
    (operation.state == State::Running).then(|| {
        format!("{environment}: the worker `{owner}` has it; if that one is gone, it goes on when its lease ends")
    })
}

/// What keeps an operation from going on, when it is tried again by itself.
fn trouble(operation: &Operation) -> Option<String> {
    let problem = operation
        .problem
        .as_ref()
        .filter(|_| operation.state == State::Waiting)?;
    let environment = operation.environment.as_deref().unwrap_or(&operation.kind);
    let at = operation.wake_at.map(rfc3339).unwrap_or_default();
    Some(format!(
        "{environment}: {} ({}); it is tried again at {at}",
        problem.message, problem.code
    ))
}

/// What a person does for an operation that does not go on by itself.
pub(super) fn next(operation: &Operation, id: &str) -> Option<String> {
    let question = operation
        .question
        .as_ref()
        .filter(|_| operation.state == State::NeedsPerson);
    match (operation.state, question.map(|question| &question.kind)) {
        (State::Errored, _) => Some(format!("syncline operation retry {id}")),
        (State::Waiting, _) => operation.wake_at.map(|at| format!("it goes on at {}", rfc3339(at))),
        (_, Some(QuestionKind::Gates)) => Some(format!(
            "syncline operation show {id}, then syncline operation approve {id}, or reject {id}"
        )),
        (_, Some(QuestionKind::Choice { options })) => {
            Some(format!("syncline operation answer {id} {}", options.join("|")))
        }
        (_, Some(QuestionKind::Confirm)) => Some(format!("syncline operation answer {id}, when it is done")),
        (_, Some(QuestionKind::Text)) => Some(format!("syncline operation answer {id} TEXT")),
        (_, Some(QuestionKind::Conflicts { .. }) | None) => None,
    }
}

fn tell(out: &mut Output, target: &str, operation: &Operation, blocked: Option<&Blocked>) -> Result<(), CommandError> {
    let id = short(&operation.id);
    let message = match (&operation.problem, &operation.message, blocked) {
        (Some(problem), ..) => format!("{} ({})", problem.message, problem.code),
        (None, _, Some(blocked)) => blocked.words(),
        (None, Some(message), None) => message.clone(),
        (None, None, None) => String::new(),
    };
    out.line(format_args!("{target}: {} ({id}): {message}", operation.state))?;
    let causes = operation
        .problem
        .iter()
        .flat_map(|problem| problem.details["causes"].as_array());
    for cause in causes.flatten().filter_map(serde_json::Value::as_str) {
        out.line(format_args!("  because: {cause}"))?;
    }
    let hints = operation.problem.iter().flat_map(|problem| &problem.hints);
    for hint in hints.chain(blocked.iter().flat_map(|blocked| &blocked.hints)) {
        out.line(format_args!("  hint: {hint}"))?;
    }
    if let Some(next) = next(operation, id).filter(|_| blocked.is_none()) {
        out.line(format_args!("  next: {next}"))?;
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

impl From<Refusal> for CommandError {
    fn from(refusal: Refusal) -> Self {
        Self::new(Kind::Refused, Refusal::CODE, refusal).hint(Refusal::HINT)
    }
}

impl From<StartError> for CommandError {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Config(error) => error.into(),
            StartError::Org(error) => error.into(),
            StartError::Environment(error) => error.into(),
            StartError::Refused(refusal) => refusal.into(),
            StartError::Store(error) | StartError::Operation(OperationError::Store(error)) => error.into(),
            error => Self::user("promote.refused", &error).with_source_of(error),
        }
    }
}
