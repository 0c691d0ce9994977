//! `git merge` of a branch where both sides changed 200 files, with and without our merge driver.

use super::Bench;
use super::measure::{Contender, Run, race};
use super::report::{Row, Target};
use std::path::Path;
use std::time::Duration;
use xtask::generate::HistoryOptions;

const FILES: usize = 200;

/// Runs the benchmark.
pub(super) fn run(bench: &mut Bench) -> Vec<Row> {
    let title = format!("git merge, {FILES} files changed on both sides");
    bench
        .notes
        .push("sf-git-merge-driver is not measured: npm knows no package of that name where this ran.".to_owned());
    vec![measure(bench, &title).unwrap_or_else(|why| Row::failed(&title, why))]
}

fn measure(bench: &mut Bench, title: &str) -> Result<Row, String> {
    let options = HistoryOptions {
        hotfix: FILES,
        branches: 1,
        own: 20,
        overlap: FILES,
        conflicts: 0,
        bare: false,
    };
    let (folder, _) = bench.history("git-merge", 3_000, &options)?;
    let git = |arguments: &[&str]| Run::new("git", &folder).args(arguments.iter().copied());
    git(&["config", "user.name", "Bench"]).go()?;
    git(&["config", "user.email", "bench@example.com"]).go()?;
    git(&["checkout", "--quiet", "integration"]).go()?;
    let driver = |action: &str| Run::new(&bench.syncline, &folder).args(["merge-driver", action]).go();
    let merge = || -> Result<Duration, String> {
        let (time, _) = git(&["merge", "--no-edit", "--quiet", "production"])
            .accept([0, 1])
            .timed()?;
        Ok(time)
    };
    let mut left_over = [0, 0];
    let [with_count, without_count] = &mut left_over;
    let start = git(&["rev-parse", "HEAD"]).output()?;
    let restore = || git(&["reset", "--quiet", "--hard", &start]).go();
    let contenders: Vec<Contender<'_>> = vec![
        Box::new(|| {
            restore()?;
            driver("install")?;
            git(&["config", "--get-regexp", r"^merge\..*\.driver$"])
                .go()
                .map_err(|_| "`syncline merge-driver install` set no merge driver".to_owned())?;
            let time = merge()?;
            *with_count = conflicted(&folder)?;
            restore()?;
            driver("uninstall")?;
            Ok(time)
        }),
        Box::new(|| {
            restore()?;
            let time = merge()?;
            *without_count = conflicted(&folder)?;
            restore()?;
            Ok(time)
        }),
    ];
    let mut outcome = race(bench.rounds(10), contenders).into_iter();
    let mut next = || outcome.next().unwrap_or_else(|| Err("no runs".to_owned()));
    let (with, without) = (next(), next());
    let row = Row::compare(title, Target::None, "git merge without driver", &with, &without);
    bench.notes.push(format!(
        "git merge of {FILES} files changed on both sides at different places: {} files in conflict with the driver, {} without.",
        if with.is_ok() { left_over[0].to_string() } else { "not known".to_owned() },
        left_over[1]
    ));
    Ok(row)
}

/// Number of files that the merge left in conflict.
fn conflicted(folder: &Path) -> Result<usize, String> {
    Run::new("git", folder)
        .args(["diff", "--name-only", "--diff-filter=U"])
        .output()
        .map(|text| text.lines().count())
}
