//! Where every environment stands: against its neighbour, against its org, and what waits.

mod count;
mod open;

use std::collections::BTreeMap;

use serde::Serialize;
use sha2::{Digest, Sha256};
use syncline_domain::calendar;
use syncline_domain::config::{Config, Environment, Kind};
use syncline_domain::time::{Millis, Zone, parse_instant, rfc3339};
use syncline_git::{Oid, RefName, Repository};

pub use count::Apart;
pub(crate) use count::Counts;
pub use open::{OpenOperation, of_environment, open_operations};

use crate::back_promote::base;
use crate::config;
use crate::conflicts;
use crate::drift::{overlay_text, with_overlays};
use crate::environment::{EnvironmentError, Seen, seen, select, tip, tip_of, upstream};
use crate::scope;
use crate::snapshot::agreed;
use crate::state::{Source, Target};
use crate::wire::hex;
use crate::work::{Change, changes};

/// Where the environments stand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Status {
    /// When it was asked, milliseconds since 1970 in UTC.
    pub now: Millis,
    /// Each environment in the order of the file.
    pub environments: Vec<EnvironmentStatus>,
}

/// Where one environment stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EnvironmentStatus {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub kind: Kind,
    /// Its branch.
    pub branch: String,
    /// The name of its login.
    pub org: Option<String>,
    /// How far it is from the environment above.
    pub above: Option<Neighbour>,
    /// How far its org is from its branch, as of the last snapshot.
    pub drift: Option<Drift>,
    /// Open changes that were begun in it and that its branch does not have yet.
    pub open_changes: Vec<String>,
    /// Back-promotions to it whose conflicts wait for a decision.
    pub conflicts: Vec<String>,
    /// Its operations that are not over; [`Status::with`] adds them, they are not in the repository.
    pub operations: Vec<OpenOperation>,
    /// Its last snapshot.
    pub snapshot: Option<LastSnapshot>,
    /// When its sandbox may be refreshed next.
    pub next_refresh: Option<NextRefresh>,
    /// What a person has to look at.
    pub problems: Vec<String>,
}

/// The way to the environment above.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Neighbour {
    /// Its name.
    pub name: String,
    /// Components that are changed here and not there: they can be promoted.
    pub ahead: usize,
    /// Components that are changed there and not here: they can be back-promoted.
    pub behind: usize,
    /// Components that both changed.
    pub both: usize,
}

/// The org against the branch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Drift {
    /// Components that were changed in the org.
    pub in_org: usize,
    /// Components that were changed on the branch and are not in the org yet.
    pub pending: usize,
    /// Components that both changed.
    pub both: usize,
}

/// The last snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LastSnapshot {
    /// Its commit.
    pub commit: String,
    /// When it was taken.
    pub taken: Millis,
    /// How long ago that is, in milliseconds.
    pub age: Millis,
}

/// The next legal refresh. Source: Salesforce help, "Sandbox Licenses and Storage by Type".
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NextRefresh {
    /// When the last copy was made.
    pub last: String,
    /// From when on it may be refreshed.
    pub from: String,
    /// Whether that is now.
    pub allowed: bool,
}

/// Tells where the environments stand; all, or those named.
pub fn status(repository: &Repository, names: &[String], now: Millis) -> Result<Status, EnvironmentError> {
    let config = config::read(repository)?;
    let managed = scope::read(repository)?;
    // Trees of merge bases and overlays are not kept.
    let writer = repository.batch()?;
    let repository = &writer;
    let wanted: Vec<&Environment> = match names.is_empty() {
        true => config.environments().iter().collect(),
        false => select(&config, names)?,
    };
    let mut counts = Counts::read(repository);
    let waiting = waiting(repository)?;
    let changes = changes(repository, &config)?;
    let seen = wanted
        .iter()
        .map(|environment| seen(repository, &environment.name))
        .collect::<Result<Vec<_>, _>>()?;
    let copies = last_copies(repository, &config)?;
    let mut environments = Vec::new();
    for (environment, seen) in wanted.into_iter().zip(seen) {
        let mut problems = Vec::new();
        let tip = tip(repository, environment)?;
        match tip {
            Some(tip) => problems.extend(upstream_problem(repository, environment, tip)?),
            None => problems.push(format!(
                "the branch `{}` does not exist: it was deleted, renamed or never made",
                environment.branch
            )),
        }
        let above = match tip {
            Some(tip) => neighbour(repository, &config, environment, tip, &mut counts, &mut problems)?,
            None => None,
        };
        let mut drift = None;
        if let (Some(seen), Some(tip)) = (&seen, tip) {
            let before = agreed(repository, environment, tip)?;
            if before.rewritten {
                problems.push(format!(
                    "the branch `{}` was rewritten since the last snapshot, so that nobody knows who changed what",
                    environment.branch
                ));
            }
            let plain = repository.commit_tree(tip)?;
            let overlays = overlay_text(repository, environment)?.unwrap_or_default();
            let laid = hex(&Sha256::digest(overlays.as_bytes())[..16]);
            let base = before.tree.map_or("-".to_owned(), |tree| tree.to_string());
            let key = format!("drift {base} {} {plain} {laid} {}", seen.tree, managed.digest);
            let apart = counts.remembered(key, |counts| {
                let branch = with_overlays(repository, environment, plain)?;
                counts.apart(before.tree, seen.tree, branch, Some(&managed))
            })?;
            drift = Some(Drift {
                in_org: apart.ahead,
                pending: apart.behind,
                both: apart.both,
            });
        }
        let open = changes
            .iter()
            .filter(|change| is_of(change, environment) && !change.contained);
        environments.push(EnvironmentStatus {
            name: environment.name.clone(),
            kind: environment.kind,
            branch: environment.branch.clone(),
            org: environment.org.clone(),
            above,
            drift,
            open_changes: open.map(|change| change.branch.clone()).collect(),
            conflicts: waiting.get(&environment.branch).cloned().unwrap_or_default(),
            operations: Vec::new(),
            snapshot: seen.as_ref().map(|seen| last(seen, now)),
            next_refresh: next_refresh(environment, &copies, now),
            problems,
        });
    }
    counts.keep(names.is_empty())?;
    Ok(Status { now, environments })
}

fn is_of(change: &Change, environment: &Environment) -> bool {
    change.environment.as_deref() == Some(environment.name.as_str())
}

fn last(seen: &Seen, now: Millis) -> LastSnapshot {
    LastSnapshot {
        commit: seen.commit.to_string(),
        taken: seen.taken,
        age: now.saturating_sub(seen.taken).max(0),
    }
}

fn neighbour(
    repository: &Repository,
    config: &Config,
    environment: &Environment,
    tip: Oid,
    counts: &mut Counts<'_>,
    problems: &mut Vec<String>,
) -> Result<Option<Neighbour>, EnvironmentError> {
    let Some(above) = environment
        .promotes_to
        .as_deref()
        .and_then(|name| config.environment(name))
    else {
        return Ok(None);
    };
    let top = match tip_of(repository, above) {
        Ok(top) => top,
        Err(error @ EnvironmentError::NoBranch { .. }) => {
            problems.push(error.to_string());
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    let source = Source {
        name: above.name.clone(),
        branch: Some(above.branch.clone()),
        commit: top,
    };
    let target = Target {
        name: environment.name.clone(),
        branch: RefName::branch(&environment.branch)?,
        tip,
    };
    let git = |error| EnvironmentError::Git(Box::new(error));
    let recorded = base::recorded(repository, &source, &target).map_err(git)?;
    let base = match base::find(repository, &source, &target, recorded) {
        Ok(base) => base::tree(repository, &base).map_err(git)?,
        Err(error) => {
            problems.push(error.to_string());
            return Ok(None);
        }
    };
    let apart = counts.apart(base, repository.commit_tree(tip)?, repository.commit_tree(top)?, None)?;
    Ok(Some(Neighbour {
        name: above.name.clone(),
        ahead: apart.ahead,
        behind: apart.behind,
        both: apart.both,
    }))
}

/// What is to be said of a branch and the one at its remote.
fn upstream_problem(
    repository: &Repository,
    environment: &Environment,
    tip: Oid,
) -> Result<Option<String>, EnvironmentError> {
    let Some(name) = upstream(environment)? else {
        return Ok(None);
    };
    let Some(there) = repository.read_ref(&name)?.filter(|there| *there != tip) else {
        return Ok(None);
    };
    Ok(match repository.ahead_behind(tip, there)? {
        (_, 0) => None,
        (0, behind) => Some(format!(
            "the branch `{}` is {behind} commits behind `{}`; run `git pull`",
            environment.branch,
            short(&name)
        )),
        (ahead, behind) => Some(format!(
            "the branch `{}` and `{}` have parted ({ahead} commits only here, {behind} only there): somebody rewrote it, or both were worked on",
            environment.branch,
            short(&name)
        )),
    })
}

fn short(name: &RefName) -> &str {
    let text = name.as_str();
    text.strip_prefix("refs/remotes/").unwrap_or(text)
}

/// Ids of kept conflicts by the branch that they are for.
fn waiting(repository: &Repository) -> Result<BTreeMap<String, Vec<String>>, EnvironmentError> {
    let mut waiting: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for listed in conflicts::list(repository)? {
        if let Some(record) = listed.record {
            let branch = record.target_branch.trim_start_matches("refs/heads/").to_owned();
            waiting.entry(branch).or_default().push(listed.id);
        }
    }
    Ok(waiting)
}

/// When each sandbox was copied last, as the productions' last snapshots tell.
pub(crate) fn last_copies(
    repository: &Repository,
    config: &Config,
) -> Result<BTreeMap<String, Millis>, EnvironmentError> {
    let mut copies = BTreeMap::new();
    for environment in config.environments().iter().filter(|one| one.kind == Kind::Production) {
        let head = seen(repository, &environment.name)?.and_then(|seen| seen.head);
        for copy in head.into_iter().flat_map(|head| head.copies) {
            if let Some(at) = parse_instant(&copy.at) {
                copies.insert(copy.sandbox.to_lowercase(), at);
            }
        }
    }
    Ok(copies)
}

/// When the sandbox of an environment may be refreshed next; `None` when its licence or its last copy is not known.
fn next_refresh(environment: &Environment, copies: &BTreeMap<String, Millis>, now: Millis) -> Option<NextRefresh> {
    let licence = environment.licence?;
    let last = last_copy(environment, copies)?;
    let from = calendar::next_refresh(licence, last);
    Some(NextRefresh {
        last: rfc3339(last),
        from: rfc3339(from),
        allowed: from <= now,
    })
}

/// When the last copy of its sandbox was begun: as production tells it, else as syncline.toml does.
pub(crate) fn last_copy(environment: &Environment, copies: &BTreeMap<String, Millis>) -> Option<Millis> {
    let told = environment
        .sandbox
        .as_ref()
        .and_then(|name| copies.get(&name.to_lowercase()));
    let by_file = || {
        environment
            .refreshed
            .map(|date| Zone::default().instant(date.at(0, 0, 0, 0)))
    };
    told.copied().or_else(by_file)
}
