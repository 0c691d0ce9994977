//! A secret that a person has sealed for an overlay comes to the org in clear and stands in git never so.

use std::process::{Command, Stdio};

use syncline_domain::operation::State;
use syncline_domain::policy::Actor;
use syncline_engine::admin::seal;
use syncline_engine::operation::promote::Direction;

use crate::bench::Bench;
use crate::files::{changed, labels, org};

const CANARY: &str = "CANARY-7f3a & <co>";
const PLACE: &str = "CustomLabels:CustomLabels/labels[fullName=Token]/value";

/// Everything that the repository holds, in refs or not.
fn objects(bench: &Bench) -> Vec<u8> {
    let all = Command::new("git")
        .args(["cat-file", "--batch-all-objects", "--batch", "--buffer"])
        .current_dir(bench.path())
        .stdout(Stdio::piped())
        .output()
        .expect("git");
    assert!(all.status.success());
    all.stdout
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sealed_value_reaches_the_org_only() {
    let bench = Bench::start("").await;
    let place = PLACE.parse().expect("a path");
    let value = CANARY.to_owned().into();
    let sealed = seal(&bench.runtime.orgs.vault, &Actor::owner("ada"), &place, &value).expect("sealed");
    assert!(sealed.starts_with("sealed:") && !sealed.contains("CANARY"));
    let overlay = format!("[[overlay]]\npath = \"{PLACE}\"\nsecret = \"{sealed}\"\n");
    bench.git(&["switch", "--quiet", "main"]);
    std::fs::create_dir_all(bench.path().join("syncline/overlays")).expect("a folder");
    std::fs::write(bench.path().join("syncline/overlays/qa.toml"), overlay).expect("written");
    let with = |value: &str| {
        let all = [("Bye", "Bye"), ("Greeting", "Hello"), ("Token", value)];
        changed(&org(), |files| labels(files, &all))
    };
    bench.on("main", &with("in production"));
    bench.snapshot("qa");
    let id = bench.begin("production", "qa", Direction::Down).await.id;
    bench.until(&id, State::Succeeded).await;
    assert_eq!(
        bench.kept(&id).await.differences,
        [],
        "what was read back is what was sent"
    );
    let drift = || bench.drift("qa").iter().all(|one| one.starts_with("overlay "));
    assert!(drift(), "{:?}", bench.drift("qa"));
    bench.snapshot("qa");
    assert!(drift(), "{:?}", bench.drift("qa"));
    assert_eq!(bench.differs("dev1", &org()).await, "", "only one was asked for");
    let text = String::from_utf8_lossy(&objects(&bench)).into_owned();
    assert!(text.contains(&sealed), "the overlay is there");
    assert!(!text.contains("CANARY"), "the value is not");
    // The bench writes what it expects of the org, so it looks last.
    assert_eq!(bench.differs("qa", &with("CANARY-7f3a &amp; &lt;co&gt;")).await, "");
    // For another place it is another text.
    let elsewhere = PLACE.replace("Token", "Bye").parse().expect("a path");
    let other = seal(&bench.runtime.orgs.vault, &Actor::owner("ada"), &elsewhere, &value).expect("sealed");
    assert_ne!(other, sealed);
}
