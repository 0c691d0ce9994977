//! The clock of the machine jumps while operations wait and run.

use std::sync::Arc;

use serde_json::json;
use syncline_domain::operation::State;
use syncline_engine::operation::{self, Runtime};
use syncline_engine::worker::{Stop, Until};

use crate::support::{HOUR, Rig, actor};

const DAY: i64 = 24 * HOUR;

#[test]
fn a_jump_forward_while_a_step_runs_makes_nothing_run_twice_at_once() {
    Rig::run(async |rig| {
        let id = rig.start("hangs").await;
        let stop = Stop::new();
        let (asked, runtime, seen) = (stop.clone(), Arc::clone(&rig.runtime), id.clone());
        let time = rig.time();
        let jump = tokio::spawn(async move {
            let begun =
                async |runtime: &Runtime| runtime.store.operation(&seen).await.expect("read").progress.is_some();
            while !begun(&runtime).await {
                tokio::time::sleep(std::time::Duration::from_millis(2)).await;
            }
            // Its lease has run out by any clock now, and its next heartbeat comes.
            time(DAY);
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            asked.request();
        });
        rig.work_with(&stop, Until::Stopped).await.expect("stopped");
        jump.await.expect("no panic");
        rig.work().await;
        // Whether the lease was prolonged in time or taken anew: the last step ran once.
        let done = rig.operation(&id).await;
        assert_eq!((done.state, done.data), (State::Succeeded, json!({"ran": ["three"]})));
    });
}

#[test]
fn a_delay_that_lies_far_ahead_after_a_jump_back_need_not_be_waited_for() {
    Rig::run(async |rig| {
        let id = rig.start("broken").await;
        rig.work().await;
        rig.jump(-DAY);
        std::fs::write(rig.folder.path().join("repaired"), "").expect("written");
        rig.work().await;
        let waits = rig.operation(&id).await;
        assert_eq!(waits.state, State::Waiting, "its time is a day ahead");
        assert!(waits.wake_at > Some(rig.now()), "it tells until when it waits");
        operation::retry(&rig.runtime, &id, &actor()).await.expect("queued");
        rig.work().await;
        assert_eq!(rig.operation(&id).await.state, State::Succeeded);
    });
}

#[test]
fn a_worker_that_was_gone_with_a_clock_ahead_does_not_keep_its_operation() {
    Rig::run(async |rig| {
        let id = rig.start("plain").await;
        let ahead = rig.now() + DAY;
        let store = &rig.runtime.store;
        let (dead, _) = store
            .claim("dead", &["plain"], &[], ahead, ahead + 60_000)
            .await
            .expect("no error")
            .expect("claimed");
        rig.work().await;
        assert_eq!(
            rig.operation(&id).await.state,
            State::Running,
            "nobody knows that it is dead"
        );
        // A person does, and whoever comes back from the dead may not write.
        operation::retry(&rig.runtime, &id, &actor()).await.expect("queued");
        assert!(store.heartbeat(&dead, ahead + 120_000).await.is_err());
        rig.work().await;
        assert_eq!(rig.operation(&id).await.state, State::Succeeded);
        // One that works is left alone.
        let id = rig.start("plain").await;
        let now = rig.now();
        let claimed = store.claim("alive", &["plain"], &[], now, now + 60_000).await;
        let (alive, _) = claimed.expect("no error").expect("claimed");
        let refused = operation::retry(&rig.runtime, &id, &actor()).await;
        assert!(refused.is_err(), "{refused:?}");
        assert!(store.heartbeat(&alive, now + 60_000).await.is_ok());
    });
}
