//! Drift that is set back, by an operation.

use syncline_domain::operation::State;
use syncline_domain::policy::Actor;
use syncline_engine::operation::promote::{Revert, StartError, revert, rollback};
use syncline_store::Operation;

use crate::bench::Bench;
use crate::files::{Files, changed, class, labels, org, profile};

async fn begin(bench: &Bench, environment: &str, selection: &[&str], deploy: bool) -> Result<Operation, StartError> {
    let request = Revert {
        environment: environment.to_owned(),
        selection: selection.iter().map(|word| (*word).to_owned()).collect(),
        all: selection.is_empty(),
        deploy,
        confirmed: None,
    };
    revert(&bench.runtime, &bench.open(), &request, &Actor::owner("ada")).await
}

/// What somebody does in the org beside its branch.
fn theirs(files: &mut Files) {
    class(files, "A", "Integer theirs;");
    class(files, "Own", "Integer theirs;");
    labels(files, &[("Bye", "Ciao"), ("Greeting", "Hello")]);
    profile(files, &[("A", false), ("B", true)]);
}

/// An org with drift that a snapshot has seen.
async fn drifted(more: &str) -> Bench {
    let bench = Bench::start(more).await;
    bench.snapshot("qa");
    bench.others_change("qa", &org(), &changed(&org(), theirs)).await;
    bench.snapshot("qa");
    bench
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_branch_has_is_brought_to_the_org_when_it_is_named() {
    let bench = drifted("").await;
    bench.on(
        "env/qa",
        &changed(&org(), |files| class(files, "New", "Integer merged;")),
    );
    bench.snapshot("qa");
    let pending = bench.drift("qa");
    assert!(
        pending.contains(&"pending ApexClass New: removed".to_owned()),
        "{pending:?}"
    );
    let id = begin(&bench, "qa", &["ApexClass:New"], true).await.expect("begun").id;
    bench.until(&id, State::Succeeded).await;
    let expect = changed(&changed(&org(), theirs), |files| class(files, "New", "Integer merged;"));
    assert_eq!(bench.differs("qa", &expect).await, "");
    let left = bench.drift("qa");
    assert!(
        left.len() == 4 && left.iter().all(|one| !one.contains("New")),
        "{left:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_selected_is_set_back_and_nothing_else() {
    let bench = drifted("").await;
    assert_eq!(bench.drift("qa").len(), 4, "{:?}", bench.drift("qa"));
    let tip = bench.git(&["rev-parse", "env/qa"]);
    let tried = begin(&bench, "qa", &["ApexClass:A", "CustomLabels:*"], false)
        .await
        .expect("begun");
    let ended = bench.until(&tried.id, State::Succeeded).await;
    assert!(ended.message.expect("told").contains("nothing was deployed"));
    assert_eq!(bench.deployments("qa"), 2, "only tried");
    assert_eq!(bench.drift("qa").len(), 4);
    let id = begin(&bench, "qa", &["ApexClass:A", "CustomLabels:*"], true)
        .await
        .expect("begun")
        .id;
    bench.until(&id, State::Succeeded).await;
    assert_eq!(bench.deployments("qa"), 3);
    let expect = changed(&changed(&org(), theirs), |files| {
        class(files, "A", "");
        labels(files, &[("Bye", "Bye"), ("Greeting", "Hello")]);
    });
    assert_eq!(bench.differs("qa", &expect).await, "");
    let left = bench.drift("qa");
    assert!(
        left.len() == 2 && left.iter().all(|one| !one.contains("Bye")),
        "{left:?}"
    );
    assert_eq!(bench.git(&["rev-parse", "env/qa"]), tip, "the branch said so already");
    let kept = bench.kept(&id).await;
    assert!(kept.validation.is_some() && kept.work.is_some() && kept.rollback.is_some_and(|back| back.valid));
    // And back again: what was foreign is foreign once more.
    let back = rollback(&bench.runtime, &bench.open(), &id, &Actor::owner("ada"))
        .await
        .expect("begun");
    bench.until(&back.id, State::Succeeded).await;
    assert_eq!(bench.differs("qa", &changed(&org(), theirs)).await, "");
    assert_eq!(bench.drift("qa").len(), 4);
    assert_eq!(bench.git(&["rev-parse", "env/qa"]), tip);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_has_seen_is_not_set_back() {
    let bench = drifted("").await;
    let again = changed(&changed(&org(), theirs), |files| class(files, "A", "Integer again;"));
    bench.others_change("qa", &changed(&org(), theirs), &again).await;
    let id = begin(&bench, "qa", &["ApexClass:A"], true).await.expect("begun").id;
    let ended = bench.until(&id, State::Failed).await;
    let problem = ended.problem.expect("why");
    assert_eq!(problem.code, "revert.changed");
    assert!(problem.message.contains("ApexClass:A"), "{}", problem.message);
    // What was not selected may have changed.
    let id = begin(&bench, "qa", &["ApexClass:Own"], true).await.expect("begun").id;
    bench.until(&id, State::Succeeded).await;
    let mut expect = again.clone();
    expect.retain(|path, _| !path.contains("Own"));
    assert_eq!(bench.differs("qa", &expect).await, "");
    // An element that was changed is gone with what it was in.
    let id = begin(&bench, "qa", &["CustomLabels:*"], true).await.expect("begun").id;
    let gone = changed(&expect, |files| labels(files, &[("Greeting", "Hello")]));
    bench.others_change("qa", &expect, &gone).await;
    let ended = bench.until(&id, State::Failed).await;
    assert_eq!(ended.problem.expect("why").code, "revert.changed");
    assert_eq!(bench.differs("qa", &gone).await, "");
}

/// Somebody is at work between the approval and the deployment, as with any other operation.
#[tokio::test(flavor = "multi_thread")]
async fn a_change_during_the_wait_is_seen() {
    let bench = drifted("[gates]\napprovals = { admin = 1 }\n").await;
    let id = begin(&bench, "qa", &["ApexClass:A"], true).await.expect("begun").id;
    let asked = bench.until(&id, State::NeedsPerson).await;
    assert_eq!(asked.step.as_deref(), Some("gates"));
    let during = changed(&changed(&org(), theirs), |files| class(files, "A", "Integer during;"));
    bench.others_change("qa", &changed(&org(), theirs), &during).await;
    bench.approve(&id, "bea").await;
    let ended = bench.until(&id, State::Failed).await;
    assert_eq!(ended.problem.expect("why").code, "revert.changed");
    assert_eq!(bench.differs("qa", &during).await, "");
}

/// A production is named once more before anything begins.
#[tokio::test(flavor = "multi_thread")]
async fn a_production_is_named() {
    let bench = Bench::start("").await;
    bench.snapshot("production");
    let drift = changed(&org(), |files| class(files, "A", "Integer theirs;"));
    bench.others_change("prod", &org(), &drift).await;
    bench.snapshot("production");
    let refused = begin(&bench, "production", &[], true).await;
    assert!(matches!(refused, Err(StartError::Org(_))), "{refused:?}");
}
