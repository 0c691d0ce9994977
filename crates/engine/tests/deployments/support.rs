//! A repository of trees, and a simulated org that holds one of them.

use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use syncline_engine::deployment::flows::flows;
use syncline_engine::deployment::{Limits, Options, Package, Seen, flows_between, look, package};
use syncline_engine::org::deploy::{Deployment, Watch, deploy};
use syncline_git::{Entry, Oid, Repository, TreePath};
use syncline_salesforce::auth::App;
use syncline_salesforce::metadata::{DeployOptions, DeployResult};
use syncline_salesforce::{Clock, Connection, Http, Login};
use syncline_simulator::config::{Config, OrgConfig};
use syncline_simulator::oauth::{apps, users};
use syncline_simulator::org::sessions;
use syncline_simulator::server;
use syncline_simulator::world::World;
use tempfile::TempDir;

pub use crate::files::*;

pub const ROOT: &str = "force-app/main/default";
const ORG: &str = "dev1";

/// A world, a connection to its sandbox, and a repository.
pub struct Bench {
    _world: Arc<World>,
    pub connection: Connection,
    pub repository: Repository,
    _folder: TempDir,
}

impl Bench {
    pub async fn start() -> Self {
        let org = |name: &str, kind: &str| OrgConfig {
            name: name.to_owned(),
            kind: kind.to_owned(),
            of: None,
        };
        let config = Config {
            port: 0,
            orgs: vec![org("prod", "production"), org(ORG, "Developer")],
            ..Config::default()
        };
        let world = server::start(config, None).await.expect("a world");
        let folder = tempfile::tempdir().expect("a folder");
        let done = std::process::Command::new("git")
            .args(["init", "--quiet", "."])
            .current_dir(folder.path())
            .status();
        assert!(done.expect("git").success());
        Self {
            connection: connect(&world).await,
            _world: world,
            repository: Repository::open(folder.path()).expect("a repository"),
            _folder: folder,
        }
    }

    /// A world whose sandbox holds these files, and their tree.
    pub async fn with(files: &Files) -> (Self, Oid) {
        let bench = Self::start().await;
        let tree = bench.tree(files);
        let package = bench.package(bench.tree(&Files::new()), tree).await;
        bench.send(&package).await;
        (bench, tree)
    }

    pub fn tree(&self, files: &Files) -> Oid {
        let mut tree = self.repository.edit_tree(None);
        let project = r#"{"packageDirectories": [{"path": "force-app", "default": true}]}"#;
        let mut put = |path: &str, text: &str| {
            let oid = self.repository.write_blob(text.as_bytes()).expect("a blob");
            tree.set(&TreePath::from(path), Entry::file(oid)).expect("set");
        };
        put("sfdx-project.json", project);
        for (path, text) in files {
            put(&format!("{ROOT}/{path}"), text);
        }
        tree.write().expect("a tree")
    }

    pub async fn package(&self, before: Oid, after: Oid) -> Package {
        self.package_within(before, after, Limits::default()).await
    }

    pub async fn package_within(&self, before: Oid, after: Oid, limits: Limits) -> Package {
        let names = flows_between(&self.repository, before, after).expect("compared");
        let options = Options {
            version: self.connection.api_version(),
            limits,
            flows: flows(&self.connection, &names).await.expect("flows"),
            sealer: None,
        };
        package(&self.repository, before, after, &options).expect("a package")
    }

    /// Deploys a package; it has to succeed.
    pub async fn send(&self, package: &Package) {
        for chunk in &package.chunks {
            let result = self.deploy(chunk.zip().expect("a zip")).await;
            assert!(result.succeeded(), "{:?}", result.problems());
        }
    }

    pub async fn deploy(&self, zip: bytes::Bytes) -> DeployResult {
        let deployment = Deployment {
            zip,
            options: DeployOptions::default(),
            ..Deployment::default()
        };
        let watch = Watch {
            intent: &|_| Ok(()),
            started: &mut |_| {},
            progress: &mut |_| {},
        };
        deploy(&self.connection, deployment, watch).await.expect("an end")
    }

    /// Brings the org from one set of files to another, as somebody else does.
    pub async fn others_change(&self, before: &Files, after: &Files) {
        let package = self.package(self.tree(before), self.tree(after)).await;
        self.send(&package).await;
    }

    /// What of a package is not in the org as in the state.
    pub async fn seen(&self, package: &Package, tree: Oid) -> Seen {
        let look = look(&self.connection, package).await.expect("seen");
        look.against(&self.repository, tree, None).expect("compared")
    }
}

async fn connect(world: &Arc<World>) -> Connection {
    let org = world.org(ORG).expect("the sandbox");
    let token = {
        let state = org.lock();
        let admin = users::first_admin(&state.db).expect("read").expect("an administrator");
        sessions::grant_refresh(&org, &state.db, 1, &admin.id, Some(apps::CLI), world.clock.now()).expect("a token")
    };
    let login = Login::RefreshToken {
        app: App::platform_cli(),
        host: org.origin.http.parse().expect("an address"),
        token: token.into(),
    };
    let mut options = syncline_salesforce::Options::named(ORG);
    options.api_version = Some("66.0".parse().expect("a version"));
    options.clock = Clock::new(SystemTime::now, |_| Box::pin(std::future::ready(())));
    Connection::open(&Http::new().expect("a client"), login, options)
        .await
        .expect("a connection")
}

/// The words of differences, one a line.
pub fn told(seen: &Seen) -> String {
    let lines: Vec<String> = seen
        .differences
        .iter()
        .map(|one| format!("{} {}", one.words, one.change))
        .collect();
    lines.join("\n")
}

/// Whether only the owner may read a file.
#[cfg(unix)]
pub fn is_private(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).expect("there").permissions().mode() & 0o777 == 0o600
}
