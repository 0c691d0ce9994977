//! `syncline merge-file` against `git merge-file`: time of one process and peak memory.

use super::Bench;
use super::measure::{Contender, Run, megabytes, race};
use super::report::{Row, Target};
use std::path::PathBuf;
use xtask::generate::{Content, Edit, File, Place, Spot, loose_profile, spots};

/// Path by which the kind of the file is known.
const PATH: &str = "force-app/main/default/profiles/Admin.profile-meta.xml";

/// Bytes that one field permission takes.
const ENTRY: usize = 205;

struct Input {
    base: PathBuf,
    ours: PathBuf,
    theirs: PathBuf,
    out: PathBuf,
    /// The right result of a merge without conflict.
    expected: Option<Vec<u8>>,
    largest: usize,
}

/// Runs the benchmark.
pub(super) fn run(bench: &mut Bench) -> Vec<Row> {
    let mut rows = Vec::new();
    for (name, bytes, conflicts) in [
        ("3 kB", 3_000, false),
        ("1 MB", 1_000_000, false),
        ("1 MB, many conflicts", 1_000_000, true),
    ] {
        let title = format!("merge-file, profile of {name}");
        rows.push(times(bench, &title, bytes, conflicts).unwrap_or_else(|why| Row::failed(&title, why)));
    }
    for (name, bytes) in [("3 kB", 3_000), ("1 MB", 1_000_000), ("30 MB", 30_000_000)] {
        let title = format!("merge-file, peak memory, profile of {name}");
        rows.push(memory(bench, &title, bytes).unwrap_or_else(|why| Row::failed(&title, why)));
    }
    rows
}

fn times(bench: &Bench, title: &str, bytes: usize, conflicts: bool) -> Result<Row, String> {
    let input = input(bench, bytes, conflicts)?;
    let (ours, peer) = (ours(bench, &input), peer(bench, &input));
    let contenders: Vec<Contender<'_>> = vec![
        Box::new(|| {
            let (time, _) = ours.timed()?;
            input.check().map(|()| time)
        }),
        Box::new(|| peer.timed().map(|(time, _)| time)),
    ];
    let mut outcome = race(bench.rounds(50), contenders).into_iter();
    let mut next = || outcome.next().unwrap_or_else(|| Err("no runs".to_owned()));
    Ok(Row::compare(
        title,
        Target::Within(3.0),
        "git merge-file",
        &next(),
        &next(),
    ))
}

fn memory(bench: &Bench, title: &str, bytes: usize) -> Result<Row, String> {
    let input = input(bench, bytes, false)?;
    let scratch = bench.scratch.path();
    let peak = ours(bench, &input).used(scratch)?.0.memory;
    input.check()?;
    let git = peer(bench, &input).used(scratch)?.0.memory;
    let limit = 20 * 1024 * 1024 + 30 * input.largest as u64;
    let target = format!("< {} (20 MB + 30 × largest file)", megabytes(limit));
    Ok(Row::limit(
        title,
        megabytes(peak),
        format!("git merge-file: {}", megabytes(git)),
        target,
        peak < limit,
    ))
}

fn ours(bench: &Bench, input: &Input) -> Run {
    let shown = |path: &PathBuf| path.display().to_string();
    Run::new(&bench.syncline, bench.scratch.path())
        .args([
            "merge-file".to_owned(),
            shown(&input.base),
            shown(&input.ours),
            shown(&input.theirs),
        ])
        .args(["--path".to_owned(), PATH.to_owned(), "-o".to_owned(), shown(&input.out)])
        .accept([i32::from(input.expected.is_none())])
}

fn peer(bench: &Bench, input: &Input) -> Run {
    let shown = |path: &PathBuf| path.display().to_string();
    Run::new("git", bench.scratch.path())
        .args(["merge-file".to_owned(), "-p".to_owned(), "--quiet".to_owned()])
        .args([shown(&input.ours), shown(&input.base), shown(&input.theirs)])
        // The exit code is the number of conflicts.
        .accept(0..=127)
        .stdout_to(&bench.scratch.path().join("git-out.xml"))
}

impl Input {
    /// Whether what was written is right; with conflicts only that something was written.
    fn check(&self) -> Result<(), String> {
        let written = std::fs::read(&self.out).map_err(|error| format!("no result: {error}"))?;
        match &self.expected {
            Some(expected) if *expected != written => {
                Err("the result is not base with the edits of both sides".to_owned())
            }
            None if written.is_empty() => Err("the result is empty".to_owned()),
            _ => Ok(()),
        }
    }
}

/// One entry in 40 changed on each side, never the same; with conflicts the other side removes what the first changed.
fn input(bench: &Bench, bytes: usize, conflicts: bool) -> Result<Input, String> {
    let base = File {
        component: ("Profile", "Admin".into()),
        place: Place::Xml("profiles/Admin.profile".to_owned()),
        content: Content::Xml(loose_profile((bytes / ENTRY).max(12), 1)),
    };
    let spots = spots(&base);
    let picked = |first: usize, step: usize| spots.iter().skip(first).step_by(step).collect::<Vec<&Spot>>();
    let turn = |file: &File, picked: &[&Spot]| {
        picked.iter().fold(file.clone(), |file, spot| {
            edited_in_place(file, spot, Edit::Change("x"))
        })
    };
    let step = if conflicts { 8 } else { 40 };
    let (left, right) = (picked(1, step), picked(if conflicts { 1 } else { 6 }, step));
    let ours = turn(&base, &left);
    let (theirs, expected) = if conflicts {
        // From the end, so that the places of those in front stay.
        (
            right
                .iter()
                .rev()
                .fold(base.clone(), |file, spot| edited_in_place(file, spot, Edit::Remove)),
            None,
        )
    } else {
        (turn(&base, &right), Some(turn(&ours, &right).content.bytes()))
    };
    let folder = bench.scratch.path().join(format!("merge-file-{bytes}-{conflicts}"));
    std::fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    let write = |name: &str, file: &File| {
        let path = folder.join(name);
        std::fs::write(&path, file.content.bytes())
            .map(|()| path)
            .map_err(|error| error.to_string())
    };
    let largest = [&base, &ours, &theirs]
        .map(|file| file.content.bytes().len())
        .into_iter()
        .max()
        .unwrap_or_default();
    Ok(Input {
        base: write("base.profile-meta.xml", &base)?,
        ours: write("ours.profile-meta.xml", &ours)?,
        theirs: write("theirs.profile-meta.xml", &theirs)?,
        out: folder.join("out.profile-meta.xml"),
        expected,
        largest,
    })
}

fn edited_in_place(mut file: File, spot: &Spot, edit: Edit<'_>) -> File {
    xtask::generate::edit(&mut file, spot, edit);
    file
}
