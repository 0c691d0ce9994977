//! `syncline org deploy`.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use serde_json::json;
use syncline_engine::org::OrgError;
use syncline_engine::org::deploy::{self, Asked, Watch};
use syncline_engine::org::login::Orgs;
use syncline_engine::report::Checks;
use syncline_salesforce::metadata::{DeployIntent, DeployResult, DeployStatus, TestLevel};

use super::{block_on, orgs};
use crate::Status;
use crate::error::{CommandError, Kind};
use crate::output::{Output, Progress};
use crate::reports::Reports;

/// Exit code on Ctrl-C, as if SIGINT had ended the process: 128 + 2.
const INTERRUPTED: i32 = 130;

/// Deploy a folder into an org
///
/// The folder is in source format (with sfdx-project.json) or in Metadata API format; a package.xml in it decides what is
/// deployed, else everything is. All or nothing: when one component fails, nothing is changed. The deployment is sent once, also
/// when its answer is lost. Ends with 0 when everything is deployed, with 1 when components, tests or coverage failed, and with
/// 130 on Ctrl-C: the deployment goes on in the org then, and --watch and --cancel find it by its id. With --cancel it ends with 0
/// when the deployment is cancelled and with 1 when that came too late.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  syncline org deploy uat force-app --check-only
  syncline org deploy uat delta --destructive delta/destructiveChangesPost.xml
  syncline org deploy prod . --check-only --tests RunLocalTests --confirm-production prod
  syncline org deploy prod --quick 0Af… --confirm-production prod
  syncline org deploy uat --cancel 0Af…")]
#[command(group(clap::ArgGroup::new("what").required(true)))]
pub struct Args {
    /// The name of the login
    org: String,
    /// The folder
    #[arg(group = "what")]
    dir: Option<PathBuf>,
    /// Only try; change nothing
    #[arg(long, requires = "dir")]
    check_only: bool,
    /// Which tests run: NoTestRun, RunSpecifiedTests, RunLocalTests, RunAllTestsInOrg or RunRelevantTests
    #[arg(long, value_name = "LEVEL", requires = "dir")]
    tests: Option<TestLevel>,
    /// Run this test class; may be repeated
    #[arg(long, value_name = "CLASS", requires = "dir")]
    run_test: Vec<String>,
    /// Deploy what this validation has proved, without running tests again
    #[arg(long, group = "what", value_name = "ID")]
    quick: Option<String>,
    /// Wait for the end of this deployment, which was sent before
    #[arg(long, group = "what", value_name = "ID")]
    watch: Option<String>,
    /// Cancel this deployment and wait for its end
    #[arg(long, group = "what", value_name = "ID")]
    cancel: Option<String>,
    /// Delete what this file names; it is like package.xml
    #[arg(long, value_name = "FILE", requires = "dir")]
    destructive: Option<PathBuf>,
    /// The name of a production org, once more
    #[arg(long, value_name = "NAME")]
    confirm_production: Option<String>,
    #[command(flatten)]
    reports: Reports,
}

/// Deploys, or looks after a deployment that was sent before, and waits for the end.
pub fn run(args: Args, out: &mut Output) -> Result<Status, CommandError> {
    args.reports.check()?;
    let orgs = orgs()?;
    if let Some(id) = &args.cancel {
        let result = cancel(&args, id, &orgs, out)?;
        args.reports.write(&Checks::of_deployment(&args.org, &result))?;
        tell(&result, out)?;
        return Ok(match result.status {
            DeployStatus::Canceled => Status::Done,
            _ => Status::Found,
        });
    }
    let result = match &args.watch {
        Some(id) => watch(&args, id, &orgs, out)?,
        None => send(&args, &orgs, out)?,
    };
    args.reports.write(&Checks::of_deployment(&args.org, &result))?;
    tell(&result, out)?;
    Ok(if result.succeeded() {
        Status::Done
    } else {
        Status::Found
    })
}

fn cancel(args: &Args, id: &str, orgs: &Orgs, out: &Output) -> Result<DeployResult, CommandError> {
    let mut bar = Bar::new(out);
    block_on(async {
        let connection = orgs
            .connect_to_write(&args.org, args.confirm_production.as_deref())
            .await?;
        deploy::cancel(&connection, id, &mut |result| bar.show(result)).await
    })
}

fn watch(args: &Args, id: &str, orgs: &Orgs, out: &Output) -> Result<DeployResult, CommandError> {
    let mut bar = Bar::new(out);
    block_on(async {
        let connection = orgs.connect(&args.org).await?;
        deploy::watch(&connection, id, &mut |result| bar.show(result)).await
    })
}

fn send(args: &Args, orgs: &Orgs, out: &mut Output) -> Result<DeployResult, CommandError> {
    let deploying = Deploying::new(orgs, &args.org);
    let id = Arc::new(OnceLock::new());
    let mut left = Vec::new();
    let mut before = None;
    let result = block_on(async {
        let connection = orgs
            .connect_to_write(&args.org, args.confirm_production.as_deref())
            .await?;
        // An earlier run was ended before it saw what became of its deployment.
        if let Some(intent) = deploying.earlier() {
            before = deploy::earlier(&connection, &intent).await?;
        }
        let intent = |intent: &DeployIntent| deploying.intend(intent);
        let mut bar = Bar::new(out);
        let mut progress = |result: &DeployResult| bar.show(result);
        let mut started = |new: &str| {
            // It is told once, and known before it is shown: who sees it may press Ctrl-C.
            let _ = id.set(new.to_owned());
            deploying.started(new);
        };
        let watch = Watch {
            intent: &intent,
            started: &mut started,
            progress: &mut progress,
        };
        if let Some(validation) = &args.quick {
            leave_on_interrupt(args, &id)?;
            return deploy::quick(&connection, validation, watch).await;
        }
        let asked = Asked {
            folder: args.dir.clone().unwrap_or_default(),
            check_only: args.check_only,
            tests: args.tests,
            run: args.run_test.clone(),
            destructive: args.destructive.clone(),
        };
        let deployment = deploy::prepare(&asked, connection.api_version())?;
        left.clone_from(&deployment.left);
        leave_on_interrupt(args, &id)?;
        deploy::deploy(&connection, deployment, watch).await
    })?;
    if let Some(earlier) = before {
        out.warn(format_args!(
            "an earlier run was ended while its deployment {} went on; it was {} when this one began",
            earlier.id, earlier.status
        ));
    }
    deploying.ended()?;
    for (path, why) in &left {
        out.warn(format_args!("{path} is left out: {why}"));
    }
    Ok(result)
}

/// From now on Ctrl-C ends the program, and says that the deployment goes on.
fn leave_on_interrupt(args: &Args, id: &Arc<OnceLock<String>>) -> Result<(), OrgError> {
    let (org, id) = (args.org.clone(), id.clone());
    let confirm = match &args.confirm_production {
        Some(name) => format!(" --confirm-production {name}"),
        None => String::new(),
    };
    let left = move || {
        match id.get() {
            Some(id) => eprintln!(
                "the deployment {id} goes on in {org}; `syncline org deploy {org} --watch {id}` waits for its end, \
                 `syncline org deploy {org} --cancel {id}{confirm}` cancels it"
            ),
            None => eprintln!(
                "a deployment may have begun in {org}; the next `syncline org deploy {org} …` tells what became of it"
            ),
        }
        std::process::exit(INTERRUPTED);
    };
    ctrlc::set_handler(left).map_err(|error| OrgError::Argument {
        what: format!("could not watch for Ctrl-C: {error}"),
        hint: "try again",
    })
}

fn tell(result: &DeployResult, out: &mut Output) -> Result<(), CommandError> {
    let problems = result.problems();
    if out.json() {
        return out.value(&json!({
            "id": result.id,
            "status": result.status,
            "succeeded": result.succeeded(),
            "checkOnly": result.check_only,
            "componentsDeployed": result.number_components_deployed,
            "componentsTotal": result.number_components_total,
            "testsCompleted": result.number_tests_completed,
            "testsTotal": result.number_tests_total,
            "problems": problems,
            "details": result.details,
            "notifications": result.notifications,
        }));
    }
    for notification in &result.notifications {
        out.note(format_args!(
            "{}: {}",
            notification.message_code, notification.message_text
        ));
    }
    for message in &result.details.component_successes {
        if message.problem_type.as_deref() == Some("Warning") && result.succeeded() {
            out.warn(message);
        }
    }
    for problem in &problems {
        out.line(problem)?;
    }
    let tried = if result.check_only { " (only tried)" } else { "" };
    out.line(format_args!(
        "{} {}{tried}: {} of {} components, {} of {} tests",
        result.id,
        result.status,
        result.number_components_deployed,
        result.number_components_total,
        result.number_tests_completed,
        result.number_tests_total
    ))
}

/// Progress of components, then of tests.
struct Bar<'a> {
    out: &'a Output,
    bars: [Option<(Progress, u64)>; 2],
}

impl<'a> Bar<'a> {
    fn new(out: &'a Output) -> Self {
        Self {
            out,
            bars: [None, None],
        }
    }

    fn show(&mut self, result: &DeployResult) {
        let counts = [
            (
                "components",
                result.number_components_deployed,
                result.number_components_total,
            ),
            ("tests", result.number_tests_completed, result.number_tests_total),
        ];
        for (slot, (what, done, total)) in self.bars.iter_mut().zip(counts) {
            if total == 0 {
                continue;
            }
            let (bar, before) = slot.get_or_insert_with(|| (self.out.progress(what, total), 0));
            if done > *before {
                bar.advance(done - *before);
                *before = done;
            }
        }
    }
}

/// What is known of a deployment that is sent, by the name of its login, for the case that the program ends before it does.
struct Deploying {
    org: String,
    file: PathBuf,
}

impl Deploying {
    fn new(orgs: &Orgs, org: &str) -> Self {
        Self {
            org: org.to_owned(),
            file: orgs.vault.folder().join("deploying").join(format!("{org}.json")),
        }
    }

    /// What an earlier run was about to send when it was ended.
    fn earlier(&self) -> Option<DeployIntent> {
        serde_json::from_slice(&std::fs::read(&self.file).ok()?).ok()
    }

    /// Writes down what is about to be sent.
    fn intend(&self, intent: &DeployIntent) -> Result<(), String> {
        let text = serde_json::to_vec_pretty(intent).map_err(|error| error.to_string())?;
        let folder = self.file.parent().unwrap_or(&self.file);
        std::fs::create_dir_all(folder)
            .and_then(|()| std::fs::write(&self.file, text))
            .map_err(|error| format!("{}: {error}", self.file.display()))
    }

    /// Tells the id of the deployment.
    fn started(&self, id: &str) {
        eprintln!("deployment {id} in {}", self.org);
    }

    /// The end was seen.
    fn ended(&self) -> Result<(), CommandError> {
        if !self.file.exists() {
            return Ok(());
        }
        std::fs::remove_file(&self.file).map_err(|error| {
            let message = format!("could not remove {}", self.file.display());
            CommandError::new(Kind::Config, "org.vault", message).because(error)
        })
    }
}
