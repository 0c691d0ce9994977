//! Values of environments stay where they are, up and down, and secrets are in no commit.

use std::process::{Command, Stdio};

use syncline_domain::operation::State;
use syncline_engine::operation::promote::Direction;

use crate::bench::{Bench, Setting};
use crate::files::{Files, changed, org, xml};

const PATH: &str = "namedCredentials/Erp.namedCredential-meta.xml";
const SECRET: &str = "CANARY-pass";

fn credential(files: &mut Files, label: &str, endpoint: &str, password: &str) {
    let text = format!(
        "    <endpoint>{endpoint}</endpoint>\n    <label>{label}</label>\n    <password>{password}</password>\n    \
         <principalType>NamedUser</principalType>\n    <protocol>Password</protocol>\n    <username>erp</username>\n"
    );
    files.insert(PATH.to_owned(), xml("NamedCredential", &text));
}

#[tokio::test(flavor = "multi_thread")]
async fn values_of_an_environment_stay_its_own() {
    const LIVE: &str = "https://erp.example.com";
    const TEST: &str = "https://erp-test.example.com";
    let with = |label: &str, endpoint: &str| changed(&org(), |files| credential(files, label, endpoint, "x"));
    let bench = Bench::with(Setting {
        files: with("Erp", LIVE),
        ..Setting::default()
    })
    .await;
    let overlay = |value: &str| {
        format!("[[overlay]]\npath = \"NamedCredential:Erp/endpoint\"\nvalue = \"{value}\"\nkind = \"endpoint\"\n")
    };
    for branch in ["main", "env/uat"] {
        bench.put(branch, "syncline/overlays/uat.toml", &overlay(TEST));
        bench.put(branch, "syncline/overlays/production.toml", &overlay(LIVE));
    }
    bench.others_change("uat", &with("Erp", LIVE), &with("Erp", TEST)).await;

    // Down: the label comes, the endpoint stays.
    bench
        .others_change("prod", &with("Erp", LIVE), &with("Books", LIVE))
        .await;
    bench.on("main", &with("Books", LIVE));
    let down = bench.begin("production", "uat", Direction::Down).await.id;
    bench.until(&down, State::Succeeded).await;
    assert_eq!(bench.differs("uat", &with("Books", TEST)).await, "");
    let branch = bench.git(&["show", &format!("env/uat:force-app/main/default/{PATH}")]);
    assert!(
        branch.contains("Books") && branch.contains(LIVE),
        "it keeps what it had: {branch}"
    );

    // Up again: the label goes, the endpoint of the sandbox does not.
    bench.on("env/uat", &with("Ledger", TEST));
    let up = bench.begin("uat", "production", Direction::Up).await.id;
    bench.work().await;
    assert_eq!(bench.conflicts(), "");
    bench.until(&up, State::Succeeded).await;
    assert_eq!(bench.differs("prod", &with("Ledger", LIVE)).await, "");
    let live = bench.git(&["show", &format!("main:force-app/main/default/{PATH}")]);
    assert!(live.contains(LIVE) && live.contains("Ledger"), "{live}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sealed_secret_is_sent_open_and_is_in_no_commit() {
    let bench = Bench::start("").await;
    let place = "NamedCredential:Erp/password";
    let sealed = bench.runtime.orgs.vault.sealer().expect("a key").seal(place, SECRET);
    let overlay = format!("[[overlay]]\npath = \"{place}\"\nsecret = \"{sealed}\"\n");
    bench.put("main", "syncline/overlays/qa.toml", &overlay);
    let with = |password: &str| {
        changed(&org(), |files| {
            credential(files, "Erp", "https://erp.example.com", password);
        })
    };
    bench.on("main", &with("other"));
    let id = bench.begin("production", "qa", Direction::Down).await.id;
    bench.until(&id, State::Succeeded).await;
    let sent = format!(
        "SELECT count(*) FROM _component_file WHERE type = 'NamedCredential' AND CAST(content AS TEXT) LIKE '%<password>{SECRET}<%'"
    );
    assert_eq!(bench.count("qa", &sent), 1);
    assert_eq!(bench.kept(&id).await.differences, []);
    let objects = Command::new("git")
        .args(["cat-file", "--batch-all-objects", "--batch"])
        .current_dir(bench.path())
        .stderr(Stdio::inherit())
        .output()
        .expect("git");
    assert!(objects.status.success());
    let text = String::from_utf8_lossy(&objects.stdout);
    assert!(text.contains(&sealed), "the sealed value is");
    assert!(!text.contains(SECRET));
    let database = std::fs::read(bench.home().join("store.db")).expect("the database");
    assert!(!String::from_utf8_lossy(&database).contains(SECRET));
}
