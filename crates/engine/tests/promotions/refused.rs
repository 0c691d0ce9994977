//! What goes wrong before anything is written is said.

use syncline_domain::operation::State;
use syncline_domain::policy::Actor;
use syncline_engine::back_promote::Selection;
use syncline_engine::operation::promote::{Direction, StartError, Wanted, promote};

use crate::bench::Bench;
use crate::files::{changed, class, org, profile};

#[tokio::test(flavor = "multi_thread")]
async fn paths_branches_and_orgs_are_checked() {
    let bench = Bench::start("").await;
    bench.on("main", &changed(&org(), |files| class(files, "A", "Integer fixed;")));
    let wanted = Wanted {
        from: "dev1".to_owned(),
        to: "production".to_owned(),
        selection: Selection::default(),
        direction: Direction::Up,
        bypass: None,
    };
    let error = promote(&bench.runtime, &bench.open(), &wanted, &Actor::owner("ada"))
        .await
        .expect_err("uat lies between");
    assert!(matches!(error, StartError::Way(_)), "{error}");

    // A branch that is gone.
    let id = bench.begin("production", "qa", Direction::Down).await.id;
    bench.git(&["branch", "--quiet", "-D", "env/qa"]);
    let operation = bench.until(&id, State::Failed).await;
    assert_eq!(operation.problem.expect("why").code, "promote.no_branch");
    assert_eq!(bench.deployments("qa"), 1);

    // Another org behind the same name.
    let id = bench.begin("production", "dev1", Direction::Down).await.id;
    let store = &bench.runtime.store;
    let mut state = store.environment_state("dev1").await.expect("a state");
    state.org_id = Some("00D000000000000EAA".to_owned());
    store
        .save_environment_state(&state, bench.runtime.now())
        .await
        .expect("kept");
    let operation = bench.until(&id, State::Failed).await;
    assert_eq!(operation.problem.expect("why").code, "org.other-org");

    // Components that are missing.
    bench.on(
        "main",
        &changed(&org(), |files| profile(files, &[("A", true), ("Gone", true)])),
    );
    let id = bench.begin("production", "dev2", Direction::Down).await.id;
    let operation = bench.until(&id, State::NeedsPerson).await;
    let question = operation.question.expect("a question");
    assert_eq!(question.name, "dependencies");
    assert!(question.text.contains("ApexClass:Gone"), "{}", question.text);
}

/// A branch that was rewritten while the operation waited is merged again from where it is.
#[tokio::test(flavor = "multi_thread")]
async fn a_rewritten_branch_is_merged_again() {
    let bench = Bench::start("[gates]\napprovals = { admin = 1 }\n").await;
    let fix = changed(&org(), |files| class(files, "A", "Integer fixed;"));
    bench.on("main", &fix);
    let id = bench.begin("production", "qa", Direction::Down).await.id;
    bench.until(&id, State::NeedsPerson).await;
    bench.git(&["switch", "--quiet", "--detach", "env/qa"]);
    bench.git(&["commit", "--quiet", "--amend", "--message", "Rewritten"]);
    bench.git(&["branch", "--force", "env/qa", "HEAD"]);
    bench.on("env/qa", &changed(&org(), |files| class(files, "B", "Integer own;")));
    bench.approve(&id, "bea").await;
    bench.until(&id, State::Succeeded).await;
    let show = |class: &str| bench.git(&["show", &format!("env/qa:force-app/main/default/classes/{class}.cls")]);
    assert!(show("A").contains("fixed"));
    assert!(show("B").contains("own"));
    assert!(bench.home().exists());
}
