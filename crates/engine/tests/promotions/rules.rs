//! Changes that go along ways by themselves: by schedule, when a branch moves, when something is deployed.

use std::process::Command;
use std::time::Duration;

use syncline_domain::operation::State;
use syncline_engine::operation::promote::Direction;
use syncline_store::{Filter, Operation};

use crate::bench::Bench;
use crate::files::{Files, changed, class, org};

fn edge(to: &str, rule: &str) -> String {
    format!("[[edges]]\nfrom = \"production\"\nto = \"{to}\"\nrule = {rule}\n")
}

fn fix(files: &mut Files) {
    class(files, "A", "Integer fixed;");
}

impl Bench {
    async fn of_kind(&self, kind: &str) -> Vec<Operation> {
        let filter = Filter {
            kind: Some(kind.to_owned()),
            ..Filter::default()
        };
        let found = self.runtime.store.operations(&filter).await.expect("listed");
        for one in &found {
            assert_eq!(one.state, State::Succeeded, "{one:?}");
        }
        found
    }

    /// Two workers at once.
    async fn both_work(&self) {
        tokio::join!(self.work(), self.work());
    }
}

/// Somebody deploys a hotfix to production with another tool: nobody has to do anything for it to come down.
#[tokio::test(flavor = "multi_thread")]
async fn a_deployment_by_others_is_adopted_and_brought_along() {
    let bench = Bench::start(&(edge("qa", "\"on-deploy\"") + &edge("dev1", "\"on-deploy\""))).await;
    // What production has otherwise before the rule holds is nobody's deployment.
    let own = changed(&org(), |files| class(files, "Old", "Integer old;"));
    bench.others_change("prod", &org(), &own).await;
    bench.both_work().await;
    assert_eq!(bench.of_kind("promote").await.len(), 0);
    bench.work().await;
    assert_eq!(
        bench.of_kind("follow").await.len(),
        2,
        "the first look, once for each way"
    );
    bench.others_change("prod", &own, &changed(&own, fix)).await;
    bench.both_work().await;
    assert_eq!(bench.of_kind("follow").await.len(), 4);
    assert_eq!(bench.of_kind("promote").await.len(), 2);
    let expect = changed(&org(), fix);
    for name in ["qa", "dev1"] {
        assert_eq!(bench.differs(name, &expect).await, "", "{name}");
    }
    assert_eq!(bench.differs("dev2", &org()).await, "", "no rule leads there");
    let message = bench.git(&["log", "-1", "--format=%B", "main"]);
    assert!(
        message.starts_with("Adopt what was deployed to production"),
        "{message}"
    );
    assert!(
        bench
            .git(&["show", "main:force-app/main/default/classes/A.cls"])
            .contains("fixed")
    );
    // What was not deployed is not adopted with it.
    assert!(bench.drift("production").iter().any(|one| one.contains("Old")));
    bench.both_work().await;
    assert_eq!(bench.of_kind("promote").await.len(), 2, "there is nothing new");
    // A deployment of an operation goes along the ways, too.
    let work = changed(&expect, |files| class(files, "B", "Integer work;"));
    bench.on("env/uat", &work);
    let up = bench.begin("uat", "production", Direction::Up).await.id;
    bench.both_work().await;
    assert_eq!(bench.operation(&up).await.state, State::Succeeded);
    assert_eq!(bench.of_kind("promote").await.len(), 5);
    assert!(
        bench
            .git(&["show", "env/qa:force-app/main/default/classes/B.cls"])
            .contains("work")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_branch_that_moves_is_followed() {
    let bench = Bench::start(&edge("qa", "\"on-push\"\nselect = [\"ApexClass:A\"]")).await;
    bench.work().await;
    assert_eq!(bench.of_kind("follow").await.len(), 0, "where it stands is no push");
    let both = changed(&org(), |files| {
        fix(files);
        class(files, "B", "Integer not_selected;");
    });
    bench.on("main", &both);
    bench.both_work().await;
    assert_eq!(bench.of_kind("follow").await.len(), 1);
    assert_eq!(bench.of_kind("promote").await.len(), 1);
    assert_eq!(bench.differs("qa", &changed(&org(), fix)).await, "");
    bench.both_work().await;
    assert_eq!(bench.of_kind("follow").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_to_the_remote_is_followed() {
    let bench = Bench::start(&edge("qa", "\"on-push\"")).await;
    let toml = std::fs::read_to_string(bench.path().join("syncline.toml")).expect("read");
    let toml = toml.replacen("kind = \"production\"", "kind = \"production\"\nremote = \"origin\"", 1);
    let remote = bench.home().join("origin.git");
    let (here, there) = (bench.path(), remote.to_str().expect("UTF-8"));
    let clone = Command::new("git")
        .args(["clone", "--quiet", "--bare"])
        .arg(&here)
        .arg(&remote)
        .status();
    assert!(clone.expect("git").success());
    bench.git(&["remote", "add", "origin", there]);
    std::fs::write(bench.path().join("syncline.toml"), toml).expect("written");
    bench.work().await;
    // Somebody pushes; the local branch stays where it was.
    bench.git(&["stash", "--quiet"]);
    let local = bench.git(&["rev-parse", "main"]);
    bench.on("main", &changed(&org(), fix));
    bench.git(&["push", "--quiet", "origin", "main"]);
    bench.git(&["branch", "--force", "main", &local]);
    bench.git(&["stash", "pop", "--quiet"]);
    bench.both_work().await;
    assert_eq!(bench.of_kind("promote").await.len(), 1);
    assert_eq!(bench.differs("qa", &changed(&org(), fix)).await, "");
    assert_eq!(bench.git(&["rev-parse", "main"]), local);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schedule_brings_what_there_is_then() {
    let bench = Bench::start(&edge(
        "qa",
        "\"schedule\"\nschedule = \"0 6 * * *\"\nzone = \"Europe/Berlin\"",
    ))
    .await;
    let after = |days: u64| bench.after(Duration::from_secs(days * 24 * 3600));
    bench.work_with(&after(0)).await;
    assert_eq!(bench.of_kind("follow").await.len(), 0);
    bench.on("main", &changed(&org(), fix));
    let day = after(1);
    tokio::join!(bench.work_with(&day), bench.work_with(&day));
    assert_eq!(bench.of_kind("follow").await.len(), 1);
    assert_eq!(bench.differs("qa", &changed(&org(), fix)).await, "");
    bench.work_with(&after(8)).await;
    assert_eq!(
        bench.of_kind("follow").await.len(),
        2,
        "of a week the last morning counts"
    );
}
