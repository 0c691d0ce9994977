//! Whatever goes wrong on the way, nothing is lost and nothing is done twice without a word.

use std::collections::BTreeMap;
use std::sync::Arc;

use syncline_engine::org::convert::Files;
use syncline_engine::org::deploy::{Deployment, Watch, deploy};
use syncline_engine::org::retrieve::{Inventory, MOST, Scope, fetch, inventory, plan};
use syncline_salesforce::bulk::{BulkQuery, Ingest, Operation, Outcome};
use syncline_salesforce::metadata::{ArchiveWriter, DeployIntent, DeployOptions, polling};
use syncline_salesforce::{Connection, Id};
use syncline_simulator::faults::{Fault, Kind};
use syncline_simulator::world::World;
use xtask::generate::{Format, Random, SMALLEST, repository};

use crate::support::{ORG, complaints, connect, deployment, differences, more, run, stored, world};

/// What may strike a request, and how often in a row at most: a client that gives up sooner has no patience.
const KINDS: [(Kind, u32); 5] = [
    (Kind::LostAnswer, 2),
    (Kind::Truncated, 2),
    (Kind::Unavailable, 3),
    (Kind::SessionExpired, 1),
    (Kind::RowLock, 3),
];

/// What each use of an org asks for: parts of paths.
const DEPLOY: [&str; 4] = [
    "/metadata/deployRequest",
    "/tooling/query",
    "/oauth2/token",
    "/services/",
];
const RETRIEVE: [&str; 3] = ["/services/Soap/m/", "/oauth2/token", "/services/"];
const INGEST: [&str; 4] = ["/jobs/ingest", "/batches", "/jobs/ingest/", "/services/"];
const QUERY: [&str; 3] = ["/jobs/query", "/results", "/services/"];
const METHODS: [Option<&str>; 5] = [None, Some("GET"), Some("POST"), Some("PATCH"), Some("PUT")];

const ROWS: usize = 40;

/// What became of the uses of an org, over all seeds.
#[derive(Debug, Default)]
struct Told {
    /// Faults that struck a request.
    struck: usize,
    /// Ended well.
    well: usize,
    /// Ended with an error that says what is not known or was not done, by code.
    errors: BTreeMap<String, usize>,
}

struct Trial {
    world: Arc<World>,
    connection: Connection,
    random: Random,
    seed: u64,
    told: Told,
}

impl Trial {
    /// One to three faults on these paths.
    fn strike(&mut self, paths: &[&str]) {
        for _ in 0..self.random.between(1, 3) {
            let (kind, most) = *self.random.pick(&KINDS);
            let fault = Fault {
                kind,
                org: Some(ORG.to_owned()),
                method: self.random.pick(&METHODS).map(str::to_owned),
                path: Some((*self.random.pick(paths)).to_owned()),
                times: Some(u32::try_from(self.random.between(1, most as usize)).expect("small")),
                rate: None,
                millis: None,
            };
            self.world.faults.add(fault);
        }
    }

    /// Ends the faults and whatever still goes on in the org. The log tells how many struck.
    async fn calm(&mut self) {
        self.world.faults.clear();
        let log = self.world.log.entries();
        self.told.struck += log.iter().map(|entry| entry.faults.len()).sum::<usize>();
        // Work begins when its time has come and a request comes in.
        for _ in 0..3 {
            let rows: Vec<serde_json::Value> = self
                .connection
                .query("SELECT Id FROM Organization")
                .rows()
                .await
                .expect("a row");
            assert_eq!(rows.len(), 1);
        }
        self.world.log.clear();
    }

    fn error(&mut self, what: &str, code: &str) {
        *self.told.errors.entry(format!("{what}: {code}")).or_default() += 1;
    }

    /// The faults of this trial, for messages.
    fn place(&self) -> String {
        format!("seed {}", self.seed)
    }

    async fn retrieve(&mut self, scope: &Scope, expected: &(Inventory, Files)) {
        self.strike(&RETRIEVE);
        let listed = inventory(&self.connection, scope).await;
        let fetched = match &listed {
            Ok(listed) => {
                // Several retrieves, so that one may fail among others.
                let plan = plan(listed, None, 60);
                fetch(&self.connection, listed, &plan, &mut |_, _| {}).await
            }
            Err(_) => Ok(Default::default()),
        };
        self.calm().await;
        let place = self.place();
        match (listed, fetched) {
            (Ok(listed), Ok(fetched)) => {
                assert_eq!(listed, expected.0, "{place}: the list");
                let found = differences(&expected.1, &fetched.files);
                assert!(found.is_empty(), "{place}: {}", found.join("\n"));
                assert!(fetched.messages.is_empty(), "{place}: {:?}", fetched.messages);
                self.told.well += 1;
            }
            (Err(error), _) | (_, Err(error)) => panic!("{place}: a retrieve can be repeated, but: {error:?}"),
        }
    }

    async fn deploy(&mut self) {
        let name = format!("Proof{}", self.seed);
        let before = stored(&self.world, "DeployRequest", "true");
        self.strike(&DEPLOY);
        let mut started = None;
        let intent = |_: &DeployIntent| Ok(());
        let watch = Watch {
            intent: &intent,
            started: &mut |id| started = Some(id.to_owned()),
            progress: &mut |_| {},
        };
        let result = deploy(&self.connection, class(&name), watch).await;
        let posts: Vec<String> = self
            .world
            .log
            .entries()
            .iter()
            .filter(|entry| entry.method == "POST" && entry.path.ends_with("/metadata/deployRequest"))
            .map(|entry| format!("{} {:?}", entry.status, entry.faults))
            .collect();
        self.calm().await;
        let place = format!("{}: sent {posts:?}", self.place());
        let rows = stored(&self.world, "DeployRequest", "true") - before;
        let there = stored(
            &self.world,
            "_component",
            &format!("type = 'ApexClass' AND name = '{name}'"),
        );
        match result {
            Ok(result) => {
                assert!(result.success, "{place}: {}", complaints(&result));
                assert_eq!((rows, there), (1, 1), "{place}: it is there once");
                self.told.well += 1;
            }
            Err(error) => {
                let error = salesforce(error);
                assert!(rows <= 1, "{place}: {rows} deployments: {error:?}");
                let unknown = error.code() == "unknown_outcome" || started.is_some();
                assert!(
                    unknown || rows == 0,
                    "{place}: it was done, and nobody is told: {error:?}"
                );
                self.error("deploy", error.code());
            }
        }
    }

    async fn ingest(&mut self) {
        let prefix = format!("S{}-", self.seed);
        let names: Vec<String> = (0..ROWS).map(|row| format!("{prefix}{row:03}")).collect();
        let csv = format!("Name\n{}\n", names.join("\n"));
        let mut ingest = Ingest::new(Operation::Insert, "Account");
        // Four jobs.
        ingest.part_limit = csv.len() / 3;
        self.strike(&INGEST);
        if self.random.chance(50) {
            self.world.faults.add(Fault {
                kind: Kind::PartialBulk,
                org: Some(ORG.to_owned()),
                method: None,
                path: Some("Account".to_owned()),
                times: Some(u32::try_from(self.random.between(1, 8)).expect("small")),
                rate: None,
                millis: None,
            });
        }
        let taken = self.connection.ingest(&ingest, csv.as_bytes(), &polling()).await;
        self.calm().await;
        let place = self.place();
        let kept: Vec<usize> = names
            .iter()
            .map(|name| stored(&self.world, "Account", &format!("Name = '{name}'")))
            .collect();
        assert!(
            kept.iter().all(|count| *count <= 1),
            "{place}: rows are there twice: {kept:?}"
        );
        let report = match taken {
            Ok(report) => report,
            Err(error) => {
                let unknown = unknown_job(&error);
                let none = kept.iter().all(|count| *count == 0);
                assert!(
                    unknown || none,
                    "{place}: rows are there, and nobody is told: {error:?}"
                );
                self.error("ingest", error.code());
                return;
            }
        };
        let jobs: Vec<&Id> = report.jobs.iter().map(|job| &job.id).collect();
        let good = self.results(&jobs, Outcome::Successful).await;
        let bad = self.results(&jobs, Outcome::Failed).await;
        let unsure = report.stopped.as_ref().is_some_and(unknown_job);
        for (name, count) in names.iter().zip(&kept) {
            let (good, bad) = (good.contains(name), bad.contains(name));
            match (good, bad) {
                (true, false) => assert_eq!(*count, 1, "{place}: {name} is told as taken"),
                (false, true) => assert_eq!(*count, 0, "{place}: {name} is told as refused"),
                (false, false) => assert!(
                    report.stopped.is_some() && (unsure || *count == 0),
                    "{place}: nothing is told of {name}, and {count} are there: {report:?}"
                ),
                (true, true) => panic!("{place}: {name} is told as taken and as refused"),
            }
        }
        match &report.stopped {
            None => self.told.well += 1,
            Some(error) => {
                let code = error.code();
                self.error("ingest stopped", code);
            }
        }
    }

    /// The names in the results of jobs.
    async fn results(&self, jobs: &[&Id], outcome: Outcome) -> Vec<String> {
        if jobs.is_empty() {
            return Vec::new();
        }
        let mut csv = Vec::new();
        self.connection
            .ingest_results(jobs, outcome, &mut csv)
            .await
            .expect("results");
        let text = String::from_utf8(csv).expect("UTF-8");
        let last = |line: &str| line.rsplit(',').next().unwrap_or_default().trim_matches('"').to_owned();
        text.lines().skip(1).map(last).collect()
    }

    async fn query(&mut self) {
        let prefix = format!("S{}-", self.seed);
        let mut query = BulkQuery::new(format!(
            "SELECT Name FROM Account WHERE Name LIKE '{prefix}%' ORDER BY Name"
        ));
        query.page = 7;
        let rows = stored(&self.world, "Account", &format!("Name LIKE '{prefix}%'"));
        self.strike(&QUERY);
        let mut csv = Vec::new();
        let exported = self.connection.export(&query, &mut csv, &polling()).await;
        self.calm().await;
        let place = self.place();
        let exported = exported.unwrap_or_else(|error| panic!("{place}: a query can be repeated, but: {error:?}"));
        let text = String::from_utf8(csv).expect("UTF-8");
        let names: Vec<&str> = text.lines().skip(1).collect();
        let mut once = names.clone();
        once.dedup();
        assert_eq!(
            (names.len(), once.len(), exported.rows),
            (rows, rows, rows as u64),
            "{place}: {text}"
        );
        self.told.well += 1;
    }
}

/// Whether an error says that a job may have taken rows.
fn unknown_job(error: &syncline_salesforce::Error) -> bool {
    use syncline_salesforce::Error;
    match error {
        Error::LeftBehind { .. } | Error::Job { .. } => true,
        error => error.to_string().contains("bulk job 750"),
    }
}

fn salesforce(error: syncline_engine::org::OrgError) -> syncline_salesforce::Error {
    match error {
        syncline_engine::org::OrgError::Salesforce(error) => error,
        other => panic!("no error of an org: {other:?}"),
    }
}

/// A deployment of one class.
fn class(name: &str) -> Deployment {
    const META: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ApexClass xmlns=\"http://soap.sforce.com/2006/04/metadata\">\
                        <apiVersion>66.0</apiVersion><status>Active</status></ApexClass>\n";
    let manifest = format!(
        "<Package xmlns=\"http://soap.sforce.com/2006/04/metadata\"><types><members>{name}</members><name>ApexClass</name></types>\
         <version>66.0</version></Package>"
    );
    let mut archive = ArchiveWriter::default();
    archive.add("package.xml", manifest.as_bytes()).expect("added");
    let body = format!("public class {name} {{}}\n");
    archive
        .add(&format!("classes/{name}.cls"), body.as_bytes())
        .expect("added");
    archive
        .add(&format!("classes/{name}.cls-meta.xml"), META.as_bytes())
        .expect("added");
    Deployment {
        zip: archive.finish().expect("a zip"),
        options: DeployOptions::default(),
        components: 1,
        ..Deployment::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_and_nothing_is_done_twice() {
    let seeds = more("PROOF_FAULTS", 25) as u64;
    let world = world(1).await;
    let connection = connect(&world).await;
    let repository = repository(SMALLEST, 3);
    let result = run(&connection, deployment(&repository, Format::Source)).await;
    assert!(result.success, "{}", complaints(&result));
    let mut scope = Scope::default();
    for kind in [
        "ApexTrigger",
        "CustomObject",
        "Profile",
        "PermissionSet",
        "StaticResource",
    ] {
        scope.insert(kind, "*");
    }
    let listed = inventory(&connection, &scope).await.expect("listed");
    let whole = plan(&listed, None, MOST);
    let files = fetch(&connection, &listed, &whole, &mut |_, _| {})
        .await
        .expect("retrieved")
        .files;
    let expected = (listed, files);
    world.log.clear();

    let mut trial = Trial {
        connection,
        world,
        random: Random::new(0),
        seed: 0,
        told: Told::default(),
    };
    for seed in 1..=seeds {
        trial.seed = seed;
        trial.random = Random::new(seed);
        trial.retrieve(&scope, &expected).await;
        trial.deploy().await;
        trial.ingest().await;
        trial.query().await;
    }
    let told = &trial.told;
    println!("{seeds} seeds: {told:?}");
    assert!(told.struck > seeds as usize * 4, "too few faults struck: {told:?}");
    assert!(told.well * 10 >= seeds as usize * 4 * 7, "too few ended well: {told:?}");
}
