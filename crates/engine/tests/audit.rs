//! The audit chain against its checkpoints: what somebody with all rights on the database changes is found. And the server key.

use std::path::Path;
use std::process::Command;

use rusqlite::{Connection, params};
use serde_json::json;
use syncline_domain::audit::{Draft, Entry};
use syncline_engine::audit::{self, FILE, REF, ReferenceError, Verified};
use syncline_engine::policy::Actor;
use syncline_engine::server_key::{self, KeyError, KeyPlace};
use syncline_git::{CommitTime, Repository};
use syncline_store::Store;
use syncline_store::seal::{Plain, ServerKey};

struct Rig {
    folder: tempfile::TempDir,
    store: Store,
    key: ServerKey,
    repository: Repository,
}

const TIME: CommitTime = CommitTime {
    seconds: 1_767_225_600,
    offset_minutes: 0,
};

fn git(folder: &Path, arguments: &[&str]) {
    let mut command = Command::new("git");
    command
        .current_dir(folder)
        .args(arguments)
        .env("GIT_CONFIG_NOSYSTEM", "1");
    let output = command.output().expect("git runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

impl Rig {
    async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        git(folder.path(), &["init", "--quiet", "--bare", "remote.git"]);
        git(folder.path(), &["init", "--quiet", "here"]);
        let here = folder.path().join("here");
        git(&here, &["config", "user.name", "Ada"]);
        git(&here, &["config", "user.email", "ada@acme.example"]);
        let remote = folder.path().join("remote.git");
        git(&here, &["remote", "add", "origin", remote.to_str().expect("UTF-8")]);
        let url = format!("sqlite:{}", folder.path().join("syncline.db").display());
        Self {
            store: Store::open(&url).await.expect("opened"),
            key: ServerKey::generate().expect("random"),
            repository: Repository::open(&here).expect("a repository"),
            folder,
        }
    }

    async fn write(&self, count: i64) {
        let drafts: Vec<Draft> = (0..count).map(|n| draft(n, "as it was")).collect();
        self.store.append_audit(&drafts).await.expect("written");
    }

    async fn sign(&self) -> bool {
        audit::sign(&self.store, &self.key, 7).await.expect("signed").is_some()
    }

    async fn publish(&self) -> Result<usize, ReferenceError> {
        let checkpoints = self.store.checkpoints().await.expect("read");
        audit::publish(&self.repository, "origin", &checkpoints, TIME)
    }

    async fn verify(&self, against: bool) -> Verified {
        let reference = against.then(|| audit::read(&self.repository, REF).expect("read"));
        audit::verify(&self.store, reference.as_deref()).await.expect("read")
    }

    /// What somebody with all rights on the file does.
    fn tamper(&self, change: impl FnOnce(&Connection)) {
        let file = self.store.file().expect("a file");
        change(&Connection::open(file).expect("opened"));
    }
}

fn draft(n: i64, text: &str) -> Draft {
    Draft {
        at: n,
        actor: "ada".to_owned(),
        action: "promote".to_owned(),
        subject: "env:uat".to_owned(),
        outcome: "succeeded".to_owned(),
        details: json!({"text": text}),
    }
}

/// Writes the chain anew with right digests, as somebody would who hides a deed.
fn rewrite(connection: &Connection, count: i64) {
    connection.execute("DELETE FROM audit", []).expect("emptied");
    let mut last = None;
    for n in 0..count {
        let entry = Entry::after(last, draft(n, "as it never was"));
        let draft = &entry.draft;
        let seq = i64::try_from(entry.seq).expect("small");
        let sql = "INSERT INTO audit VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
        let (previous, hash) = (entry.previous.to_string(), entry.hash.to_string());
        let details = draft.details.to_string();
        let values = params![
            seq,
            draft.at,
            draft.actor,
            draft.action,
            draft.subject,
            draft.outcome,
            details,
            previous,
            hash
        ];
        connection.execute(sql, values).expect("written");
        connection
            .execute("UPDATE audit_head SET seq = ?1, hash = ?2", params![seq, hash])
            .expect("written");
        last = Some((entry.seq, entry.hash));
    }
}

#[tokio::test]
async fn checkpoints_grow_on_the_remote() {
    let rig = Rig::new().await;
    assert!(!rig.sign().await, "nothing to sign");
    assert_eq!(rig.publish().await.expect("nothing to push"), 0);
    rig.write(5).await;
    assert!(rig.sign().await);
    assert!(!rig.sign().await, "signed already");
    assert_eq!(rig.publish().await.expect("pushed"), 1);
    rig.write(3).await;
    assert!(rig.sign().await);
    assert_eq!(rig.publish().await.expect("pushed"), 1);
    assert_eq!(rig.publish().await.expect("nothing new"), 0);
    let found = rig.verify(true).await;
    assert!(found.is_whole() && found.against_reference, "{found:?}");
    assert_eq!(
        (found.report.entries, found.report.checkpoints),
        (8, 4),
        "two here, two there"
    );
    let kept = audit::read(&rig.repository, REF).expect("read");
    let file = rig.folder.path().join("copy.jsonl");
    let lines: String = kept.iter().map(|one| format!("{}\n", json!(one))).collect();
    std::fs::write(&file, &lines).expect("written");
    assert_eq!(
        audit::read(&rig.repository, file.to_str().expect("UTF-8")).expect("read"),
        kept
    );
    std::fs::write(&file, format!("{lines}nonsense\n")).expect("written");
    let error = audit::read(&rig.repository, file.to_str().expect("UTF-8")).expect_err("damaged");
    assert!(matches!(error, ReferenceError::Line { line: 3, .. }), "{error:?}");
    let error = audit::read(&rig.repository, "nowhere").expect_err("unknown");
    assert_eq!(
        error.to_string(),
        "`nowhere` is neither a ref of this repository nor a file"
    );
    assert!(FILE.ends_with(".jsonl"));
}

#[tokio::test]
async fn a_changed_entry_is_found() {
    let rig = Rig::new().await;
    rig.write(5).await;
    rig.tamper(|db| {
        let sql = "UPDATE audit SET actor = 'bob' WHERE seq = 3";
        assert_eq!(db.execute(sql, []).expect("written"), 1);
    });
    let found = rig.verify(false).await;
    assert_eq!(found.report.findings.iter().map(|one| one.seq).collect::<Vec<_>>(), [3]);
}

#[tokio::test]
async fn a_chain_that_was_written_and_signed_anew_is_found() {
    let rig = Rig::new().await;
    rig.write(5).await;
    rig.sign().await;
    rig.publish().await.expect("pushed");
    rig.tamper(|db| {
        rewrite(db, 5);
        db.execute_batch("DELETE FROM checkpoint; DELETE FROM secret")
            .expect("emptied");
    });
    assert!(rig.sign().await, "with a new key");
    assert!(rig.verify(false).await.is_whole(), "the database alone cannot tell");
    let found = rig.verify(true).await;
    assert_eq!((found.report.found, found.foreign_keys.len()), (1, 1), "{found:?}");
    assert!(
        found.report.findings[0]
            .to_string()
            .contains("the chain was written anew")
    );
    let refused = rig.publish().await;
    assert!(
        matches!(refused, Err(ReferenceError::Disagrees { seq: 5 })),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_chain_that_was_cut_is_found() {
    let rig = Rig::new().await;
    rig.write(5).await;
    rig.sign().await;
    rig.publish().await.expect("pushed");
    rig.tamper(|db| {
        db.execute_batch(
            "DELETE FROM audit WHERE seq > 3; DELETE FROM checkpoint;
             UPDATE audit_head SET seq = 3, hash = (SELECT hash FROM audit WHERE seq = 3)",
        )
        .expect("cut");
    });
    assert!(rig.verify(false).await.is_whole(), "the database alone cannot tell");
    let found = rig.verify(true).await;
    assert!(found.report.findings[0].to_string().contains("it was cut"), "{found:?}");
    let refused = rig.publish().await;
    assert!(matches!(refused, Err(ReferenceError::Disagrees { seq: 5 })));
}

#[tokio::test]
async fn the_server_key_is_made_replaced_and_missed() {
    let rig = Rig::new().await;
    let path = rig.folder.path().join("server.key");
    let place = KeyPlace::File(path.clone());
    let first = server_key::load(&rig.store, &place).await.expect("made");
    let again = server_key::load(&rig.store, &place).await.expect("read");
    assert_eq!(first.id(), again.id());
    rig.store
        .put_secret(&first, "a", &Plain::new("CANARY"), 0)
        .await
        .expect("kept");
    let (from, to, secrets) = server_key::rotate(&rig.store, &place, None, &Actor::owner("ada"), 1)
        .await
        .expect("replaced");
    assert_eq!((from.as_str(), secrets), (first.id(), 1));
    let second = server_key::load(&rig.store, &place).await.expect("read");
    assert_eq!(second.id(), to);
    let opened = rig.store.secret(&second, "a").await.expect("opened").expect("there");
    assert_eq!(opened.expose(), b"CANARY");

    // A crash before the database was written, and one after it.
    let new = path.with_file_name("server.key.new");
    let third = ServerKey::generate().expect("random");
    third.write_new(&new).expect("written");
    assert_eq!(
        server_key::load(&rig.store, &place).await.expect("undone").id(),
        second.id()
    );
    assert!(!new.exists());
    third.write_new(&new).expect("written");
    rig.store.rotate_key(&second, &third, "ada", 2).await.expect("sealed");
    assert_eq!(
        server_key::load(&rig.store, &place).await.expect("completed").id(),
        third.id()
    );
    assert!(!new.exists());

    std::fs::remove_file(&path).expect("removed");
    let lost = server_key::load(&rig.store, &place).await;
    assert!(matches!(lost, Err(KeyError::Lost { ref id, .. }) if id == third.id()));
    assert!(!path.exists(), "no other key takes its place");
    let outside = KeyPlace::Given(third.clone());
    let none = server_key::rotate(&rig.store, &outside, None, &Actor::owner("ada"), 3).await;
    assert!(matches!(none, Err(KeyError::NoNewKey)));
}
