//! The runtime of operations, with a clock that the test moves.

mod clock;
mod steps;
mod support;

use std::time::Duration;

use serde_json::json;
use support::{HOUR, Rig, actor};
use syncline_domain::operation::{QuestionError, State};
use syncline_engine::operation::{self, Decision, OperationError};
use syncline_engine::worker::{Request, Scheduled, Stop, Until, set_schedules};
use syncline_store::{NewOperation, StoreError};

#[test]
fn steps_follow_each_other_and_keep_data() {
    Rig::run(async |rig| {
        let id = rig.start("plain").await;
        let report = rig.work().await;
        assert_eq!((report.claimed, report.ended["succeeded"]), (1, 1));
        let done = rig.operation(&id).await;
        assert_eq!(done.data, json!({"ran": ["one", "two", "one", "two", "three"]}));
        assert_eq!(done.message.as_deref(), Some("five steps"));
        let runs = rig.runtime.store.step_runs(&id).await.expect("read");
        assert_eq!(runs.len(), 5);
        assert!(runs.iter().all(|run| run.outcome.is_some()));
    });
}

#[test]
fn what_breaks_is_tried_again_later() {
    Rig::run(async |rig| {
        let id = rig.start("broken").await;
        rig.work().await;
        let seen = rig.operation(&id).await;
        assert_eq!((seen.state, seen.attempts), (State::Waiting, 1));
        let problem = seen.problem.expect("a problem");
        assert_eq!(problem.message, "the org does not answer");
        assert_eq!(problem.details, json!({"causes": ["connection refused"]}));
        rig.work().await;
        assert_eq!(rig.operation(&id).await.attempts, 1, "not before its time");
        let mut rounds = 1;
        while rig.operation(&id).await.state == State::Waiting {
            rig.jump(HOUR);
            rig.work().await;
            rounds += 1;
        }
        assert_eq!((rig.operation(&id).await.state, rounds), (State::Errored, 8));
        operation::retry(&rig.runtime, &id, &actor()).await.expect("queued");
        std::fs::write(rig.folder.path().join("repaired"), "").expect("written");
        rig.work().await;
        assert_eq!(rig.operation(&id).await.state, State::Succeeded);
    });
}

#[test]
fn a_defect_is_told_as_one() {
    Rig::run(async |rig| {
        let id = rig.start("panics").await;
        rig.work().await;
        let problem = rig.operation(&id).await.problem.expect("a problem");
        assert_eq!(problem.code, "operation.defect");
        assert_eq!(problem.details, json!({"causes": ["a hole in the floor"]}));
    });
}

#[test]
fn waits_end_at_their_time_or_signal() {
    Rig::run(async |rig| {
        let (by_time, by_signal) = (rig.start("waits").await, rig.start("waits").await);
        rig.work().await;
        let payload = json!("now");
        rig.runtime
            .store
            .signal(&by_signal, "go", &payload, "ada", rig.now())
            .await
            .expect("sent");
        rig.work().await;
        assert_eq!(rig.operation(&by_signal).await.data, json!({"woken": ["now"]}));
        assert_eq!(rig.operation(&by_time).await.state, State::Waiting);
        rig.jump(HOUR);
        rig.work().await;
        assert_eq!(rig.operation(&by_time).await.data, json!({"woken": []}));
        assert_eq!(rig.operation(&by_time).await.state, State::Succeeded);
    });
}

#[test]
fn a_person_is_asked_and_answers() {
    Rig::run(async |rig| {
        let id = rig.start("asks").await;
        rig.work().await;
        let (runtime, ada) = (&rig.runtime, actor());
        let said = operation::answer(runtime, &id, &ada, "maybe", "", None).await;
        assert!(matches!(
            said,
            Err(OperationError::Answer(QuestionError::NoOption { .. }))
        ));
        let said = operation::answer(runtime, &id, &ada, "adopt", "", Some("of yesterday")).await;
        assert!(matches!(said, Err(OperationError::Answer(QuestionError::Changed(_)))));
        let decision = Decision {
            granted: true,
            reason: None,
            subject: None,
        };
        let said = operation::approve(runtime, &id, &ada, &decision).await;
        assert!(matches!(said, Err(OperationError::NotAsked { .. })));
        operation::answer(runtime, &id, &ada, "adopt", "as agreed", None)
            .await
            .expect("answered");
        rig.work().await;
        // The package is asked about, and changes while it is.
        let seen = rig.operation(&id).await;
        assert_eq!(
            (seen.state, &seen.data),
            (State::NeedsPerson, &json!({"answer": "adopt"}))
        );
        operation::approve(runtime, &id, &ada, &decision)
            .await
            .expect("approved");
        rig.work().await;
        let seen = rig.operation(&id).await;
        assert_eq!(seen.question.expect("asked anew").subject, "package 2");
        let stale = Decision {
            subject: Some("package 1".to_owned()),
            ..decision.clone()
        };
        let said = operation::approve(runtime, &id, &ada, &stale).await;
        assert!(matches!(said, Err(OperationError::Answer(QuestionError::Changed(_)))));
        operation::approve(runtime, &id, &ada, &decision)
            .await
            .expect("approved");
        rig.work().await;
        assert_eq!(rig.operation(&id).await.state, State::Succeeded);
    });
}

#[test]
fn cancelling_ends_at_a_safe_point() {
    Rig::run(async |rig| {
        let (safe, unsafe_) = (rig.start("waits").await, rig.start("deploys").await);
        rig.work().await;
        let ended = operation::cancel(&rig.runtime, &safe, &actor(), "no more")
            .await
            .expect("cancelled");
        assert_eq!(ended.state, State::Cancelled);
        let asked = operation::cancel(&rig.runtime, &unsafe_, &actor(), "no more")
            .await
            .expect("asked");
        assert_eq!((asked.state, asked.cancelling), (State::Queued, true));
        rig.work().await;
        let seen = rig.operation(&unsafe_).await;
        assert_eq!(seen.state, State::Waiting, "the deployment goes on");
        rig.jump(HOUR);
        rig.work().await;
        let seen = rig.operation(&unsafe_).await;
        assert_eq!((seen.state, seen.data), (State::Cancelled, json!({"recorded": true})));
    });
}

#[test]
fn a_stopped_worker_hands_on() {
    Rig::run(async |rig| {
        let id = rig.start("plain").await;
        let stop = Stop::new();
        stop.request();
        let report = rig.work_with(&stop, Until::Stopped).await.expect("stopped");
        assert_eq!(report.claimed, 0);
        let id_of_hanging = rig.start("hangs").await;
        let stop = Stop::new();
        let asked = stop.clone();
        let runtime = rig.runtime.clone();
        let (plain, hanging) = (id.clone(), id_of_hanging.clone());
        tokio::spawn(async move {
            let store = &runtime.store;
            let seen = async |id: &str| store.operation(id).await.expect("read");
            while seen(&hanging).await.progress.is_none() || !seen(&plain).await.state.is_terminal() {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            asked.request();
        });
        rig.work_with(&stop, Until::Stopped).await.expect("stopped");
        let seen = rig.operation(&id_of_hanging).await;
        assert_eq!(
            (seen.state, seen.step.as_deref()),
            (State::Queued, Some("next")),
            "between two steps"
        );
        assert_eq!(rig.operation(&id).await.state, State::Succeeded);
    });
}

#[test]
fn a_step_learns_that_its_lease_is_lost() {
    Rig::run(async |rig| {
        let id = rig.start("hangs").await;
        let runtime = rig.runtime.clone();
        let seen = id.clone();
        let thief = tokio::spawn(async move {
            while runtime.store.operation(&seen).await.expect("read").progress.is_none() {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            let far = runtime.now() + 10 * HOUR;
            runtime
                .store
                .claim("thief", &["hangs"], &[], far, far + HOUR)
                .await
                .expect("no error")
                .expect("claimed")
        });
        let report = rig
            .work_with(
                &Stop::new(),
                Until::Idle {
                    patience: Duration::ZERO,
                },
            )
            .await
            .expect("idle");
        assert_eq!((report.lost, report.ended["lost"]), (1, 1));
        let (claim, _) = thief.await.expect("no panic");
        assert_eq!(rig.operation(&id).await.lease_epoch, claim.epoch);
        assert!(rig.folder.path().join("told").exists(), "the step was told");
    });
}

#[test]
fn schedules_begin_each_instant_once() {
    Rig::run(async |rig| {
        let scheduled = |cron: &str| Scheduled {
            name: "nightly".to_owned(),
            schedule: syncline_domain::schedule::Schedule {
                cron: cron.parse().expect("a pattern"),
                zone: "Europe/Berlin".parse().expect("a zone"),
            },
            request: Request {
                kind: "plain".to_owned(),
                environment: None,
                exclusive_key: None,
                params: json!({}),
            },
        };
        set_schedules(&rig.runtime, &[scheduled("0 6 * * *")])
            .await
            .expect("kept");
        let begun = async || {
            let (one, two) = tokio::join!(rig.work(), rig.work());
            one.claimed + two.claimed
        };
        assert_eq!(begun().await, 0);
        rig.jump(24 * HOUR);
        assert_eq!(begun().await, 1, "two workers, one operation");
        assert_eq!(begun().await, 0);
        rig.jump(7 * 24 * HOUR);
        assert_eq!(begun().await, 1, "of a week without a worker the last morning counts");
        set_schedules(&rig.runtime, &[]).await.expect("kept");
        rig.jump(24 * HOUR);
        assert_eq!(begun().await, 0);
    });
}

#[test]
fn unknown_kinds_are_refused_and_left_alone() {
    Rig::run(async |rig| {
        let new = rig.request("nonsense");
        let begun = operation::start(&rig.runtime, &new).await;
        assert!(matches!(begun, Err(OperationError::UnknownKind { .. })));
        rig.runtime
            .store
            .create(&new, rig.now())
            .await
            .expect("of another version");
        assert_eq!(rig.work().await.claimed, 0);
        let none = operation::cancel(&rig.runtime, "nobody", &actor(), "x").await;
        assert!(matches!(none, Err(OperationError::Store(StoreError::Unknown { .. }))));
    });
}

/// What is errored keeps its org, and whoever waits for it is told what helps.
#[test]
fn who_has_the_org_is_told() {
    Rig::run(async |rig| {
        for (kind, may_cancel) in [("broken", true), ("broken-half", false)] {
            let begin = async |kind: &str, key: &str| {
                let new = NewOperation {
                    exclusive_key: Some(key.to_owned()),
                    ..rig.request(kind)
                };
                operation::start(&rig.runtime, &new).await.expect("begun").id
            };
            let holder = begin(kind, kind).await;
            let (waits, free) = (begin("plain", kind).await, begin("plain", "another").await);
            let told = async |id: &str| {
                let seen = rig.operation(id).await;
                operation::blocked(&rig.runtime, &seen).await.expect("looked")
            };
            rig.work().await;
            assert_eq!(rig.operation(&free).await.state, State::Succeeded);
            assert_eq!(told(&free).await, None);
            assert_eq!(told(&holder).await, None);
            let by = told(&waits).await.expect("blocked");
            assert_eq!((by.by.as_str(), by.state), (holder.as_str(), State::Waiting));
            while rig.operation(&holder).await.state == State::Waiting {
                rig.jump(HOUR);
                rig.work().await;
            }
            let by = told(&waits).await.expect("blocked");
            assert_eq!((by.state, by.step.as_deref()), (State::Errored, Some("only")));
            assert!(by.words().ends_with(", errored at only"), "{}", by.words());
            assert!(by.hints[0].contains("operation retry"), "{:?}", by.hints);
            assert_eq!(by.hints[1].contains("operation cancel"), may_cancel, "{:?}", by.hints);
            let cancelled = operation::cancel(&rig.runtime, &holder, &actor(), "no way").await;
            assert_eq!(cancelled.is_ok(), may_cancel, "what the hint says is true");
            if may_cancel {
                rig.work().await;
                assert_eq!(rig.operation(&waits).await.state, State::Succeeded);
                assert_eq!(told(&waits).await, None);
            }
        }
    });
}
