//! Opening, backing up, restoring; what a person reads when that does not work.

use std::io::BufReader;
use std::path::Path;
use std::process::Command;

use serde_json::json;
use syncline_domain::audit::{Draft, verify};
use syncline_store::seal::{Plain, ServerKey};
use syncline_store::{Store, StoreError};

use crate::support::{World, claim, new, new_postgres, on_both, run};

on_both! {
    a_backup_is_restored_as_it_was
    a_damaged_backup_restores_nothing
    many_open_it_at_once
}

#[test]
fn on_sqlite_only() {
    run(|world| Box::pin(what_cannot_be_opened_is_told(world)), false);
    run(|world| Box::pin(a_newer_database_is_left_alone(world)), false);
    run(|world| Box::pin(a_backup_knows_every_column(world)), false);
}

async fn a_backup_is_restored_as_it_was(world: World) {
    let store = &world.store;
    let key = ServerKey::generate().expect("random");
    let made = store.create(&new(Some("org")), 0).await.expect("made");
    let (held, _) = claim(store, "w", 1).await.expect("claimed");
    store.begin_step(&held, "a", 2).await.expect("begun");
    store
        .signal(&made.id, "go", &json!({"n": 1}), "ada", 3)
        .await
        .expect("sent");
    store
        .put_secret(&key, "token", &Plain::new("CANARY"), 4)
        .await
        .expect("kept");
    // More than a page.
    let draft = Draft {
        at: 5,
        actor: "ada".to_owned(),
        action: "test".to_owned(),
        subject: "env:ü".to_owned(),
        outcome: "succeeded".to_owned(),
        details: json!({"text": "a \"line\"\nand another"}),
    };
    store.append_audit(&vec![draft; 2_100]).await.expect("written");
    let mut lines = Vec::new();
    let count = store.backup(&mut lines, Path::new("backup")).await.expect("written");

    // Into the other kind of database too.
    let file = world.folder.path().join("restored.db");
    let mut targets = vec![format!("sqlite:{}", file.display())];
    targets.extend(new_postgres());
    for url in targets {
        let restored = Store::open(&url).await.expect("opened");
        let rows = restored
            .restore(&mut BufReader::new(&lines[..]), Path::new("backup"))
            .await;
        assert_eq!(rows.expect("restored"), count);
        assert_eq!(
            restored.operation(&made.id).await.expect("there"),
            store.operation(&made.id).await.expect("there")
        );
        let secret = restored.secret(&key, "token").await.expect("read").expect("there");
        assert_eq!(secret.expose(), b"CANARY");
        let entries = restored.audit_entries(0, 10_000).await.expect("read");
        assert_eq!(entries.len(), 2_102);
        assert!(verify(&entries, &[], |_, _, _| true).is_whole());
        let mut again = Vec::new();
        restored.backup(&mut again, Path::new("backup")).await.expect("written");
        assert!(again == lines, "a backup of the restored one is the same");
        let twice = restored
            .restore(&mut BufReader::new(&lines[..]), Path::new("backup"))
            .await;
        assert!(matches!(twice, Err(StoreError::NotEmpty { .. })));
    }
}

async fn a_damaged_backup_restores_nothing(world: World) {
    let store = &world.store;
    let mut lines = Vec::new();
    let folder = tempfile::tempdir().expect("a folder");
    let source = Store::open(&format!("sqlite:{}", folder.path().join("a.db").display()))
        .await
        .expect("opened");
    source.create(&new(None), 0).await.expect("made");
    source.backup(&mut lines, Path::new("backup")).await.expect("written");
    let text = String::from_utf8(lines).expect("UTF-8");
    let cut: String = text.lines().take(2).map(|line| format!("{line}\n")).collect();
    for damaged in [
        String::new(),
        cut,
        text.replacen("syncline backup 1", "syncline backup 9", 1),
        text.replacen("\"operation\"", "\"operation; DROP TABLE audit\"", 1),
        text.replacen("\"queued\"", "7", 1),
    ] {
        let restored = store
            .restore(&mut BufReader::new(damaged.as_bytes()), Path::new("backup"))
            .await;
        assert!(matches!(restored, Err(StoreError::Damaged { .. })), "{restored:?}");
        assert!(
            store
                .operations(&syncline_store::Filter::default())
                .await
                .expect("read")
                .is_empty()
        );
    }
}

async fn many_open_it_at_once(world: World) {
    let url = match world.url.starts_with("sqlite") {
        true => format!("sqlite:{}", world.folder.path().join("new/deep/a.db").display()),
        false => new_postgres().expect("PostgreSQL is there"),
    };
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..6 {
        let url = url.clone();
        tasks.spawn(async move { Store::open(&url).await.map(|store| store.place().to_owned()) });
    }
    while let Some(opened) = tasks.join_next().await {
        opened.expect("no panic").expect("opened");
    }
}

async fn what_cannot_be_opened_is_told(world: World) {
    let folder = world.folder.path();
    std::fs::write(folder.join("text"), "this is no database ".repeat(100)).expect("written");
    let text = format!("sqlite:{}", folder.join("text").display());
    let below = format!("sqlite:{}", folder.join("text/a.db").display());
    for (url, expect) in [
        (
            "mysql://ops:CANARY@db/x",
            "`mysql:…` is no address of a database: only SQLite and PostgreSQL are known",
        ),
        (
            "CANARY",
            "the given text is no address of a database: it has no `sqlite:` or `postgres:` in front",
        ),
        (
            "sqlite:",
            "`sqlite:` is no address of a database: it needs the path of a file",
        ),
        (
            "postgres://ops:CANARY@127.0.0.1:1/x",
            "could not open the database postgres://127.0.0.1:1/x",
        ),
        (&text, "could not open the database"),
        (&below, "could not create the folder"),
    ] {
        let error = Store::open(url).await.expect_err(url);
        let told = format!("{error} {error:?}");
        assert!(told.starts_with(expect), "{told}");
        assert!(!told.contains("CANARY"), "{told}");
        assert!(error.hint().is_some(), "{told}");
    }
}

async fn a_newer_database_is_left_alone(world: World) {
    let pool = sqlx::SqlitePool::connect(&world.url.replace("sqlite:", "sqlite://"))
        .await
        .expect("opened");
    sqlx::query("UPDATE _sqlx_migrations SET version = 9999")
        .execute(&pool)
        .await
        .expect("written");
    let error = Store::open(&world.url).await.expect_err("newer");
    assert!(matches!(error, StoreError::Newer { found: 9999, .. }), "{error:?}");
}

/// Every column that the program's tables have is in a backup.
async fn a_backup_knows_every_column(world: World) {
    let pool = sqlx::SqlitePool::connect(&world.url.replace("sqlite:", "sqlite://"))
        .await
        .expect("opened");
    let columns: Vec<(String, String, String)> = sqlx::query_as(
        "SELECT t.name, c.name, c.type FROM sqlite_schema t JOIN pragma_table_info(t.name) c
         WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite%' AND t.name <> '_sqlx_migrations'",
    )
    .fetch_all(&pool)
    .await
    .expect("read");
    let known: Vec<(String, String, String)> = syncline_store::columns()
        .map(|(table, column, number)| {
            let kind = if number { "BIGINT" } else { "TEXT" };
            (table.to_owned(), column.to_owned(), kind.to_owned())
        })
        .collect();
    let set = |list: &[(String, String, String)]| list.iter().cloned().collect::<std::collections::BTreeSet<_>>();
    assert_eq!(set(&known), set(&columns));
}

/// On a disk of 2 MiB: what does not fit is refused with a hint, what was there stays, and with room it goes on.
#[test]
fn a_full_disk_is_told_and_survived() {
    let folder = tempfile::tempdir().expect("a folder");
    let mounted = Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=2m", "tmpfs"])
        .arg(folder.path())
        .output()
        .is_ok_and(|output| output.status.success());
    if !mounted {
        assert!(
            std::env::var_os("CI").is_none(),
            "the test has to run as root where CI is set"
        );
        println!("skipped: no file system can be mounted here");
        return;
    }
    let path = folder.path().to_owned();
    let outcome = std::panic::catch_unwind(|| {
        run(
            move |_| {
                Box::pin(async move {
                    let store = Store::open(&format!("sqlite:{}", path.join("a.db").display()))
                        .await
                        .expect("opened");
                    let ballast = path.join("ballast");
                    std::fs::write(&ballast, vec![0; 700_000]).expect("written");
                    let mut made = 0;
                    let error = loop {
                        let mut one = new(None);
                        one.params = json!({"text": "x".repeat(20_000)});
                        match store.create(&one, 0).await {
                            Ok(_) => made += 1,
                            Err(error) => break error,
                        }
                    };
                    assert!(matches!(error, StoreError::DiskFull { .. }), "{error:?}");
                    assert!(error.hint().expect("a hint").contains("make room"));
                    assert!(made > 0);
                    std::fs::remove_file(&ballast).expect("removed");
                    store.create(&new(None), 0).await.expect("it goes on");
                    let kept = store
                        .operations(&syncline_store::Filter::default())
                        .await
                        .expect("read");
                    assert_eq!(kept.len(), made + 1);
                    let entries = store.audit_entries(0, 1_000).await.expect("read");
                    assert_eq!(entries.len(), made + 1);
                    assert!(verify(&entries, &[], |_, _, _| true).is_whole());
                    store.close().await;
                })
            },
            false,
        );
    });
    let unmounted = Command::new("umount").arg("--lazy").arg(folder.path()).status();
    assert!(unmounted.is_ok_and(|status| status.success()));
    if let Err(panic) = outcome {
        std::panic::resume_unwind(panic);
    }
}
