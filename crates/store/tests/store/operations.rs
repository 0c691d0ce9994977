//! The life of operations: claims, leases, fencing, keys, signals.

use serde_json::json;
use syncline_store::{Approval, Filter, Interim, StoreError};

use crate::support::{Outcome, Problem, Question, QuestionKind, State, World, claim, end, new, on_both, wait};

on_both! {
    an_operation_runs_to_its_end
    a_worker_that_came_back_is_refused
    one_at_a_time_for_each_key
    signals_wake_and_are_taken_in_once
    errors_are_tried_again_and_then_need_a_person
    cancelling_waits_for_a_safe_point
    approvals_are_bound_to_a_package
    operations_are_found
    idle_workers_know_until_when
}

async fn an_operation_runs_to_its_end(world: World) {
    let store = &world.store;
    let made = store.create(&new(None), 10).await.expect("made");
    assert_eq!(
        (made.state, made.step.as_deref(), made.version),
        (State::Queued, None, 1)
    );
    assert!(
        store
            .claim("w", &["other"], &[], 20, 120)
            .await
            .expect("no error")
            .is_none()
    );
    assert!(
        store
            .claim("w", &["test"], &["x".to_owned()], 20, 120)
            .await
            .expect("no error")
            .is_none()
    );
    let (held, operation) = claim(store, "w1", 20).await.expect("claimed");
    assert_eq!(
        (operation.state, operation.lease_epoch, operation.started),
        (State::Running, 1, Some(20))
    );
    assert!(claim(store, "w2", 30).await.is_none());
    let run = store.begin_step(&held, "first", 21).await.expect("begun");
    let interim = Interim {
        data: json!({"intent": "deploy"}),
        message: Some("half".to_owned()),
        ..Interim::default()
    };
    store.save(&held, &interim, 22).await.expect("saved");
    store
        .progress(&held, &json!({"done": 1, "total": 2}), 23)
        .await
        .expect("noted");
    let seen = store.operation(&made.id).await.expect("there");
    assert_eq!(seen.data, json!({"intent": "deploy"}));
    assert_eq!(seen.progress, Some(json!({"done": 1, "total": 2})));
    let mut ended = end(run, Outcome::Done);
    ended.next = Some("second".to_owned());
    let after = store.end_step(&held, &ended, 24).await.expect("ended");
    assert_eq!(
        (after.state, after.step.as_deref(), after.progress),
        (State::Running, Some("second"), None)
    );
    let run = store.begin_step(&held, "second", 25).await.expect("begun");
    let after = store
        .end_step(&held, &end(run, Outcome::Done), 26)
        .await
        .expect("ended");
    assert_eq!((after.state, after.ended), (State::Succeeded, Some(26)));
    let runs = store.step_runs(&made.id).await.expect("read");
    let runs: Vec<_> = runs
        .iter()
        .map(|run| (run.number, run.name.as_str(), run.ended))
        .collect();
    assert_eq!(runs, [(1, "first", Some(24)), (2, "second", Some(26))]);
    let audit = store
        .recent_audit(Some(&format!("operation:{}", made.id)), 10)
        .await
        .expect("read");
    let audit: Vec<_> = audit
        .iter()
        .map(|entry| (entry.draft.action.as_str(), entry.draft.outcome.as_str()))
        .collect();
    assert_eq!(audit, [("test", "opened"), ("test", "succeeded")]);
    assert!(claim(store, "w1", 10_000).await.is_none());
}

async fn a_worker_that_came_back_is_refused(world: World) {
    let store = &world.store;
    let made = store.create(&new(Some("org")), 0).await.expect("made");
    let (old, _) = claim(store, "frozen", 0).await.expect("claimed");
    let run = store.begin_step(&old, "first", 1).await.expect("begun");
    assert!(claim(store, "other", 99).await.is_none(), "the lease holds");
    assert!(!store.heartbeat(&old, 150).await.expect("alive"));
    assert!(claim(store, "other", 149).await.is_none(), "the heartbeat prolonged it");
    let (fresh, operation) = claim(store, "other", 150).await.expect("taken over");
    assert_eq!((operation.lease_epoch, operation.step.as_deref()), (2, Some("first")));
    let lost = |error: StoreError| matches!(error, StoreError::Lost { .. });
    let interim = Interim {
        data: json!({"by": "the frozen one"}),
        ..Interim::default()
    };
    assert!(lost(store.heartbeat(&old, 999).await.expect_err("lost")));
    assert!(lost(store.save(&old, &interim, 151).await.expect_err("lost")));
    assert!(lost(store.progress(&old, &json!({}), 151).await.expect_err("lost")));
    assert!(lost(store.begin_step(&old, "second", 151).await.expect_err("lost")));
    assert!(lost(
        store
            .end_step(&old, &end(run, Outcome::Done), 151)
            .await
            .expect_err("lost")
    ));
    assert!(lost(store.release(&old, 151).await.expect_err("lost")));
    assert_eq!(store.operation(&made.id).await.expect("there").data, json!({}));
    let run = store.begin_step(&fresh, "first", 152).await.expect("begun");
    assert_eq!(run, 2);
    store
        .end_step(&fresh, &end(run, Outcome::Done), 153)
        .await
        .expect("ended");
    assert!(lost(store.save(&fresh, &interim, 154).await.expect_err("it has ended")));
    let runs = store.step_runs(&made.id).await.expect("read");
    assert_eq!(runs[0].ended, None, "nobody knows how the frozen run ended");
}

async fn one_at_a_time_for_each_key(world: World) {
    let store = &world.store;
    let first = store.create(&new(Some("org")), 0).await.expect("made");
    let second = store.create(&new(Some("org")), 0).await.expect("made");
    let other = store.create(&new(Some("another")), 0).await.expect("made");
    let (held, operation) = claim(store, "w1", 0).await.expect("claimed");
    assert_eq!(operation.id, first.id);
    let (_, operation) = claim(store, "w2", 0).await.expect("claimed");
    assert_eq!(operation.id, other.id);
    assert!(claim(store, "w3", 0).await.is_none(), "{} waits for the key", second.id);
    let run = store.begin_step(&held, "a", 1).await.expect("begun");
    store
        .end_step(&held, &end(run, wait(None, Some("go"))), 2)
        .await
        .expect("ended");
    assert!(claim(store, "w3", 3).await.is_none(), "a waiting one keeps the key");
    store.signal(&first.id, "go", &json!(1), "ada", 3).await.expect("sent");
    let (held, _) = claim(store, "w1", 4).await.expect("claimed");
    store.release(&held, 5).await.expect("given back");
    let (held, operation) = claim(store, "w3", 6).await.expect("claimed");
    assert_eq!(operation.id, first.id, "one that was given back keeps the key");
    let run = store.begin_step(&held, "a", 7).await.expect("begun");
    store.end_step(&held, &end(run, Outcome::Done), 8).await.expect("ended");
    let (_, operation) = claim(store, "w3", 9).await.expect("claimed");
    assert_eq!(operation.id, second.id);
}

async fn signals_wake_and_are_taken_in_once(world: World) {
    let store = &world.store;
    let made = store.create(&new(None), 0).await.expect("made");
    store
        .signal(&made.id, "go", &json!("early"), "ada", 0)
        .await
        .expect("sent");
    let (held, _) = claim(store, "w", 0).await.expect("claimed");
    let run = store.begin_step(&held, "a", 1).await.expect("begun");
    store
        .end_step(&held, &end(run, wait(Some(500), Some("go"))), 2)
        .await
        .expect("ended");
    let (held, operation) = claim(store, "w", 3).await.expect("an early signal is kept");
    assert_eq!(operation.waits_for.as_deref(), Some("go"));
    let pending = store.pending_signals(&made.id).await.expect("read");
    assert_eq!(pending[0].payload, json!("early"));
    let run = store.begin_step(&held, "a", 4).await.expect("begun");
    let mut ended = end(run, wait(Some(500), Some("go")));
    ended.left.consumed = vec![pending[0].id.clone()];
    store.end_step(&held, &ended, 5).await.expect("ended");
    assert!(store.pending_signals(&made.id).await.expect("read").is_empty());
    assert!(claim(store, "w", 6).await.is_none(), "once");
    store
        .signal(&made.id, "something else", &json!(1), "ada", 7)
        .await
        .expect("sent");
    assert!(claim(store, "w", 8).await.is_none());
    let (held, _) = claim(store, "w", 500).await.expect("its time has come");
    let run = store.begin_step(&held, "a", 501).await.expect("begun");
    store
        .end_step(&held, &end(run, Outcome::Done), 502)
        .await
        .expect("ended");
    let late = store.signal(&made.id, "go", &json!(1), "ada", 503).await;
    assert!(matches!(late, Err(StoreError::State { .. })));
}

async fn errors_are_tried_again_and_then_need_a_person(world: World) {
    let store = &world.store;
    let made = store.create(&new(Some("org")), 0).await.expect("made");
    let mut now = 0;
    let broken = || Outcome::Errored {
        problem: Problem::new("org.unreachable", "no answer"),
        retry_at: None,
    };
    let mut tries = 0;
    let last = loop {
        let (held, _) = claim(store, "w", now).await.expect("due");
        let run = store.begin_step(&held, "a", now).await.expect("begun");
        let after = store.end_step(&held, &end(run, broken()), now).await.expect("ended");
        tries += 1;
        assert_eq!(after.attempts, tries);
        match after.wake_at {
            Some(at) => now = at,
            None => break after,
        }
    };
    assert_eq!((last.state, tries), (State::Errored, 8));
    assert_eq!(
        last.problem.as_ref().map(|problem| problem.code.as_str()),
        Some("org.unreachable")
    );
    store.create(&new(Some("org")), now).await.expect("made");
    assert!(claim(store, "w", now).await.is_none(), "what broke keeps its key");
    let queued = store.retry(&last, "ada", now).await.expect("queued");
    assert_eq!(
        (queued.state, queued.attempts, queued.step.as_deref()),
        (State::Queued, 0, Some("a"))
    );
    let (_, operation) = claim(store, "w", now).await.expect("claimed");
    assert_eq!(operation.id, made.id);
    let again = store.retry(&last, "ada", now).await;
    assert!(
        matches!(again, Err(StoreError::Changed { .. })),
        "it was seen in another state"
    );
}

async fn cancelling_waits_for_a_safe_point(world: World) {
    let store = &world.store;
    let made = store.create(&new(None), 0).await.expect("made");
    let gone = store.cancel(&made, true, "ada", "not now", 1).await.expect("cancelled");
    assert_eq!(
        (gone.state, gone.message.as_deref()),
        (State::Cancelled, Some("cancelled by ada: not now"))
    );
    assert!(matches!(
        store.cancel(&gone, true, "ada", "x", 2).await,
        Err(StoreError::Refused(_))
    ));

    store.create(&new(None), 0).await.expect("made");
    let (held, seen) = claim(store, "w", 2).await.expect("claimed");
    let run = store.begin_step(&held, "deploy", 3).await.expect("begun");
    let stale = store.cancel(&seen, false, "ada", "stop", 4).await;
    assert!(matches!(stale, Err(StoreError::Changed { .. })));
    let seen = store.operation(&held.operation).await.expect("there");
    let asked = store.cancel(&seen, false, "ada", "stop", 4).await.expect("asked");
    assert_eq!((asked.state, asked.cancelling), (State::Running, true));
    assert!(store.heartbeat(&held, 200).await.expect("alive"), "the worker is told");
    let mut ended = end(run, Outcome::Done);
    (ended.next, ended.may_stop) = (Some("record".to_owned()), false);
    let after = store.end_step(&held, &ended, 5).await.expect("ended");
    assert_eq!(
        (after.state, after.cancelling),
        (State::Running, true),
        "not before it is recorded"
    );
    let run = store.begin_step(&held, "record", 6).await.expect("begun");
    let mut ended = end(run, Outcome::Done);
    ended.next = Some("notify".to_owned());
    let after = store.end_step(&held, &ended, 7).await.expect("ended");
    assert_eq!((after.state, after.ended), (State::Cancelled, Some(7)));
}

async fn approvals_are_bound_to_a_package(world: World) {
    let store = &world.store;
    let made = store.create(&new(None), 0).await.expect("made");
    let (held, _) = claim(store, "w", 0).await.expect("claimed");
    let run = store.begin_step(&held, "gates", 1).await.expect("begun");
    let question = Question {
        name: "gates".to_owned(),
        subject: "package-1".to_owned(),
        text: "Approve?".to_owned(),
        kind: QuestionKind::Gates,
        details: json!({}),
    };
    let asked = store
        .end_step(
            &held,
            &end(
                run,
                Outcome::NeedsPerson {
                    question: question.clone(),
                },
            ),
            2,
        )
        .await;
    let asked = asked.expect("ended");
    assert_eq!(
        (asked.state, asked.question, asked.waits_for.as_deref()),
        (State::NeedsPerson, Some(question), Some("gates"))
    );
    let approval = |digest: &str, actor: &str, granted: bool| Approval {
        digest: digest.to_owned(),
        actor: actor.to_owned(),
        roles: vec!["admin".to_owned(), "developer".to_owned()],
        granted,
        reason: None,
        created: 5,
    };
    store
        .approve(&made.id, &approval("package-1", "ada", false), "gates")
        .await
        .expect("kept");
    store
        .approve(&made.id, &approval("package-1", "ada", true), "gates")
        .await
        .expect("kept");
    store
        .approve(&made.id, &approval("package-0", "bob", true), "gates")
        .await
        .expect("kept");
    let kept = store.approvals(&made.id, "package-1").await.expect("read");
    assert_eq!(
        kept,
        [approval("package-1", "ada", true)],
        "the last word of each person, for this package"
    );
    let (_, operation) = claim(store, "w", 6).await.expect("woken");
    assert_eq!(operation.id, made.id);
}

async fn operations_are_found(world: World) {
    let store = &world.store;
    let first = store.create(&new(None), 0).await.expect("made");
    let second = store.create(&new(None), 1).await.expect("made");
    store.cancel(&first, true, "ada", "x", 2).await.expect("cancelled");
    let ids = |filter: Filter| async move {
        let found = store.operations(&filter).await.expect("listed");
        found.into_iter().map(|operation| operation.id).collect::<Vec<_>>()
    };
    assert_eq!(ids(Filter::default()).await, [second.id.as_str(), &first.id]);
    let open = Filter {
        open: true,
        ..Filter::default()
    };
    assert_eq!(ids(open).await, [second.id.as_str()]);
    let elsewhere = Filter {
        environment: Some("production".to_owned()),
        ..Filter::default()
    };
    assert!(ids(elsewhere).await.is_empty());
    let tail = &first.id[first.id.len() - 12..];
    assert_eq!(store.find_operation(tail).await.expect("found").id, first.id);
    assert!(matches!(
        store.find_operation(&first.id[..6]).await,
        Err(StoreError::Ambiguous { .. })
    ));
    for text in ["abc", "%%%%", "____", "ffffffff"] {
        assert!(
            matches!(store.find_operation(text).await, Err(StoreError::Unknown { .. })),
            "{text}"
        );
    }
}

async fn idle_workers_know_until_when(world: World) {
    let store = &world.store;
    let due = || async { store.next_due(&["test"], &[]).await.expect("read") };
    assert_eq!(due().await, None);
    let made = store.create(&new(None), 0).await.expect("made");
    assert_eq!(due().await, Some(0));
    let (held, _) = claim(store, "w", 5).await.expect("claimed");
    assert_eq!(due().await, Some(105), "the end of its lease");
    let run = store.begin_step(&held, "a", 6).await.expect("begun");
    store
        .end_step(&held, &end(run, wait(Some(700), Some("go"))), 7)
        .await
        .expect("ended");
    assert_eq!(due().await, Some(700));
    store.signal(&made.id, "go", &json!(1), "ada", 8).await.expect("sent");
    assert_eq!(due().await, Some(0));
    assert_eq!(store.next_due(&["other"], &[]).await.expect("read"), None);
}
