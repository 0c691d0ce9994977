//! What the rule of a way asks for when it is due: what was deployed to the source by others is adopted, then the changes go along the way.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use syncline_domain::config::{Direction as Way, Environment};
use syncline_domain::policy::{Actor, ActorKind, Role};
use syncline_git::{CommitTime, Oid, Repository, Signature};
use syncline_metadata::component::ComponentId;

use super::promote::{Direction, Once, StartError, Wanted, promote_once};
use super::{Kind, Outcome, Problem, StepContext, StepDef, StepError, StepFuture};
use crate::back_promote::Selection;
use crate::config;
use crate::drift::{Adopt, Difference, adopt, drift};
use crate::environment::{EnvironmentError, org_of, sealer_of};
use crate::org::OrgError;
use crate::project::ProjectReader;
use crate::snapshot::{Place, Request, take_over};
use crate::state::Source;

/// Changes that go along a way by its rule.
pub const FOLLOW: Kind = Kind {
    name: "follow",
    title: "changes brought along a way by its rule",
    steps: &[
        StepDef {
            name: "look",
            title: "looks at what was deployed",
            may_stop: true,
            run: step_look,
        },
        StepDef {
            name: "adopt",
            title: "adopts what was deployed",
            may_stop: true,
            run: step_adopt,
        },
        StepDef {
            name: "bring",
            title: "begins to bring the changes along",
            may_stop: true,
            run: step_bring,
        },
    ],
};

fn step_look(context: &mut StepContext) -> StepFuture<'_> {
    Box::pin(look(context))
}

fn step_adopt(context: &mut StepContext) -> StepFuture<'_> {
    Box::pin(take_in(context))
}

fn step_bring(context: &mut StepContext) -> StepFuture<'_> {
    Box::pin(bring(context))
}

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Params {
    /// The environment that changes come from.
    pub from: String,
    /// The environment that gets them.
    pub to: String,
    /// The rule: `schedule`, `on-push`, `on-deploy`.
    pub rule: String,
    /// The commit that was pushed; else the source's branch as it is then.
    #[serde(default)]
    pub commit: Option<String>,
    /// The source was never looked at before: only a snapshot is taken, with which the next deployment is compared.
    #[serde(default)]
    pub first: bool,
}

/// What the steps keep.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct Kept {
    /// The snapshot as of the deployment that was seen before.
    before: Option<String>,
    /// The snapshot with this one.
    snapshot: Option<String>,
    /// The commit with what was adopted.
    adopted: Option<String>,
    /// The operation that was begun.
    begun: Option<String>,
}

/// Who acts by a rule: the person who wrote it into syncline.toml may change ways, and so the rule may go along them. It approves nothing.
pub(crate) fn actor(from: &str, to: &str) -> Actor {
    Actor {
        kind: ActorKind::Service,
        ..Actor::person(format!("rule {from} → {to}"), [Role::ReleaseManager])
    }
}

struct Hand {
    repository: Repository,
    params: Params,
    kept: Kept,
    source: Environment,
}

fn hand(context: &StepContext) -> Result<Hand, StepError> {
    let repository = Repository::open(&context.runtime.repository)?;
    let params: Params = context.params()?;
    let config = config::read(&repository)?;
    let gone = || {
        let message = format!("there is no environment `{}` in syncline.toml any more", params.from);
        StepError::refused(Problem::new("follow.environment", message).hint("the rule went with it"))
    };
    let source = config.environment(&params.from).cloned().ok_or_else(gone)?;
    Ok(Hand {
        repository,
        kept: context.data()?,
        params,
        source,
    })
}

fn time(context: &StepContext) -> CommitTime {
    CommitTime {
        seconds: context.now() / 1000,
        offset_minutes: 0,
    }
}

/// Takes a snapshot of the source, where a deployment was seen.
async fn look(context: &mut StepContext) -> Result<Outcome, StepError> {
    let mut hand = hand(context)?;
    if hand.params.rule != "on-deploy" {
        return Ok(Outcome::Next {
            step: "bring".to_owned(),
        });
    }
    let state = context.runtime.store.environment_state(&hand.source.name).await?;
    let connection = context.runtime.orgs.connect(org_of(&hand.source)?).await?;
    let sealer = sealer_of(&context.runtime.orgs.vault, &hand.repository, &hand.source)?;
    let author = Signature {
        identity: hand.repository.committer()?,
        time: time(context),
    };
    let place = Place {
        repository: &hand.repository,
        environment: &hand.source,
        sealer: &sealer,
        author: &author,
    };
    let taken = take_over(&connection, place, &Request::default(), &mut |_, _| {}).await;
    let taken = taken.map_err(|error| match error {
        EnvironmentError::Org(OrgError::OtherOrg { .. } | OrgError::Argument { .. }) => {
            let problem = Problem::new("follow.snapshot", error.to_string());
            StepError::refused(problem.hint("look at the org, then take its snapshot with `syncline snapshot`"))
        }
        error => error.into(),
    })?;
    hand.kept.before = state.snapshot_commit;
    hand.kept.snapshot = Some(taken.commit.to_string());
    context.set_data(&hand.kept)?;
    Ok(Outcome::Done)
}

/// Commits to the source's branch what has changed in its org since the deployment before.
async fn take_in(context: &mut StepContext) -> Result<Outcome, StepError> {
    let mut hand = hand(context)?;
    let store = context.runtime.store.clone();
    let snapshot = hand.kept.snapshot.clone().unwrap_or_default();
    if let Some(before) = hand.kept.before.clone().filter(|_| !hand.params.first) {
        let changed = changed(&hand.repository, before.parse()?, snapshot.parse()?)?;
        let found = drift(&hand.repository, &hand.source.name)?;
        let new = |one: &&Difference| one.is_unclaimed() && changed.contains(&one.component);
        let selection: Vec<String> = found
            .differences
            .iter()
            .filter(new)
            .map(|one| one.path.to_string())
            .collect();
        if !selection.is_empty() {
            let request = Adopt {
                environment: hand.source.name.clone(),
                message: Some(format!("Adopt what was deployed to {}", hand.source.name)),
                selection,
                ..Adopt::default()
            };
            let actor = actor(&hand.params.from, &hand.params.to);
            let adopted = adopt(&hand.repository, &request, &actor, time(context))?;
            hand.kept.adopted = adopted.commit.map(|commit| commit.to_string());
            let told = serde_json::json!({ "environment": hand.source.name, "commit": hand.kept.adopted, "elements": request.selection });
            context.audit("follow.adopt", "succeeded", told);
        }
    }
    let mut state = store.environment_state(&hand.source.name).await?;
    state.snapshot_commit = Some(snapshot);
    store.save_environment_state(&state, context.now()).await?;
    context.set_data(&hand.kept)?;
    if hand.params.first {
        context.say(format!(
            "what `{}` has now is what later deployments are compared with",
            hand.source.name
        ));
    }
    Ok(Outcome::Done)
}

/// The components whose files differ between two snapshots.
fn changed(repository: &Repository, before: Oid, now: Oid) -> Result<BTreeSet<ComponentId>, StepError> {
    let (before, now) = (repository.commit_tree(before)?, repository.commit_tree(now)?);
    let projects = ProjectReader::default().read(repository, now)?;
    let mut found = BTreeSet::new();
    for change in repository.diff_trees(Some(before), Some(now))? {
        if let Some(file) = change.path.as_str().ok().and_then(|path| projects.file(path)) {
            found.extend(file.parent);
            found.insert(file.id);
        }
    }
    Ok(found)
}

/// Begins the promotion or back-promotion of the way, once.
async fn bring(context: &mut StepContext) -> Result<Outcome, StepError> {
    let mut hand = hand(context)?;
    if hand.params.first {
        return Ok(Outcome::Done);
    }
    let Params { from, to, commit, .. } = &hand.params;
    let config = config::read(&hand.repository)?;
    let way = match config.way(from, to) {
        Ok(way) => way,
        Err(error) => {
            let problem = Problem::new("follow.way", error.to_string());
            return Err(StepError::refused(problem.hint("correct the rule in syncline.toml")));
        }
    };
    let wanted = Wanted {
        from: format!("env:{from}"),
        to: to.clone(),
        selection: Selection::default(),
        direction: match way.direction {
            Way::Up => Direction::Up,
            Way::Down => Direction::Down,
        },
        bypass: None,
    };
    let source = match commit {
        Some(commit) => Some(Source {
            name: from.clone(),
            branch: Some(hand.source.branch.clone()),
            commit: commit.parse()?,
        }),
        None => None,
    };
    let once = Once {
        event: format!("follow {}", context.operation.id),
        source,
    };
    let begun = promote_once(&context.runtime, &hand.repository, &wanted, once, &actor(from, to)).await;
    let begun = begun.map_err(|error| match error {
        StartError::NoOrg(_) | StartError::Way(_) | StartError::State(_) | StartError::Refused(_) => {
            let problem = Problem::new("follow.refused", error.to_string());
            StepError::refused(problem.hint("correct syncline.toml, or bring the changes along by hand"))
        }
        error => error.into(),
    })?;
    context.say(format!("the operation {} brings `{from}` to `{to}`", begun.id));
    hand.kept.begun = Some(begun.id);
    context.set_data(&hand.kept)?;
    Ok(Outcome::Done)
}
