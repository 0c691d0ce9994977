//! The way back, tried on a simulated org that holds the target's snapshot and the forward package.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use syncline_git::{Oid, RepositoryHandle};
use syncline_salesforce::metadata::{DeployOptions, DeployResult, TestLevel};
use syncline_salesforce::{Clock, Connection, Http, Login};

use super::flows::flows;
use super::{Chunk, DeploymentError, Difference, Options, Package, flows_between, look, package};
use crate::org::deploy::{Deployment, Watch, deploy};

/// What a rehearsal showed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "proof", rename_all = "kebab-case")]
pub enum Proof {
    /// The way back brings every touched component to what it was.
    Proved {
        /// Components that were compared.
        components: usize,
    },
    /// It does not.
    Differs {
        /// What would be otherwise.
        differences: Vec<Difference>,
    },
    /// The simulated org could not tell.
    Open {
        /// Why.
        why: Vec<String>,
    },
}

/// The longest wait between two questions: the simulated org has done everything at the next request.
const LONGEST: Duration = Duration::from_millis(20);
const NAME: &str = "rehearsal";
const CONFIG: &str =
    "port = 0\nclock = \"fast\"\n[[orgs]]\nname = \"prod\"\n[[orgs]]\nname = \"rehearsal\"\nkind = \"Developer\"\n";

/// Starts the program's own simulator, brings the snapshot and then the result into it, deploys the way back and compares.
/// `program` is the `syncline` program.
pub async fn rehearse(
    program: &Path,
    repository: &RepositoryHandle,
    snapshot: Oid,
    result: Oid,
    options: &Options<'_>,
) -> Result<Proof, DeploymentError> {
    let open = || repository.open().map_err(crate::compare::CompareError::Open);
    let options = Options {
        flows: Default::default(),
        ..options.clone()
    };
    let (load, forward, names) = {
        let repository = open()?;
        let empty = repository.edit_tree(None).write()?;
        (
            package(&repository, empty, snapshot, &options)?,
            package(&repository, snapshot, result, &options)?,
            flows_between(&repository, snapshot, result)?,
        )
    };
    let org = Simulated::start(program, &options).await?;
    let mut why = Vec::new();
    for chunk in &load.chunks {
        why.extend(org.load(chunk, &forward).await?);
    }
    if why.is_empty() {
        why.extend(org.send(&forward, "forward").await?);
    }
    if !why.is_empty() {
        return Ok(Proof::Open { why });
    }
    let options = Options {
        flows: flows(&org.connection, &names).await?,
        ..options
    };
    let back = package(&open()?, result, snapshot, &options)?;
    let why = org.send(&back, "back").await?;
    if !why.is_empty() {
        return Ok(Proof::Open { why });
    }
    let seen = look(&org.connection, &forward)
        .await?
        .against(&open()?, snapshot, options.sealer)?;
    Ok(match seen.is_same() {
        true => Proof::Proved {
            components: seen.components,
        },
        false => Proof::Differs {
            differences: seen.differences,
        },
    })
}

/// A simulated org in a process of its own, which ends with it.
struct Simulated {
    child: Child,
    connection: Connection,
    _config: tempfile::TempDir,
}

#[derive(Deserialize)]
struct Started {
    orgs: Vec<StartedOrg>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct StartedOrg {
    name: String,
    url: String,
    access_token: String,
}

fn failed(why: impl ToString) -> DeploymentError {
    DeploymentError::Simulator { why: why.to_string() }
}

impl Simulated {
    async fn start(program: &Path, options: &Options<'_>) -> Result<Self, DeploymentError> {
        let folder = tempfile::tempdir().map_err(failed)?;
        let config = folder.path().join("world.toml");
        std::fs::write(&config, CONFIG).map_err(failed)?;
        let mut child = Command::new(program)
            .args(["--json", "simulator", "start", "--until-input-ends", "--config"])
            .arg(&config)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(failed)?;
        let stdout = child.stdout.take().ok_or_else(|| failed("it has no output"))?;
        let read = tokio::task::spawn_blocking(move || {
            let mut line = String::new();
            BufReader::new(stdout).read_line(&mut line).map(|_| line)
        });
        let opened = async {
            let line = read.await.map_err(failed)?.map_err(failed)?;
            let started: Started = serde_json::from_str(&line).map_err(|_| failed("it did not tell its orgs"))?;
            let org = started.orgs.into_iter().find(|org| org.name == NAME);
            let org = org.ok_or_else(|| failed("it has no org for rehearsals"))?;
            connect(&org, options).await
        };
        match opened.await {
            Ok(connection) => Ok(Self {
                child,
                connection,
                _config: folder,
            }),
            Err(error) => {
                stop(&mut child);
                Err(error)
            }
        }
    }

    /// Brings a part of the snapshot into the org. What the org does not take is told if the package touches it.
    async fn load(&self, chunk: &Chunk, forward: &Package) -> Result<Vec<String>, DeploymentError> {
        let options = DeployOptions {
            rollback_on_error: false,
            ..self.options()
        };
        let result = self.deploy(chunk, options).await?;
        let failures = result.details.component_failures.iter();
        let touched = failures.filter(|failure| {
            forward.touched().any(|id| {
                failure.component_type.as_deref() == Some(&*id.type_name) && *failure.full_name == *id.full_name
            })
        });
        let mut why: Vec<String> = touched
            .map(|failure| {
                let (name, problem) = (&failure.full_name, failure.problem.as_deref().unwrap_or_default());
                format!("the simulated org does not take {name} of the snapshot: {problem}")
            })
            .collect();
        if result.details.component_successes.is_empty() && why.is_empty() {
            why.extend(result.problems());
        }
        Ok(why)
    }

    /// Deploys a package as a whole; why not, if it fails.
    async fn send(&self, package: &Package, way: &str) -> Result<Vec<String>, DeploymentError> {
        for chunk in &package.chunks {
            let result = self.deploy(chunk, self.options()).await?;
            if !result.succeeded() {
                let told = result.problems().into_iter();
                return Ok(told
                    .map(|why| format!("the package {way} fails in the simulated org: {why}"))
                    .collect());
            }
        }
        Ok(Vec::new())
    }

    fn options(&self) -> DeployOptions {
        DeployOptions {
            ignore_warnings: true,
            test_level: Some(TestLevel::NoTestRun),
            ..DeployOptions::default()
        }
    }

    async fn deploy(&self, chunk: &Chunk, options: DeployOptions) -> Result<DeployResult, DeploymentError> {
        let deployment = Deployment {
            zip: chunk.zip()?,
            options,
            ..Deployment::default()
        };
        let watch = Watch {
            intent: &|_| Ok(()),
            started: &mut |_| {},
            progress: &mut |_| {},
        };
        Ok(deploy(&self.connection, deployment, watch).await?)
    }
}

async fn connect(org: &StartedOrg, options: &Options<'_>) -> Result<Connection, DeploymentError> {
    let login = Login::AccessToken {
        instance: org.url.parse().map_err(failed)?,
        token: org.access_token.clone().into(),
    };
    let mut settings = syncline_salesforce::Options::named(NAME);
    settings.api_version = Some(options.version);
    settings.clock = Clock::new(SystemTime::now, |time| Box::pin(tokio::time::sleep(time.min(LONGEST))));
    let http = Http::new().map_err(failed)?;
    Ok(Connection::open(&http, login, settings).await?)
}

fn stop(child: &mut Child) {
    // It may have ended by itself.
    let _ = child.kill();
    let _ = child.wait();
}

impl Drop for Simulated {
    fn drop(&mut self) {
        stop(&mut self.child);
    }
}
