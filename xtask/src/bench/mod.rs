//! `cargo xtask bench`: syncline and its peers side by side on the same generated inputs.

mod back_promote;
mod diff;
mod environments;
mod git_merge;
mod measure;
mod merge_file;
mod org;
mod package;
mod report;
mod simulator;
mod world;

use clap::Args;
use measure::Run;
use report::{Row, Verdict};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use xtask::generate::{Format, History, HistoryOptions, repository};

/// Arguments of the task.
#[derive(Args)]
pub(crate) struct Arguments {
    /// Only the benchmark of that name: merge-file, diff, back-promote, package, git-merge, simulator, org or environments. Prints the table, leaves the document alone.
    #[arg(long, value_name = "NAME")]
    only: Option<String>,
    /// Few rounds and small inputs, to try the harness. Prints the table, leaves the document alone.
    #[arg(long)]
    quick: bool,
}

/// What every benchmark needs.
struct Bench {
    /// The release binary.
    syncline: PathBuf,
    /// Root of the workspace.
    root: PathBuf,
    /// Folder for inputs, removed at the end.
    scratch: tempfile::TempDir,
    quick: bool,
    /// Remarks below the table.
    notes: Vec<String>,
}

type Benchmark = fn(&mut Bench) -> Vec<Row>;

const BENCHMARKS: &[(&str, Benchmark)] = &[
    ("merge-file", merge_file::run),
    ("diff", diff::run),
    ("back-promote", back_promote::run),
    ("package", package::run),
    ("git-merge", git_merge::run),
    ("simulator", simulator::run),
    ("org", org::run),
    ("environments", environments::run),
];

/// Runs the task: 0 where every benchmark ran, 1 where one failed.
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Box<dyn std::error::Error>> {
    if let Some(only) = &arguments.only
        && !BENCHMARKS.iter().any(|(name, _)| name == only)
    {
        let known = BENCHMARKS.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
        return Err(format!("no benchmark is called {only}; there are {known}").into());
    }
    let root = workspace_root()?;
    let mut bench = Bench {
        syncline: release_binary(&root)?,
        root,
        scratch: tempfile::tempdir()?,
        quick: arguments.quick,
        notes: Vec::new(),
    };
    let mut rows = Vec::new();
    for (name, benchmark) in BENCHMARKS {
        if arguments.only.as_ref().is_none_or(|only| only == name) {
            eprintln!("benchmark {name} …");
            rows.extend(benchmark(&mut bench));
        }
    }
    let text = report::document(&bench.facts(), &rows, &bench.notes);
    if arguments.only.is_none() && !arguments.quick {
        let path = bench.root.join("docs/benchmarks.md");
        std::fs::create_dir_all(bench.root.join("docs"))?;
        std::fs::write(&path, &text)?;
        eprintln!("wrote docs/benchmarks.md");
    }
    println!("{text}");
    let count = |pass: fn(&Verdict) -> bool| rows.iter().filter(|row| pass(&row.verdict)).count();
    let failed = count(|verdict| matches!(verdict, Verdict::Failed(_)));
    let missed = count(|verdict| *verdict == Verdict::Missed);
    eprintln!("{} rows, {missed} targets missed, {failed} failed", rows.len());
    Ok(if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

impl Bench {
    /// The given number of rounds, or few in a quick run.
    fn rounds(&self, full: usize) -> usize {
        if self.quick { full.min(3) } else { full }
    }

    /// A generated git repository in a folder of that name.
    fn history(&self, name: &str, components: usize, options: &HistoryOptions) -> Result<(PathBuf, History), String> {
        let folder = self.scratch.path().join(name);
        let seed = 20;
        let components = if self.quick { components.min(2_000) } else { components };
        let history = History::write(&repository(components, seed), seed, Format::Source, options, &folder)
            .map_err(|error| error.to_string())?;
        Ok((folder, history))
    }

    fn facts(&self) -> Vec<(String, String)> {
        let read = |program: &str, arguments: &[&str]| {
            Run::new(program, &self.root)
                .args(arguments.iter().copied())
                .output()
                .unwrap_or_else(|why| format!("not known ({why})"))
        };
        let cores =
            std::thread::available_parallelism().map_or_else(|error| error.to_string(), |cores| cores.to_string());
        let memory = std::fs::read_to_string("/proc/meminfo").ok().and_then(|text| {
            let kilobytes: u64 = text.lines().next()?.split_whitespace().nth(1)?.parse().ok()?;
            Some(format!("{} GiB", kilobytes / 1024 / 1024))
        });
        let installed = |folder: &str, package: &str| {
            std::fs::read_to_string(self.root.join(format!("{folder}/node_modules/{package}/package.json")))
                .ok()
                .and_then(|text| serde_json::from_str::<serde_json::Value>(&text).ok())
                .and_then(|package| package["version"].as_str().map(str::to_owned))
                .unwrap_or_else(|| format!("not installed (`npm ci` in {folder})"))
        };
        let none = || "not known".to_owned();
        vec![
            (
                "machine".to_owned(),
                format!("{cores} cores, {} memory", memory.unwrap_or_else(none)),
            ),
            (
                "commit".to_owned(),
                read(
                    "git",
                    &["describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"],
                ),
            ),
            (
                "syncline".to_owned(),
                read(&self.syncline.display().to_string(), &["--version"]),
            ),
            ("git".to_owned(), read("git", &["--version"])),
            ("node".to_owned(), read("node", &["--version"])),
            ("sfdx-git-delta".to_owned(), installed("e2e/bench", "sfdx-git-delta")),
            (
                "Salesforce CLI".to_owned(),
                installed("e2e/conformance", "@salesforce/cli"),
            ),
            (
                "curl".to_owned(),
                read("curl", &["--version"])
                    .split_whitespace()
                    .nth(1)
                    .map_or_else(none, str::to_owned),
            ),
        ]
    }
}

/// Copies a folder with all it holds.
fn copy_folder(from: &Path, to: &Path) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("could not copy {}: {error}", from.display());
    std::fs::create_dir_all(to).map_err(failed)?;
    for entry in std::fs::read_dir(from).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let target = to.join(entry.file_name());
        if entry.file_type().map_err(failed)?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), &target).map_err(failed)?;
        }
    }
    Ok(())
}

/// The folder with the workspace's Cargo.toml.
fn workspace_root() -> Result<PathBuf, String> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent()
        .map(Path::to_owned)
        .ok_or_else(|| "the xtask package lies outside of a workspace".to_owned())
}

/// Builds the release binary and says where it is.
fn release_binary(root: &Path) -> Result<PathBuf, String> {
    release_build(root, "syncline", "bin")
}

/// Builds a program of that name (`bin` or `example`) and says where it is.
fn release_build(root: &Path, name: &str, kind: &str) -> Result<PathBuf, String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let package = if kind == "bin" { name } else { "syncline-store" };
    let kind = format!("--{kind}");
    let messages = Run::new(cargo, root)
        .args(["build", "--release", "--package", package, &kind, name])
        .args(["--message-format", "json-render-diagnostics"])
        .output()?;
    messages
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter(|message| message["target"]["name"] == name)
        .find_map(|message| message["executable"].as_str().map(PathBuf::from))
        .ok_or_else(|| format!("cargo built no program called {name}"))
}
