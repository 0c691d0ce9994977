//! `syncline org tests`.

use syncline_engine::org::tests;
use syncline_engine::report::Checks;

use super::{block_on, orgs};
use crate::Status;
use crate::error::CommandError;
use crate::output::Output;
use crate::reports::Reports;

/// Run Apex tests
///
/// Without --class all tests run but those of installed packages. Ends with 1 when one fails.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The name of the login
    org: String,
    /// Only this class; may be repeated
    #[arg(long, value_name = "CLASS")]
    class: Vec<String>,
    #[command(flatten)]
    reports: Reports,
}

/// Runs tests and tells which failed.
pub fn run(args: &Args, out: &mut Output) -> Result<Status, CommandError> {
    args.reports.check()?;
    let orgs = orgs()?;
    let mut told = Told::default();
    let report = block_on(async {
        // Nothing is changed but what tests themselves leave behind: they are rolled back.
        let connection = orgs.connect_for_tests(&args.org).await?;
        let mut progress = |done: u64| told.done(done, out);
        tests::run(&connection, &args.class, &mut progress).await
    })?;
    args.reports.write(&Checks::of_tests(&args.org, &report))?;
    let failed = report.failures().count();
    if out.json() {
        out.value(&report)?;
    } else {
        for method in report.failures() {
            out.line(format_args!(
                "{}.{}: {} {}",
                method.class,
                method.method,
                method.outcome,
                method.message.as_deref().unwrap_or_default()
            ))?;
            for line in method.stack_trace.iter().flat_map(|trace| trace.lines()) {
                out.line(format_args!("  {line}"))?;
            }
        }
        let coverage = report
            .org_coverage
            .map_or(String::new(), |percent| format!(", {percent} % of the org covered"));
        out.line(format_args!(
            "{} tests, {failed} failed{coverage}",
            report.methods.len()
        ))?;
    }
    Ok(if failed == 0 { Status::Done } else { Status::Found })
}

/// How many methods the org does not tell before they are done: each news is a line.
#[derive(Default)]
struct Told {
    done: u64,
}

impl Told {
    fn done(&mut self, done: u64, out: &mut Output) {
        if done > self.done {
            self.done = done;
            out.note(format_args!("{done} tests done"));
        }
    }
}
