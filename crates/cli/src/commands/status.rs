//! `syncline status`: where every environment stands.

use syncline_engine::status::{EnvironmentStatus, status};

use super::back_promote::{counted, open};
use super::environment::{ago, millis};
use super::operating;
use crate::Status;
use crate::error::CommandError;
use crate::output::Output;

/// Show where every environment stands
///
/// For each environment: how many components can be promoted to the one above and back-promoted from it, how many differ between its
/// org and its branch as of the last snapshot, which operations run or wait and what they ask, how old the snapshot is, and from when on its sandbox may be
/// refreshed. Nothing is asked of an org. Ends with 1 when a problem is shown.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  syncline status
  syncline status uat dev1 --json

Columns: up      components changed here and not above (both: changed on both sides)
         down    components changed above and not here
         in org  components changed in the org and not on the branch
         pending components changed on the branch and not yet in the org")]
pub struct Args {
    /// The environments; all when none is named
    #[arg(value_name = "ENV")]
    environments: Vec<String>,
}

/// Shows the table.
pub fn run(args: &Args, out: &mut Output) -> Result<Status, CommandError> {
    let repository = open()?;
    let found = status(&repository, &args.environments, millis())?.with(&operating::open_ones(&repository)?);
    let problems = found.environments.iter().any(|one| !one.problems.is_empty());
    let ended = if problems { Status::Found } else { Status::Done };
    if out.json() {
        out.value(&found)?;
        return Ok(ended);
    }
    if found.environments.is_empty() {
        out.line("syncline.toml names no environment; `syncline init` writes one")?;
        return Ok(ended);
    }
    let rows: Vec<[String; 7]> = found.environments.iter().map(row).collect();
    let header = ["environment", "above", "up", "down", "in org", "pending", "snapshot"];
    let mut widths = header.map(str::len);
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut write = |cells: [&str; 7]| {
        let line: Vec<String> = cells
            .iter()
            .zip(widths)
            .map(|(cell, width)| format!("{cell:width$}"))
            .collect();
        out.line(line.join("  ").trim_end())
    };
    write(header)?;
    for row in &rows {
        write(row.each_ref().map(String::as_str))?;
    }
    for one in &found.environments {
        about(one, out)?;
    }
    Ok(ended)
}

fn row(one: &EnvironmentStatus) -> [String; 7] {
    let dash = || "–".to_owned();
    let with_both = |count: usize, both: usize| match both {
        0 => count.to_string(),
        both => format!("{count} ({both} both)"),
    };
    let above = one.above.as_ref();
    [
        one.name.clone(),
        above.map_or_else(dash, |above| above.name.clone()),
        above.map_or_else(dash, |above| with_both(above.ahead, above.both)),
        above.map_or_else(dash, |above| above.behind.to_string()),
        one.drift.map_or_else(dash, |drift| with_both(drift.in_org, drift.both)),
        one.drift.map_or_else(dash, |drift| drift.pending.to_string()),
        match (&one.snapshot, &one.org) {
            (Some(snapshot), _) => ago(snapshot.age),
            (None, Some(_)) => "none".to_owned(),
            (None, None) => "no org".to_owned(),
        },
    ]
}

/// What does not fit into the table.
fn about(one: &EnvironmentStatus, out: &mut Output) -> Result<(), CommandError> {
    let mut lines = Vec::new();
    lines.extend(one.problems.iter().map(|problem| format!("problem: {problem}")));
    if !one.open_changes.is_empty() {
        let count = counted(one.open_changes.len(), "open change");
        lines.push(format!("{count}: {}", one.open_changes.join(", ")));
    }
    if !one.conflicts.is_empty() {
        lines.push(format!("conflicts wait: {}", one.conflicts.join(", ")));
    }
    lines.extend(one.operations.iter().map(operating::in_short));
    if let Some(refresh) = &one.next_refresh {
        lines.push(match refresh.allowed {
            true => format!("copied {}; may be refreshed", refresh.last),
            false => format!("copied {}; may be refreshed from {}", refresh.last, refresh.from),
        });
    }
    lines
        .iter()
        .try_for_each(|line| out.line(format_args!("{}: {line}", one.name)))
}
