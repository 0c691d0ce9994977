//! A repository of trees, and a simulated org that holds one of them.

use std::path::Path;
use std::sync::Arc;

use syncline_engine::deployment::flows::flows;
use syncline_engine::deployment::{Limits, Options, Package, Seen, flows_between, look, package};
use syncline_engine::org::deploy::{Deployment, Watch, deploy};
use syncline_git::{Entry, Oid, Repository, TreePath};
use syncline_salesforce::Connection;
use syncline_salesforce::metadata::{DeployOptions, DeployResult};
use syncline_simulator::world::World;
use tempfile::TempDir;

pub use crate::files::*;
use crate::sandbox::{connect, world};

pub const ROOT: &str = "force-app/main/default";

/// A world, a connection to its sandbox, and a repository.
pub struct Bench {
    _world: Arc<World>,
    pub connection: Connection,
    pub repository: Repository,
    _folder: TempDir,
}

impl Bench {
    pub async fn start() -> Self {
        let world = world(1).await;
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
