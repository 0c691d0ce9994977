//! `syncline back-promote` of 300 files onto 12 branches, each time on a fresh copy of the repository.

use super::measure::{Contender, Run, race};
use super::report::Row;
use super::{Bench, copy_folder};
use std::time::Duration;
use xtask::generate::HistoryOptions;

const BRANCHES: usize = 12;
const FILES: usize = 300;
/// Wall time on two cores.
const LIMIT: Duration = Duration::from_secs(2);

/// Runs the benchmark.
pub(super) fn run(bench: &mut Bench) -> Vec<Row> {
    [("mostly identical targets", 0), ("targets that all differ", FILES)]
        .map(|(name, overlap)| {
            let title = format!("back-promote, {FILES} changed files onto {BRANCHES} branches, {name}");
            measure(bench, &title, overlap).unwrap_or_else(|why| Row::failed(&title, why))
        })
        .into()
}

fn measure(bench: &Bench, title: &str, overlap: usize) -> Result<Row, String> {
    let options = HistoryOptions {
        hotfix: FILES,
        branches: BRANCHES,
        own: 20,
        overlap,
        conflicts: 0,
        bare: true,
    };
    let (folder, history) = bench.history(&format!("back-promote-{overlap}"), 10_500, &options)?;
    let names: Vec<&str> = history
        .branches
        .iter()
        .skip(1)
        .map(|branch| branch.name.as_str())
        .collect();
    let copy = bench.scratch.path().join("back-promote-copy");
    let once = || -> Result<Duration, String> {
        if copy.exists() {
            std::fs::remove_dir_all(&copy).map_err(|error| error.to_string())?;
        }
        copy_folder(&folder, &copy)?;
        let heads = |names: &[&str]| {
            Run::new("git", &copy)
                .args(["rev-parse"])
                .args(names.iter().copied())
                .output()
        };
        let before = heads(&names)?;
        let (time, _) = Run::new(&bench.syncline, &copy)
            .args(["back-promote", "--from", "production", "--onto", &names.join(",")])
            .timed()?;
        let moved = before
            .lines()
            .zip(heads(&names)?.lines())
            .filter(|(before, after)| before != after)
            .count();
        if moved == BRANCHES {
            Ok(time)
        } else {
            Err(format!("{moved} of {BRANCHES} branches moved"))
        }
    };
    let contenders: Vec<Contender<'_>> = vec![Box::new(once)];
    let spread = race(bench.rounds(10), contenders)
        .into_iter()
        .next()
        .unwrap_or_else(|| Err("no runs".to_owned()))?;
    let target = format!("≤ {} s", LIMIT.as_secs());
    Ok(Row::limit(
        title,
        spread.shown(),
        "–".to_owned(),
        target,
        spread.median <= LIMIT,
    ))
}
