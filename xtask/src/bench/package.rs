//! Delta packages: `syncline diff --package-xml` against sfdx-git-delta as a library and as a command.

use super::Bench;
use super::measure::{Contender, Run, race};
use super::report::{Row, Target};
use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;
use xtask::generate::HistoryOptions;

/// Runs the benchmark.
pub(super) fn run(bench: &mut Bench) -> Vec<Row> {
    let mut rows = Vec::new();
    for changes in [10, 500] {
        let title = format!("delta package of {changes} changes");
        match measure(bench, &title, changes) {
            Ok(found) => rows.extend(found),
            Err(why) => rows.push(Row::failed(&title, why)),
        }
    }
    rows
}

fn measure(bench: &mut Bench, title: &str, changes: usize) -> Result<Vec<Row>, String> {
    let peers = bench.root.join("e2e/bench");
    if !peers.join("node_modules/sfdx-git-delta").is_dir() {
        return Err("sfdx-git-delta is not installed; run `npm ci` in e2e/bench".to_owned());
    }
    let options = HistoryOptions {
        hotfix: changes,
        branches: 0,
        ..HistoryOptions::default()
    };
    let (folder, _) = bench.history(&format!("package-{changes}"), 10_500, &options)?;
    let out = |name: &str| {
        let path = bench.scratch.path().join(format!("package-{changes}-{name}"));
        std::fs::create_dir_all(&path)
            .map(|()| path.display().to_string())
            .map_err(|error| error.to_string())
    };
    let (ours_out, library_out, command_out) = (out("ours")?, out("library")?, out("command")?);
    let script = |name: &str| peers.join(name).display().to_string();
    let repository = folder.display().to_string();
    let ours = Run::new(&bench.syncline, &folder)
        .args(["diff", "main", "production", "--package-xml", &ours_out])
        .accept([1]);
    let library = Run::new("node", &peers).args([
        script("sgd-library.mjs"),
        repository,
        "main".to_owned(),
        "production".to_owned(),
        library_out.clone(),
    ]);
    let command = Run::new("node", &folder)
        .args([
            script("sgd-command.mjs"),
            "sgd".to_owned(),
            "source".to_owned(),
            "delta".to_owned(),
        ])
        .args([
            "--from",
            "main",
            "--to",
            "production",
            "--output-dir",
            &command_out,
            "--source-dir",
            "force-app",
        ]);
    let contenders: Vec<Contender<'_>> = vec![
        Box::new(|| ours.timed().map(|(time, _)| time)),
        Box::new(|| library.output().and_then(|text| inner_time(&text))),
        Box::new(|| command.timed().map(|(time, _)| time)),
    ];
    let mut outcome = race(bench.rounds(10), contenders).into_iter();
    let mut next = || outcome.next().unwrap_or_else(|| Err("no runs".to_owned()));
    let (ours, library, command) = (next(), next(), next());
    let mut rows = vec![
        Row::compare(
            title,
            Target::Faster(10.0),
            "sfdx-git-delta, its command without the sf CLI",
            &ours,
            &command,
        ),
        Row::compare(
            title,
            Target::Faster(10.0),
            "sfdx-git-delta, the library call alone",
            &ours,
            &library,
        ),
    ];
    if ours.is_ok() && library.is_ok() {
        rows.push(members(bench, title, Path::new(&ours_out), Path::new(&library_out))?);
    }
    Ok(rows)
}

/// Milliseconds that the library measured itself, without the start of node.
fn inner_time(text: &str) -> Result<Duration, String> {
    let line = text.lines().last().unwrap_or_default();
    let value: serde_json::Value =
        serde_json::from_str(line).map_err(|error| format!("sgd-library.mjs wrote {line:?}: {error}"))?;
    let milliseconds = value["milliseconds"].as_f64().ok_or("sgd-library.mjs gave no time")?;
    Ok(Duration::from_secs_f64(milliseconds / 1000.0))
}

/// Compares the members of both manifests and notes each deviation.
fn members(bench: &mut Bench, title: &str, ours: &Path, theirs: &Path) -> Result<Row, String> {
    let mut deviations = Vec::new();
    let mut count = 0;
    for (name, places) in [
        ("package.xml", ["package.xml", "package/package.xml"]),
        (
            "destructiveChanges.xml",
            [
                "destructiveChangesPost.xml",
                "destructiveChanges/destructiveChanges.xml",
            ],
        ),
    ] {
        let read = |folder: &Path| {
            let path = places
                .iter()
                .map(|place| folder.join(place))
                .find(|path| path.is_file());
            path.map_or_else(|| Ok(BTreeSet::new()), |path| manifest(&path))
        };
        let (left, right) = (read(ours)?, read(theirs)?);
        count += left.union(&right).count();
        let only = |these: &BTreeSet<String>, others: &BTreeSet<String>, who: &str| {
            these
                .difference(others)
                .map(|member| format!("{title}: `{member}` is in {name} of {who} only"))
                .collect::<Vec<_>>()
        };
        deviations.extend(only(&left, &right, "syncline"));
        deviations.extend(only(&right, &left, "sfdx-git-delta"));
    }
    let shown = format!("{} of {count} members the same", count - deviations.len());
    let same = deviations.is_empty();
    bench.notes.extend(deviations);
    Ok(Row::limit(
        &format!("{title}, members"),
        shown,
        "sfdx-git-delta".to_owned(),
        "the same, or listed below".to_owned(),
        same,
    ))
}

/// `Type:Member` of a manifest.
fn manifest(path: &Path) -> Result<BTreeSet<String>, String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let document = roxmltree::Document::parse(&text).map_err(|error| format!("{}: {error}", path.display()))?;
    let types = document
        .descendants()
        .filter(|node| node.has_tag_name((xtask::generate::NAMESPACE, "types")));
    Ok(types
        .flat_map(|entry| {
            let texts = |name: &'static str| {
                entry
                    .children()
                    .filter(move |node| node.tag_name().name() == name)
                    .filter_map(|node| node.text())
            };
            let kind = texts("name").next().unwrap_or_default().to_owned();
            texts("members")
                .map(move |member| format!("{kind}:{member}"))
                .collect::<Vec<_>>()
        })
        .collect())
}
