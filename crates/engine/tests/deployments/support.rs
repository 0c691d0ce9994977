//! A repository of trees, and a simulated org that holds one of them.

use std::collections::BTreeMap;
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

pub const ROOT: &str = "force-app/main/default";
const ORG: &str = "dev1";

/// Files below [`ROOT`].
pub type Files = BTreeMap<String, String>;

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

pub fn xml(root: &str, inner: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{root} xmlns=\"http://soap.sforce.com/2006/04/metadata\">\n{inner}</{root}>\n"
    )
}

pub fn class(files: &mut Files, name: &str, body: &str) {
    files.insert(
        format!("classes/{name}.cls"),
        format!("public class {name} {{\n    {body}\n}}\n"),
    );
    files.insert(
        format!("classes/{name}.cls-meta.xml"),
        xml(
            "ApexClass",
            "    <apiVersion>66.0</apiVersion>\n    <status>Active</status>\n",
        ),
    );
}

pub fn field(files: &mut Files, name: &str, rest: &str) {
    files.insert(
        format!("objects/Invoice__c/fields/{name}.field-meta.xml"),
        xml(
            "CustomField",
            &format!("    <fullName>{name}</fullName>\n    <label>{name}</label>\n{rest}"),
        ),
    );
}

pub const TEXT: &str = "    <length>80</length>\n    <type>Text</type>\n";

pub fn picklist(files: &mut Files, values: &[&str]) {
    let values: String = values
        .iter()
        .map(|value| {
            format!(
                "            <value>\n                <fullName>{value}</fullName>\n                <default>false</default>\n                \
                 <label>{value}</label>\n            </value>\n"
            )
        })
        .collect();
    let rest = format!(
        "    <type>Picklist</type>\n    <valueSet>\n        <valueSetDefinition>\n            <sorted>false</sorted>\n{values}        \
         </valueSetDefinition>\n    </valueSet>\n"
    );
    field(files, "Status__c", &rest);
}

pub fn labels(files: &mut Files, labels: &[(&str, &str)]) {
    let all: String = labels
        .iter()
        .map(|(name, value)| {
            format!(
                "    <labels>\n        <fullName>{name}</fullName>\n        <language>en_US</language>\n        <protected>true</protected>\n        \
                 <shortDescription>{name}</shortDescription>\n        <value>{value}</value>\n    </labels>\n"
            )
        })
        .collect();
    files.insert(
        "labels/CustomLabels.labels-meta.xml".to_owned(),
        xml("CustomLabels", &all),
    );
}

pub fn access(classes: &[(&str, bool)]) -> String {
    classes
        .iter()
        .map(|(name, enabled)| {
            format!(
                "    <classAccesses>\n        <apexClass>{name}</apexClass>\n        <enabled>{enabled}</enabled>\n    </classAccesses>\n"
            )
        })
        .collect()
}

pub fn profile(files: &mut Files, classes: &[(&str, bool)]) {
    let text = access(classes) + "    <custom>true</custom>\n    <userLicense>Salesforce</userLicense>\n";
    files.insert("profiles/Clerk.profile-meta.xml".to_owned(), xml("Profile", &text));
}

pub fn permission_set(files: &mut Files, classes: &[(&str, bool)]) {
    let text =
        access(classes) + "    <hasActivationRequired>false</hasActivationRequired>\n    <label>Billing</label>\n";
    let path = "permissionsets/Billing.permissionset-meta.xml";
    files.insert(path.to_owned(), xml("PermissionSet", &text));
}

pub fn flow(files: &mut Files, name: &str, status: &str, description: &str) {
    let text = format!(
        "    <apiVersion>66.0</apiVersion>\n    <description>{description}</description>\n    <label>{name}</label>\n    \
         <processType>AutoLaunchedFlow</processType>\n    <start>\n        <locationX>0</locationX>\n        <locationY>0</locationY>\n    </start>\n    \
         <status>{status}</status>\n"
    );
    files.insert(format!("flows/{name}.flow-meta.xml"), xml("Flow", &text));
}

/// The org that most tests begin with.
pub fn org() -> Files {
    let mut files = Files::new();
    let object = "    <deploymentStatus>Deployed</deploymentStatus>\n    <label>Invoice</label>\n    <nameField>\n        <label>Invoice Name</label>\n        \
                  <type>Text</type>\n    </nameField>\n    <pluralLabel>Invoices</pluralLabel>\n    <sharingModel>ReadWrite</sharingModel>\n";
    files.insert(
        "objects/Invoice__c/Invoice__c.object-meta.xml".to_owned(),
        xml("CustomObject", object),
    );
    field(&mut files, "Note__c", TEXT);
    picklist(&mut files, &["Open", "Paid"]);
    for name in ["A", "B", "C"] {
        class(&mut files, name, "");
    }
    labels(&mut files, &[("Bye", "Bye"), ("Greeting", "Hello")]);
    profile(&mut files, &[("A", true), ("B", true)]);
    permission_set(&mut files, &[("A", true), ("B", true)]);
    flow(&mut files, "Dunning", "Active", "first");
    files
}

/// A copy with a change.
pub fn changed(files: &Files, change: impl FnOnce(&mut Files)) -> Files {
    let mut files = files.clone();
    change(&mut files);
    files
}

pub fn remove(files: &mut Files, part: &str) {
    let before = files.len();
    files.retain(|path, _| !path.contains(part));
    assert!(files.len() < before, "nothing is named like {part}");
}

/// Whether only the owner may read a file.
#[cfg(unix)]
pub fn is_private(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).expect("there").permissions().mode() & 0o777 == 0o600
}
