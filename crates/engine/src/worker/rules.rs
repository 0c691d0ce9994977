//! Rules of ways: what a worker looks for, and what it begins for each event, once, however many workers see it.

use std::collections::BTreeMap;

use serde_json::json;
use syncline_domain::config::{Config, Environment, Rule, Way};
use syncline_domain::time::Millis;
use syncline_git::{Oid, Program, RefName, Remote, Repository};
use syncline_store::{NewOperation, Setting, StoreError};

use super::{Request, Scheduled, set_schedules};
use crate::config;
use crate::environment::{org_of, upstream};
use crate::operation::Runtime;
use crate::operation::follow::{FOLLOW, Params, actor};

/// How often branches and orgs are looked at.
pub(super) const EVERY: Millis = 30_000;
/// Deployments of an org that are looked at; more do not end between two looks.
const DEPLOYMENTS: u32 = 50;

pub(super) type Failed = Box<dyn std::error::Error + Send + Sync>;

/// Looks at all ways that have a rule, and begins what is due. What cannot be looked at, by the name of its environment, and why.
pub(super) async fn look(runtime: &Runtime) -> BTreeMap<String, String> {
    let mut problems = BTreeMap::new();
    let read = || -> Result<(Repository, Config), Failed> {
        let repository = Repository::open(&runtime.repository)?;
        let config = config::read(&repository)?;
        Ok((repository, config))
    };
    let (repository, config) = match read() {
        Ok(read) => read,
        Err(error) => {
            problems.insert("syncline.toml".to_owned(), told(&*error));
            return problems;
        }
    };
    let ways = config.ways();
    if let Err(error) = schedule(runtime, &ways).await {
        problems.insert("schedules".to_owned(), told(&*error));
    }
    for environment in config.environments() {
        let of = |rule: Rule| {
            let from = ways.iter().filter(|way| way.from == environment.name);
            from.filter(|way| way.rule == rule).collect::<Vec<_>>()
        };
        for (rule, ways) in [(Rule::OnPush, of(Rule::OnPush)), (Rule::OnDeploy, of(Rule::OnDeploy))] {
            if ways.is_empty() {
                continue;
            }
            let looked = match rule {
                Rule::OnPush => pushes(runtime, &repository, environment, &ways).await,
                _ => deployments(runtime, environment, &ways).await,
            };
            if let Err(error) = looked {
                problems.insert(environment.name.clone(), told(&*error));
            }
        }
    }
    problems
}

/// An error with its causes.
pub(super) fn told(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(&format!(": {cause}"));
        next = cause.source();
    }
    text
}

/// Keeps the schedules of syncline.toml. When one is due, [`super::schedule::fire_due`] begins it.
async fn schedule(runtime: &Runtime, ways: &[Way]) -> Result<(), Failed> {
    let mut list = Vec::new();
    for way in ways {
        if let Rule::Schedule(schedule) = &way.rule {
            list.push(Scheduled {
                name: format!("{} → {}", way.from, way.to),
                schedule: schedule.clone(),
                request: Request {
                    kind: FOLLOW.name.to_owned(),
                    environment: Some(way.from.clone()),
                    exclusive_key: None,
                    params: serde_json::to_value(params(way))?,
                },
            });
        }
    }
    Ok(set_schedules(runtime, &list).await?)
}

fn params(way: &Way) -> Params {
    Params {
        from: way.from.clone(),
        to: way.to.clone(),
        rule: way.rule.name().to_owned(),
        commit: None,
        first: false,
    }
}

/// Begins to follow a way, once for each event.
async fn begin(runtime: &Runtime, way: &Way, event: &str, params: Params, key: Option<String>) -> Result<(), Failed> {
    let new = NewOperation {
        kind: FOLLOW.name.to_owned(),
        environment: Some(way.from.clone()),
        exclusive_key: key,
        params: serde_json::to_value(params)?,
        actor: actor(&way.from, &way.to).name,
    };
    let event = format!("{} {} → {}: {event}", way.rule.name(), way.from, way.to);
    runtime.store.create_once(&event, &new, runtime.now()).await?;
    Ok(())
}

/// What was seen last; null before the first look.
async fn seen(runtime: &Runtime, name: &str) -> Result<Setting, StoreError> {
    runtime.store.setting(name).await
}

/// Another worker may have seen the same and been faster: then it has begun the same.
async fn remember(runtime: &Runtime, mut setting: Setting, value: &str) -> Result<(), Failed> {
    setting.value = json!(value);
    match runtime.store.save_setting(&setting, runtime.now()).await {
        Ok(()) | Err(StoreError::Changed { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

async fn pushes(
    runtime: &Runtime,
    repository: &Repository,
    environment: &Environment,
    ways: &[&Way],
) -> Result<(), Failed> {
    let fetched = fetch(repository, environment);
    if let Some(head) = head(repository, environment)? {
        let setting = seen(runtime, &format!("rule.on-push.{}", environment.name)).await?;
        let before = setting.value.as_str().map(str::to_owned);
        let now = head.to_string();
        if let Some(before) = before.as_ref().filter(|before| **before != now) {
            for way in ways {
                let params = Params {
                    commit: Some(now.clone()),
                    ..params(way)
                };
                begin(runtime, way, &format!("{before}..{now}"), params, None).await?;
            }
        }
        if before.as_ref() != Some(&now) {
            remember(runtime, setting, &now).await?;
        }
    }
    // What is known is looked at even if the remote does not answer.
    fetched
}

fn fetch(repository: &Repository, environment: &Environment) -> Result<(), Failed> {
    let Some(name) = &environment.remote else {
        return Ok(());
    };
    let branch = &environment.branch;
    let refspec = format!("+refs/heads/{branch}:refs/remotes/{name}/{branch}");
    repository.fetch(&Program::find()?, &Remote::new(name)?, &[&refspec], None)?;
    Ok(())
}

/// The commit of an environment's branch: that of its remote where it goes on from the local one.
fn head(repository: &Repository, environment: &Environment) -> Result<Option<Oid>, Failed> {
    let local = repository.read_ref(&RefName::branch(&environment.branch)?)?;
    let there = match upstream(environment)? {
        Some(name) => repository.read_ref(&name)?,
        None => None,
    };
    Ok(match (local, there) {
        (Some(local), Some(there)) if repository.is_ancestor(local, there)? => Some(there),
        (local, there) => local.or(there),
    })
}

async fn deployments(runtime: &Runtime, environment: &Environment, ways: &[&Way]) -> Result<(), Failed> {
    let connection = runtime.orgs.connect(org_of(environment)?).await?;
    let rows = connection.deploy_requests(DEPLOYMENTS).await?;
    let done = rows
        .iter()
        .filter(|row| !row.check_only && row.status.starts_with("Succeeded"));
    let ends = done.filter_map(|row| Some((row.completed_date.clone()?, row.id.to_string())));
    let last = ends
        .max()
        .map_or_else(|| "none".to_owned(), |(at, id)| format!("{at} {id}"));
    let setting = seen(runtime, &format!("rule.on-deploy.{}", environment.name)).await?;
    if setting.value.as_str() == Some(last.as_str()) {
        return Ok(());
    }
    // The first time too: the operation takes the snapshot that the next deployment is compared with.
    let key = connection.org().as_str().to_owned();
    for way in ways {
        let params = Params {
            first: setting.value.is_null(),
            ..params(way)
        };
        begin(runtime, way, &last, params, Some(key.clone())).await?;
    }
    remember(runtime, setting, &last).await
}
