//! Kept conflicts: listed, shown, decided, given up. After the last decision the back-promotion completes.

mod record;

use serde::Serialize;
use syncline_domain::policy::{Action, Actor};
use syncline_git::{CommitError, CommitTime, Oid, RefError, RefName, Repository};
use syncline_metadata::path::ElementPath;

pub use record::{Decided, Item, REFS, Record, RecordError};
pub(crate) use record::{id_of, items, ref_of, write_record};

use crate::back_promote::{BackPromoteError, Job, Outcome, TargetReport, run, signature};
use crate::config::{self, ReadConfigError};
use crate::permission::{Refusal, ask_named};
use crate::problem::Problem;
use crate::resolution::{Choice, Decision, ResolutionError, Resolutions, remember};
use crate::state::{Source, StateError, Target};
use crate::wire::Text;
use record::read_record;

/// One entry of the list.
#[derive(Clone, Debug, Serialize)]
pub struct Listed {
    /// The id.
    pub id: String,
    /// What is kept, if it can be read.
    pub record: Option<Record>,
    /// Why it cannot be read.
    pub error: Option<Problem>,
}

/// Which conflicts of a record are decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// All that are open.
    All,
    /// Those named: a number, an element path (with all inside it) or a file.
    Named(Vec<String>),
}

/// A decision to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolve {
    /// The id of the record, or its beginning.
    pub id: String,
    /// Which of its conflicts.
    pub which: Which,
    /// What is decided.
    pub choice: Choice,
    /// The text for [`Choice::Value`]: the element with its tags, or the whole file.
    pub value: Option<Vec<u8>>,
}

/// What a decision led to.
#[derive(Clone, Debug, Serialize)]
pub struct Resolved {
    /// The id of the record.
    pub id: String,
    /// The conflicts that were decided.
    pub decided: Vec<Item>,
    /// The back-promotion with the decisions: done, or what is still open. `None` when somebody else completed it
    /// meanwhile.
    pub result: Option<TargetReport>,
}

/// Kept conflicts cannot be found, decided or removed.
#[derive(Debug, thiserror::Error)]
pub enum ConflictsError {
    /// The policy does not allow it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ReadConfigError),
    /// Nothing is kept under the id.
    #[error("no conflicts are kept as `{id}`; `syncline conflicts list` shows them")]
    Unknown {
        /// The id.
        id: String,
    },
    /// Several ids begin so.
    #[error("`{id}` may be {}; write more of it", .candidates.join(" or "))]
    Ambiguous {
        /// The beginning.
        id: String,
        /// The ids.
        candidates: Vec<String>,
    },
    /// The record has no such conflict.
    #[error("`{name}` is no conflict of {id}; write its number, its element path or its file")]
    NoConflict {
        /// What was asked for.
        name: String,
        /// The id.
        id: String,
    },
    /// Nothing is open.
    #[error("every conflict of {id} is decided already")]
    NothingOpen {
        /// The id.
        id: String,
    },
    /// A value for several conflicts.
    #[error("a value can only stand for one conflict; name it by its number")]
    ValueForMany,
    /// The decision leaves the file broken: a name is missing, or would be there twice.
    #[error(
        "the decision does not fit: with it {path} would be malformed, or miss or double a name that it needs; decide otherwise, or decide several conflicts together"
    )]
    DoesNotFit {
        /// The conflict.
        path: ElementPath,
    },
    /// The merge with the decision failed.
    #[error("the back-promotion to `{target}` cannot be made with this decision; nothing was recorded: {}", .problem.message)]
    Failed {
        /// The target.
        target: String,
        /// Why.
        problem: Problem,
    },
    /// Others are always faster.
    #[error("{id} changed again and again while it was decided; the decision is remembered, try again")]
    Contended {
        /// The id.
        id: String,
    },
    /// A record cannot be read.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// A ref cannot be read or moved.
    #[error(transparent)]
    Ref(#[from] RefError),
    /// The decision cannot be remembered.
    #[error(transparent)]
    Resolution(#[from] ResolutionError),
    /// The back-promotion cannot be run.
    #[error(transparent)]
    Run(#[from] BackPromoteError),
    /// Git does not know who decides.
    #[error(transparent)]
    Commit(#[from] CommitError),
}

/// How often a lost race is tried again.
const ATTEMPTS: usize = 20;

/// All kept conflicts, by id.
pub fn list(repository: &Repository) -> Result<Vec<Listed>, RefError> {
    let refs = repository.refs(REFS)?;
    Ok(refs
        .into_iter()
        .map(|reference| {
            let read = read_record(repository, &reference.name, reference.oid);
            let (record, error) = match read {
                Ok(record) => (Some(record), None),
                Err(error) => (None, Some(Problem::of(&error))),
            };
            Listed {
                id: short(&reference.name),
                record,
                error,
            }
        })
        .collect())
}

/// The kept conflicts of an id.
pub fn show(repository: &Repository, id: &str) -> Result<Record, ConflictsError> {
    let (name, commit) = find(repository, id)?;
    Ok(read_record(repository, &name, commit)?)
}

/// Gives up: removes the record. Decisions that were made stay remembered. Returns the full id.
pub fn abort(repository: &Repository, id: &str, actor: &Actor) -> Result<String, ConflictsError> {
    let (name, commit) = find(repository, id)?;
    // A record that cannot be read can be given up too.
    if let Ok(record) = read_record(repository, &name, commit) {
        ask_named(actor, Action::Decide, &config::read(repository)?, &record.target)?;
    }
    repository.update_ref(&name, None, Some(commit), "syncline: conflicts abort")?;
    Ok(short(&name))
}

/// Decides conflicts, remembers the decisions and runs the back-promotion again with them, on the target as it is now.
/// `now` is the time of the decision.
pub fn resolve(
    repository: &Repository,
    request: &Resolve,
    actor: &Actor,
    now: CommitTime,
) -> Result<Resolved, ConflictsError> {
    let (name, commit) = find(repository, &request.id)?;
    let record = read_record(repository, &name, commit)?;
    ask_named(actor, Action::Decide, &config::read(repository)?, &record.target)?;
    let chosen = choose(&record, &request.which)?;
    if request.choice == Choice::Value && chosen.len() > 1 {
        return Err(ConflictsError::ValueForMany);
    }
    let who = signature(repository.committer()?, now);
    let decisions: Vec<Decision> = chosen
        .iter()
        .map(|item| Decision {
            fingerprint: item.fingerprint,
            path: item.path.clone(),
            choice: request.choice,
            value: request
                .value
                .clone()
                .filter(|_| request.choice == Choice::Value)
                .map(Text),
            by: format!("{} <{}>", who.identity.name, who.identity.email),
            when: now.seconds,
        })
        .collect();
    let decided: Vec<Item> = chosen.into_iter().cloned().collect();
    let mut job = Job {
        source: Source {
            name: record.source.clone(),
            branch: record.source_branch.clone(),
            commit: record.source_commit,
        },
        range: record.range,
        selection: record.selection.clone(),
        resolutions: Resolutions::read(repository, record.source_commit)?,
        dry_run: true,
        who: who.clone(),
        kept: Some(commit),
    };
    decisions
        .iter()
        .for_each(|decision| job.resolutions.add(decision.clone()));
    check(&rerun(repository, &job, &record)?, &decided)?;
    remember(repository, &decisions, &who)?;
    job.dry_run = false;
    for _ in 0..ATTEMPTS {
        let kept = repository.read_ref(&name)?;
        if kept.is_none() {
            return Ok(Resolved {
                id: record.id,
                decided,
                result: None,
            });
        }
        job.kept = kept;
        // Somebody else may have decided the rest meanwhile.
        job.resolutions = Resolutions::read(repository, record.source_commit)?;
        let report = rerun(repository, &job, &record)?;
        match &report.outcome {
            Outcome::Failed { error } if error.again => {}
            _ => {
                return Ok(Resolved {
                    id: record.id,
                    decided,
                    result: Some(report),
                });
            }
        }
    }
    Err(ConflictsError::Contended { id: record.id })
}

fn find(repository: &Repository, id: &str) -> Result<(RefName, Oid), ConflictsError> {
    let all = repository.refs(REFS)?;
    let mut found: Vec<_> = all
        .into_iter()
        .filter(|kept| short(&kept.name).starts_with(id))
        .collect();
    if let Some(exact) = found.iter().position(|kept| short(&kept.name) == id) {
        found = vec![found.swap_remove(exact)];
    }
    match found.as_slice() {
        [one] if !id.is_empty() => Ok((one.name.clone(), one.oid)),
        [] | [_] => Err(ConflictsError::Unknown { id: id.to_owned() }),
        many => Err(ConflictsError::Ambiguous {
            id: id.to_owned(),
            candidates: many.iter().map(|kept| short(&kept.name)).collect(),
        }),
    }
}

fn short(name: &RefName) -> String {
    name.as_str().strip_prefix(REFS).unwrap_or(name.as_str()).to_owned()
}

fn choose<'r>(record: &'r Record, which: &Which) -> Result<Vec<&'r Item>, ConflictsError> {
    let names = match which {
        Which::Named(names) => names,
        Which::All => {
            let open: Vec<_> = record.open().collect();
            return match open.is_empty() {
                true => Err(ConflictsError::NothingOpen { id: record.id.clone() }),
                false => Ok(open),
            };
        }
    };
    let mut chosen: Vec<&Item> = Vec::new();
    for name in names {
        let number: Option<usize> = name.parse().ok();
        let path: Option<ElementPath> = name.parse().ok();
        let mut any = false;
        for item in &record.conflicts {
            let inside = path.as_ref().is_some_and(|path| item.path.is_within(path));
            if number == Some(item.number) || inside || item.file == *name {
                any = true;
                if !chosen.iter().any(|known| known.number == item.number) {
                    chosen.push(item);
                }
            }
        }
        if !any {
            return Err(ConflictsError::NoConflict {
                name: name.clone(),
                id: record.id.clone(),
            });
        }
    }
    Ok(chosen)
}

fn rerun(repository: &Repository, job: &Job, record: &Record) -> Result<TargetReport, ConflictsError> {
    let branch: RefName = record.target_branch.parse()?;
    let target = match repository.read_ref(&branch)? {
        Some(tip) => Ok(Target {
            name: record.target.clone(),
            branch,
            tip,
        }),
        None => Err(StateError::NoBranch {
            branch: branch.as_branch().unwrap_or(branch.as_str()).to_owned(),
            near: "; it was deleted: `syncline conflicts abort` gives these conflicts up".to_owned(),
        }),
    };
    let mut reports = run(repository, job, vec![(record.target.clone(), target)])?;
    Ok(reports.pop().expect("one target gives one report"))
}

/// Does the merge take the decisions?
fn check(report: &TargetReport, decided: &[Item]) -> Result<(), ConflictsError> {
    match &report.outcome {
        Outcome::Failed { error } => Err(ConflictsError::Failed {
            target: report.target.clone(),
            problem: error.clone(),
        }),
        Outcome::Conflicts { conflicts, .. } => {
            let refused = |item: &&Item| conflicts.iter().any(|open| open.fingerprint == item.fingerprint);
            match decided.iter().find(refused) {
                Some(item) => Err(ConflictsError::DoesNotFit {
                    path: item.path.clone(),
                }),
                None => Ok(()),
            }
        }
        _ => Ok(()),
    }
}
