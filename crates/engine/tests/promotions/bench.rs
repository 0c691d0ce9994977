//! A production and sandboxes, a repository with a branch for each, a database, and a worker.

use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use syncline_domain::operation::State;
use syncline_domain::policy::Actor;
use syncline_engine::back_promote::Selection;
use syncline_engine::deployment::{Limits, Options, look, package};
use syncline_engine::operation::promote::{Direction, Kept, Wanted, promote};
use syncline_engine::operation::{Decision, KINDS, Runtime, approve};
use syncline_engine::org::deploy::{Deployment, Watch, deploy};
use syncline_engine::org::login::{Grant, NewLogin, Orgs};
use syncline_engine::org::vault::Vault;
use syncline_engine::snapshot;
use syncline_engine::worker::{self, Stop, Until};
use syncline_git::{CommitTime, Entry, Oid, Repository, TreePath};
use syncline_salesforce::metadata::{DeployOptions, TestLevel};
use syncline_salesforce::{Clock, Connection, Http};
use syncline_simulator::config::{Config, OrgConfig};
use syncline_simulator::server;
use syncline_simulator::world::World;
use syncline_store::{Operation, Store};
use tempfile::TempDir;

use crate::files::{Files, org};

const ROOT: &str = "force-app/main/default";

/// Environments below production.
pub const BELOW: [&str; 4] = ["uat", "qa", "dev1", "dev2"];

pub struct Bench {
    pub world: Arc<World>,
    pub runtime: Arc<Runtime>,
    folder: TempDir,
}

impl Bench {
    /// All orgs and branches hold [`org`]; `more` goes into syncline.toml.
    pub async fn start(more: &str) -> Self {
        let org_of = |name: &str, kind: &str| OrgConfig {
            name: name.to_owned(),
            kind: kind.to_owned(),
            of: None,
        };
        let mut orgs = vec![org_of("prod", "production")];
        orgs.extend(BELOW.iter().map(|name| org_of(name, "Developer")));
        let config = Config {
            port: 0,
            orgs,
            ..Config::default()
        };
        let world = server::start(config, None).await.expect("a world");
        let folder = tempfile::tempdir().expect("a folder");
        let http = Http::new().expect("a client");
        let orgs = Orgs {
            vault: Vault::open(folder.path().join("home"), None),
            http,
            home: None,
        };
        for org in world.orgs() {
            let session = world.admin_session(&org).expect("a session");
            let new = NewLogin {
                name: org.name.clone(),
                host: Some(org.origin.http.parse().expect("an address")),
                grant: Grant::AccessToken(session.access_token.into()),
                production_writes: true,
            };
            orgs.login(new).await.expect("a login");
        }
        let repository = folder.path().join("repository");
        std::fs::create_dir(&repository).expect("a folder");
        let store = Store::open(&format!("sqlite:{}", folder.path().join("store.db").display())).await;
        let bench = Self {
            world,
            runtime: Arc::new(Runtime {
                store: store.expect("a store"),
                repository,
                orgs,
                clock: Clock::system(),
                commands: syncline_engine::command::Allowed::default(),
                kinds: KINDS,
            }),
            folder,
        };
        bench.seed(more).await;
        bench
    }

    async fn seed(&self, more: &str) {
        self.git(&["init", "--quiet", "--initial-branch=main", "."]);
        self.git(&["config", "user.name", "Ada"]);
        self.git(&["config", "user.email", "ada@example.com"]);
        let mut toml =
            "[environments.production]\nbranch = \"main\"\nkind = \"production\"\norg = \"prod\"\n".to_owned();
        for name in BELOW {
            let kind = if name == "uat" { "uat" } else { "developer" };
            let above = if name == "uat" { "production" } else { "uat" };
            toml.push_str(&format!(
                "[environments.{name}]\nbranch = \"env/{name}\"\nkind = \"{kind}\"\norg = \"{name}\"\npromotes-to = \"{above}\"\n"
            ));
        }
        toml.push_str(more);
        std::fs::write(self.path().join("syncline.toml"), toml).expect("written");
        let project = r#"{"packageDirectories": [{"path": "force-app", "default": true}]}"#;
        std::fs::write(self.path().join("sfdx-project.json"), project).expect("written");
        self.write(&org());
        self.commit("Start");
        for name in BELOW {
            self.git(&["branch", &format!("env/{name}")]);
        }
        self.git(&["switch", "--quiet", "--detach"]);
        for name in ["prod"].iter().chain(&BELOW) {
            self.others_change(name, &Files::new(), &org()).await;
        }
    }

    pub fn path(&self) -> PathBuf {
        self.runtime.repository.clone()
    }

    pub fn open(&self) -> Repository {
        Repository::open(&self.path()).expect("a repository")
    }

    pub fn git(&self, args: &[&str]) -> String {
        let done = Command::new("git")
            .args(args)
            .current_dir(self.path())
            .output()
            .expect("git");
        assert!(
            done.status.success(),
            "git {args:?}: {}",
            String::from_utf8_lossy(&done.stderr)
        );
        String::from_utf8_lossy(&done.stdout).trim().to_owned()
    }

    fn write(&self, files: &Files) {
        let root = self.path().join(ROOT);
        if root.exists() {
            std::fs::remove_dir_all(&root).expect("removed");
        }
        for (path, text) in files {
            let file = root.join(path);
            std::fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
            std::fs::write(file, text).expect("written");
        }
    }

    fn commit(&self, message: &str) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message", message]);
    }

    /// Commits these files to a branch.
    pub fn on(&self, branch: &str, files: &Files) {
        self.git(&["switch", "--quiet", branch]);
        self.write(files);
        self.commit("Change");
        self.git(&["switch", "--quiet", "--detach"]);
    }

    fn tree(&self, files: &Files) -> Oid {
        let repository = self.open();
        let mut tree = repository.edit_tree(None);
        let project = r#"{"packageDirectories": [{"path": "force-app", "default": true}]}"#;
        let mut put = |path: &str, text: &str| {
            let oid = repository.write_blob(text.as_bytes()).expect("a blob");
            tree.set(&TreePath::from(path), Entry::file(oid)).expect("set");
        };
        put("sfdx-project.json", project);
        for (path, text) in files {
            put(&format!("{ROOT}/{path}"), text);
        }
        tree.write().expect("a tree")
    }

    async fn connect(&self, org: &str) -> Connection {
        self.runtime
            .orgs
            .connect_to_write(org, Some(org))
            .await
            .expect("a connection")
    }

    /// Somebody changes an org from one set of files to another.
    pub async fn others_change(&self, org: &str, before: &Files, after: &Files) {
        let connection = self.connect(org).await;
        let options = self.options(&connection);
        let package = package(&self.open(), self.tree(before), self.tree(after), &options).expect("a package");
        for chunk in &package.chunks {
            let deployment = Deployment {
                zip: chunk.zip().expect("a zip"),
                options: DeployOptions {
                    test_level: (org != "prod").then_some(TestLevel::NoTestRun),
                    ..DeployOptions::default()
                },
                ..Deployment::default()
            };
            let watch = Watch {
                intent: &|_| Ok(()),
                started: &mut |_| {},
                progress: &mut |_| {},
            };
            let result = deploy(&connection, deployment, watch).await.expect("an end");
            assert!(result.succeeded(), "{:?}", result.problems());
        }
    }

    fn options(&self, connection: &Connection) -> Options<'static> {
        Options {
            version: connection.api_version(),
            limits: Limits::default(),
            flows: Default::default(),
            sealer: None,
        }
    }

    /// What an org has otherwise than these files, one a line.
    pub async fn differs(&self, org: &str, files: &Files) -> String {
        let connection = self.connect(org).await;
        let (nothing, all) = (self.tree(&Files::new()), self.tree(files));
        let repository = self.open();
        let everything = package(&repository, nothing, all, &self.options(&connection)).expect("a package");
        let seen = look(&connection, &everything).await.expect("seen");
        let seen = seen.against(&repository, all, None).expect("compared");
        let lines: Vec<String> = seen
            .differences
            .iter()
            .map(|one| format!("{} {}", one.words, one.change))
            .collect();
        lines.join("\n")
    }

    /// Begins to bring changes to a target.
    pub async fn begin(&self, from: &str, to: &str, direction: Direction) -> Operation {
        let wanted = Wanted {
            from: from.to_owned(),
            to: to.to_owned(),
            selection: Selection::default(),
            direction,
            bypass: None,
        };
        promote(&self.runtime, &self.open(), &wanted, &Actor::owner("ada"))
            .await
            .expect("begun")
    }

    /// Takes the snapshot of an environment as `syncline snapshot` does.
    pub fn snapshot(&self, name: &str) {
        let request = snapshot::Request {
            environments: vec![name.to_owned()],
            ..Default::default()
        };
        let now = CommitTime {
            seconds: self.runtime.now() / 1000,
            offset_minutes: 0,
        };
        let take = || {
            let (repository, actor) = (self.open(), Actor::owner("ada"));
            snapshot::snapshots(&repository, &self.runtime.orgs, &request, &actor, now, &|_, _, _| {})
        };
        // It has threads of its own for the network, so it is not called on one of them.
        let taken = std::thread::scope(|scope| scope.spawn(take).join().expect("tried"));
        for taken in taken.expect("snapshots") {
            taken.result.expect("a snapshot");
        }
    }

    /// In what the org of an environment differs from its branch as of the last snapshot: class and words.
    pub fn drift(&self, name: &str) -> Vec<String> {
        let found = syncline_engine::drift::drift(&self.open(), name).expect("drift");
        found
            .differences
            .iter()
            // Of what every org has, the branch knows nothing.
            .filter(|one| {
                !matches!(&*one.component.type_name, "CustomObject" | "Profile") || one.class.name() != "unmanaged"
            })
            .map(|one| format!("{} {}", one.class.name(), one.words))
            .collect()
    }

    /// Works until everything waits or has ended.
    pub async fn work(&self) {
        self.work_with(&self.runtime).await;
    }

    /// The same with another clock.
    pub async fn work_with(&self, runtime: &Arc<Runtime>) {
        let report = self.report_of(runtime).await;
        assert!(report.problems.is_empty(), "{:?}", report.problems);
    }

    /// The same, with what the worker tells.
    pub async fn report_of(&self, runtime: &Arc<Runtime>) -> worker::Report {
        let options = worker::Options {
            name: "worker".to_owned(),
            slots: 4,
            lease: Duration::from_secs(60),
            poll: Duration::from_millis(50),
            only: Vec::new(),
            until: Until::Idle {
                patience: Duration::from_secs(30),
            },
        };
        worker::run(runtime, &options, &Stop::new()).await.expect("worked")
    }

    /// The runtime as it is after some time.
    pub fn after(&self, time: Duration) -> Arc<Runtime> {
        let clock = Clock::new(
            move || std::time::SystemTime::now() + time,
            |_| Box::pin(tokio::time::sleep(Duration::from_millis(10))),
        );
        Arc::new(Runtime {
            clock,
            ..(*self.runtime).clone()
        })
    }

    pub async fn operation(&self, id: &str) -> Operation {
        self.runtime.store.operation(id).await.expect("an operation")
    }

    pub async fn kept(&self, id: &str) -> Kept {
        serde_json::from_value(self.operation(id).await.data).expect("what it keeps")
    }

    /// Works, and expects the operation to stand so then.
    pub async fn until(&self, id: &str, state: State) -> Operation {
        self.work().await;
        let operation = self.operation(id).await;
        assert_eq!(
            operation.state, state,
            "{:?} {:?} {:?}",
            operation.step, operation.message, operation.problem
        );
        operation
    }

    pub async fn approve(&self, id: &str, who: &str) {
        let decision = Decision {
            granted: true,
            reason: None,
            subject: None,
        };
        approve(&self.runtime, id, &Actor::owner(who), &decision)
            .await
            .expect("approved");
    }

    /// Deployments of an org that changed something.
    pub fn deployments(&self, org: &str) -> usize {
        let org = self.world.org(org).expect("an org");
        let state = org.lock();
        let count: i64 = state
            .db
            .query_row("SELECT count(*) FROM DeployRequest WHERE CheckOnly = 0", [], |row| {
                row.get(0)
            })
            .expect("counted");
        usize::try_from(count).expect("a count")
    }

    /// The open conflicts, one a line: target, place, reason.
    pub fn conflicts(&self) -> String {
        let mut lines = Vec::new();
        for kept in syncline_engine::conflicts::list(&self.open()).expect("listed") {
            let record = kept.record.expect("readable");
            for item in record.open() {
                lines.push(format!("{} {} {}", record.target, item.path, item.reason));
            }
        }
        lines.join("\n")
    }

    pub fn home(&self) -> PathBuf {
        self.folder.path().to_owned()
    }
}
