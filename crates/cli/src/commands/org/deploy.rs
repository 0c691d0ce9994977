//! `syncline org deploy`.

use std::path::PathBuf;

use serde_json::json;
use syncline_engine::org::deploy::{self, Asked, Watch};
use syncline_salesforce::metadata::{DeployIntent, DeployResult, TestLevel};

use super::deploying::Deploying;
use super::{block_on, orgs};
use crate::Status;
use crate::error::CommandError;
use crate::output::{Output, Progress};

/// Deploy a folder into an org
///
/// The folder is in source format (with sfdx-project.json) or in Metadata API format; a package.xml in it decides what is
/// deployed, else everything is. All or nothing: when one component fails, nothing is changed. The deployment is sent once, also
/// when its answer is lost. Ends with 0 when everything is deployed, with 1 when components, tests or coverage failed.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  syncline org deploy uat force-app --check-only
  syncline org deploy uat delta --destructive delta/destructiveChangesPost.xml
  syncline org deploy prod . --check-only --tests RunLocalTests --confirm-production prod
  syncline org deploy prod --quick 0Af… --confirm-production prod")]
pub struct Args {
    /// The name of the login
    org: String,
    /// The folder
    #[arg(required_unless_present = "quick", conflicts_with = "quick")]
    dir: Option<PathBuf>,
    /// Only try; change nothing
    #[arg(long)]
    check_only: bool,
    /// Which tests run: NoTestRun, RunSpecifiedTests, RunLocalTests, RunAllTestsInOrg or RunRelevantTests
    #[arg(long, value_name = "LEVEL")]
    tests: Option<TestLevel>,
    /// Run this test class; may be repeated
    #[arg(long, value_name = "CLASS")]
    run_test: Vec<String>,
    /// Deploy what this validation has proved, without running tests again
    #[arg(long, value_name = "ID", conflicts_with_all = ["check_only", "tests", "run_test", "destructive"])]
    quick: Option<String>,
    /// Delete what this file names; it is like package.xml
    #[arg(long, value_name = "FILE")]
    destructive: Option<PathBuf>,
    /// The name of a production org, once more
    #[arg(long, value_name = "NAME")]
    confirm_production: Option<String>,
}

/// Deploys and waits for the end.
pub fn run(args: Args, out: &mut Output) -> Result<Status, CommandError> {
    let orgs = orgs()?;
    let deploying = Deploying::new(&orgs, &args.org);
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
        let mut started = |id: &str| deploying.started(id);
        let watch = Watch {
            intent: &intent,
            started: &mut started,
            progress: &mut progress,
        };
        if let Some(validation) = &args.quick {
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
    tell(&result, out)?;
    Ok(if result.succeeded() {
        Status::Done
    } else {
        Status::Found
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
pub(in crate::commands) struct Bar<'a> {
    out: &'a Output,
    bars: [Option<(Progress, u64)>; 2],
}

impl<'a> Bar<'a> {
    pub(in crate::commands) fn new(out: &'a Output) -> Self {
        Self {
            out,
            bars: [None, None],
        }
    }

    pub(in crate::commands) fn show(&mut self, result: &DeployResult) {
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
