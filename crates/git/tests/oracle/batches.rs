//! Objects of a batch: invisible to others until flushed, then one sound pack; refs never come first.

use syncline_git::{Entry, NewCommit, Oid, RefName, Repository, TreePath};

use crate::random::Random;
use crate::sandbox::{Sandbox, ada};

/// Writes files of many sizes and a commit of them.
fn commit_files(repository: &Repository, seed: u64) -> Oid {
    let mut random = Random(seed);
    let mut editor = repository.edit_tree(None);
    for n in 0..300 {
        let magnitude = random.below(15);
        let size = random.below(1 << magnitude);
        let bytes: Vec<u8> = (0..size).map(|_| random.below(256) as u8).collect();
        let path = TreePath::from(format!("d{}/f{n}", n % 17));
        editor
            .set(&path, Entry::file(repository.write_blob(&bytes).unwrap()))
            .unwrap();
    }
    let tree = editor.write().unwrap();
    let new = NewCommit {
        tree,
        parents: &[],
        message: "m",
        author: &ada(),
        committer: &ada(),
    };
    repository.write_commit(new).unwrap()
}

#[test]
fn a_batch_becomes_one_pack_before_refs_move() {
    let sandbox = Sandbox::new(&["--bare"]);
    let repository = sandbox.open();
    let batch = repository.batch().unwrap();
    let commit = commit_files(&batch, 1);
    assert_eq!(
        batch.commit(commit).unwrap().oid,
        commit,
        "the batch sees its own objects"
    );
    assert!(!repository.has_object(commit).unwrap(), "others do not");
    batch
        .update_ref(&RefName::branch("main").unwrap(), Some(commit), None, "m")
        .unwrap();
    assert_eq!(repository.resolve("main").unwrap().oid, commit);
    sandbox.git(&["fsck", "--strict", "--full"]);
    let count = || sandbox.git(&["count-objects", "-v"]);
    assert!(
        count().contains("\npacks: 1\n") && count().starts_with("count: 0\n"),
        "{}",
        count()
    );

    batch.flush().unwrap();
    assert_eq!(commit_files(&sandbox.open().batch().unwrap(), 1), commit);
    let again = repository.batch().unwrap();
    assert_eq!(commit_files(&again, 1), commit);
    again.flush().unwrap();
    assert!(count().contains("\npacks: 1\n"), "nothing new, no pack");
    let other = commit_files(&again, 2);
    again.flush().unwrap();
    let loose = Sandbox::new(&["--bare"]);
    assert_eq!(commit_files(&loose.open(), 2), other, "same ids as loose objects");
    assert!(count().contains("\npacks: 2\n"));
    assert_eq!(
        repository
            .files(repository.commit_tree(other).unwrap(), "")
            .unwrap()
            .len(),
        300
    );
    sandbox.git(&["fsck", "--strict", "--full"]);
}

#[test]
fn a_batch_that_is_dropped_leaves_nothing() {
    let sandbox = Sandbox::new(&["--bare"]);
    let repository = sandbox.open();
    let lost = commit_files(&repository.batch().unwrap(), 3);
    assert!(!repository.has_object(lost).unwrap());
    assert!(sandbox.git(&["count-objects", "-v"]).starts_with("count: 0\n"));
    repository.flush().unwrap();
    let blob = repository.batch().unwrap().write_blob(b"x").unwrap();
    assert!(
        repository
            .update_ref(&"refs/syncline/x".parse().unwrap(), Some(blob), None, "m")
            .is_err()
    );
}
