//! Many writers at once: nothing is lost, nothing happens twice.

use std::collections::BTreeMap;

use serde_json::json;
use syncline_domain::audit::{Draft, verify};
use syncline_store::{EnvironmentState, Interim, Setting, StoreError};

use crate::support::{Outcome, World, claim, end, new, on_both};

on_both! {
    a_hundred_increments
    each_operation_once
    a_key_is_never_held_twice
    the_chain_is_unbroken
}

async fn a_hundred_increments(world: World) {
    let mut tasks = tokio::task::JoinSet::new();
    let other = world.again().await;
    for n in 0..100 {
        let store = if n % 2 == 0 { world.store.clone() } else { other.clone() };
        tasks.spawn(async move {
            loop {
                let seen = store.setting("count").await.expect("read");
                let value = json!(seen.value.as_i64().unwrap_or(0) + 1);
                let saved = store.save_setting(&Setting { value, ..seen }, n).await;
                if !matches!(saved, Err(StoreError::Changed { .. })) {
                    return saved.expect("saved");
                }
            }
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.expect("no panic");
    }
    let count = world.store.setting("count").await.expect("read");
    assert_eq!((count.value, count.version), (json!(100), 100));
    let state = EnvironmentState {
        version: 3,
        ..world.store.environment_state("uat").await.expect("read")
    };
    let blind = world.store.save_environment_state(&state, 0).await;
    assert!(matches!(blind, Err(StoreError::Changed { .. })));
}

async fn each_operation_once(world: World) {
    for n in 0..100 {
        world.store.create(&new(None), n).await.expect("made");
    }
    let mut tasks = tokio::task::JoinSet::new();
    let other = world.again().await;
    for n in 0..12 {
        let store = if n % 2 == 0 { world.store.clone() } else { other.clone() };
        tasks.spawn(async move {
            let mut ran = Vec::new();
            let mut idle = 0;
            // Another worker in the way is no sign that nothing is left.
            while idle < 20 {
                let Some((held, operation)) = claim(&store, &format!("w{n}"), 1_000).await else {
                    idle += 1;
                    tokio::task::yield_now().await;
                    continue;
                };
                idle = 0;
                let run = store.begin_step(&held, "only", 1_000).await.expect("begun");
                store
                    .end_step(&held, &end(run, Outcome::Done), 1_001)
                    .await
                    .expect("ended");
                ran.push(operation.id);
            }
            ran
        });
    }
    let mut ran = BTreeMap::new();
    while let Some(done) = tasks.join_next().await {
        for id in done.expect("no panic") {
            *ran.entry(id).or_insert(0) += 1;
        }
    }
    assert_eq!(ran.len(), 100);
    assert!(ran.values().all(|times| *times == 1), "{ran:?}");
}

async fn a_key_is_never_held_twice(world: World) {
    for _ in 0..30 {
        world.store.create(&new(Some("org")), 0).await.expect("made");
    }
    let held = std::sync::Arc::new(std::sync::atomic::AtomicI64::new(0));
    let done = std::sync::Arc::new(std::sync::atomic::AtomicI64::new(0));
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..8 {
        let (store, held, done) = (world.store.clone(), held.clone(), done.clone());
        tasks.spawn(async move {
            use std::sync::atomic::Ordering::SeqCst;
            while done.load(SeqCst) < 30 {
                let Some((claim, _)) = claim(&store, &format!("w{n}"), 1_000).await else {
                    tokio::task::yield_now().await;
                    continue;
                };
                assert_eq!(held.fetch_add(1, SeqCst), 0, "two hold the key");
                let run = store.begin_step(&claim, "only", 1_000).await.expect("begun");
                held.fetch_sub(1, SeqCst);
                store
                    .end_step(&claim, &end(run, Outcome::Done), 1_001)
                    .await
                    .expect("ended");
                done.fetch_add(1, SeqCst);
            }
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.expect("no panic");
    }
}

async fn the_chain_is_unbroken(world: World) {
    let store = &world.store;
    let made = store.create(&new(None), 0).await.expect("made");
    let (held, _) = claim(store, "w", 0).await.expect("claimed");
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..100 {
        let (store, held) = (world.store.clone(), held.clone());
        let draft = Draft {
            at: n,
            actor: format!("person {n}"),
            action: "test".to_owned(),
            subject: "env:uat".to_owned(),
            outcome: "succeeded".to_owned(),
            details: json!({"n": n}),
        };
        tasks.spawn(async move {
            if n % 2 == 0 {
                store.append_audit(&[draft.clone(), draft]).await.expect("written");
            } else {
                let interim = Interim {
                    data: json!({"n": n}),
                    audit: vec![draft],
                    ..Interim::default()
                };
                store.save(&held, &interim, n).await.expect("saved");
            }
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.expect("no panic");
    }
    let entries = store.audit_entries(0, 1_000).await.expect("read");
    assert_eq!(entries.len(), 1 + 50 * 2 + 50);
    let report = verify(&entries, &[], |_, _, _| true);
    assert!(report.is_whole(), "{report:?}");
    let last = report.last.expect("an end");
    assert_eq!(store.audit_head().await.expect("read"), Some((last.seq, last.hash)));
    assert_eq!(store.operation(&made.id).await.expect("there").id, made.id);
}
