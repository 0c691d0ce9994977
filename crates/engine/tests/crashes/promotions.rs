//! Promotions to simulated orgs by workers that are killed and frozen, while answers of the orgs get lost: every package is
//! deployed once, and everything ends as without that.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Child, ExitCode};
use std::time::Duration;

use syncline_domain::audit::verify;
use syncline_domain::operation::State;
use syncline_engine::deployment::Limits;
use syncline_engine::operation::promote::{Direction, Kept};
use syncline_engine::operation::{KINDS, Runtime};
use syncline_salesforce::Clock;
use syncline_simulator::faults::{Fault, Kind};
use syncline_store::{Filter, Store};
use xtask::generate::Random;

use crate::bench::{BELOW, Bench, Setting, orgs, repository};
use crate::files::{Files, changed, class, flow, labels, org, permission_set, profile, remove};
use crate::postgres::new_postgres;
use crate::process::{end, freeze, kill, start};

/// How long an operation belongs to a worker without a heartbeat.
const LEASE: Duration = Duration::from_millis(1500);
const WORKERS: usize = 2;
const HITS: usize = 6;
/// How often the operations are looked at before they count as stuck.
const LOOKS: usize = 6000;

/// What may strike requests, and how often at most.
const FAULTS: [(Kind, u32); 6] = [
    (Kind::LostAnswer, 2),
    (Kind::Truncated, 2),
    (Kind::Unavailable, 3),
    (Kind::RowLock, 3),
    (Kind::SessionExpired, 1),
    (Kind::Latency, 5),
];
const PATHS: [&str; 5] = [
    "/metadata/deployRequest",
    "/metadata/deployRequest",
    "/tooling/query",
    "/services/Soap/m/",
    "/services/",
];
const METHODS: [Option<&str>; 3] = [None, Some("GET"), Some("POST")];

/// How packages are deployed: the end of syncline.toml, and the files of a deployment at most.
const WAYS: [(&str, Option<usize>); 3] = [
    ("", None),
    // Validated with tests, then deployed quickly.
    ("[gates]\ntests = \"RunLocalTests\"\n", None),
    // In several parts.
    ("[gates]\nvalidate = false\n", Some(14)),
];

pub fn main(arguments: &[String]) -> ExitCode {
    let [url, folder, entries] = arguments else {
        return ExitCode::from(2);
    };
    let folder = Path::new(folder);
    crate::worker::work(LEASE, async {
        Runtime {
            store: Store::open(url).await.expect("the database opens"),
            repository: repository(folder),
            orgs: orgs(folder),
            clock: Clock::system(),
            commands: Default::default(),
            limits: limits(entries.parse().ok()),
            kinds: KINDS,
        }
    })
}

fn limits(entries: Option<usize>) -> Limits {
    let limits = Limits::default();
    Limits {
        entries: entries.unwrap_or(limits.entries),
        ..limits
    }
}

/// What a run leaves behind.
#[derive(Debug, PartialEq, Eq)]
struct End {
    /// Each operation: state, what it says, whether source and target shared nothing before.
    operations: Vec<(State, Option<String>, Option<bool>)>,
    /// Deployments of each org that changed something, by how they ended.
    deployments: BTreeMap<String, BTreeMap<String, usize>>,
    /// Files of each org: org, type, name, path.
    files: BTreeMap<String, String>,
    /// The tree of each branch.
    branches: Vec<String>,
}

/// Operations that are begun, and the world they are about.
struct Story {
    bench: Bench,
    url: String,
    entries: Option<usize>,
    ids: Vec<String>,
}

/// All orgs at the beginning.
fn before() -> Files {
    changed(&org(), |files| {
        let test = "@isTest static void works() { System.assert(true); }";
        class(files, "ATest", test);
    })
}

fn hotfix(files: &mut Files) {
    class(files, "A", "Integer fixed = 1;");
    labels(files, &[("Bye", "Bye"), ("Greeting", "Hello"), ("Fixed", "Fixed")]);
    profile(files, &[("A", true), ("B", true), ("C", true)]);
    flow(files, "Dunning", "Active", "second");
    remove(files, "fields/Note__c");
    for at in 0..8 {
        class(files, &format!("Link{at}"), &format!("Link{} next;", (at + 1) % 9));
    }
    class(files, "Link8", "");
}

fn second(files: &mut Files) {
    hotfix(files);
    class(files, "C", "Integer second = 2;");
    flow(files, "Dunning", "Active", "third");
    remove(files, "classes/Link7");
    class(files, "Link6", "");
    permission_set(files, &[("A", true), ("B", true), ("C", true)]);
}

impl Story {
    async fn begin((more, entries): (&str, Option<usize>), database: Option<String>) -> Self {
        let setting = Setting {
            files: before(),
            more: more.to_owned(),
            database: database.clone(),
            limits: limits(entries),
            ..Setting::default()
        };
        let bench = Bench::with(setting).await;
        let beside = format!("sqlite:{}", bench.home().join("store.db").display());
        // Work in progress that no branch knows.
        let uat = changed(&before(), |files| {
            class(files, "B", "Integer uat;");
            permission_set(files, &[("A", true), ("B", false)]);
        });
        bench.others_change("uat", &before(), &uat).await;
        let mut ids = Vec::new();
        bench.on("main", &changed(&before(), hotfix));
        for name in BELOW {
            ids.push(bench.begin("production", name, Direction::Down).await.id);
        }
        bench.on("env/dev1", &changed(&before(), |files| class(files, "New", "")));
        ids.push(bench.begin("dev1", "uat", Direction::Up).await.id);
        bench.on("main", &changed(&before(), second));
        for name in ["qa", "dev2"] {
            ids.push(bench.begin("production", name, Direction::Down).await.id);
        }
        Self {
            bench,
            url: database.unwrap_or(beside),
            entries,
            ids,
        }
    }

    fn worker(&self) -> Child {
        let folder = self.bench.home().display().to_string();
        let entries = self.entries.map(|entries| entries.to_string()).unwrap_or_default();
        start("promoter", &[&self.url, &folder, &entries])
    }

    /// A fault of some org.
    fn strike(&self, random: &mut Random) {
        let (kind, most) = *random.pick(&FAULTS);
        self.bench.world.faults.add(Fault {
            kind,
            org: random.chance(70).then(|| (*random.pick(&BELOW)).to_owned()),
            method: random.pick(&METHODS).map(str::to_owned),
            path: Some((*random.pick(&PATHS)).to_owned()),
            times: Some(u32::try_from(random.between(1, most as usize)).expect("small")),
            rate: None,
            millis: (kind == Kind::Latency).then_some(300),
        });
    }

    /// Works with processes that are killed and frozen.
    async fn storm(&self, seed: u64) {
        let mut random = Random::new(seed);
        let mut workers: Vec<Child> = (0..WORKERS).map(|_| self.worker()).collect();
        for _ in 0..HITS {
            for _ in 0..random.between(0, 2) {
                self.strike(&mut random);
            }
            tokio::time::sleep(Duration::from_millis(50 + random.below(700) as u64)).await;
            let worker = &mut workers[random.below(WORKERS)];
            if random.chance(50) {
                kill(worker);
                *worker = self.worker();
            } else {
                freeze(worker, LEASE + Duration::from_millis(random.below(500) as u64)).await;
            }
        }
        self.until_all_have_ended(&mut workers, seed).await;
        for worker in workers {
            end(worker);
        }
    }

    async fn until_all_have_ended(&self, workers: &mut [Child], seed: u64) {
        let open = Filter {
            open: true,
            ..Filter::default()
        };
        for _ in 0..LOOKS {
            let left = self.bench.runtime.store.operations(&open).await.expect("read");
            if left.is_empty() {
                return;
            }
            for worker in workers.iter_mut() {
                let ended = worker.try_wait().expect("asked");
                assert_eq!(ended, None, "seed {seed}: a worker ended by itself");
            }
            let stuck = |state: State| matches!(state, State::Errored | State::NeedsPerson);
            if let Some(one) = left.iter().find(|one| stuck(one.state)) {
                panic!("seed {seed}: {one:?}");
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let left = self.bench.runtime.store.operations(&open).await.expect("read");
        panic!("seed {seed}: they do not end: {left:#?}");
    }

    async fn end(&self) -> End {
        let mut operations = Vec::new();
        for id in &self.ids {
            let one = self.bench.operation(id).await;
            let kept: Kept = serde_json::from_value(one.data).expect("what it keeps");
            let shared = kept.shared.map(|(_, before, _)| before.is_none());
            operations.push((one.state, one.message, shared));
        }
        let mut deployments = BTreeMap::new();
        let mut files = BTreeMap::new();
        for org in self.bench.world.orgs() {
            let state = org.lock();
            let mut ended: BTreeMap<String, usize> = BTreeMap::new();
            let mut rows = state
                .db
                .prepare("SELECT Status FROM DeployRequest WHERE CheckOnly = 0")
                .expect("a query");
            for status in rows.query_map([], |row| row.get(0)).expect("rows") {
                *ended.entry(status.expect("a row")).or_default() += 1;
            }
            deployments.insert(org.name.clone(), ended);
            let mut rows = state
                .db
                .prepare("SELECT type, name, path, content FROM _component_file")
                .expect("a query");
            let row = |row: &rusqlite::Row<'_>| {
                let words: [String; 3] = [row.get(0)?, row.get(1)?, row.get(2)?];
                let content: Vec<u8> = row.get(3)?;
                Ok((words.join(" "), String::from_utf8_lossy(&content).into_owned()))
            };
            for file in rows.query_map([], row).expect("rows") {
                let (name, content) = file.expect("a row");
                files.insert(format!("{} {name}", org.name), content);
            }
        }
        let branches = BELOW.iter().map(|name| {
            let tree = self.bench.git(&["rev-parse", &format!("env/{name}^{{tree}}")]);
            format!("{name} {tree}")
        });
        End {
            operations,
            deployments,
            files,
            branches: branches.collect(),
        }
    }

    /// The chain is whole, and tells each deployment once.
    async fn audit(&self, seed: u64) {
        let store = &self.bench.runtime.store;
        let entries = store.audit_entries(0, 1_000_000).await.expect("read");
        let report = verify(&entries, &[], |_, _, _| true);
        assert!(report.is_whole(), "seed {seed}: {report:?}");
        for id in &self.ids {
            let subject = format!("operation:{id}");
            let kept = self.bench.kept(id).await;
            let count = |action: &str, outcome: &str| {
                let of = entries.iter().map(|entry| &entry.draft);
                of.filter(|one| one.subject == subject && one.action == action && one.outcome == outcome)
                    .count()
            };
            assert_eq!(count("promote", "succeeded"), 1, "seed {seed}: it ended once");
            assert_eq!(
                count("deploy", "succeeded"),
                kept.deployed.len(),
                "seed {seed}: each deployment is told once"
            );
        }
    }
}

pub fn check(postgres: bool, group: u64) {
    let seeds = crate::process::seeds();
    let threads = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("threads");
    let way = WAYS[usize::try_from(group).expect("small") % WAYS.len()];
    threads.block_on(async {
        let calm = Story::begin(way, None).await;
        calm.bench.work().await;
        let calm = calm.end().await;
        assert!(
            calm.operations.iter().all(|(state, ..)| *state == State::Succeeded),
            "{:?}",
            calm.operations
        );
        let (mut taken_over, mut struck) = (0, 0);
        for seed in (group * seeds)..((group + 1) * seeds) {
            println!("seed {seed}");
            let database = match postgres {
                true => match new_postgres() {
                    None => return,
                    url => url,
                },
                false => None,
            };
            let story = Story::begin(way, database).await;
            story.bench.world.log.clear();
            story.storm(seed).await;
            compare(seed, &calm, &story.end().await);
            story.audit(seed).await;
            let log = story.bench.world.log.entries();
            struck += log.iter().map(|entry| entry.faults.len()).sum::<usize>();
            for id in &story.ids {
                taken_over += story.bench.operation(id).await.lease_epoch - 1;
            }
        }
        println!("{seeds} seeds: {taken_over} times taken over, {struck} faults");
        assert!(taken_over > 0, "no operation was taken over in group {group}");
        assert!(struck > 0, "no fault struck in group {group}");
    });
}

fn compare(seed: u64, calm: &End, end: &End) {
    assert_eq!(end.deployments, calm.deployments, "seed {seed}: deployments");
    assert_eq!(end.operations, calm.operations, "seed {seed}");
    assert_eq!(end.branches, calm.branches, "seed {seed}");
    let differ: Vec<&String> = calm
        .files
        .keys()
        .chain(end.files.keys())
        .filter(|name| calm.files.get(*name) != end.files.get(*name))
        .collect();
    assert!(differ.is_empty(), "seed {seed}: the orgs differ: {differ:?}");
}
