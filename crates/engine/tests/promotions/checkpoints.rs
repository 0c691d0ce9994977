//! The audit trail leaves the machine by itself, as signed checkpoints.

use std::process::Command;
use std::time::Duration;

use syncline_domain::operation::State;
use syncline_engine::audit::{REF, read, verify};
use syncline_engine::operation::promote::Direction;

use crate::bench::Bench;
use crate::files::{changed, class, org};

const MINUTE: u64 = 60;

/// A bench whose repository has an empty remote.
async fn with_remote(more: &str) -> (Bench, std::path::PathBuf) {
    let bench = Bench::start(more).await;
    let remote = bench.home().join("origin.git");
    let made = Command::new("git")
        .args(["init", "--quiet", "--bare"])
        .arg(&remote)
        .status();
    assert!(made.expect("git").success());
    bench.git(&["remote", "add", "origin", remote.to_str().expect("UTF-8")]);
    (bench, remote)
}

/// Refs of the remote.
fn there(bench: &Bench) -> String {
    bench.git(&["ls-remote", "origin"])
}

async fn entries(bench: &Bench, action: &str) -> Vec<String> {
    let all = bench.runtime.store.audit_entries(0, 10_000).await.expect("read");
    let of = all.into_iter().filter(|entry| entry.draft.action == action);
    of.map(|entry| entry.draft.outcome).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn checkpoints_are_pushed_after_so_many_entries() {
    let (bench, _) = with_remote("[audit]\nentries = 4\n").await;
    bench.work().await;
    assert_eq!(there(&bench), "", "nothing has happened");
    bench.on("main", &changed(&org(), |files| class(files, "A", "Integer fixed;")));
    let id = bench.begin("production", "qa", Direction::Down).await.id;
    bench.until(&id, State::Succeeded).await;
    assert!(there(&bench).contains(REF), "{}", there(&bench));
    let reference = read(&bench.open(), REF).expect("read");
    let found = verify(&bench.runtime.store, Some(&reference)).await.expect("checked");
    assert!(found.is_whole() && found.against_reference && found.report.checkpoints >= 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn checkpoints_are_pushed_after_some_time() {
    let (bench, _) = with_remote("[audit]\nwithin = \"2h\"\n").await;
    let id = bench.begin("production", "qa", Direction::Down).await.id;
    bench.until(&id, State::Succeeded).await;
    bench.work_with(&bench.after(Duration::from_secs(119 * MINUTE))).await;
    assert_eq!(there(&bench), "");
    bench.work_with(&bench.after(Duration::from_secs(121 * MINUTE))).await;
    let first = there(&bench);
    assert!(first.contains(REF), "{first}");
    bench.work_with(&bench.after(Duration::from_secs(300 * MINUTE))).await;
    assert_eq!(there(&bench), first, "no entry, no checkpoint");
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_push_that_fails_is_told_and_tried_again() {
    use std::os::unix::fs::PermissionsExt;

    let (bench, remote) = with_remote("[audit]\nentries = 1\n").await;
    let hook = remote.join("hooks/pre-receive");
    let refuse = || {
        std::fs::write(&hook, "#!/bin/sh\nexit 1\n").expect("written");
        std::fs::set_permissions(&hook, std::fs::Permissions::from_mode(0o755)).expect("set");
    };
    let minutes = |minutes: u64| bench.after(Duration::from_secs(minutes * MINUTE));
    let id = bench.begin("production", "qa", Direction::Down).await.id;
    bench.until(&id, State::Succeeded).await;
    let first = there(&bench);
    assert!(first.contains(REF), "{first}");
    // The remote has one, and refuses the next.
    refuse();
    bench.begin("production", "dev1", Direction::Down).await;
    for at in [0, 1, 2] {
        let report = bench.report_of(&minutes(at)).await;
        assert!(report.problems.contains_key("audit"), "{report:?}");
    }
    assert_eq!(entries(&bench, "audit.publish").await, ["failed"], "told once");
    let report = bench.report_of(&minutes(7)).await;
    assert!(report.problems.contains_key("audit"), "{report:?}");
    assert_eq!(entries(&bench, "audit.publish").await, ["failed"]);
    std::fs::remove_file(&hook).expect("removed");
    bench.work_with(&minutes(13)).await;
    assert_eq!(entries(&bench, "audit.publish").await, ["failed", "succeeded"]);
    assert_ne!(there(&bench), first);
    let reference = read(&bench.open(), REF).expect("read");
    let found = verify(&bench.runtime.store, Some(&reference)).await.expect("checked");
    assert!(found.is_whole(), "{found:?}");
}
