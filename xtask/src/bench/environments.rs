//! Environments at scale: an org with many components, and many environments.

use super::measure::{Run, Usage, megabytes};
use super::report::Row;
use super::world::World;
use super::{Bench, release_build};
use serde_json::Value;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Environments, differences, components of the org, and audit entries; fewer in a quick run.
const FULL: [usize; 4] = [200, 500, 50_000, 1_000_000];
const QUICK: [usize; 4] = [20, 50, 2_000, 10_000];
/// Limits of the project: seconds of status and drift, and bytes of memory.
const STATUS: Duration = Duration::from_secs(1);
const DRIFT: Duration = Duration::from_secs(2);
const MEMORY: u64 = 512 * 1024 * 1024;
/// What a snapshot without changes may take beside listing and what comes each time.
const MORE: Duration = Duration::from_secs(1);

/// Runs the benchmark.
pub(super) fn run(bench: &mut Bench) -> Vec<Row> {
    measure(bench).unwrap_or_else(|why| vec![Row::failed("environments", why)])
}

struct Scale {
    folder: PathBuf,
    home: PathBuf,
    syncline: PathBuf,
    environments: usize,
    changed: usize,
}

fn measure(bench: &mut Bench) -> Result<Vec<Row>, String> {
    let [environments, changed, components, entries] = if bench.quick { QUICK } else { FULL };
    let folder = bench.scratch.path().join("environments");
    let home = bench.scratch.path().join("environments-home");
    for path in [&folder, &home] {
        std::fs::create_dir_all(path).map_err(|error| error.to_string())?;
    }
    let config = folder.with_extension("toml");
    let world = format!(
        "seed = 20\n\n[[orgs]]\nname = \"prod\"\n\n[[generate]]\norg = \"prod\"\ncomponents = {components}\nrecords = 0\n"
    );
    std::fs::write(&config, world).map_err(|error| error.to_string())?;
    let world = World::start(bench, Some(&config), Some(&folder.with_extension("state")))?;
    let scale = Scale {
        folder,
        home,
        syncline: bench.syncline.clone(),
        environments,
        changed,
    };
    let org = world.org("prod")?;
    let login = [
        "org",
        "login",
        "prod",
        "--access-token-env",
        "TOKEN",
        "--instance",
        &org.url,
    ];
    scale.run(&login).env("TOKEN", &org.token).go()?;
    for arguments in [
        &["init", "--quiet", "--initial-branch=main"][..],
        &["config", "user.name", "Bench"],
        &["config", "user.email", "bench@example.com"],
    ] {
        Run::new("git", &scale.folder).args(arguments.iter().copied()).go()?;
    }
    let (first, _) = scale.used(&["init", "--from-org", "prod", "--json"], bench)?;
    let (still, told) = scale.used(&["snapshot", "prod", "--json"], bench)?;
    let told: Value = serde_json::from_slice(&told).map_err(|error| error.to_string())?;
    let always = told["snapshots"][0]["retrieved"].as_u64().unwrap_or(0);
    let unchanged = told["snapshots"][0]["unchanged"].as_u64().unwrap_or(0);
    let beside = scale.beside(bench)?;
    scale.branches()?;
    scale.fill_audit(bench, entries)?;
    let (cold, _) = scale.used(&["status", "--json"], bench)?;
    let (warm, told) = scale.used(&["status", "--json"], bench)?;
    let shown: Value = serde_json::from_slice(&told).map_err(|error| error.to_string())?;
    let right = shown["environments"]
        .as_array()
        .is_some_and(|list| list.len() == environments + 1)
        && shown["environments"][2]["drift"]["both"] == 1;
    let (drift, told) = scale.used(&["drift", "e0", "--json"], bench)?;
    let shown: Value = serde_json::from_slice(&told).map_err(|error| error.to_string())?;
    let found = shown["differences"].as_array().map_or(0, Vec::len);
    bench.notes.push(format!(
        "environments: the first snapshot of {components} components with the first commit took {:.1} s and {}; status took {:.1} s \
         when nothing was counted before.",
        first.wall.as_secs_f64(),
        megabytes(first.memory),
        cold.wall.as_secs_f64()
    ));
    let (verified, told) = scale.used(&["audit", "verify", "--json"], bench)?;
    let told: Value = serde_json::from_slice(&told).map_err(|error| error.to_string())?;
    let seconds = |time: Duration| format!("{:.2} s", time.as_secs_f64());
    let row = |title: &str, used: &Usage, limit: Duration, right: bool| {
        [
            Row::limit(
                title,
                seconds(used.wall),
                "–".to_owned(),
                format!("≤ {}", seconds(limit)),
                right && used.wall <= limit,
            ),
            Row::limit(
                &format!("{title}, memory"),
                megabytes(used.memory),
                "–".to_owned(),
                format!("≤ {}", megabytes(MEMORY)),
                used.memory <= MEMORY,
            ),
        ]
    };
    let mut rows = Vec::new();
    rows.extend(row(
        &format!("status of {environments} environments"),
        &warm,
        STATUS,
        right,
    ));
    rows.extend(row(
        &format!(
            "snapshot without changes, {unchanged} of {} components not retrieved",
            unchanged + always
        ),
        &still,
        beside + MORE,
        unchanged > 0,
    ));
    rows.extend(row(
        &format!("drift of {changed} differences"),
        &drift,
        DRIFT,
        found == changed,
    ));
    rows.push(Row::limit(
        &format!("audit verify of {entries} entries, memory"),
        format!("{} in {}", megabytes(verified.memory), seconds(verified.wall)),
        "–".to_owned(),
        format!("≤ {}", megabytes(MEMORY)),
        verified.memory <= MEMORY && told["entries"] == entries,
    ));
    Ok(rows)
}

impl Scale {
    fn run(&self, arguments: &[&str]) -> Run {
        Run::new(&self.syncline, &self.folder)
            .env("HOME", &self.home.display().to_string())
            .env("SYNCLINE_HOME", &self.home.display().to_string())
            .args(arguments.iter().copied())
            .accept([0, 1])
    }

    fn used(&self, arguments: &[&str], bench: &Bench) -> Result<(Usage, Vec<u8>), String> {
        self.run(arguments).used(bench.scratch.path())
    }

    /// Puts audit entries into the database of the repository.
    fn fill_audit(&self, bench: &Bench, entries: usize) -> Result<(), String> {
        let fill = release_build(&bench.root, "fill_audit", "example")?;
        let folder = self.folder.join(".git/syncline");
        std::fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
        let url = format!("sqlite:{}", folder.join("syncline.db").display());
        Run::new(fill, &self.folder).args([&url, &entries.to_string()]).go()
    }

    /// Listing the org, and retrieving what has no date that can be trusted, by themselves: a folder gets the same components.
    fn beside(&self, bench: &Bench) -> Result<Duration, String> {
        let to = self.folder.with_extension("beside");
        let to = to.display().to_string();
        let mut arguments = vec!["org", "retrieve", "prod", "-o", to.as_str()];
        for name in ["Profile", "PermissionSet", "StandardValueSet"] {
            arguments.extend(["--metadata", name]);
        }
        Ok(self.used(&arguments, bench)?.0.wall)
    }

    /// Environments below production, each with a branch that changes one class and a snapshot that does not; the first one's branch
    /// changes more.
    fn branches(&self) -> Result<(), String> {
        let git = |arguments: &[&str]| Run::new("git", &self.folder).args(arguments.iter().copied()).output();
        let classes = git(&["ls-files", "*.cls"])?;
        let classes: Vec<&str> = classes.lines().collect();
        if classes.len() < self.changed.max(self.environments) {
            return Err(format!("the org has only {} classes", classes.len()));
        }
        let mut config =
            std::fs::read_to_string(self.folder.join("syncline.toml")).map_err(|error| error.to_string())?;
        let mut stream = String::new();
        let snapshot = git(&["rev-parse", "refs/syncline/snapshot/prod"])?;
        for number in 0..self.environments {
            // Writing to a string cannot fail.
            let _ = write!(
                config,
                "\n[environments.e{number}]\nbranch = \"env/e{number}\"\nkind = \"developer\"\npromotes-to = \"prod\"\norg = \"e{number}\"\n"
            );
            let _ = write!(
                stream,
                "commit refs/heads/env/e{number}\ncommitter Bench <bench@example.com> 1000000000 +0000\ndata 4\nwork\nfrom refs/heads/main^0\n"
            );
            let changed = if number == 0 {
                &classes[..self.changed]
            } else {
                &classes[number..=number]
            };
            for path in changed {
                let text = format!("public class Changed{number} {{\n}}\n");
                let _ = write!(stream, "M 100644 inline {path}\ndata {}\n{text}\n", text.len());
            }
            let _ = write!(
                stream,
                "reset refs/syncline/snapshot/e{number}\nfrom {}\n\n",
                snapshot.trim()
            );
        }
        std::fs::write(self.folder.join("syncline.toml"), config).map_err(|error| error.to_string())?;
        let file = self.folder.with_extension("import");
        std::fs::write(&file, stream).map_err(|error| error.to_string())?;
        let import = format!("git fast-import --quiet < '{}'", file.display());
        Run::new("sh", &self.folder).args(["-c", &import]).go()?;
        Run::new("git", Path::new(&self.folder))
            .args(["pack-refs", "--all"])
            .go()
    }
}
