//! `syncline snapshot`: the orgs of environments as they are now.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};
use syncline_engine::snapshot::{Request, Snapshotted, snapshots};

use super::back_promote::{counted, now, open, short};
use super::environment::problem;
use super::operating;
use super::org::orgs;
use crate::Status;
use crate::error::{CommandError, Kind};
use crate::output::{Output, Progress};

/// Look at the orgs of environments and keep what they contain
///
/// A snapshot is a commit at refs/syncline/snapshot/ENV with everything that syncline/scope.toml manages. Only what changed since
/// the last one is retrieved. Files that mean the same as the branch's are the branch's; secrets are sealed before they are written.
/// What is gone from the org counts as deleted only if an earlier complete snapshot had it. Nothing in an org is changed. All orgs
/// are looked at at once; one that fails does not stop the others.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  syncline snapshot production uat    two environments
  syncline snapshot                   every environment with an org
  syncline snapshot uat --full        retrieve everything anew
  syncline snapshot uat --new-org     after its sandbox was refreshed
  syncline diff env:uat snapshot:uat

Exit codes: 0 done · 1 an org could not give something · 2 a snapshot failed; the others are done")]
pub struct Args {
    /// The environments; all with an org when none is named
    #[arg(value_name = "ENV")]
    environments: Vec<String>,
    /// Retrieve everything anew, not only what changed
    #[arg(long)]
    full: bool,
    /// The environments lead to new orgs, as after a refresh
    #[arg(long, requires = "environments")]
    new_org: bool,
}

/// Takes the snapshots and tells of each.
pub fn run(args: Args, out: &mut Output) -> Result<Status, CommandError> {
    let repository = open()?;
    let request = Request {
        environments: args.environments,
        full: args.full,
        new_org: args.new_org,
    };
    let bars = Bars::new(out);
    let taken = snapshots(
        &repository,
        &orgs()?,
        &request,
        &operating::actor(&repository)?,
        now(),
        &|name, done, total| {
            bars.show(name, done, total);
        },
    )?;
    drop(bars);
    let alone = taken.len() == 1;
    let (mut failed, mut found, mut values) = (Vec::new(), false, Vec::new());
    for one in taken {
        let name = one.environment;
        match one.result {
            Ok(snapshot) => {
                found |= !snapshot.messages.is_empty() || !snapshot.left_out.is_empty();
                values.push(value(&name, &snapshot));
                tell(&name, &snapshot, out)?;
            }
            Err(error) if alone => return Err(error.into()),
            Err(error) => {
                let (error, value) = problem(error);
                values.push(json!({"environment": name, "error": value}));
                if !out.json() {
                    out.line(format_args!("{name}: failed, its snapshot is as it was"))?;
                    out.error(&error);
                }
                failed.push(name);
            }
        }
    }
    if out.json() {
        out.value(&json!({"snapshots": values}))?;
    }
    if failed.is_empty() {
        return Ok(if found { Status::Found } else { Status::Done });
    }
    let message = format!("the snapshot failed for {}", failed.join(", "));
    Err(CommandError::new(Kind::Upstream, "snapshot.failed", message)
        .hint("correct what is named above and run the same command again; what is done stays done"))
}

fn value(name: &str, taken: &Snapshotted) -> Value {
    let mut value = json!(taken);
    value["environment"] = name.into();
    value
}

fn tell(name: &str, taken: &Snapshotted, out: &mut Output) -> Result<(), CommandError> {
    for message in &taken.messages {
        out.warn(format_args!("{name}: {message}"));
    }
    for (kind, why) in &taken.not_listed {
        out.note(format_args!(
            "{name}: {kind} cannot be listed, so nothing is known about it: {why}"
        ));
    }
    for (path, why) in &taken.left_out {
        out.warn(format_args!("{name}: {path} is left out: {why}"));
    }
    if out.json() {
        return Ok(());
    }
    let news = if taken.changed { "is" } else { "is still" };
    out.line(format_args!(
        "{name}: the snapshot {news} {}: {} retrieved, {} unchanged, {} gone",
        short(&taken.commit.to_string()),
        counted(taken.retrieved, "component"),
        taken.unchanged,
        taken.gone.len()
    ))
}

/// Progress of all orgs as one.
pub(super) struct Bars<'a> {
    out: &'a Output,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    orgs: BTreeMap<String, (usize, usize)>,
    shown: Option<(Progress, u64, u64)>,
}

impl<'a> Bars<'a> {
    pub(super) fn new(out: &'a Output) -> Self {
        Self {
            out,
            state: Mutex::default(),
        }
    }

    pub(super) fn show(&self, name: &str, done: usize, total: usize) {
        // A panic of another thread does not matter to what is told.
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.orgs.insert(name.to_owned(), (done, total));
        let (done, total) = state
            .orgs
            .values()
            .fold((0, 0), |(a, b), (x, y)| (a + *x as u64, b + *y as u64));
        // Another org, or a retrieve that was split, makes the whole larger.
        if state.shown.as_ref().is_none_or(|(_, known, _)| *known != total) {
            state.shown = Some((self.out.progress("retrieving", total), total, 0));
        }
        if let Some((bar, _, before)) = &mut state.shown
            && done > *before
        {
            bar.advance(done - *before);
            *before = done;
        }
    }
}
