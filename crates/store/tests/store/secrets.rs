//! Secrets at rest.

use syncline_store::StoreError;
use syncline_store::seal::{Plain, SealError, ServerKey};

use crate::support::{World, on_both};

on_both! {
    secrets_are_sealed
    a_rotation_is_all_or_nothing
}

async fn secrets_are_sealed(world: World) {
    let store = &world.store;
    let key = ServerKey::generate().expect("random");
    let other = ServerKey::generate().expect("random");
    assert_eq!(store.secret(&key, "a").await.expect("read"), None);
    store
        .put_secret(&key, "a", &Plain::new("CANARY-A"), 0)
        .await
        .expect("kept");
    store
        .add_secret(&key, "a", &Plain::new("CANARY-B"), 0)
        .await
        .expect("no error");
    let read = store.secret(&key, "a").await.expect("read").expect("there");
    assert_eq!(read.expose(), b"CANARY-A", "the first one stays");
    let error = store.secret(&other, "a").await.expect_err("another key");
    assert!(matches!(&error, StoreError::Seal(SealError::OtherKey { .. })));
    assert!(
        error
            .hint()
            .expect("a hint")
            .contains("the key that it was sealed with")
    );
    let mut backup = Vec::new();
    store.backup(&mut backup, "backup".as_ref()).await.expect("written");
    let text = String::from_utf8(backup).expect("UTF-8");
    assert!(text.contains("\"secret\"") && !text.contains("CANARY"));
}

async fn a_rotation_is_all_or_nothing(world: World) {
    let store = &world.store;
    let keys: Vec<ServerKey> = (0..3).map(|_| ServerKey::generate().expect("random")).collect();
    for id in ["a", "b"] {
        store.put_secret(&keys[0], id, &Plain::new(id), 0).await.expect("kept");
    }
    assert_eq!(
        store.rotate_key(&keys[0], &keys[1], "ada", 1).await.expect("rotated"),
        2
    );
    assert_eq!(store.key_ids().await.expect("read"), [keys[1].id()]);
    assert!(store.secret(&keys[0], "a").await.is_err());
    let read = store.secret(&keys[1], "b").await.expect("read").expect("there");
    assert_eq!(read.expose(), b"b");
    // One that is sealed with another key stops it, and nothing has changed.
    store
        .put_secret(&keys[2], "c", &Plain::new("c"), 0)
        .await
        .expect("kept");
    assert!(store.rotate_key(&keys[1], &keys[0], "ada", 2).await.is_err());
    assert!(store.secret(&keys[1], "a").await.expect("read").is_some());
}
