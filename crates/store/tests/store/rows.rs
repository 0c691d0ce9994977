//! The smaller tables.

use serde_json::json;
use syncline_store::{Assignment, EnvironmentState, Evidence, Schedule, StoreError};

use crate::support::{World, new, on_both};

on_both! {
    environments
    steps_run_once
    events_begin_an_operation_once
    schedules_begin_each_instant_once
    evidence
    roles
}

async fn environments(world: World) {
    let store = &world.store;
    let mut state = store.environment_state("uat").await.expect("read");
    assert_eq!((state.version, state.org_id.as_deref()), (0, None));
    state.org_id = Some("00D000000000001".to_owned());
    state.capture = json!({"cursor": 7});
    assert_eq!(store.save_environment_state(&state, 5).await.expect("written"), 1);
    let again = store.save_environment_state(&state, 6).await;
    assert!(matches!(again, Err(StoreError::Changed { .. })), "it was seen before");
    let read = store.environment_state("uat").await.expect("read");
    assert_eq!(read, EnvironmentState { version: 1, ..state });
    store
        .save_environment_state(
            &EnvironmentState {
                snapshot_at: Some(9),
                ..read
            },
            7,
        )
        .await
        .expect("written");
    let all = store.environment_states().await.expect("read");
    assert_eq!((all.len(), all[0].version, all[0].snapshot_at), (1, 2, Some(9)));
}

async fn steps_run_once(world: World) {
    let store = &world.store;
    let first = store.create(&new(None), 0).await.expect("made").id;
    let second = store.create(&new(None), 0).await.expect("made").id;
    assert!(store.begin_once("uat", "backfill", &first, 1).await.expect("begun"));
    assert!(!store.begin_once("uat", "backfill", &second, 2).await.expect("no error"));
    assert!(
        store
            .begin_once("production", "backfill", &second, 2)
            .await
            .expect("begun")
    );
    let foreign = store.note_once("uat", "backfill", &second, &json!({}), Some(3)).await;
    assert!(matches!(foreign, Err(StoreError::Changed { .. })));
    store
        .note_once("uat", "backfill", &first, &json!({"job": "7"}), None)
        .await
        .expect("noted");
    store
        .note_once("uat", "backfill", &first, &json!({"job": "7"}), Some(4))
        .await
        .expect("done");
    let steps = store.steps_once("uat").await.expect("read");
    assert_eq!(
        (steps.len(), steps[0].done, &steps[0].detail),
        (1, Some(4), &json!({"job": "7"}))
    );
    assert_eq!(store.forget_once("uat", None).await.expect("forgotten"), 1);
    assert!(store.begin_once("uat", "backfill", &second, 5).await.expect("begun"));
}

async fn events_begin_an_operation_once(world: World) {
    let store = &world.store;
    let event = "on-push production → uat: a..b";
    let request = new(None);
    let begin = || store.create_once(event, &request, 7);
    let (one, two, three) = tokio::join!(begin(), begin(), begin());
    let first = one.expect("begun").id;
    for other in [two, three, begin().await] {
        assert_eq!(other.expect("the same").id, first);
    }
    let other = store.create_once("on-push production → uat: b..a", &new(None), 8).await;
    assert_ne!(other.expect("another event").id, first);
    let all = store
        .operations(&syncline_store::Filter::default())
        .await
        .expect("read");
    assert_eq!(all.len(), 2);
    assert_eq!(
        store.audit_entries(0, 10).await.expect("read").len(),
        2,
        "one entry each"
    );
}

async fn schedules_begin_each_instant_once(world: World) {
    let store = &world.store;
    let schedule = |cron: &str, next_at: i64| Schedule {
        name: "nightly".to_owned(),
        cron: cron.to_owned(),
        zone: "UTC".to_owned(),
        request: json!({"kind": "test"}),
        next_at: Some(next_at),
        version: 0,
    };
    store.set_schedules(&[schedule("0 6 * * *", 100)]).await.expect("kept");
    store.set_schedules(&[schedule("0 6 * * *", 999)]).await.expect("kept");
    let row = store.schedules().await.expect("read").remove(0);
    assert_eq!(row.next_at, Some(100), "an unchanged one keeps its instant");
    let begun = store
        .fire(&row, 100, Some(200), &new(None), 101)
        .await
        .expect("no error");
    assert!(begun.is_some());
    let late = store
        .fire(&row, 100, Some(200), &new(None), 102)
        .await
        .expect("no error");
    assert_eq!(late, None, "another worker did");
    store.set_schedules(&[schedule("0 7 * * *", 100)]).await.expect("kept");
    let row = store.schedules().await.expect("read").remove(0);
    let again = store
        .fire(&row, 100, Some(300), &new(None), 103)
        .await
        .expect("no error");
    assert_eq!(again, None, "the instant has begun one before");
    assert_eq!(store.schedules().await.expect("read")[0].next_at, Some(300));
    store.set_schedules(&[]).await.expect("kept");
    assert!(store.schedules().await.expect("read").is_empty());
    assert_eq!(
        store
            .operations(&syncline_store::Filter::default())
            .await
            .expect("read")
            .len(),
        1
    );
}

async fn evidence(world: World) {
    let store = &world.store;
    let made = store.create(&new(None), 0).await.expect("made");
    let ticket = Evidence {
        name: "ticket".to_owned(),
        content: json!("CR-7"),
        actor: "ada".to_owned(),
        created: 3,
    };
    store
        .attach_evidence(&made.id, &ticket, "gates")
        .await
        .expect("attached");
    assert_eq!(store.evidence(&made.id).await.expect("read"), [ticket]);
    assert_eq!(store.pending_signals(&made.id).await.expect("read")[0].name, "gates");
}

async fn roles(world: World) {
    let store = &world.store;
    let admin = Assignment {
        person: "ada".to_owned(),
        environment: "*".to_owned(),
        role: "admin".to_owned(),
    };
    store.assign_role(&admin, "owner", 0).await.expect("given");
    store.assign_role(&admin, "owner", 1).await.expect("given");
    assert_eq!(store.assignments().await.expect("read"), std::slice::from_ref(&admin));
    assert!(store.revoke_role(&admin, "owner", 2).await.expect("taken"));
    assert!(!store.revoke_role(&admin, "owner", 3).await.expect("no error"));
    let audit = store.recent_audit(Some("person:ada"), 10).await.expect("read");
    assert_eq!(audit.len(), 2, "what changed nothing is no news");
}
