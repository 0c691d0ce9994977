//! An operation's snapshot is one like any other: of what is managed, and drift and status tell of it afterwards.

use syncline_domain::operation::State;
use syncline_engine::operation::promote::Direction;
use syncline_engine::org::retrieve::{origin, snapshot_ref};
use syncline_engine::status::status;
use syncline_git::{Oid, TreePath};

use crate::bench::Bench;
use crate::files::{Files, changed, class, org};

const B: &str = "force-app/main/default/classes/B.cls";

/// Writes syncline/scope.toml into the working tree, beside every branch.
fn scope(bench: &Bench, text: &str) {
    std::fs::write(bench.path().join(".git/info/exclude"), "/syncline/\n").expect("written");
    std::fs::create_dir_all(bench.path().join("syncline")).expect("a folder");
    std::fs::write(bench.path().join("syncline/scope.toml"), text).expect("written");
}

fn last(bench: &Bench, name: &str) -> Oid {
    let reference = snapshot_ref(name).expect("a ref");
    bench.open().read_ref(&reference).expect("read").expect("a snapshot")
}

fn fix(files: &mut Files) {
    class(files, "A", "Integer fixed;");
    class(files, "B", "Integer fixed;");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_managed_is_left_alone() {
    let bench = Bench::start("").await;
    scope(&bench, "exclude = [\"ApexClass:B\"]\n");
    let theirs = changed(&org(), |files| class(files, "B", "Integer theirs;"));
    bench.others_change("uat", &org(), &theirs).await;
    bench.on("main", &changed(&org(), fix));
    let id = bench.begin("production", "uat", Direction::Down).await.id;
    bench.until(&id, State::Succeeded).await;
    let expect = changed(&theirs, |files| class(files, "A", "Integer fixed;"));
    assert_eq!(bench.differs("uat", &expect).await, "");
    assert_eq!(bench.kept(&id).await.components, ["ApexClass:A"]);
    let repository = bench.open();
    let of_operation = last(&bench, "uat");
    let tree = repository.commit_tree(of_operation).expect("a tree");
    assert!(repository.entry_at(tree, &TreePath::from(B)).expect("read").is_none());
    bench.snapshot("uat");
    let digest = |commit| origin(&repository, commit).expect("an origin");
    assert_eq!(digest(of_operation), digest(last(&bench, "uat")));
    assert_eq!(last(&bench, "uat"), of_operation, "there is nothing new to see");
    // The branch has the whole change.
    assert!(bench.git(&["show", &format!("env/uat:{B}")]).contains("fixed"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_deployed_is_no_drift() {
    let bench = Bench::start("").await;
    bench.snapshot("qa");
    assert_eq!(bench.drift("qa"), Vec::<String>::new());
    bench.on("main", &changed(&org(), fix));
    let id = bench.begin("production", "qa", Direction::Down).await.id;
    bench.until(&id, State::Succeeded).await;
    assert_eq!(bench.drift("qa"), Vec::<String>::new());
    let found = status(&bench.open(), &["qa".to_owned()], bench.runtime.now()).expect("status");
    let drift = found.environments[0].drift.expect("a snapshot and a branch");
    assert_eq!((drift.pending, drift.both), (0, 0));
    // What somebody does after it is told with its author, as after any snapshot.
    let since = changed(&changed(&org(), fix), |files| class(files, "C", "Integer since;"));
    bench.others_change("qa", &changed(&org(), fix), &since).await;
    bench.snapshot("qa");
    assert_eq!(bench.drift("qa").len(), 1);
    assert!(bench.drift("qa")[0].starts_with("foreign "));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_org_is_accepted_with_its_snapshot() {
    let bench = Bench::start("").await;
    bench.on("main", &changed(&org(), fix));
    let store = &bench.runtime.store;
    let mut state = store.environment_state("dev1").await.expect("a state");
    state.org_id = Some("00D000000000000EAA".to_owned());
    let now = bench.runtime.now();
    store.save_environment_state(&state, now).await.expect("kept");
    // A person has looked at the org that it has now.
    bench.snapshot("dev1");
    let id = bench.begin("production", "dev1", Direction::Down).await.id;
    bench.until(&id, State::Succeeded).await;
    let state = store.environment_state("dev1").await.expect("a state");
    assert_eq!(state.org_id, bench.kept(&id).await.org_id);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_org_has_is_no_change_of_it() {
    let bench = Bench::start("").await;
    let write = |name: &str, text: &str| std::fs::write(bench.path().join(name), text).expect("written");
    bench.git(&["switch", "--quiet", "main"]);
    write("README.md", "one\n");
    bench.git(&["add", "--all"]);
    bench.git(&["commit", "--quiet", "--message", "Read me"]);
    bench.git(&["branch", "--force", "env/qa", "main"]);
    write("README.md", "two\n");
    bench.on("main", &changed(&org(), fix));
    let id = bench.begin("production", "qa", Direction::Down).await.id;
    bench.until(&id, State::Succeeded).await;
    assert_eq!(bench.differs("qa", &changed(&org(), fix)).await, "");
    assert_eq!(bench.git(&["show", "env/qa:README.md"]), "two");
}
