//! The audit chain: in the transaction of what it tells, page by page, with checkpoints.

use serde_json::json;
use syncline_domain::audit::{Checkpoint, Verifier};
use syncline_store::{Interim, StoreError};

use crate::support::{World, claim, new, on_both};

on_both! {
    what_is_refused_leaves_no_entry
    pages_make_the_whole_chain
    checkpoints_stay
}

async fn what_is_refused_leaves_no_entry(world: World) {
    let store = &world.store;
    store.create(&new(None), 0).await.expect("made");
    let (old, operation) = claim(store, "w1", 0).await.expect("claimed");
    claim(store, "w2", 1_000).await.expect("taken over");
    let before = store.audit_head().await.expect("read");
    let interim = Interim {
        data: json!({}),
        audit: vec![syncline_store::about(
            &operation,
            "ada",
            "deploy",
            "opened",
            json!({}),
            5,
        )],
        ..Interim::default()
    };
    assert!(matches!(
        store.save(&old, &interim, 5).await,
        Err(StoreError::Lost { .. })
    ));
    assert_eq!(store.audit_head().await.expect("read"), before);
}

async fn pages_make_the_whole_chain(world: World) {
    let store = &world.store;
    for n in 0..25 {
        store.create(&new(None), n).await.expect("made");
    }
    let mut verifier = Verifier::new(&[], |_, _, _| true);
    let (mut after, mut pages) = (0, 0);
    loop {
        let page = store.audit_entries(after, 10).await.expect("read");
        let Some(last) = page.last() else { break };
        after = last.seq;
        pages += 1;
        page.iter().for_each(|entry| verifier.entry(entry));
    }
    let report = verifier.finish();
    assert_eq!((report.entries, report.found, pages), (25, 0, 3));
    let recent = store.recent_audit(None, 3).await.expect("read");
    assert_eq!(recent.iter().map(|entry| entry.seq).collect::<Vec<_>>(), [23, 24, 25]);
}

async fn checkpoints_stay(world: World) {
    let store = &world.store;
    store.create(&new(None), 0).await.expect("made");
    let (seq, hash) = store.audit_head().await.expect("read").expect("an entry");
    let checkpoint = |signature: &str| Checkpoint {
        seq,
        hash,
        at: 7,
        key: "k".to_owned(),
        signature: signature.to_owned(),
    };
    store.add_checkpoint(&checkpoint("first")).await.expect("kept");
    store.add_checkpoint(&checkpoint("second")).await.expect("kept");
    assert_eq!(store.checkpoints().await.expect("read"), [checkpoint("first")]);
}
