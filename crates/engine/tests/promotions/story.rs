//! A hotfix made in production comes to four environments, of which two are being worked in, and one conflict is answered once.

use syncline_domain::operation::State;
use syncline_domain::policy::Actor;
use syncline_engine::conflicts::{Resolve, Which, list, resolve};
use syncline_engine::operation::promote::{Direction, conflicts_decided, rollback};
use syncline_engine::resolution::Choice;
use syncline_git::CommitTime;

use crate::bench::{BELOW, Bench};
use crate::files::{Files, changed, class, labels, org, permission_set, profile, remove};

/// Class `A` as somebody made it.
fn a(files: &mut Files, body: &str) {
    class(files, "A", body);
}

fn hotfix(files: &mut Files) {
    a(files, "Integer fixed = 1;");
    labels(files, &[("Bye", "Bye"), ("Greeting", "Hello"), ("Fixed", "Fixed")]);
    profile(files, &[("A", true), ("B", true), ("C", true)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hotfix_comes_down() {
    let bench = Bench::start("").await;
    // The hotfix, adopted.
    bench.others_change("prod", &org(), &changed(&org(), hotfix)).await;
    bench.on("main", &changed(&org(), hotfix));
    // Work in progress that no branch knows. Both have changed the class of the hotfix in the same way.
    let uat = changed(&org(), |files| {
        a(files, "Integer own = 2;");
        class(files, "B", "Integer uat;");
        permission_set(files, &[("A", true), ("B", false)]);
    });
    let dev1 = changed(&org(), |files| {
        a(files, "Integer own = 2;");
        class(files, "New", "Integer dev1;");
        remove(files, "fields/Note__c");
    });
    bench.others_change("uat", &org(), &uat).await;
    bench.others_change("dev1", &org(), &dev1).await;
    let mut operations = Vec::new();
    for name in BELOW {
        operations.push(bench.begin("production", name, Direction::Down).await.id);
    }
    bench.work().await;
    let mut states = Vec::new();
    for id in &operations {
        let operation = bench.operation(id).await;
        states.push((operation.state, operation.step.unwrap_or_default()));
    }
    let asks = (State::NeedsPerson, "merge".to_owned());
    let done = (State::Succeeded, "record".to_owned());
    assert_eq!(
        states,
        [asks.clone(), done.clone(), asks, done],
        "{}",
        bench.conflicts()
    );
    // One answer for both: keep the work in progress.
    let kept = list(&bench.open()).expect("listed");
    let now = CommitTime {
        seconds: 1_800_000_000,
        offset_minutes: 0,
    };
    let answer = Resolve {
        id: kept[0].id.clone(),
        which: Which::All,
        choice: Choice::Ours,
        value: None,
    };
    resolve(&bench.open(), &answer, &Actor::owner("ada"), now).expect("resolved");
    let woken = conflicts_decided(&bench.runtime.store, "ada", bench.runtime.now()).await;
    assert_eq!(woken.expect("woken"), 2);
    bench.work().await;
    for id in &operations {
        let operation = bench.operation(id).await;
        assert_eq!(operation.state, State::Succeeded, "{operation:?}");
    }
    // Every org holds the hotfix and its own work, element by element.
    let with_fix = |own: &Files, class_a: &str| {
        let mut files = own.clone();
        hotfix(&mut files);
        a(&mut files, class_a);
        files
    };
    assert_eq!(bench.differs("uat", &with_fix(&uat, "Integer own = 2;")).await, "");
    assert_eq!(bench.differs("dev1", &with_fix(&dev1, "Integer own = 2;")).await, "");
    assert_eq!(bench.differs("qa", &with_fix(&org(), "Integer fixed = 1;")).await, "");
    assert_eq!(bench.differs("dev2", &with_fix(&org(), "Integer fixed = 1;")).await, "");
    for (id, name) in operations.iter().zip(BELOW) {
        let kept = bench.kept(id).await;
        assert_eq!(kept.differences, [], "{name}");
        assert!(kept.rollback.is_some_and(|rollback| rollback.valid), "{name}");
        assert!(
            bench
                .git(&[
                    "show",
                    &format!("env/{name}:force-app/main/default/labels/CustomLabels.labels-meta.xml")
                ])
                .contains("Fixed")
        );
        assert!(kept.work.is_some(), "{name}: what no branch knows is saved");
    }
    assert_eq!(bench.deployments("qa"), 2, "the one of the test, and one");
    // The second time there is nothing to do.
    let again = bench.begin("production", "qa", Direction::Down).await.id;
    bench.until(&again, State::Succeeded).await;
    assert_eq!(bench.deployments("qa"), 2);
    // Back again in one of them, with what was done there since.
    let since = changed(&with_fix(&org(), "Integer fixed = 1;"), |files| {
        class(files, "B", "Integer since;");
    });
    bench
        .others_change("qa", &with_fix(&org(), "Integer fixed = 1;"), &since)
        .await;
    let back = rollback(&bench.runtime, &bench.open(), &operations[1], &Actor::owner("ada"))
        .await
        .expect("begun");
    bench.until(&back.id, State::Succeeded).await;
    assert_eq!(
        bench
            .differs("qa", &changed(&org(), |files| class(files, "B", "Integer since;")))
            .await,
        ""
    );
    let error = rollback(&bench.runtime, &bench.open(), &operations[1], &Actor::owner("ada")).await;
    assert!(error.is_err(), "it is undone already");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_goes_up() {
    let bench = Bench::start("").await;
    let work = changed(&org(), |files| class(files, "New", "Integer work;"));
    bench.others_change("dev1", &org(), &work).await;
    bench.on("env/dev1", &work);
    let up = bench.begin("dev1", "uat", Direction::Up).await.id;
    bench.until(&up, State::Succeeded).await;
    let up = bench.begin("uat", "production", Direction::Up).await.id;
    bench.until(&up, State::Succeeded).await;
    let down = bench.begin("production", "dev2", Direction::Down).await.id;
    bench.until(&down, State::Succeeded).await;
    for name in ["uat", "prod", "dev2"] {
        assert_eq!(bench.differs(name, &work).await, "", "{name}");
    }
}
