//! The branch is right: what was changed in the org is set back by a deployment that is validated first.

use serde::Serialize;
use syncline_domain::config::Environment;
use syncline_git::{CommitTime, Repository};
use syncline_salesforce::metadata::{DeployOptions, DeployResult, TestLevel};

use super::adopt::edits;
use super::overlay::with_overlays;
use super::select::{Picked, pick};
use super::{Difference, find};
use crate::back_promote::signature;
use crate::config;
use crate::deployment::{Chunk, Limits, Options, flows, flows_between, package};
use crate::environment::{EnvironmentError, find as environment, network, org_of, seen_of, tip_of};
use crate::org::OrgError;
use crate::org::deploy::{Deployment, Watch, deploy};
use crate::org::login::Orgs;
use crate::snapshot;

/// What is to be set back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Revert {
    /// The environment.
    pub environment: String,
    /// Numbers, components and elements, as of the last snapshot.
    pub selection: Vec<String>,
    /// All that was changed in the org.
    pub all: bool,
    /// Deploy what was validated.
    pub deploy: bool,
    /// The environment's name once more, as a production needs it.
    pub confirmed: Option<String>,
}

/// What was set back.
#[derive(Clone, Debug, Serialize)]
pub struct Reverted {
    /// The environment.
    pub environment: String,
    /// The differences that go away.
    pub reverted: Vec<Difference>,
    /// Components that are deployed.
    pub components: Vec<String>,
    /// Components that are deleted.
    pub deletions: Vec<String>,
    /// What is not done, or not as somebody may think.
    pub notes: Vec<String>,
    /// The validations, one for each part of the package.
    pub validations: Vec<Sent>,
    /// The deployments; none when it was only validated.
    pub deployments: Vec<Sent>,
}

/// What became of a deployment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Sent {
    /// Its id.
    pub id: String,
    /// Its final status.
    pub status: String,
    /// Whether it succeeded.
    pub succeeded: bool,
    /// Why not.
    pub problems: Vec<String>,
}

impl Reverted {
    /// Whether everything that was sent succeeded.
    pub fn succeeded(&self) -> bool {
        self.validations
            .iter()
            .chain(&self.deployments)
            .all(|sent| sent.succeeded)
    }
}

/// Sets an org back to its branch. A new snapshot is taken first, and one after it, so that nothing is set back that nobody has seen.
///
/// # Errors
/// What was selected is not a change of the org, or it is another one than the last snapshot showed.
pub fn revert(
    repository: &Repository,
    orgs: &Orgs,
    request: &Revert,
    now: CommitTime,
    watch: &mut Watch<'_>,
) -> Result<Reverted, EnvironmentError> {
    let config = config::read(repository)?;
    let environment = environment(&config, &request.environment)?;
    let login = org_of(environment)?;
    let who = signature(repository.committer()?, now);
    let (seen, tip) = (seen_of(repository, environment)?, tip_of(repository, environment)?);
    let shown = find::drift(repository, &config, environment, &seen, tip)?;
    let taken = match request.selection.is_empty() {
        true => Difference::is_unclaimed,
        false => Difference::is_of_org,
    };
    let meant = pick(&shown, &request.selection, request.all, taken)?.differences;

    let network = network()?;
    let take = || {
        let request = snapshot::Request::default();
        snapshot::take(
            repository,
            network.handle(),
            orgs,
            environment,
            &request,
            &who,
            &|_, _| {},
        )
    };
    take()?;
    let seen = seen_of(repository, environment)?;
    let drift = find::drift(repository, &config, environment, &seen, tip)?;
    let same = |a: &Difference, b: &Difference| (&a.path, a.kind, &a.org) == (&b.path, b.kind, &b.org);
    let Picked { differences, .. } = pick(&drift, &[], true, taken)?;
    let reverted: Vec<Difference> = differences
        .into_iter()
        .filter(|one| meant.iter().any(|other| same(one, other)))
        .collect();
    if reverted.len() < meant.len() {
        return Err(EnvironmentError::Argument {
            what: format!("the org `{login}` was changed again since the last snapshot"),
            hint: format!("look at it with `syncline drift {}` and select anew", environment.name),
        });
    }
    let writer = repository.batch()?;
    let branch = with_overlays(&writer, environment, writer.commit_tree(tip)?)?;
    let edits = edits(&writer, &drift, &reverted, (seen.tree, branch))?;
    let after = writer.write_edits(Some(seen.tree), &edits)?;
    let sealer = orgs.vault.sealer()?;
    let confirmed = request
        .confirmed
        .as_deref()
        .filter(|name| *name == environment.name)
        .map(|_| login);
    let mut made = Reverted {
        environment: environment.name.clone(),
        reverted,
        components: Vec::new(),
        deletions: Vec::new(),
        notes: Vec::new(),
        validations: Vec::new(),
        deployments: Vec::new(),
    };
    network.block_on(async {
        let connection = orgs.connect_to_write(login, confirmed).await?;
        let names = flows_between(&writer, seen.tree, after)?;
        let options = Options {
            version: connection.api_version(),
            limits: Limits::default(),
            sealer: Some(&sealer),
            flows: flows::flows(&connection, &names).await?,
        };
        let mut package = package(&writer, seen.tree, after, &options)?;
        made.components = package.components.iter().map(ToString::to_string).collect();
        made.deletions = package.deletions.iter().map(ToString::to_string).collect();
        made.notes.append(&mut package.notes);
        let (test_level, run_tests) = tests(environment, package.has_apex());
        package.chunks.iter().try_for_each(is_open)?;
        for check_only in [true, false] {
            if !check_only && (!request.deploy || !made.succeeded()) {
                break;
            }
            for chunk in &package.chunks {
                let deployment = Deployment {
                    zip: chunk.zip()?,
                    options: DeployOptions {
                        check_only,
                        test_level,
                        run_tests: run_tests.clone(),
                        ..DeployOptions::default()
                    },
                    ..Deployment::default()
                };
                let again = Watch {
                    intent: watch.intent,
                    started: &mut *watch.started,
                    progress: &mut *watch.progress,
                };
                let sent = sent(&deploy(&connection, deployment, again).await?);
                let list = if check_only {
                    &mut made.validations
                } else {
                    &mut made.deployments
                };
                let failed = !sent.succeeded;
                list.push(sent);
                if failed {
                    break;
                }
            }
        }
        Ok::<_, EnvironmentError>(())
    })?;
    if !made.deployments.is_empty() {
        take()?;
    }
    Ok(made)
}

/// The tests of its environment. Where it names none, or no Apex is sent, the org decides.
fn tests(environment: &Environment, has_apex: bool) -> (Option<TestLevel>, Vec<String>) {
    match environment.test_level.as_ref().filter(|_| has_apex) {
        None => (None, Vec::new()),
        Some(config::TestLevel::NoTestRun) => (Some(TestLevel::NoTestRun), Vec::new()),
        Some(config::TestLevel::RunLocalTests) => (Some(TestLevel::RunLocalTests), Vec::new()),
        Some(config::TestLevel::RunAllTestsInOrg) => (Some(TestLevel::RunAllTestsInOrg), Vec::new()),
        Some(config::TestLevel::RunRelevantTests) => (Some(TestLevel::RunRelevantTests), Vec::new()),
        Some(config::TestLevel::RunSpecifiedTests(classes)) => (Some(TestLevel::RunSpecifiedTests), classes.clone()),
    }
}

/// How a sealed value begins as the text of an element.
const SEALED: &[u8] = b">sealed:";

/// A value that only an overlay knows to be a secret is never sent as it stands in git.
fn is_open(chunk: &Chunk) -> Result<(), OrgError> {
    let sealed = |bytes: &[u8]| bytes.windows(SEALED.len()).any(|part| part == SEALED);
    match chunk.files.iter().find(|(_, bytes)| sealed(bytes)) {
        None => Ok(()),
        Some((path, _)) => Err(OrgError::Argument {
            what: format!("{path} holds a sealed value that cannot be opened here"),
            hint: "leave it out of the selection, and set the value in the org by hand",
        }),
    }
}

fn sent(result: &DeployResult) -> Sent {
    Sent {
        id: result.id.clone(),
        status: result.status.to_string(),
        succeeded: result.succeeded(),
        problems: result.problems().iter().map(ToString::to_string).collect(),
    }
}
