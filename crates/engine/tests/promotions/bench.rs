//! A production and sandboxes, a repository with a branch for each, a database, and a worker.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use syncline_domain::operation::State;
use syncline_domain::policy::Actor;
use syncline_engine::back_promote::Selection;
use syncline_engine::command::Allowed;
use syncline_engine::deployment::{Limits, Options, look, package};
use syncline_engine::operation::promote::{Direction, Kept, Wanted, promote};
use syncline_engine::operation::{Decision, KINDS, Kind, Runtime, answer, approve};
use syncline_engine::org::deploy::{Deployment, Watch, deploy};
use syncline_engine::org::login::{Grant, NewLogin, Orgs};
use syncline_engine::org::vault::Vault;
use syncline_engine::snapshot;
use syncline_engine::worker::{self, Stop, Until};
use syncline_git::{CommitTime, Entry, Oid, Repository, TreePath};
use syncline_salesforce::auth::{App, Token};
use syncline_salesforce::metadata::{DeployOptions, TestLevel};
use syncline_salesforce::{Address, Clock, Connection, Http};
use syncline_simulator::config::{Config, OrgConfig};
use syncline_simulator::oauth::{apps, users};
use syncline_simulator::org::{Org, sessions};
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

/// What a bench begins with.
pub struct Setting {
    /// What all orgs and branches hold.
    pub files: Files,
    /// The end of syncline.toml.
    pub more: String,
    /// The database; one of SQLite beside the repository when not given.
    pub database: Option<String>,
    /// The time.
    pub clock: Clock,
    /// What one deployment takes.
    pub limits: Limits,
    /// Programs that may run.
    pub commands: &'static str,
    /// Settings of the simulated orgs.
    pub world: Config,
    /// The kinds of operations.
    pub kinds: &'static [&'static Kind],
}

impl Default for Setting {
    fn default() -> Self {
        Self {
            files: org(),
            more: String::new(),
            database: None,
            clock: Clock::system(),
            limits: Limits::default(),
            commands: "",
            world: Config::default(),
            kinds: KINDS,
        }
    }
}

/// The logins of a bench. Waits for orgs are short: they have done everything at the next request.
pub fn orgs(folder: &Path) -> Orgs {
    Orgs {
        vault: Vault::open(folder.join("home"), None),
        http: Http::new().expect("a client"),
        home: None,
        clock: Clock::new(SystemTime::now, |time| Box::pin(tokio::time::sleep(time / 50))),
    }
}

/// The repository of a bench.
pub fn repository(folder: &Path) -> PathBuf {
    folder.join("repository")
}

/// A login that renews its session.
fn login(world: &World, org: &Org) -> NewLogin {
    let token = {
        let state = org.lock();
        let admin = users::first_admin(&state.db).expect("read").expect("an administrator");
        let app = Some(apps::CLI);
        sessions::grant_refresh(org, &state.db, 1, &admin.id, app, world.clock.now()).expect("a token")
    };
    let instance: Address = org.origin.http.parse().expect("an address");
    let token = Token {
        access: world.admin_session(org).expect("a session").access_token.into(),
        refresh: Some(token.into()),
        instance: instance.clone(),
        org: Some(org.id.parse().expect("an id")),
        user: None,
        scope: String::new(),
    };
    NewLogin {
        name: org.name.clone(),
        host: Some(instance),
        grant: Grant::Browser {
            app: App::platform_cli(),
            token,
        },
        production_writes: true,
    }
}

impl Bench {
    /// All orgs and branches hold [`org`]; `more` goes into syncline.toml.
    pub async fn start(more: &str) -> Self {
        let setting = Setting {
            more: more.to_owned(),
            ..Setting::default()
        };
        Self::with(setting).await
    }

    pub async fn with(setting: Setting) -> Self {
        let org_of = |name: &str, kind: &str| OrgConfig {
            name: name.to_owned(),
            kind: kind.to_owned(),
            of: None,
        };
        let mut config = setting.world;
        config.port = 0;
        config.orgs = vec![org_of("prod", "production")];
        config.orgs.extend(BELOW.iter().map(|name| org_of(name, "Developer")));
        let world = server::start(config, None).await.expect("a world");
        let folder = tempfile::tempdir().expect("a folder");
        let orgs = orgs(folder.path());
        for org in world.orgs() {
            orgs.login(login(&world, &org)).await.expect("a login");
        }
        let repository = repository(folder.path());
        std::fs::create_dir(&repository).expect("a folder");
        let beside = || format!("sqlite:{}", folder.path().join("store.db").display());
        let store = Store::open(&setting.database.unwrap_or_else(beside)).await;
        let bench = Self {
            world,
            runtime: Arc::new(Runtime {
                store: store.expect("a store"),
                repository,
                orgs,
                clock: setting.clock,
                commands: Allowed::parse(setting.commands),
                limits: setting.limits,
                kinds: setting.kinds,
            }),
            folder,
        };
        bench.seed(&setting.files, &setting.more).await;
        bench
    }

    async fn seed(&self, files: &Files, more: &str) {
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
        self.write(files);
        self.commit("Start");
        for name in BELOW {
            self.git(&["branch", &format!("env/{name}")]);
        }
        self.git(&["switch", "--quiet", "--detach"]);
        for name in ["prod"].iter().chain(&BELOW) {
            self.others_change(name, &Files::new(), files).await;
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

    /// Commits a file outside of the metadata to a branch.
    pub fn put(&self, branch: &str, path: &str, text: &str) {
        self.git(&["switch", "--quiet", branch]);
        let file = self.path().join(path);
        std::fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
        std::fs::write(&file, text).expect("written");
        if text.starts_with("#!") {
            let runs = std::os::unix::fs::PermissionsExt::from_mode(0o755);
            std::fs::set_permissions(&file, runs).expect("set");
        }
        self.commit("Settings");
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

    pub async fn connect(&self, org: &str) -> Connection {
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

    /// The same, unless it is stopped before.
    pub async fn work_until(&self, stop: &Stop) {
        self.run(&self.runtime, stop).await;
    }

    /// The same with another clock.
    pub async fn work_with(&self, runtime: &Arc<Runtime>) {
        let report = self.report_of(runtime).await;
        assert!(report.problems.is_empty(), "{:?}", report.problems);
    }

    /// The same, with what the worker tells.
    pub async fn report_of(&self, runtime: &Arc<Runtime>) -> worker::Report {
        self.run(runtime, &Stop::new()).await
    }

    async fn run(&self, runtime: &Arc<Runtime>, stop: &Stop) -> worker::Report {
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
        worker::run(runtime, &options, stop).await.expect("worked")
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

    /// Answers the operation's question.
    pub async fn answer(&self, id: &str, value: &str) {
        answer(&self.runtime, id, &Actor::owner("bea"), value, "", None)
            .await
            .expect("answered");
    }

    /// Deployments of an org that changed something.
    pub fn deployments(&self, org: &str) -> usize {
        self.count(org, "SELECT count(*) FROM DeployRequest WHERE CheckOnly = 0")
    }

    /// A number that an org's database tells.
    pub fn count(&self, org: &str, sql: &str) -> usize {
        let org = self.world.org(org).expect("an org");
        let state = org.lock();
        let count: i64 = state.db.query_row(sql, [], |row| row.get(0)).expect("counted");
        usize::try_from(count).expect("a count")
    }

    /// What the audit chain tells of an operation, one a line: action, outcome, actor, details.
    pub async fn audit(&self, id: &str) -> String {
        let subject = format!("operation:{id}");
        let entries = self
            .runtime
            .store
            .recent_audit(Some(&subject), 1_000)
            .await
            .expect("read");
        let line = |draft: &syncline_domain::audit::Draft| {
            format!("{} {} {} {}", draft.action, draft.outcome, draft.actor, draft.details)
        };
        let lines: Vec<String> = entries.iter().map(|entry| line(&entry.draft)).collect();
        lines.join("\n")
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
