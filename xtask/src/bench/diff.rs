//! `syncline diff` of two commits against `git diff --raw` and reading the changed blobs.

use super::Bench;
use super::measure::{Contender, Run, race};
use super::report::{Row, Target};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use xtask::generate::HistoryOptions;

/// Runs the benchmark.
pub(super) fn run(bench: &mut Bench) -> Vec<Row> {
    let title = "diff, 500 components apart";
    vec![compare(bench, title).unwrap_or_else(|why| Row::failed(title, why))]
}

fn compare(bench: &Bench, title: &str) -> Result<Row, String> {
    let options = HistoryOptions {
        hotfix: 500,
        branches: 0,
        ..HistoryOptions::default()
    };
    let (folder, history) = bench.history("diff", 10_500, &options)?;
    let ours = Run::new(&bench.syncline, &folder)
        .args(["diff", "main", "production"])
        .accept([1]);
    let contenders: Vec<Contender<'_>> = vec![
        Box::new(|| ours.timed().map(|(time, _)| time)),
        Box::new(|| raw_and_blobs(&folder)),
    ];
    let mut outcome = race(bench.rounds(20), contenders).into_iter();
    let mut next = || outcome.next().unwrap_or_else(|| Err("no runs".to_owned()));
    let title = format!("{title}, repository of {} files", history.files);
    Ok(Row::compare(
        &title,
        Target::Within(3.0),
        "git diff --raw + cat-file --batch",
        &next(),
        &next(),
    ))
}

/// What git needs for the changed ids and all their contents.
fn raw_and_blobs(folder: &Path) -> Result<Duration, String> {
    let started = Instant::now();
    let raw = Run::new("git", folder)
        .args(["diff", "--raw", "--no-renames", "--no-abbrev", "main", "production"])
        .output()?;
    let ids: String = raw
        .lines()
        .flat_map(|line| line.split(' ').skip(2).take(2).map(str::to_owned).collect::<Vec<_>>())
        .filter(|id| id.bytes().any(|byte| byte != b'0'))
        .map(|id| id + "\n")
        .collect();
    let failed = |error: std::io::Error| format!("git cat-file: {error}");
    let mut child = Command::new("git")
        .args(["cat-file", "--batch"])
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    let mut stdin = child.stdin.take().ok_or("git cat-file has no input")?;
    let feeder = std::thread::spawn(move || stdin.write_all(ids.as_bytes()));
    let output = child.wait_with_output().map_err(failed)?;
    feeder
        .join()
        .map_err(|_| "the thread that feeds git cat-file ended early".to_owned())?
        .map_err(failed)?;
    let elapsed = started.elapsed();
    if output.status.success() && !output.stdout.is_empty() {
        Ok(elapsed)
    } else {
        Err(format!("git cat-file ended with {}", output.status))
    }
}
